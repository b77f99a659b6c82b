"""A story in the words of OpenTelemetry: traces and logs as OTLP/JSON.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: one message a
line, first the traces, then the logs.  Ids are made from what the logs say, so that
the same logs give the same spans.  Names and statuses of spans follow
https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opslog.correlate.roots import uuid_digits
from opslog.model.instants import micros_of
from opslog.model.names import otlp_attribute
from opslog.model.record import LogRecord
from opslog.model.severity import ERROR
from opslog.model.version import __version__
from opslog.stats.routes import route_of
from opslog.trace.spans import UNKNOWN, Call, ProcessSpan, Request, TraceSpan
from opslog.trace.story import Story

_AT_ONCE = 1024
"""Records written together."""

_SERVER, _INTERNAL = 2, 1
_FAILED = 2
_SCOPE = {"name": "opslog", "version": __version__}
_METHODS = {
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
}  # fmt: skip
_OTHER = "_OTHER"
"""The conventions' word for a method, or a kind of error, that is none of the known."""

_ATTRIBUTES = {
    column: otlp_attribute(column)
    for column in (
        "request_id", "global_request_id", "user_id", "project_id", "resource_type", "resource_id",
        "thread_id", "client_address", "http_method", "http_target", "http_status", "code_file",
        "code_line", "code_function", "exception_type", "exception_message",
        "exception_stacktrace", "source", "source_offset",
    )
}  # fmt: skip
"""Attributes of a log record, by columns; the logger is its scope."""


class _Process(NamedTuple):
    """What OpenTelemetry calls a resource."""

    program: str
    host: str | None
    pid: int | None


def otlp(story: Story, observed: datetime | None = None) -> str:
    """Return a story as two lines of JSON, TracesData and LogsData.

    A request is a span, and so is each process of a request of several.  A span
    without times has none.  Records are ``observed`` at that moment, now if it is None.
    """
    return b"".join(otlp_text(story, observed)).decode()


def otlp_text(story: Story, observed: datetime | None = None) -> Iterator[bytes]:
    """Yield the same in pieces: of many records only some are text at a time."""
    spans, context = _spans(story)
    traces = {"resourceSpans": [
        {"resource": _resource(process), "scopeSpans": [{"scope": _SCOPE, "spans": found}]}
        for process, found in spans.items()
    ]}  # fmt: skip
    yield json.dumps(traces).encode() + b'\n{"resourceLogs": ['
    seen = _nanoseconds(observed or datetime.now(UTC))
    logs: dict[_Process, dict[str | None, list[int]]] = {}
    for number, record in enumerate(story.records):
        who = record.program or record.service_name or UNKNOWN
        process = _Process(who, record.host_name, record.process_pid)
        logs.setdefault(process, {}).setdefault(record.logger, []).append(number)
    for at, (process, loggers) in enumerate(logs.items()):
        resource = json.dumps(_resource(process))
        yield f'{", " if at else ""}{{"resource": {resource}, "scopeLogs": ['.encode()
        for place, (logger, numbers) in enumerate(loggers.items()):
            scope = json.dumps({"name": _text(logger)} if logger else {})
            yield f'{", " if place else ""}{{"scope": {scope}, "logRecords": ['.encode()
            for begin in range(0, len(numbers), _AT_ONCE):
                found = (
                    json.dumps(_log(story.records[number], context.get(number), seen))
                    for number in numbers[begin : begin + _AT_ONCE]
                )
                yield (", " if begin else "").encode() + ", ".join(found).encode()
            yield b"]}"
        yield b"]}"
    yield b"]}\n"


def _spans(
    story: Story,
) -> tuple[dict[_Process, list[dict[str, Any]]], dict[int, tuple[str, str]]]:
    """Return the spans of each process, and of each record its trace and span."""
    spans: dict[_Process, list[dict[str, Any]]] = {}
    context: dict[int, tuple[str, str]] = {}
    for root in story.requests:
        trace = trace_id(root.id)
        for request in root.tree():
            span = _request(request, trace, root, story.records)
            if span:
                spans.setdefault(_process(request), []).append(span)
            for part in request.parts:
                own = span_id(request.id)
                if len(request.parts) > 1:
                    own = _part_id(request, part)
                    span = _span(own, trace, part.program, _INTERNAL, part)
                    if span:
                        span["parentSpanId"] = span_id(request.id)
                        _tell_failure(span, part, None, story.records)
                        process = _Process(part.program, part.host, part.pid)
                        spans.setdefault(process, []).append(span)
                context.update(dict.fromkeys(part.records, (trace, own)))
    return spans, context


