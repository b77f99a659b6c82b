"""Pairs of runs, a good one and one with a fault, made of the logs of one real run.

``python benchmarks/faults.py RUN PAIRS [SEEDS]`` reads the folder RUN (a lab's logs) and writes
PAIRS/NAME/good, PAIRS/NAME/bad and PAIRS/NAME/truth.json for each fault and seed.  Both sides
are the run as it might have been on two days: other ids, other times and durations, some of its
requests left out of each, and in the bad one harmless messages that the good one has not.
"""

# ruff: noqa: E501, B023
from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import opslog

_IDS = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{32}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?")
_UWSGI = re.compile(r"\[([A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \d{4})\]")
_SECONDS = re.compile(r"(time: )(\d+\.\d+)")
_MSECS = re.compile(r"(in )(\d+)( msecs)")


@dataclass
class Record:
    """A record of a run: where it stands, whose it is, its lines."""

    file: str
    host: str
    time: datetime | None
    service: str
    program: str
    severity: int
    request: str | None
    root: str | None
    call: tuple[str, str] | None
    lines: str

    def shifted(self, seconds: float) -> None:
        """Move its time."""
        if self.time is None:
            return
        by = timedelta(seconds=seconds)

        def iso(found: re.Match[str]) -> str:
            form = "%Y-%m-%d %H:%M:%S"
            text = found[0].replace("T", " ").replace(",", ".")
            whole, _, part = text.partition(".")
            if not part:
                return (datetime.strptime(whole, form) + by).strftime(form)
            moment = datetime.strptime(f"{whole}.{part[:6]}", form + ".%f") + by
            return moment.strftime(form + ".%f")[: len(whole) + 1 + len(part[:6])]

        def ctime(found: re.Match[str]) -> str:
            moment = datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y") + by
            return moment.strftime("[%a %b %d %H:%M:%S %Y]")

        self.lines = "\n".join(
            _UWSGI.sub(ctime, _TIME.sub(iso, line, count=1), count=1)
            for line in self.lines.split("\n")
        )
        self.time += by


def load(folder: Path) -> list[Record]:
    """Return the records of all logs in a folder, in the order of each file."""
    found = []
    for one in opslog.read(folder, original=True, root=True):
        path = Path(one.source)
        call = None
        if one.http_method and one.http_target and one.http_status:
            call = one.http_method, re.sub(r"[?#].*|^https?://[^/]*", "", one.http_target)
        found.append(Record(
            str(path.relative_to(folder)).removesuffix(".gz"), one.host_name or "",
            one.timestamp and one.timestamp.replace(tzinfo=None), one.service_name or "",
            one.program or "", one.severity_number or 0, one.request_id or one.global_request_id,
            one.root_request_id, call, one.original.decode(errors="replace").rstrip("\n"),
        ))  # fmt: skip
    return found


def another_day(records: list[Record], chance: random.Random, days: int) -> list[Record]:
    """Return the run as it might have been on another day."""
    roots = sorted({one.root for one in records if one.root})
    left = {root for root in roots if chance.random() < 0.15}
    salt = str(chance.random()).encode()

    def other(found: re.Match[str]) -> str:
        digits = iter(hashlib.sha256(salt + found[0].encode()).hexdigest()[:32])
        return "".join(c if c == "-" else next(digits) for c in found[0])

    out = []
    for one in records:
        if one.root in left:
            continue
        pace = chance.uniform(0.75, 1.35)
        lines = _IDS.sub(other, one.lines)
        lines = _SECONDS.sub(lambda m: f"{m[1]}{float(m[2]) * pace:.6f}", lines)
        lines = _MSECS.sub(lambda m: f"{m[1]}{round(int(m[2]) * pace)}{m[3]}", lines)
        new = Record(**{**one.__dict__, "lines": lines})
        for name in ("request", "root"):
            value = getattr(one, name)
            setattr(new, name, value and _IDS.sub(other, value))
        new.shifted(days * 86400 + 7)
        out.append(new)
    return out


_HARMLESS = (
    ("nova-api", "WARNING", "oslo_config.cfg", 'Deprecated: Option "workers" from group "wsgi" is '
     'deprecated. Use option "api_workers" from group "DEFAULT".'),
    ("neutron", "INFO", "neutron.quota", "Loaded quota driver: DbQuotaNoLockDriver engine."),
    ("glance", "INFO", "glance.async_", "Threadpool model set to native workers"),
    ("nova-compute", "WARNING", "nova.virt.driver", "Driver reports no support for persistent "
     "memory, namespaces are ignored"),
    ("cinder", "ERROR", "cinder.cmd.volume", "Backend statistics of a disabled pool were asked for"),
)  # fmt: skip


