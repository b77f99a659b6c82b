"""The spans of a story: calls, requests and processes, with the times of their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from opslog.correlate.calls import AT_BEGIN, LONGEST, is_under_callers_id
from opslog.model.naming import is_client
from opslog.model.record import LogRecord
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
            begin = end = record.timestamp
            if is_answer(record) and record.duration is not None:
                length = timedelta(seconds=min(record.duration, LONGEST))
                if record.format in AT_BEGIN:
                    end += length
                else:
                    begin -= length
            self.begin = min(self.begin or begin, begin)
            self.end = max(self.end or end, end)

    @property
    def length(self) -> float | None:
        """Seconds from its first to its last record, None without times."""
        return (self.end - self.begin).total_seconds() if self.begin and self.end else None

    @property
    def duration(self) -> float | None:
        """Seconds it took, None if that is not known."""
        return self.length


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

    @property
    def duration(self) -> float | None:
        """Seconds from its first to its last record, but not less than to its answer."""
        answered = self.call.duration if self.call else None
        return max(filter(None, (self.length, answered)), default=self.length)

    def tree(self) -> Iterator[Request]:
        """Yield it and all it called, in the order they began."""
        waiting = [self]
        while waiting:
            request = waiting.pop()
            yield request
            waiting += reversed(request.children)

    def heads(self) -> list[Request]:
        """Return it, or what was called under its id if it only names that: users send ids, too."""
        if self.children and all(is_under_callers_id(part.program) for part in self.parts):
            return self.children
        return [self]

    def span(self) -> tuple[datetime, datetime] | None:
        """Return when its tree began and ended, None without times."""
        begins = [one.begin for one in self.tree() if one.begin]
        ends = [one.end for one in self.tree() if one.end]
        return (min(begins), max(ends)) if begins and ends else None


def is_answer(record: LogRecord) -> bool:
    """Whether a record is a service's own line about a call it has answered."""
    return (
        record.http_method is not None
        and record.http_status is not None
        and not is_client(record.logger, record.body)  # whose line may look the same
    )


def is_error(record: LogRecord) -> bool:
    """Whether a record tells that something went wrong."""
    return (record.severity_number or 0) >= ERROR or record.exception_type is not None
