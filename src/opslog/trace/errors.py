"""Which error was the first: where a failure began, not where most was said of it.

Errors of services called come before those of their callers, however the
hosts' clocks go.  A caller's error may be the first that is called one: what
it got is then told by the answer of the request it called, and by what that
one had warned of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opslog.model.record import LogRecord
from opslog.model.severity import WARNING
from opslog.trace.quotes import quoted_by
from opslog.trace.reasons import reason, refused
from opslog.trace.spans import Request, is_error
from opslog.trace.story import Story

_SKEW = 5.0
"""Seconds by which the clocks of hosts may be apart."""

_CHAIN = re.compile(
    r"\n\s*\n(?:The above exception was the direct cause of the following exception:"
    r"|During handling of the above exception, another exception occurred:)\s*\n"
)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: ?(.*))?$")
_TASK = re.compile(
    r"(?m) transitioned into state 'FAILURE' [^\n]*\n+Failure: ([A-Za-z_][\w.]*): (.*)"
)
"""What taskflow logs of an exception of a task that it was told to log without a traceback."""


@dataclass(frozen=True, slots=True)
class RootException:
    """The exception a failure began with: the first one of its chain; ``record`` tells of it."""

    record: int
    type: str
    message: str


def first_error(story: Story) -> int | None:
    """Return the number of the record in which the failure began, None without a failure."""
    found = [n for n, record in enumerate(story.records) if is_error(record)]
    if not found:
        failed = [r for r in story.tree() if r.call and (r.call.status or 0) >= 500]
        failed.sort(key=lambda r: r.records[0] if r.records else len(story.records))
        if failed:
            return _sign(story, failed[0])
        request = refused(story)
        return None if request is None else reason(story, request)
    number = _quoted(story, found[0])
    by_id = {request.id: request for request in story.tree()}
    while (request := by_id.get(story.owners[number] or "")) is not None:
        deeper = _below(story, request, number)
        if deeper is None:
            break
        number = deeper
    return number


def _quoted(story: Story, number: int) -> int:
    """Return the error that an error quotes, else the error itself."""
    quoted = dict(quoted_by(story.records))
    for _ in quoted:
        if number not in quoted:
            break
        number = quoted.pop(number)
    return number


def _below(story: Story, request: Request, number: int) -> int | None:
    """Return the record of a called request that explains the caller's error, None without one."""
    error = story.records[number]
    for child in request.children:
        inside = list(child.tree())
        if error.timestamp is None or child.begin is None:
            continue
        if (child.begin - error.timestamp).total_seconds() > _SKEW:
            continue
        errors = [n for one in inside for n in one.records if is_error(story.records[n])]
        near = [n for n in errors if _seconds(story.records[n], error) <= _SKEW]
        if near:
            return min(near)
        if child.id in _text(error) or _explains(child, error):
            sign = _sign(story, child)
            if sign is not None:
                return sign
    return None


def _explains(child: Request, error: LogRecord) -> bool:
    """Whether a call failed just before the error; a GET that finds nothing does not count.

    What fails behind it is the cleaning up.
    """
    call, end = child.call, child.end
    if call is None or end is None or error.timestamp is None or not call.failed:
        return False
    everyday = call.status == 404 and call.method in ("GET", "HEAD")  # does it exist?
    return not everyday and 0 <= (error.timestamp - end).total_seconds() <= _SKEW


def _sign(story: Story, request: Request) -> int | None:
    """Return the first warning of a failed request, else the record of its answer."""
    numbers = request.records
    for n in numbers:
        if (story.records[n].severity_number or 0) >= WARNING:
            return n
    return next((n for n in numbers if (story.records[n].http_status or 0) >= 400), None)


def root_exception(story: Story, first: int | None) -> RootException | None:
    """Return the exception of the first error, else the first one there is; None without any."""
    for number in (*([] if first is None else [first]), *range(len(story.records))):
        cause = _cause(story.records[number])
        if cause is not None:
            return RootException(number, *cause)
    return None


def _cause(record: LogRecord) -> tuple[str, str] | None:
    """Return type and message of the exception a record's chain began with, None without one."""
    if record.exception_type is None:
        failed = _TASK.search(record.body or "")
        return failed and (failed[1], failed[2])
    parts = _CHAIN.split(record.exception_stacktrace or "")
    if len(parts) > 1:
        for line in reversed(parts[0].splitlines()):
            if raised := _RAISED.match(line.strip()):
                return raised[1], raised[2] or ""
    return record.exception_type, record.exception_message or ""


def _seconds(one: LogRecord, other: LogRecord) -> float:
    if one.timestamp is None or other.timestamp is None:
        return 0.0
    return (one.timestamp - other.timestamp).total_seconds()


def _text(record: LogRecord) -> str:
    return f"{record.body or ''}\n{record.exception_stacktrace or ''}"
