"""The rows of a story as people read it: requests, their processes, and calls folded into one.

A call that changes nothing and is made again and again (a client that waits for an instance, a
periodic update) would hide what happened.  Siblings that are such calls of one route, with one
status, are one row.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from opslog.model.naming import UUID
from opslog.model.severity import ERROR, WARNING
from opslog.stats.routes import route_of
from opslog.trace.spans import Call, ProcessSpan, Request, TraceSpan
from opslog.trace.story import Story

_READS = ("GET", "HEAD", "OPTIONS")

_ID = re.compile(f"(?<=/)(?={UUID})([0-9a-f]{{8}})[0-9a-f-]{{28}}")
_SHORT_ID = "\\1\N{HORIZONTAL ELLIPSIS}"

_MOMENT = 0.01
"""Seconds: of a request without a known call that took no longer, nothing is known but its time."""


@dataclass(slots=True)
class StoryRow:
    """A row: a request, what one process did for it, or ``rows`` folded into one (``count``).

    ``spans`` are the times it was at work, one or, folded, several; of a request without records
    those of what it called.  ``hosts`` are in the order they began.  ``seconds`` is None without
    times, for a task, and where its records are of one moment and tell no duration; of folded rows
    it is the longest.
    """

    service: str
    call: Call | None = None
    id: str | None = None
    hosts: list[str] = field(default_factory=list)
    pid: int | None = None
    seconds: float | None = None
    severity: int = 0
    records: list[int] = field(default_factory=list)
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    rows: list[StoryRow] = field(default_factory=list)
    count: int = 1
    process: bool = False
    task: bool = False

    @property
    def begin(self) -> datetime | None:
        """When it began, None without times."""
        return min((begin for begin, _ in self.spans), default=None)

    def tree(self) -> Iterator[StoryRow]:
        """Yield it and all rows below."""
        yield self
        for row in self.rows:
            yield from row.tree()

    @property
    def name(self) -> str:
        """Service and call, a process with its number, or the id of a request without records.

        UUIDs of the path have eight digits, that there is room for what stands behind them.  What
        is folded has the route of its calls.
        """
        if self.count > 1:
            return self.short_name
        call = self.call
        return self._named(f" {call.method} {_ID.sub(_SHORT_ID, call.path)}" if call else "")

    @property
    def short_name(self) -> str:
        """Its name with the route of the call, not its path."""
        call = self.call
        return self._named(f" {call.method} {route_of(call.target)}" if call else "")

    def _named(self, call: str) -> str:
        what = f"{self.service}{self._at}{call}"
        if self.count > 1:
            times = f"{self.count} \N{MULTIPLICATION SIGN} "
            return times + (what if self.records or call else "request without records")
        if self.process:
            return what + (f"[{self.pid}]" if self.pid is not None else "")
        if self.records or self.id is None:
            return what
        return f"{what if call else ''} {self.id[:12]} (no records)".lstrip()

    @property
    def status(self) -> int | None:
        """The HTTP status of its call, None without one."""
        return self.call.status if self.call else None

    @property
    def status_severity(self) -> int:
        """How bad the status is: a GET that finds nothing is no failure."""
        if self.call is None or not self.call.failed:
            return 0
        return WARNING if self.status == 404 and self.call.method in _READS else ERROR

    @property
    def worst(self) -> int:
        """The highest severity number in it and below it, statuses too."""
        return max(max(row.severity, row.status_severity) for row in self.tree())

    @property
    def _at(self) -> str:
        return f"@{self.hosts[0]}" if len(self.hosts) == 1 else ""


def rows_of(story: Story) -> list[StoryRow]:
    """Return the rows of a story in the order they began, those that can be folded folded."""
    return _folded(map(_row, story.requests))


def _row(request: Request) -> StoryRow:
    several = request.parts if len(request.parts) > 1 else []
    inner = [*map(_process, several), *_folded(map(_row, request.children))]
    inner.sort(key=lambda row: (row.begin is None, row.begin and row.begin.timestamp()))
    own = [(request.begin, request.end)] if request.begin and request.end else []
    return StoryRow(
        service=request.service,
        call=request.call,
        id=request.id,
        hosts=list(dict.fromkeys(part.host for part in request.parts if part.host)),
        seconds=None if request.task else _length(request, request.call),
        severity=request.severity,
        records=request.records,
        spans=own or [span for row in inner for span in row.spans],
        rows=inner,
        task=request.task,
    )


def _process(part: ProcessSpan) -> StoryRow:
    return StoryRow(
        service=part.program,
        hosts=[part.host] if part.host else [],
        pid=part.pid,
        seconds=_length(part),
        severity=part.severity,
        records=part.records,
        spans=[(part.begin, part.end)] if part.begin and part.end else [],
        process=True,
    )


def _length(span: TraceSpan, call: Call | None = None) -> float | None:
    told = call is not None and call.duration is not None
    return span.duration if told or span.duration else None


def _folded(rows: Iterable[StoryRow]) -> list[StoryRow]:
    """Return rows with those folded that only read the same again; each stands where it began."""
    groups: dict[Hashable, list[StoryRow]] = {}
    for row in rows:
        groups.setdefault(_same(row) if _is_quiet(row) else id(row), []).append(row)
    return [same[0] if len(same) == 1 else _together(same) for same in groups.values()]


def _is_quiet(row: StoryRow) -> bool:
    """Whether a row changed nothing and nothing failed in it, nor in what it called."""
    if row.severity >= ERROR or row.status_severity >= ERROR or row.task:
        return False
    if row.process:
        return True
    if row.call is not None:
        if row.call.method not in _READS:
            return False
    elif row.records and (row.seconds or 0) >= _MOMENT:
        return False
    return (bool(row.records) or bool(row.rows)) and all(map(_is_quiet, row.rows))


def _same(row: StoryRow) -> Hashable:
    call = row.call
    told = call and (call.method, route_of(call.target), call.status)
    return row.service, told, bool(row.records), row.worst >= WARNING


def _together(rows: list[StoryRow]) -> StoryRow:
    first = rows[0]
    lengths = [row.seconds for row in rows if row.seconds is not None]
    return StoryRow(
        service=first.service,
        call=first.call,
        hosts=list(dict.fromkeys(host for row in rows for host in row.hosts)),
        seconds=max(lengths, default=None),
        severity=max(row.severity for row in rows),
        records=sorted(number for row in rows for number in row.records),
        spans=[span for row in rows for span in row.spans],
        rows=rows,
        count=sum(row.count for row in rows),
    )
