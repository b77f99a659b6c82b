"""A story: the requests of a tree, in the order they began, with what their records tell.

A request is one id.  What has one id over RPC is worked on by several
processes: its parts.  Times are those the hosts' clocks say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pyarrow as pa

from opslog.correlate.calls import is_under_callers_id
from opslog.correlate.graph import RequestGraph
from opslog.model import schema
from opslog.model.arrays import numbers
from opslog.model.record import LogRecord, records_of
from opslog.model.severity import ERROR

UNKNOWN = "?"
"""The program or service of a record that names none."""

ANSWERED_BADLY = 400
"""The lowest HTTP status of a failed call."""


@dataclass(slots=True)
class Call:
    """The HTTP call that began a request, and its answer."""

    method: str
    target: str
    status: int | None = None
    duration: float | None = None
    """Seconds to the answer, as the service says."""

    @property
    def path(self) -> str:
        """The target without server and query."""
        return urlsplit(self.target).path if "//" in self.target else self.target.partition("?")[0]

    @property
    def failed(self) -> bool:
        """Whether the answer was an error."""
        return self.status is not None and self.status >= ANSWERED_BADLY


@dataclass(slots=True)
class TraceSpan:
    """Records of one request, or of one process in its name; numbers are those of Story.records."""

    records: list[int] = field(default_factory=list)
    begin: datetime | None = None
    end: datetime | None = None
    severity: int = 0
    """The highest severity number, 0 if none is known."""

    def add(self, number: int, record: LogRecord) -> None:
        """Take a record."""
        self.records.append(number)
        self.severity = max(self.severity, record.severity_number or 0)
        if record.timestamp is not None:
            begin = record.timestamp
            if _is_answer(record) and record.duration is not None:
                begin -= timedelta(seconds=min(record.duration, 86400.0))
            self.begin = min(self.begin or begin, begin)
            self.end = max(self.end or record.timestamp, record.timestamp)

    @property
    def duration(self) -> float | None:
        """Seconds from its first to its last record, None without times."""
        return (self.end - self.begin).total_seconds() if self.begin and self.end else None


@dataclass(slots=True)
class ProcessSpan(TraceSpan):
    """What one process did in the name of a request."""

    program: str = UNKNOWN
    host: str | None = None
    pid: int | None = None
    source: str | None = None


@dataclass(slots=True)
class Request(TraceSpan):
    """One id, what was done under it and what it called; without records it is only named."""

    id: str = ""
    caller: str | None = None
    service: str = UNKNOWN
    call: Call | None = None
    task: bool = False
    """Whether it goes on for hours or weeks, so that its duration means nothing."""
    parts: list[ProcessSpan] = field(default_factory=list)
    children: list[Request] = field(default_factory=list)

    def tree(self) -> Iterator[Request]:
        """Yield it and all it called, in the order they began."""
        waiting = [self]
        while waiting:
            request = waiting.pop()
            yield request
            waiting += reversed(request.children)

    def span(self) -> tuple[datetime, datetime] | None:
        """Return when its tree began and ended, None without times."""
        begins = [one.begin for one in self.tree() if one.begin]
        ends = [one.end for one in self.tree() if one.end]
        return (min(begins), max(ends)) if begins and ends else None


@dataclass(frozen=True, slots=True)
class StoryGap:
    """Nothing was logged in a tree of requests for so long: seconds between two records."""

    seconds: float
    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Note:
    """What is told beside a story: ``request`` is the id of another request it is about."""

    kind: str
    text: str
    request: str | None = None


@dataclass(slots=True)
class Story:
    """What happened: trees of requests, and all records in the order of time.

    ``owners`` are, record by record, the requests they belong to, None for those that only name
    the id.  ``left_out`` records were too many.  ``unread`` is the error of what could not be read.
    ``left_behind`` records carry the id of a request that had ended by then: they are none of its.
    """

    id: str
    table: pa.Table
    records: list[LogRecord]
    owners: list[str | None]
    requests: list[Request]
    left_out: int = 0
    unread: BaseException | None = None
    left_behind: int = 0
    notes: list[Note] = field(default_factory=list)

    def tree(self) -> Iterator[Request]:
        """Yield all requests, each before what it called."""
        for request in self.requests:
            yield from request.tree()

    def gaps(self, seconds: float) -> list[StoryGap]:
        """Return where in a tree of requests nothing was logged for at least so long."""
        found = []
        for root in self.requests:
            if root.task:
                continue
            numbers = sorted(n for one in root.tree() for n in one.records)
            timed = [n for n in numbers if self.records[n].timestamp is not None]
            for after, before in pairwise(timed):
                length = (self._time(before) - self._time(after)).total_seconds()
                if length >= seconds:
                    found.append(StoryGap(length, after, before))
        return sorted(found, key=lambda gap: gap.after)

    def _time(self, number: int) -> datetime:
        time = self.records[number].timestamp
        assert time is not None
        return time


def story_of(
    id: str,  # noqa: A002
    table: pa.Table,
    graph: RequestGraph,
    roots: Iterable[str],
    left_out: int = 0,
    unread: BaseException | None = None,
    left_behind: int = 0,
) -> Story:
    """Return the story of the records of a table, as the graph knows their requests."""
    table = _ordered(table)
    records = [record for batch in table.to_batches() for record in records_of(batch)]
    requests: dict[str, Request] = {}
    owners: list[str | None] = []
    roots = list(roots)
    members = {member for root in roots for member in graph.members(root)}
    for number, record in enumerate(records):
        own = record.request_id
        if own is None or (record.global_request_id is not None and not graph.knows(own)):
            own = record.global_request_id or own
        owner = own if own in members else None
        owners.append(owner)
        if owner is not None:
            request = requests.setdefault(owner, Request(id=owner))
            request.add(number, record)
            _part(request, record).add(number, record)
    for one in members:
        request = requests.setdefault(one, Request(id=one))
        request.task = graph.is_task(one)
        parent = graph.parent(one)
        request.caller = parent if parent in members else None
    top = [
        r
        for r in requests.values()
        if r.caller is None and (r.records or graph.named_callees(r.id))
    ]
    for request in requests.values():
        if request.caller is not None:
            requests[request.caller].children.append(request)
    asked = _told_by_callers(records, owners)
    for request in requests.values():
        _describe(request, records, asked.get(request.id))
    story = Story(id, table, records, owners, top, left_out, unread, left_behind)
    for siblings in (top, *(request.children for request in requests.values())):
        siblings.sort(key=_start)
    return story


def ordered_by_place(table: pa.Table) -> pa.Table:
    """Return the records source by source, those of each in their order."""
    import pyarrow.compute as pc

    table = table.combine_chunks()
    keys = table.select(["source", "source_offset"])
    keys = keys.set_column(0, "source", keys["source"].cast(pa.string()))
    place = [("source", "ascending"), ("source_offset", "ascending")]
    return table.take(pc.sort_indices(keys, sort_keys=place))


def _ordered(table: pa.Table) -> pa.Table:
    """Return the records in the order of time; those without are as late as the one before."""
    table = ordered_by_place(table)
    sources = table["source"].to_pylist()
    times = table["timestamp"].cast(pa.int64()).to_pylist()
    counted: list[int] = []
    for number, (source, time) in enumerate(zip(sources, times, strict=True)):
        before = counted[-1] if number and sources[number - 1] == source else -(1 << 62)
        counted.append(before if time is None else time)
    rows = sorted(range(len(counted)), key=counted.__getitem__)
    return table.take(numbers(rows)).cast(schema.arrow_schema(original=True))


def _part(request: Request, record: LogRecord) -> ProcessSpan:
    """Return the part of the process that wrote a record."""
    for part in request.parts:
        known = record.program is None or part.program in (UNKNOWN, record.program)
        if known and (part.source, part.host, part.pid) == (
            record.source, record.host_name, record.process_pid
        ):  # fmt: skip
            break
    else:
        part = ProcessSpan(host=record.host_name, pid=record.process_pid, source=record.source)
        request.parts.append(part)
    if part.program == UNKNOWN:  # a client library's line does not tell whose it is
        part.program = record.program or record.service_name or UNKNOWN
    return part


def _is_answer(record: LogRecord) -> bool:
    """Whether a record is a service's own line about a call it has answered."""
    return (
        record.http_method is not None
        and record.http_status is not None
        and "connectionpool" not in (record.logger or "")  # a client's line looks the same
    )


