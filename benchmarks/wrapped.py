"""Puts the lines of a log into envelopes: what syslog, containers and the journal make of them.

Every line is a message of its own, as where a program writes to a pipe.  What
belongs together (a record, its traceback and what others write between) stays in
one envelope; in the mixed log another one follows after some hundred lines.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from events import Event

HOST = "ctl-1"
PROGRAMS = ("nova-compute", "neutron-server", "cinder-volume", "heat-engine", "glance-api")
_SHORTEST, _LONGEST = 100, 500
"""Lines in one envelope of the mixed log."""

Wrap = Callable[[Event, str], str]
"""A line without its end and who wrote it to the line in its envelope."""


class Wrapper:
    """Puts lines into envelopes that take turns."""

    def __init__(self, wraps: list[Wrap]) -> None:
        self.wraps = wraps
        self.rng = random.Random(4)
        self.wrap = wraps[0]
        self.left = _SHORTEST

    def piece(self, event: Event, piece: bytes) -> bytes:
        """Return lines in the envelope whose turn it is."""
        lines = piece.decode().split("\n")[:-1]
        self.left -= len(lines)
        return "".join([f"{self.wrap(event, line)}\n" for line in lines]).encode()

    def turn(self) -> None:
        """Say that what follows may stand in another envelope."""
        if self.left <= 0:
            others = [wrap for wrap in self.wraps if wrap != self.wrap]
            self.wrap = self.rng.choice(others or self.wraps)
            self.left = self.rng.randrange(_SHORTEST, _LONGEST)


def program(event: Event) -> str:
    """Return the program whose process an event is of."""
    return PROGRAMS[event.pid % len(PROGRAMS)]


def _syslog(event: Event, line: str) -> str:
    """RFC 3164, as a file has it."""
    return f"{_day(event.milliseconds // 1000)} {HOST} {program(event)}[{event.pid}]: {line}"


def _docker(event: Event, line: str) -> str:
    """A line of Docker's json-file driver, which escapes what HTML would."""
    log = json.dumps(f"{line}\n", ensure_ascii=False)
    for character in "<>&":
        log = log.replace(character, f"\\u{ord(character):04x}")
    return f'{{"log":{log},"stream":"stderr","time":"{_nanoseconds(event)}Z"}}'


def _cri(event: Event, line: str) -> str:
    return f"{_nanoseconds(event)}Z stderr F {line}"


def _journal(event: Event, line: str) -> str:
    """An entry of ``journalctl -o json`` of what a service wrote to its standard error."""
    micros = 1000 * event.milliseconds + 417
    return (
        f'{_owner(event.pid)},"__CURSOR":"s=6d0b{micros:028x};i={micros & 0xFFFFFFF:x}",'
        f'"__REALTIME_TIMESTAMP":"{micros}",'
        f'"__MONOTONIC_TIMESTAMP":"{micros - 1_772_000_000_000_000}",'
        f'"MESSAGE":{json.dumps(line, ensure_ascii=False)}}}'
    )


def _bare(_: Event, line: str) -> str:
    return line


@lru_cache(maxsize=256)
def _owner(pid: int) -> str:
    """Return the fields of an entry that tell who wrote it."""
    name = PROGRAMS[pid % len(PROGRAMS)]
    fields = {
        "_HOSTNAME": HOST, "_MACHINE_ID": f"{7 * 16**30 + 5:032x}",
        "_BOOT_ID": f"{16**31 + 9:032x}", "_TRANSPORT": "stdout",
        "_STREAM_ID": f"{pid * 16**24:032x}", "PRIORITY": "6",
        "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": name, "_PID": str(pid), "_UID": "42436",
        "_GID": "42436", "_COMM": name, "_EXE": "/usr/bin/python3.12",
        "_CMDLINE": f"/usr/bin/python3 /usr/bin/{name} --config-file /etc/{name}.conf",
        "_CAP_EFFECTIVE": "0", "_SELINUX_CONTEXT": "unconfined\n", "_RUNTIME_SCOPE": "system",
        "_SYSTEMD_CGROUP": f"/system.slice/{name}.service", "_SYSTEMD_UNIT": f"{name}.service",
        "_SYSTEMD_SLICE": "system.slice", "_SYSTEMD_INVOCATION_ID": f"{3 * 16**30 + pid:032x}",
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":"))[:-1]


@lru_cache(maxsize=16)
def _day(seconds: int) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time:%b} {time.day:2} {time:%H:%M:%S}"


def _nanoseconds(event: Event) -> str:
    return f"{_second(event.milliseconds // 1000)}.{event.milliseconds % 1000:03d}417083"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


WRAPPERS: dict[str, Callable[[], Wrapper]] = {
    "docker": lambda: Wrapper([_docker]),
    "journal": lambda: Wrapper([_journal]),
    "mixed": lambda: Wrapper([_syslog, _docker, _cri, _journal, _bare]),
}
"""By kind of log what puts its lines into envelopes."""