def trace_id(root: str) -> str:
    """Return 32 hex digits, not all zero: the UUID of a request, or a hash of another id."""
    digits = uuid_digits(root) or ""
    return digits if digits.strip("0") else hashlib.sha256(root.encode()).hexdigest()[:32]


def span_id(*parts: object) -> str:
    """Return 16 hex digits that are the same for the same parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def _part_id(request: Request, part: ProcessSpan) -> str:
    return span_id(request.id, part.program, part.host, part.pid, part.source)


def _request(
    request: Request, trace: str, root: Request, records: Sequence[LogRecord]
) -> dict[str, Any] | None:
    call = request.call
    # Not its id: a name stands for all of its kind.
    known = "request" if request.service == UNKNOWN else request.service
    name = _name(call) if call else known
    span = _span(span_id(request.id), trace, name, _SERVER if call else _INTERNAL, request)
    if span is None:
        return None
    if request is not root and request.caller is not None:
        span["parentSpanId"] = span_id(request.caller)
    said = [("openstack.request_id", request.id), *(_of_call(call) if call else ())]
    span["attributes"] = _attributes(said)
    _tell_failure(span, request, call.status if call else None, records)
    return span


def _name(call: Call) -> str:
    method = call.method if call.method in _METHODS else "HTTP"
    return f"{method} {route_of(call.target)}"


def _of_call(call: Call) -> Iterable[tuple[str, str | int | None]]:
    known = call.method in _METHODS
    yield "http.request.method", call.method if known else _OTHER
    if not known:
        yield "http.request.method_original", call.method
    yield "http.route", route_of(call.target)
    yield "url.path", call.path
    yield "url.query", call.target.partition("?")[2].partition("#")[0] or None
    if "://" in call.target:
        yield from _of_server(call.target)
    yield "http.response.status_code", call.status


def _of_server(target: str) -> Iterable[tuple[str, str | int | None]]:
    try:
        url = urlsplit(target)
        yield "url.scheme", url.scheme or None
        yield "server.address", url.hostname
        yield "server.port", url.port
    except ValueError:
        return  # logs may say anything


def _tell_failure(
    span: dict[str, Any], told: TraceSpan, status: int | None, records: Sequence[LogRecord]
) -> None:
    """Set a span's status: a server's by what it answered, where that is known, else by its log."""
    if status is None and told.severity >= ERROR:
        errors = (records[n] for n in told.records if (records[n].severity_number or 0) >= ERROR)
        kind = next((one.exception_type for one in errors if one.exception_type), _OTHER)
    elif status is not None and status >= 500:
        kind = str(status)
    else:
        return
    span["status"] = {"code": _FAILED}
    span.setdefault("attributes", []).extend(_attributes([("error.type", kind)]))


def _span(own: str, trace: str, name: str, kind: int, span: TraceSpan) -> dict[str, Any] | None:
    begin, end = span.begin, span.end
    if isinstance(span, Request) and not (begin and end):
        begin, end = span.span() or (None, None)
    times = _nanoseconds(begin), _nanoseconds(end)
    if times[0] is None or times[1] is None:
        return None
    return {
        "traceId": trace,
        "spanId": own,
        "name": _text(name),
        "kind": kind,
        "startTimeUnixNano": times[0],
        "endTimeUnixNano": times[1],
    }


def _log(
    record: LogRecord, context: tuple[str, str] | None, observed: str | None
) -> dict[str, Any]:
    log: dict[str, Any] = {"body": {"stringValue": _text(record.body or "")}}
    if (time := _nanoseconds(record.timestamp)) is not None:
        log["timeUnixNano"] = time
    if observed is not None:
        log["observedTimeUnixNano"] = observed
    if record.severity_number:
        log["severityNumber"] = record.severity_number
    if record.severity_text:
        log["severityText"] = _text(record.severity_text)
    said = [(name, getattr(record, column)) for column, name in _ATTRIBUTES.items()]
    log["attributes"] = _attributes(said)
    if context is not None:
        log["traceId"], log["spanId"] = context
    return log


def _resource(process: _Process) -> dict[str, Any]:
    # https://opentelemetry.io/docs/specs/semconv/resource/#service
    name = "unknown_service" if process.program == UNKNOWN else process.program
    said = [("service.name", name), ("host.name", process.host), ("process.pid", process.pid)]
    return {"attributes": _attributes(said)}


def _process(request: Request) -> _Process:
    for part in request.parts:
        if part.program == request.service:
            return _Process(part.program, part.host, part.pid)
    return _Process(request.service, None, None)


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
