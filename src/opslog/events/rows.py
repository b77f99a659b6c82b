"""What is told of events, one row each: the only place that lists it.

The reference is made from it.  Times are microseconds since the epoch, in UTC;
in batches and JSON they are times.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated, Any, NewType

import pyarrow as pa

from opslog.model.instants import rfc3339, utc_time

Time = NewType("Time", int)
"""Microseconds since the epoch, in UTC."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification: something happened."""

    timestamp: Annotated[Time | None, "when it was sent; else when it was logged"]
    event_type: Annotated[str, "its type as sent"]
    event: Annotated[str, "its type, without the phase of what begins and ends"]
    phase: Annotated[
        str | None, "`start`, `end`, `error`, `success`, `failure`, `exists`, `progress`, or null"
    ]
    priority: Annotated[str | None, "its priority as sent"]
    publisher_id: Annotated[str | None, "who sent it, as sent"]
    service_name: Annotated[str | None, "the service of the publisher, or of the type"]
    host_name: Annotated[str | None, "the publisher's host"]
    resource_type: Annotated[str | None, "what it is about: `instance`, `volume`, `port`, ..."]
    resource_id: Annotated[str | None, "the id of that"]
    request_id: Annotated[str | None, "the request's id"]
    user_id: Annotated[str | None, "the user's id"]
    project_id: Annotated[str | None, "the project's id"]
    state: Annotated[str | None, "the state the resource is in"]
    old_state: Annotated[str | None, "the one before"]
    task_state: Annotated[str | None, "what is being done with it"]
    failed: Annotated[bool, "whether it says that something failed"]
    reason: Annotated[str | None, "why, if it is stated"]
    message_id: Annotated[str | None, "the message's id"]
    logged: Annotated[Time | None, "the time of its line in a log; null if it is no log's line"]
    source: Annotated[str | None, "the file it stands in"]
    source_offset: Annotated[int | None, "where it begins there: bytes, decompressed"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A start and its end; one of both may be missing."""

    event: Annotated[str, "the events' type without the phase"]
    status: Annotated[str, "`ended`, `failed`, `no end` or `no start`"]
    start: Annotated[Time | None, "when it began"]
    end: Annotated[Time | None, "when it ended"]
    duration: Annotated[float | None, "seconds between both; null if it ended before it began"]
    since_request: Annotated[
        float | None, "seconds from the first record of the API with this request id to the end"
    ]
    attempt: Annotated[
        int | None, "how many times it had begun for this request and resource, this included"
    ]
    overlapping: Annotated[
        bool, "whether the same was going on for the same resource meanwhile: begun by another "
        "request, or again before its end",
    ]  # fmt: skip
    repeated: Annotated[int, "how many times its start came again, the very same message"]
    resource_type: Annotated[str | None, "what it is about"]
    resource_id: Annotated[str | None, "the id of that"]
    request_id: Annotated[str | None, "the request's id"]
    project_id: Annotated[str | None, "the project's id"]
    service_name: Annotated[str | None, "the service"]
    host_name: Annotated[str | None, "the host that told the end, else the start"]
    old_state: Annotated[str | None, "the resource's state when it began"]
    state: Annotated[str | None, "its state when it ended"]
    reason: Annotated[str | None, "why it failed, if it is stated"]
    start_source: Annotated[str | None, "the file the start stands in"]
    start_offset: Annotated[int | None, "where it begins there: bytes, decompressed"]
    end_source: Annotated[str | None, "the file the end stands in"]
    end_offset: Annotated[int | None, "where it begins there"]


@dataclass(frozen=True, slots=True)
class EventRequest:
    """A request from the API's first record to the last end: how long somebody waited."""

    request_id: Annotated[str, "its id"]
    event: Annotated[str, "the event whose end was the last"]
    start: Annotated[Time, "time of the first record of the API"]
    end: Annotated[Time, "time of the last end"]
    duration: Annotated[float, "seconds between both"]
    ends: Annotated[int, "how many ends there were"]
    failed: Annotated[bool, "whether one of its events says that something failed"]
    resource_type: Annotated[str | None, "what the last end is about"]
    resource_id: Annotated[str | None, "the id of that"]
    project_id: Annotated[str | None, "the project's id"]


@dataclass(frozen=True, slots=True)
class EventSummary:
    """All events of one type without the phase."""

    event: Annotated[str, "the type; `(others)` for those that came after the first 10,000"]
    notifications: Annotated[int, "how many notifications"]
    ended: Annotated[int, "how many began and ended"]
    failed: Annotated[int, "how many began and failed"]
    retried: Annotated[int, "how many were another attempt of the same request"]
    overlapping: Annotated[int, "how many went on at the same time for the same resource"]
    no_end: Annotated[int, "how many began and did not end"]
    no_start: Annotated[int, "how many ended or failed and had not begun"]
    p50: Annotated[float | None, "seconds that half of those took at most that ended, within 1 %"]
    p95: Annotated[float | None, "95 of 100"]
    p99: Annotated[float | None, "99 of 100"]
    requests: Annotated[int, "how many requests ended with it whose API call is known"]
    request_p50: Annotated[float | None, "seconds from the API's first record to the last end"]
    request_p95: Annotated[float | None, "95 of 100"]
    request_p99: Annotated[float | None, "99 of 100"]


ROWS = (Notification, Pair, EventRequest, EventSummary)


@lru_cache(maxsize=8)
def arrow_schema(kind: type) -> pa.Schema:
    """Return the Arrow schema of rows of ``kind``."""
    types = {Time: pa.timestamp("us", "UTC"), str: pa.string(), int: pa.int64(),
             float: pa.float64(), bool: pa.bool_()}  # fmt: skip
    fields = []
    for name, told in typing.get_type_hints(kind).items():
        inner = [one for one in typing.get_args(told) or (told,) if one is not type(None)]
        fields.append(pa.field(name, types[inner[0]]))
    return pa.schema(fields)


def batch_of_rows(rows: Sequence[Any], kind: type) -> pa.RecordBatch:
    """Return rows of ``kind`` as a batch."""
    schema = arrow_schema(kind)
    return pa.RecordBatch.from_arrays(
        [pa.array([getattr(row, f.name) for row in rows], f.type) for f in schema], schema=schema
    )


def json_row(row: Any) -> dict[str, Any]:
    """Return a row as values of JSON, without nulls; times are RFC 3339 in UTC."""
    values = asdict(row)
    times = _times(row.__class__)
    return {
        name: rfc3339(utc_time(value))
        if name in times
        else round(value, 6) if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }  # fmt: skip


@lru_cache(maxsize=8)
def _times(kind: type) -> frozenset[str]:
    return frozenset(f.name for f in arrow_schema(kind) if pa.types.is_timestamp(f.type))