def harmless(records: list[Record], chance: random.Random) -> None:
    """Put messages among the records that have to do with nothing."""
    for program, level, logger, text in chance.sample(_HARMLESS, 3):
        near = [one for one in records if one.program.startswith(program) and one.time]
        near = [one for one in near if "uwsgi" not in one.file]
        if near:
            at = chance.choice(near)
            _put_behind(records, at, level, logger, text, None)


def _put_behind(
    records: list[Record], at: Record, level: str, logger: str, text: str,
    request: Record | None, trace: str = "",
) -> Record:  # fmt: skip
    """Put a record behind another one, in its format, in the name of ``request`` if given."""
    head = at.lines.split("\n")[0]
    stamp = _TIME.match(head)
    assert stamp is not None
    pid = head[stamp.end() :].split()[0]
    context = "[-]"
    if request is not None and (found := re.search(r"\[[^\]]*req-[^\]]*\]", request.lines)):
        context = found[0]
    line = f"{stamp[0]} {pid} {level} {logger} {context} "
    lines = line + text
    for more in trace.split("\n") if trace else ():
        lines += f"\n{stamp[0]} {pid} {level} {logger} {more}"
    new = Record(**{**at.__dict__, "lines": lines, "call": None})
    new.request = request.request if request else None
    new.root = request.root if request else None
    records.insert(records.index(at) + 1, new)
    return new


def _trace(path: str, function: str, raised: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "/usr/lib/python3/dist-packages/{path}", line 318, in {function}\n'
        f"    raise self._failed(context)\n{raised}"
    )


def _boots(records: list[Record], program: str) -> list[list[Record]]:
    """Return the records of each request that ``program`` took long part in, in its program."""
    found: dict[str, list[Record]] = {}
    for one in records:
        if one.program == program and one.request and "uwsgi" not in one.file and one.time:
            found.setdefault(one.request, []).append(one)
    return [some for some in found.values() if len(some) >= 6]


def _cut(records: list[Record], gone: list[Record]) -> None:
    drop = set(map(id, gone))
    records[:] = [one for one in records if id(one) not in drop]


@dataclass
class Truth:
    """What is to be found: words of the cause, or operations with the kinds of findings."""

    fault: str
    needles: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


