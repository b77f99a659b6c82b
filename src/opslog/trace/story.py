"""A story: the requests of a tree, in the order they began, with what their records tell.

A request is one id.  What has one id over RPC is worked on by several
processes: its parts.  Times are those the hosts' clocks say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pyarrow as pa

from opslog.correlate.calls import is_under_callers_id
from opslog.correlate.graph import RequestGraph
from opslog.model import schema
from opslog.model.arrays import numbers
from opslog.model.naming import is_client
from opslog.model.record import LogRecord, records_of
from opslog.trace.clocks import offsets
from opslog.trace.spans import UNKNOWN, Call, ProcessSpan, Request, TraceSpan, is_answer

_AT_ONCE = 4096
"""Records made together: their columns are lists for that time."""


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
    ``clocks`` says by how much the clock of a host was seen to be ahead of the others': times of
    ``records`` are corrected by it, those of ``table`` are as logged.
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
    clocks: dict[str, timedelta] = field(default_factory=dict)

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
    members = {member for root in roots for member in graph.members(root)}
    story = _told(id, _ordered(table, {}), graph, members, {})
    if clocks := offsets(story.records, story.owners, story.requests):
        story = _told(id, _ordered(table, clocks), graph, members, clocks)
    story.left_out, story.unread, story.left_behind = left_out, unread, left_behind
    return story


def _told(
    id: str,  # noqa: A002
    table: pa.Table,
    graph: RequestGraph,
    members: set[str],
    clocks: dict[str, timedelta],
) -> Story:
    records = [
        _corrected(record, clocks)
        for batch in table.to_batches(max_chunksize=_AT_ONCE)
        for record in records_of(batch)
    ]
    requests: dict[str, Request] = {}
    owners: list[str | None] = []
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
    inside = [one for root in requests.values() if root.caller is None for one in root.tree()]
    for request in reversed(inside):  # what was called before who called it
        _describe(request, records, asked.get(request.id))
    story = Story(id, table, records, owners, top, clocks=clocks)
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


def _corrected(record: LogRecord, clocks: dict[str, timedelta]) -> LogRecord:
    """Return a record with the time of the clock that the others go by."""
    ahead = clocks.get(record.host_name or "")
    if not ahead or record.timestamp is None:
        return record
    return replace(record, timestamp=record.timestamp - ahead)


def _ordered(table: pa.Table, clocks: dict[str, timedelta]) -> pa.Table:
    """Return the records in the order of time; those without are as late as the one before."""
    table = ordered_by_place(table)
    sources, hosts = table["source"].to_pylist(), table["host_name"].to_pylist()
    times = table["timestamp"].cast(pa.int64()).to_pylist()
    ahead = {host: by // timedelta(microseconds=1) for host, by in clocks.items()}
    counted: list[int] = []
    for number, (source, host, time) in enumerate(zip(sources, hosts, times, strict=True)):
        before = counted[-1] if number and sources[number - 1] == source else -(1 << 62)
        counted.append(before if time is None else time - ahead.get(host, 0))
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


def add_calls(story: Story, served: Mapping[str, Call]) -> None:
    """Tell calls that lines of servers tell, by request, where no record of a service does."""
    for request in reversed([*story.tree()]):
        if request.heads() is request.children:
            _take_first_call(request)
        elif request.id in served and _own_call(request, story.records) is None:
            request.call = served[request.id]


def _describe(request: Request, records: list[LogRecord], asked: tuple[str, Call] | None) -> None:
    """Set service and call of a request: from its own answer, else from what its caller logged."""
    request.parts.sort(key=_start)
    if request.heads() is request.children:
        _take_first_call(request)
    elif (own := _own_call(request, records)) is not None:
        request.service, request.call = own
    else:
        if asked is not None:
            request.service, request.call = asked
        if request.parts:
            request.service = request.parts[0].program


def _take_first_call(request: Request) -> None:
    """Its head is the call that came first with the id, not who works under it."""
    called = [one for one in request.children if one.call is not None]
    if called:
        first = min(called, key=_start)
        request.service, request.call = first.service, first.call


def _own_call(request: Request, records: list[LogRecord]) -> tuple[str, Call] | None:
    """Return the service that told of answering the call of a request, and the call."""
    # Clocks differ: who began first does not tell who called.
    for part in sorted(request.parts, key=lambda part: is_under_callers_id(part.program)):
        call = _answered([records[n] for n in part.records])
        if call is not None:
            return part.program, call
    return None


def _answered(records: list[LogRecord]) -> Call | None:
    """Return the call that a process's records tell of as its service, None without an answer.

    One record tells all, or one tells method and target and a later one target and status.
    """
    for record in records:
        if is_answer(record):
            assert record.http_method is not None
            target = record.http_target or ""
            return Call(record.http_method, target, record.http_status, record.duration)
    served = [one for one in records if not is_client(one.logger, one.body)]
    asked = next((one for one in served if one.http_method and one.http_target), None)
    if asked is None or asked.http_method is None:
        return None
    for record in served:
        if record.http_status is not None and record.http_target == asked.http_target:
            between = asked.timestamp and record.timestamp and record.timestamp - asked.timestamp
            seconds = between.total_seconds() if between else None
            return Call(asked.http_method, asked.http_target or "", record.http_status, seconds)
    return None


def _start(span: TraceSpan) -> tuple[bool, float, int]:
    """Return the sort key of spans: by their beginning, else by their first record."""
    if isinstance(span, Request) and span.begin is None:
        inner = span.span()
        begin = inner[0] if inner else None
    else:
        begin = span.begin
    return begin is None, begin.timestamp() if begin else 0.0, (span.records or [0])[0]
