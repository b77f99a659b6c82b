"""A story as plain values, for programs: one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opslog.model import schema
from opslog.model.instants import rfc3339
from opslog.outputs.jsonl import to_json_lines
from opslog.trace.errors import first_error, root_exception
from opslog.trace.reasons import reason, refused
from opslog.trace.spans import ProcessSpan, Request, TraceSpan
from opslog.trace.story import Story

_AT_ONCE = 1024
"""Records written together."""


def plain(story: Story, gap: float, original: bool = False) -> dict[str, Any]:
    """Return a story as values of JSON; numbers of records are places in ``records``.

    Durations are seconds, times RFC 3339 in UTC.  Of records what is null is left
    out; ``original`` adds their lines as read.
    """
    whole: dict[str, Any] = json.loads(b"".join(json_text(story, gap, original)))
    return whole


def json_text(story: Story, gap: float, original: bool = False) -> Iterator[bytes]:
    """Yield a story as the pieces of a JSON object without a newline, as ``plain`` tells it.

    The records are the last of its members: there may be many of them.
    """
    told = json.dumps(_beside_records(story, gap), ensure_ascii=False)
    yield told.removesuffix("}").encode() + b', "records": ['
    owners = iter(story.owners)
    table = story.table.select(list(schema.names(original=original)))
    for number, batch in enumerate(table.to_batches(max_chunksize=_AT_ONCE)):
        lines = to_json_lines(batch).splitlines()
        records = (
            b'%b, "request": %b}' % (line.removesuffix(b"}"), json.dumps(next(owners)).encode())
            for line in lines
        )
        yield (b", " if number else b"") + b", ".join(records)
    yield b"]}"


def _beside_records(story: Story, gap: float) -> dict[str, Any]:
    first = first_error(story)
    cause = root_exception(story, first)
    request = refused(story)
    why = None if request is None else reason(story, request)
    return {
        "id": story.id,
        "requests": [_request(root) for root in story.requests],
        "first_error": first,
        "root_exception": cause
        and {"record": cause.record, "type": cause.type, "message": cause.message},
        "reason": None if why is None else story.records[why].body,
        "notes": [
            {"kind": note.kind, "text": note.text, "request": note.request} for note in story.notes
        ],
        "clocks": {host: ahead.total_seconds() for host, ahead in story.clocks.items()},
        "gaps": [
            {"seconds": one.seconds, "after": one.after, "before": one.before}
            for one in story.gaps(gap)
        ],
        "left_out": story.left_out,
        "left_behind": story.left_behind,
    }


def _request(request: Request) -> dict[str, Any]:
    call = request.call
    return {
        "id": request.id,
        "service": request.service,
        "call": call
        and {
            "method": call.method,
            "target": call.target,
            "status": call.status,
            "duration": call.duration,
        },
        "task": request.task,
        **_span(request),
        "parts": [_part(part) for part in request.parts],
        "requests": [_request(child) for child in request.children],
    }


def _part(part: ProcessSpan) -> dict[str, Any]:
    return {"program": part.program, "host": part.host, "pid": part.pid, **_span(part)}


def _span(span: TraceSpan) -> dict[str, Any]:
    task = isinstance(span, Request) and span.task
    return {
        "begin": _time(span.begin),
        "end": _time(span.end),
        "duration": None if task else span.duration,
        "severity_number": span.severity or None,
        "records": span.records,
    }


def _time(time: datetime | None) -> str | None:
    return rfc3339(time) if time else None