def exception(records: list[Record], chance: random.Random) -> Truth:
    """Let spawning fail in nova-compute: an exception, and what its callers say of it."""
    boots = _boots(records, "nova-compute")
    text = "Instance failed to spawn: nova.exception.PortBindingFailed: Binding failed for port, "
    text += "please check neutron logs for more information."
    raised = "nova.exception.PortBindingFailed: Binding failed for port, please check neutron logs"
    for some in chance.sample(boots, max(1, len(boots) * 2 // 3)):
        at = some[len(some) // 2]
        new = _put_behind(records, at, "ERROR", "nova.compute.manager", text, at,
                          _trace("nova/network/neutron.py", "_ensure_no_port_binding_failure", raised))  # fmt: skip
        _cut(records, some[len(some) // 2 + 1 :])
        _put_behind(records, new, "ERROR", "nova.compute.manager",
                    "Failed to build and run instance: nova.exception.PortBindingFailed", at)  # fmt: skip
    return Truth("exception", ["Binding failed for port"])


def answers_cut(records: list[Record], chance: random.Random) -> Truth:
    """Let a called service go away in the middle; callers say that they cannot connect."""
    service, port = chance.choice([("placement", 8778), ("cinder", 8776), ("glance", 9292)])
    end = _middle(records, chance)
    _cut(
        records, [one for one in records if one.service == service and one.time and one.time > end]
    )
    text = f"Unable to establish connection to http://127.0.0.1:{port}/: connection refused"
    after = [
        some[0] for some in _boots(records, "nova-compute") if some[0].time and some[0].time > end
    ]
    for at in after[:6]:
        _put_behind(records, at, "ERROR", "nova.scheduler.client.report", text, at,
                    _trace("keystoneauth1/session.py", "_send_request",
                           f"keystoneauth1.exceptions.connection.ConnectFailure: {text}"))  # fmt: skip
    return Truth("answers cut", [text[:40]], [service], ["missing", "silent"])


def silence(records: list[Record], chance: random.Random) -> Truth:
    """Let a called service go away in the middle; nobody says anything of it."""
    service = chance.choice(["placement", "neutron", "cinder"])
    end = _middle(records, chance)
    _cut(records, [one for one in records if one.service == service and (one.time or end) >= end])
    return Truth("silence", [], [service], ["missing", "silent", "gone"])


def hang(records: list[Record], chance: random.Random) -> Truth:
    """Let nova-compute go no further in most requests, without a word."""
    boots = _boots(records, "nova-compute")
    for some in chance.sample(boots, max(2, len(boots) * 3 // 4)):
        _cut(records, some[len(some) // 2 :])
    return Truth("hang", [], ["nova POST /v2.1/servers", "nova POST /v2.1/servers/{id}/action",
                              "nova-compute", "nova DELETE /v2.1/servers/{id}", "nova"],
                 ["missing", "unfinished", "silent"])  # fmt: skip


def delay(records: list[Record], chance: random.Random) -> Truth:
    """Let an operation take seconds longer, and all that waits for it."""
    service, method, path = chance.choice([
        ("placement", "GET", "/allocation_candidates"), ("nova", "GET", "/v2.1/servers/"),
        ("neutron", "GET", "/v2.0/networks/"), ("placement", "PUT", "/allocations/"),
        ("neutron", "GET", "/v2.0/ports"), ("keystone", "GET", "/v3/auth/tokens"),
    ])  # fmt: skip
    late: dict[str, float] = {}
    for one in sorted((r for r in records if r.time), key=lambda r: r.time or datetime.min):
        if one.root in late:
            one.shifted(late[one.root])
        fits = one.call and one.call[0] == method and one.call[1].startswith(path)
        if fits and one.service == service and chance.random() < 0.8:
            by = chance.uniform(4, 15)
            one.lines = _SECONDS.sub(lambda m: f"{m[1]}{float(m[2]) + by:.6f}", one.lines)
            one.lines = _MSECS.sub(
                lambda m: f"{m[1]}{round(int(m[2]) + by * 1000)}{m[3]}", one.lines
            )
            if one.root and one.root not in late:
                late[one.root] = by
                one.shifted(by)
    route = path.rstrip("/") + ("/{id}" if path.endswith("/") else "")
    return Truth("delay", [], [f"{service} {method} {route}"], ["slower"])


def denied(records: list[Record], chance: random.Random) -> Truth:
    """Let a policy refuse an operation of nova's API."""
    calls = [one for one in records if one.call and one.service == "nova" and "uwsgi" not in one.file
             and one.call[0] == "POST" and "status: 20" in one.lines
             and one.call[1].startswith("/v2.1/servers")]  # fmt: skip
    for one in chance.sample(calls, max(2, len(calls) * 2 // 3)):
        request = one
        one.lines = re.sub(r"status: 20\d", "status: 403", one.lines)
        before = [r for r in records if r.request == one.request and r.program == one.program]
        at = before[0]
        if at is one:
            continue
        _cut(records, [r for r in records if r.root == one.root and r is not one and r is not at])
        _put_behind(records, at, "INFO", "nova.api.openstack.wsgi", "HTTP exception thrown: Policy "
                    "doesn't allow os_compute_api:servers:create to be performed.", request)  # fmt: skip
    return Truth("denied", ["Policy doesn't allow", "answers 403"])


def refused(records: list[Record], chance: random.Random) -> Truth:
    """Let neutron warn that it has no addresses, and nova-compute fail for it."""
    boots = _boots(records, "nova-compute")
    warns = [one for one in records if one.program.startswith("neutron-server") and one.time
             and "uwsgi" not in one.file and one.request]  # fmt: skip
    text = "No more IP addresses available on subnet demo-v4"
    for some in chance.sample(boots, max(1, len(boots) // 2)):
        at = some[len(some) // 2]
        near = [w for w in warns if w.time and at.time and w.time <= at.time]
        if near:
            _put_behind(records, near[-1], "WARNING", "neutron.ipam.drivers.neutrondb_ipam.driver",
                        text, near[-1])  # fmt: skip
        _put_behind(records, at, "ERROR", "nova.compute.manager",
                    "Instance failed network setup after 1 attempt(s)", at,
                    _trace("nova/network/neutron.py", "_create_port_minimal",
                           "nova.exception.NoMoreFixedIps: No fixed IP addresses available."))  # fmt: skip
        _cut(records, some[len(some) // 2 + 1 :])
    return Truth("refused", [text, "failed network setup", "No fixed IP"])


def database(records: list[Record], chance: random.Random) -> Truth:
    """Let a service lose its database for a while: errors of no request, and answers with 500."""
    program = chance.choice(["nova-api", "placement-api"])
    end = _middle(records, chance)
    own = [one for one in records if one.file.endswith(f"{program}.log") and one.time
           and one.time > end]  # fmt: skip
    text = "Database connection was found disconnected; reconnecting: pymysql.err."
    text += "OperationalError: (2013, 'Lost connection to server during query')"
    for one in own[:3]:
        _put_behind(records, one, "ERROR", "oslo_db.sqlalchemy.engines", text, None)
    for one in own:
        one.lines = re.sub(r"status: 20\d|HTTP 20\d", lambda m: m[0][:-3] + "500", one.lines)
    return Truth("database", ["Lost connection to server"])


def killed(records: list[Record], chance: random.Random) -> Truth:
    """Let nova-compute of a host be killed."""
    host = chance.choice(["cmp1", "cmp2"])
    end = _middle(records, chance)
    _cut(records, [one for one in records if one.host == host and one.time and one.time > end])
    return Truth("killed", [f"nova-compute on {host}"], ["nova-compute"], ["silent", "missing"])


def flood(records: list[Record], chance: random.Random) -> Truth:
    """Let a warning that is usual come very often."""
    warnings = [one for one in records if one.severity == 13 and one.time and one.request
                and "uwsgi" not in one.file]  # fmt: skip
    at = chance.choice(warnings)
    said = re.sub(r"^.*?\] ", "", at.lines.split("\n")[0])
    usual = sum(said[:35] in one.lines for one in records)
    for number in range(max(150, 4 * usual)):
        new = Record(**at.__dict__)
        new.lines = re.sub(r"req-[0-9a-f]{8}", f"req-{number:08x}", at.lines)
        new.request = new.root = f"req-{number}"
        records.insert(records.index(at) + 1, new)
        new.shifted(number * 0.2)
    return Truth("flood", [said[:35]])


def messaging(records: list[Record], chance: random.Random) -> Truth:
    """Let RabbitMQ be gone: all services say so, and calls time out."""
    end = _middle(records, chance)
    text = (
        "AMQP server on 127.0.0.1:5672 is unreachable: [Errno 111] ECONNREFUSED. Trying again in "
    )
    for program in ("nova-conductor", "nova-compute", "cinder-scheduler", "nova-scheduler"):
        own = [one for one in records if one.program == program and one.time and one.time > end
               and "uwsgi" not in one.file]  # fmt: skip
        for number, one in enumerate(own[:4]):
            _put_behind(records, one, "ERROR", "oslo.messaging._drivers.impl_rabbit",
                        f"{text}{2 * number + 1} seconds.", None)  # fmt: skip
        _cut(records, own[6:])
    api = [one for one in records if one.program == "nova-api" and one.call and one.time
           and one.time > end and "uwsgi" not in one.file]  # fmt: skip
    for one in api[4:14]:
        _put_behind(records, one, "ERROR", "nova.api.openstack.wsgi", "Unexpected exception in API "
                    "method: oslo_messaging.exceptions.MessagingTimeout: Timed out waiting for a "
                    "reply to message ID 5f3e", one)  # fmt: skip
    return Truth("messaging", ["AMQP server on"])


def _middle(records: list[Record], chance: random.Random) -> datetime:
    times = sorted(one.time for one in records if one.time)
    return times[int(len(times) * chance.uniform(0.4, 0.6))]


FAULTS: tuple[Callable[[list[Record], random.Random], Truth], ...] = (
    exception, answers_cut, silence, hang, delay, denied, refused, database, killed, flood,
    messaging,
)  # fmt: skip


def write(records: list[Record], folder: Path) -> None:
    """Write the records to their files, those of a file in their order."""
    texts: dict[str, list[str]] = {}
    for one in records:
        texts.setdefault(one.file, []).append(one.lines)
    for name, lines in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


def main(run: Path, pairs: Path, seeds: range) -> None:
    """Write the pairs of a run."""
    records = load(run)
    for seed in seeds:
        for number, fault in enumerate(FAULTS):
            chance = random.Random(1000 * seed + number)
            folder = pairs / f"{run.name}-{fault.__name__}-{seed}"
            good = another_day(records, chance, days=1)
            bad = another_day(records, chance, days=2)
            truth = fault(bad, chance)
            harmless(bad, chance)
            write(good, folder / "good")
            write(bad, folder / "bad")
            (folder / "truth.json").write_text(json.dumps(truth.__dict__) + "\n")


if __name__ == "__main__":
    first, count = map(int, (sys.argv[3:] or ["0:2"])[0].split(":"))
    main(Path(sys.argv[1]), Path(sys.argv[2]), range(first, first + count))