def _told_by_callers(
    records: list[LogRecord], owners: list[str | None]
) -> dict[str, tuple[str, Call]]:
    """Return service and call as callers logged them, by called request."""
    found: dict[str, tuple[str, Call]] = {}
    status: dict[tuple[object, ...], int] = {}
    for record, owner in zip(records, owners, strict=True):
        writer = (owner, record.source, record.process_pid)
        if record.http_status is not None and record.http_method is None:
            status[writer] = record.http_status  # RESP: [404] ..., before the line that says whose
        callee = record.attributes.get("peer_request_id")
        if callee and record.http_method and callee != owner:
            call = Call(record.http_method, record.http_target or "", status.pop(writer, None))
            found[callee] = (record.attributes.get("peer_service", UNKNOWN), call)
    return found


def _describe(request: Request, records: list[LogRecord], asked: tuple[str, Call] | None) -> None:
    """Set service and call of a request: from its own answer, else from what its caller logged."""
    request.parts.sort(key=_start)
    # Clocks differ: who began first does not tell who called.
    for part in sorted(request.parts, key=lambda part: is_under_callers_id(part.program)):
        answers = [records[n] for n in part.records if _is_answer(records[n])]
        if answers:
            one = answers[0]
            assert one.http_method is not None
            request.call = Call(
                one.http_method, one.http_target or "", one.http_status, one.duration
            )
            request.service = part.program
            return
    if asked is not None:
        request.service, request.call = asked
    if request.parts:
        request.service = request.parts[0].program


def _start(span: TraceSpan) -> tuple[bool, float, int]:
    """Return the sort key of spans: by their beginning, else by their first record."""
    if isinstance(span, Request) and span.begin is None:
        inner = span.span()
        begin = inner[0] if inner else None
    else:
        begin = span.begin
    return begin is None, begin.timestamp() if begin else 0.0, (span.records or [0])[0]


def is_error(record: LogRecord) -> bool:
    """Whether a record tells that something went wrong."""
    return (record.severity_number or 0) >= ERROR or record.exception_type is not None
