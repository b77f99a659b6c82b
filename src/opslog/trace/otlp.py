"""A story in the words of OpenTelemetry: traces and logs as OTLP/JSON.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: one message a
line, first the traces, then the logs.  Ids are made from what the logs say, so that
the same logs give the same spans.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from opslog.correlate.roots import uuid_digits
from opslog.model.instants import micros_of
from opslog.model.record import LogRecord
from opslog.model.severity import ERROR
from opslog.model.version import __version__
from opslog.trace.story import UNKNOWN, ProcessSpan, Request, Story, TraceSpan

_SERVER, _INTERNAL = 2, 1
_FAILED = 2
_SCOPE = {"name": "opslog", "version": __version__}

_ATTRIBUTES = {
    "request_id": "openstack.request_id",
    "global_request_id": "openstack.global_request_id",
    "user_id": "user.id",
    "project_id": "openstack.project_id",
    "resource_type": "openstack.resource_type",
    "resource_id": "openstack.resource_id",
    "exception_type": "exception.type",
    "exception_message": "exception.message",
    "exception_stacktrace": "exception.stacktrace",
    "logger": "logger",
    "source": "log.file.path",
    "source_offset": "log.file.offset",
}


def otlp(story: Story) -> str:
    """Return a story as two lines of JSON, TracesData and LogsData.

    A request is a span, and so is each process of a request of several.  A span
    without times, and a record without one, has none.
    """
    spans: dict[tuple[str, str | None, int | None], list[dict[str, Any]]] = {}
    context: dict[int, tuple[str, str]] = {}
    for root in story.requests:
        trace = trace_id(root.id)
        for request in root.tree():
            span = _request(request, trace, root)
            place = _place(request)
            if span:
                spans.setdefault(place, []).append(span)
            for part in request.parts:
                own = span_id(request.id)
                if len(request.parts) > 1:
                    own = _part_id(request, part)
                    span = _span(own, trace, part.program, _INTERNAL, part)
                    if span:
                        span["parentSpanId"] = span_id(request.id)
                        place = (part.program, part.host, part.pid)
                        spans.setdefault(place, []).append(span)
                context.update(dict.fromkeys(part.records, (trace, own)))
    logs: dict[tuple[str, str | None, int | None], list[dict[str, Any]]] = {}
    for number, record in enumerate(story.records):
        who = record.program or record.service_name or UNKNOWN
        place = (who, record.host_name, record.process_pid)
        logs.setdefault(place, []).append(_log(record, context.get(number)))
    traces = {"resourceSpans": [
        {"resource": _resource(place), "scopeSpans": [{"scope": _SCOPE, "spans": found}]}
        for place, found in spans.items()
    ]}  # fmt: skip
    told = {"resourceLogs": [
        {"resource": _resource(place), "scopeLogs": [{"scope": _SCOPE, "logRecords": found}]}
        for place, found in logs.items()
    ]}  # fmt: skip
    return f"{json.dumps(traces)}\n{json.dumps(told)}\n"


def trace_id(root: str) -> str:
    """Return 32 hex digits, not all zero: the UUID of a request, or a hash of another id."""
    digits = uuid_digits(root) or ""
    return digits if digits.strip("0") else hashlib.sha256(root.encode()).hexdigest()[:32]


def span_id(*parts: object) -> str:
    """Return 16 hex digits that are the same for the same parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def _part_id(request: Request, part: ProcessSpan) -> str:
    return span_id(request.id, part.program, part.host, part.pid, part.source)


def _request(request: Request, trace: str, root: Request) -> dict[str, Any] | None:
    call = request.call
    known = request.id if request.service == UNKNOWN else request.service
    name = f"{call.method} {call.path}" if call else known
    span = _span(span_id(request.id), trace, name, _SERVER if call else _INTERNAL, request)
    if span is None:
        return None
    if request is not root and request.caller is not None:
        span["parentSpanId"] = span_id(request.caller)
    said: list[tuple[str, str | int | None]] = [("openstack.request_id", request.id)]
    if call:
        said += [("http.request.method", call.method), ("url.path", call.path)]
        said += [("http.response.status_code", call.status)]
        if (call.status or 0) >= 500:
            span["status"] = {"code": _FAILED}
    span["attributes"] = _attributes(said)
    return span


def _span(own: str, trace: str, name: str, kind: int, span: TraceSpan) -> dict[str, Any] | None:
    begin, end = span.begin, span.end
    if isinstance(span, Request) and not (begin and end):
        begin, end = span.span() or (None, None)
    times = _nanoseconds(begin), _nanoseconds(end)
    if times[0] is None or times[1] is None:
        return None
    made: dict[str, Any] = {
        "traceId": trace,
        "spanId": own,
        "name": _text(name),
        "kind": kind,
        "startTimeUnixNano": times[0],
        "endTimeUnixNano": times[1],
    }
    if span.severity >= ERROR:
        made["status"] = {"code": _FAILED}
    return made


def _log(record: LogRecord, context: tuple[str, str] | None) -> dict[str, Any]:
    log: dict[str, Any] = {"body": {"stringValue": _text(record.body or "")}}
    if (time := _nanoseconds(record.timestamp)) is not None:
        log["timeUnixNano"] = time
    if record.severity_number:
        log["severityNumber"] = record.severity_number
    if record.severity_text:
        log["severityText"] = record.severity_text
    said = [(name, getattr(record, column)) for column, name in _ATTRIBUTES.items()]
    log["attributes"] = _attributes(said)
    if context is not None:
        log["traceId"], log["spanId"] = context
    return log


def _resource(place: tuple[str, str | None, int | None]) -> dict[str, Any]:
    program, host, pid = place
    # https://opentelemetry.io/docs/specs/semconv/resource/#service
    name = "unknown_service" if program == UNKNOWN else program
    said = [("service.name", name), ("host.name", host), ("process.pid", pid)]
    return {"attributes": _attributes(said)}


def _place(request: Request) -> tuple[str, str | None, int | None]:
    for part in request.parts:
        if part.program == request.service:
            return part.program, part.host, part.pid
    return request.service, None, None


def _attributes(said: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)}
            if isinstance(value, int)
            else {"stringValue": _text(value)},
        }
        for key, value in said
        if value is not None
    ]


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _nanoseconds(time: datetime | None) -> str | None:
    """Return nanoseconds since the epoch as text; None for a time that 64 bits cannot hold."""
    if time is None:
        return None
    passed = micros_of(time) * 1000
    return str(passed) if 0 <= passed < 1 << 64 else None
