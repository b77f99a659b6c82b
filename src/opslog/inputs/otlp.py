"""OTLP/JSON, as OpenTelemetry's file exporter writes it: one line for each log record.

https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: each line is an
object of one request, in which the log records lie in lists, by resource and by
scope.  Here each of them becomes an object of its own, in the order in which they
lie there, with its resource and its scope:

    {"timeUnixNano": "1", "severityNumber": 9, "body": "text",
     "scope": {"name": "s"}, "attributes": {"a": 1}, "resource": {"service.name": "r"}}

Memory is bounded: a line longer than LONGEST_LINE passes as it is, and so does one
that holds no log records.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opslog.inputs.line_reader import LineReader
from opslog.inputs.reader import Reader

STARTS = (b'{"resourceLogs":', b'{"resourceSpans":', b'{"resourceMetrics":')
_LONGEST_START = max(map(len, STARTS))
LONGEST_LINE = 1 << 24
_ZERO = ("timeUnixNano", "observedTimeUnixNano", "severityNumber")


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell whether what begins so is OTLP/JSON."""
    return len(start) < _LONGEST_START and any(
        len(start) < len(one) and one.startswith(start) for one in STARTS
    )


def lines(read: Reader) -> Iterator[bytes]:
    """Yield each log record as a line of JSON; then raise what ``read`` raised."""
    source = LineReader(read, LONGEST_LINE)
    while (line := source.line()) is not None:
        whole = source.whole
        records = _records(line) if whole else []
        yield b"".join(records) or line
        while not source.whole:
            yield source.line() or b""
        if not records:
            yield b"\n"
    if source.failed is not None:
        raise source.failed


def _records(line: bytes) -> list[bytes]:
    """Return the log records of a line, each a line; none if it holds something else."""
    import json  # start-up: most runs read no OTLP

    try:
        found = list(_flat_records(json.loads(line)))
    except (ValueError, RecursionError):
        return []
    return [json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in found]


def _flat_records(request: Any) -> Iterator[dict[str, Any]]:
    """Yield log records with plain values, each with its scope and its resource."""
    for group in _objects(request, "resourceLogs"):
        resource = _attributes(group.get("resource", {}))
        for part in _objects(group, "scopeLogs"):
            scope = part.get("scope", {})
            scope = scope | {"attributes": _attributes(scope)}
            for record in _objects(part, "logRecords"):
                # OTLP's word for unknown is 0.
                unknown = {name for name in _ZERO if record.get(name) in (0, "0")}
                flat = {name: value for name, value in record.items() if name not in unknown}
                flat["body"] = _value(record.get("body", ""))
                flat["scope"] = scope
                yield flat | {"attributes": _attributes(record), "resource": resource}


def _objects(holder: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects of the list under a key, none if there is none; raises ValueError."""
    if not isinstance(holder, dict):
        raise ValueError
    values = holder.get(key, [])
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise ValueError
    return values


def _attributes(holder: Any) -> dict[str, Any]:
    return {str(one.get("key")): _value(one.get("value")) for one in _objects(holder, "attributes")}


def _value(any_value: Any) -> Any:
    """Return what an AnyValue holds."""
    if not isinstance(any_value, dict) or len(any_value) != 1:
        return any_value
    ((kind, value),) = any_value.items()
    if kind == "arrayValue":
        return [_value(one) for one in _objects(value, "values")]
    if kind == "kvlistValue":
        pairs = _objects(value, "values")
        return {str(one.get("key")): _value(one.get("value")) for one in pairs}
    return value
