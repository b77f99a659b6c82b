"""What the services of a made-up cloud log: a seeded, endless stream of events.

An event is what a program handed to its logger; corpus.py prints it as oslo.log
would.  What is logged and how often stands in messages.toml, after real logs of
nova, neutron, cinder, keystone, glance, heat and placement.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

START_MS = 1_772_409_600_000  # 2026-03-02 00:00:00 UTC
_POOL = 4096
_OPEN_REQUESTS = 64
_USES = 25
"""Records of a request, about."""
_SITE = "/usr/lib/python3/dist-packages/"
_FIRST = f"""\
Traceback (most recent call last):
  File "{_SITE}retrying.py", line 247, in call
    raise KeyError(key)
KeyError: 'a'

During handling of the above exception, another exception occurred:
""".split("\n")
"""What stands before the traceback of an exception raised while another was handled."""


class Request(NamedTuple):
    """The context of a request, or of a periodic task (then without a user)."""

    number: int
    id: str
    global_id: str | None
    user: str | None
    project: str | None
    domain: str
    six_tokens: bool
    """Printed by a release before Zed, without a global id and a system scope."""


class Source(NamedTuple):
    """A place in the code that logs: one line of messages.toml."""

    share: int
    level: str
    logger: str
    function: str
    line: int
    message: str
    arguments: str = ""
    context: str = "request"
    """``request``, ``periodic`` (a task's context or none) or ``none``."""
    instance: bool = False

    @property
    def path(self) -> str:
        """The source file."""
        return _SITE + self.logger.replace(".", "/") + ".py"


class Event(NamedTuple):
    """One call of a logger."""

    milliseconds: int
    pid: int
    source: Source
    request: Request | None
    instance: str | None
    arguments: tuple[str | int, ...]
    traceback: tuple[str, ...]
    """Lines of the traceback, empty without an exception."""
    summary: str
    """The exception's last line, which oslo.log appends from WARNING on."""

    @property
    def message(self) -> str:
        """The message with its arguments filled in."""
        return self.source.message % self.arguments


def events(seed: int = 1) -> Iterator[Event]:
    """Yield events in the order of time, the same ones for the same seed."""
    return _Cloud(seed).events()


class _Cloud:
    """The state of the made-up cloud: its names, its open requests, its clock."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pools = self.values()
        self.pools["name"][17] = "büro-vm"  # bytes outside ASCII are rare, and there
        self.users = self.pools["hex"][:200]
        self.projects = self.pools["hex"][200:280]
        self.pids = [self.rng.randrange(20, 4_000_000) for _ in range(12)]
        self.count = self.turn = 0
        self.open: list[Request] = []
        self.open = [self.request() for _ in range(_OPEN_REQUESTS)]
        self.pools["request"] = [request.id for request in self.open]
        self.tasks = [self.request(task=True) for _ in range(_OPEN_REQUESTS)]
        with Path(__file__).with_name("messages.toml").open("rb") as file:
            self.messages = tomllib.load(file)

    def values(self) -> dict[str, list[Any]]:
        """Return by kind the values that messages take."""
        below = self.rng.randrange
        makers: dict[str, Callable[[], str | int]] = {
            "uuid": self.uuid,
            "hex": lambda: f"{self.rng.getrandbits(128):032x}",
            "ip": lambda: f"10.{below(64)}.{below(256)}.{below(1, 255)}",
            "host": lambda: f"compute-{below(400):03d}.example.org",
            "name": lambda: f"web-{below(1 << 20):05x}",
            "word": lambda: self.rng.choice(["_heal_instance_info_cache", "Started", "rbd"]),
            "status": lambda: self.rng.choice([200] * 17 + [404, 409, 503]),
            "size": lambda: below(1, 20_000),
            "small": lambda: below(3),
            "second": lambda: f"{below(60):02d}",
            "time": lambda: f"{self.rng.expovariate(8):.7f}",
        }
        return {kind: [make() for _ in range(_POOL)] for kind, make in makers.items()}

    def uuid(self) -> str:
        text = f"{self.rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def request(self, task: bool = False) -> Request:
        self.count += 1
        rng, shape = self.rng, self.rng.random()
        parent = rng.choice(self.open) if shape < 0.2 and self.open and not task else None
        user, project = ("", "") if task else (rng.choice(self.users), rng.choice(self.projects))
        return Request(
            self.count, f"req-{self.uuid()}", parent.id if parent else None,
            user or None, project or None, "default", shape > 0.8,
        )  # fmt: skip

    def arguments(self, kinds: str) -> tuple[str | int, ...]:
        random_ = self.rng.random
        pools = map(self.pools.__getitem__, kinds.split())
        return tuple([pool[int(random_() * len(pool))] for pool in pools])

    def context(self, kind: str) -> Request | None:
        """Return an open request, of which the oldest is now and then replaced, or a task's."""
        at = int(self.rng.random() * _OPEN_REQUESTS)
        if kind == "request":
            self.turn += 1
            if self.turn % _USES == 0:
                oldest = self.turn // _USES % _OPEN_REQUESTS
                self.open[oldest] = self.request()
                self.pools["request"][oldest] = self.open[oldest].id
            return self.open[at]
        chance = self.rng.random()
        if kind == "none" or chance < 0.5:
            return None
        if chance < 0.6:
            self.tasks[at] = self.request(task=True)
        return self.tasks[at]

    def failure(self) -> tuple[tuple[str, ...], str]:
        """Return the lines of a traceback and its last."""
        rng = self.rng
        name, message, kinds = rng.choice(self.messages["exceptions"])
        summary = f"{name}: {message % self.arguments(kinds)}"
        lines = ["Traceback (most recent call last):"]
        frames = rng.choices(self.messages["frames"], k=rng.randrange(4, 9))
        for path, line, function, code in frames:
            lines += [f'  File "{_SITE}{path}", line {line}, in {function}', f"    {code}"]
        lines.append(summary)
        if rng.random() < 0.1:
            lines = [*_FIRST, *lines]
        return tuple(lines), summary

    def events(self) -> Iterator[Event]:
        routine, warnings, failures = (
            [
                source
                for entry in self.messages[kind]
                for source in [Source(**entry)] * entry["share"]
            ]
            for kind in ("routine", "warnings", "failures")
        )
        random_: Callable[[], float] = self.rng.random
        uuids, pids = self.pools["uuid"], self.pids
        clock = float(START_MS)
        while True:
            clock += random_() * 9
            chance = random_()
            traceback: tuple[str, ...] = ()
            summary = ""
            if chance > 0.0085:
                source = routine[int(random_() * len(routine))]
            elif chance > 0.0038:
                source = warnings[int(random_() * len(warnings))]
            else:
                source = failures[int(random_() * len(failures))]
                traceback, summary = self.failure()
            yield Event(
                int(clock), pids[int(random_() * len(pids))], source, self.context(source.context),
                uuids[int(random_() * _POOL)] if source.instance else None,
                self.arguments(source.arguments), traceback, summary,
            )  # fmt: skip
