"""Why a call was refused: what the service said, and what had happened before.

A refusal is mostly no error of the service: it says INFO, and the answer is 4xx.  What
made it refuse may lie in another request: a resource that broke earlier, or an answer
that was logged under another id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from opslog.model.naming import naming
from opslog.model.record import LogRecord
from opslog.model.severity import WARNING
from opslog.trace.lives import kind_and_label, says_failed
from opslog.trace.spans import Request, is_error
from opslog.trace.story import Note, Story

_SAID = re.compile(
    r"^HTTP exception thrown: |^Returning \d{3} to user: |^Caught error: |failed \(client error\): "
)
"""What services print of the answer they are about to give: nova, ironic, cinder, neutron."""

_REFUSED = re.compile(
    r"(?i)\b(?:authorization failed|unauthorized|forbidden|not authorized|access (?:was )?denied"
    r"|quota (?:was )?exceeded|exceeds \w+ quota|disallowed by policy|policy doesn't allow)\b"
)
"""What they print where they do not say what they answered."""

_NAMED = re.compile(naming())
_BROKEN = re.compile(r"(?i)(?:state|status)\b.{0,30}\berror\b|\berror\b.{0,30}(?:state|status)\b")
_TOGETHER = timedelta(seconds=1)
LATER = timedelta(hours=1)
"""How long behind a request its answer is looked for that was logged under another id."""


def refused(story: Story) -> Request | None:
    """Return the first call of the story that was refused, None if none was.

    Asking for what is not there is no failure, unless nothing else was asked.  In a story without
    errors a call may have been accepted, and what it began have failed.
    """
    heads = [one for request in story.requests for one in request.heads()]
    alone = len(heads) == 1
    for request in heads:
        call = request.call
        if call is None or call.status is None:
            if any(_REFUSED.search(story.records[n].body or "") for n in _warnings(story, request)):
                return request
        elif call.failed and (alone or call.status != 404 or call.method not in ("GET", "HEAD")):
            return request
    if any(map(is_error, story.records)):
        return None
    return next((one for one in heads if _failing(story, one) is not None), None)


def reason(story: Story, request: Request) -> int | None:
    """Return the number of the record that says why a request was refused; None without any."""
    failing = _failing(story, request)
    if failing is not None and not (request.call and request.call.failed):
        return _refused_before(story, request, failing)
    numbers = [n for one in request.tree() for n in one.records]
    own = request.records or numbers
    said = [n for n in own if _SAID.search(story.records[n].body or "")]
    if said:
        return said[-1]
    refusing = [n for n in own if _REFUSED.search(story.records[n].body or "")]
    if refusing:
        return refusing[-1]
    if warnings := _warnings(story, request):
        return warnings[-1]
    return next((n for n in own if (story.records[n].http_status or 0) >= 400), None)


def _failing(story: Story, request: Request) -> int | None:
    """Return the first record of the request's tree that says that an operation failed."""
    numbers = (n for one in request.tree() for n in one.records)
    return next((n for n in numbers if says_failed(story.records[n].body or "")), None)


def _refused_before(story: Story, request: Request, failing: int) -> int:
    """Return why the last call was refused that the request made before it failed, else that."""
    called = [
        one
        for one in request.tree()
        if one is not request
        and one.call is not None
        and one.call.failed
        and (one.call.status != 404 or one.call.method not in ("GET", "HEAD"))
        and one.records
        and min(one.records) < failing
    ]
    if not called:
        return failing
    last = max(called, key=lambda one: min(one.records))
    found = reason(story, last)
    return failing if found is None else found


def _warnings(story: Story, request: Request) -> list[int]:
    return [n for n in request.records if (story.records[n].severity_number or 0) >= WARNING]


def broken_resource(story: Story, request: Request, number: int) -> tuple[str, str] | None:
    """Return kind and id of the resource that a refusal says is in error, None if it does not."""
    body = story.records[number].body or ""
    if not _BROKEN.search(body):
        return None
    target = request.call.target if request.call else ""
    for text in (body, target):
        for found in _NAMED.finditer(text):
            kind, _ = kind_and_label(found["named"])
            if kind is not None:
                return kind, found["id"]
    return None


def broke_earlier(kind: str, id: str, records: list[LogRecord]) -> Note | None:  # noqa: A002
    """Return what the errors about a resource, in their order, tell of how it broke."""
    errors = [record for record in records if is_error(record)]
    if not errors:
        return None
    last = errors[-1]
    # Of the request it failed in, the first error: where the failure began.
    record = next(one for one in errors if one.request_id == last.request_id)
    raised = next(
        (one for one in errors if one.request_id == last.request_id and one.exception_type), None
    )
    what = (record.body or "").split("\n")[0]
    if raised is not None:
        what = f"{raised.exception_type}: {raised.exception_message}".rstrip(": ").split("\n")[0]
    where = f" on {record.host_name}" if record.host_name else ""
    when = f" at {record.timestamp:%Y-%m-%d %H:%M:%S}Z" if record.timestamp else ""
    by = f" ({record.request_id})" if record.request_id else ""
    return Note("broke earlier", f"{kind} {id} failed{when}{where}: {what}{by}", record.request_id)


def unanswered(story: Story) -> Iterator[tuple[Request, str, int]]:
    """Yield the calls without an answer, with the source and process of their records."""
    for request in (one for root in story.requests for one in root.heads()):
        first = next((p for p in request.parts if p.source and p.pid is not None), None)
        if first is None or (request.call and request.call.status is not None) or request.task:
            continue
        assert first.source is not None
        assert first.pid is not None
        yield request, first.source, first.pid


def likely_answer(request: Request, answers: list[LogRecord]) -> Note | None:
    """Return the answer to a request that was logged under another id, if only one can be meant.

    It was given by the same process to nobody, as the context was lost, to a call that began
    when the request did.
    """
    if request.begin is None or request.end is None:
        return None
    fitting = {
        record.request_id: record
        for record in answers
        if record.request_id not in (None, request.id)
        and record.user_id is None
        and record.user_name is None
        and record.timestamp is not None
        and record.duration
        and request.end <= record.timestamp <= request.end + LATER
        and abs(record.timestamp - timedelta(seconds=record.duration) - request.begin) <= _TOGETHER
    }
    if len(fitting) != 1:
        return None
    [(other, record)] = fitting.items()
    text = (
        f"{request.id} has no answer; likely it is {record.http_method} {record.http_target} "
        f"{record.http_status}, logged under {other}"
    )
    return Note("likely answer", text, other)
