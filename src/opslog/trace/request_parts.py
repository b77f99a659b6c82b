"""What records tell of their requests, and services of the calls that they answered."""

from __future__ import annotations

import pyarrow as pa

from opslog.correlate.calls import UNDER_CALLERS_ID, is_told_by_service, times
from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.roots import HEAD
from opslog.filters.filter import Filter, evaluate
from opslog.model import arrays

_LAST = (1 << 63) - 1
"""Later than any time, in microseconds."""

WAYS = {
    "start": "min", "end": "max", "severity_number": "max", "records": "count",
    "user": "first", "project": "first", "fulfils": "max", "own": "max",
}  # fmt: skip

CALL = ("http_method", "http_target", "http_status", "http_duration")
ORDER = ("called", "other", "began")
"""The order of calls: not of programs under their callers' ids, then its own, then by time."""

TOLD = {**dict.fromkeys((*ORDER, *CALL), "first"), "asked": "min", "answered": "max"}

PARTS = pa.schema([
    ("request_id", pa.string()),
    ("head", pa.string()),
    ("own", pa.uint8()),
    ("service", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("end", pa.timestamp("us", "UTC")),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
    ("user", pa.string()),
    ("project", pa.string()),
    ("fulfils", pa.uint8()),
    ("id", pa.string()),
    ("called", pa.bool_()),
    ("other", pa.bool_()),
    ("began", pa.int64()),
    ("http_method", pa.string()),
    ("http_target", pa.string()),
    ("http_status", pa.int64()),
    ("http_duration", pa.float64()),
    ("asked", pa.int64()),
    ("answered", pa.int64()),
    ("wanted", pa.bool_()),
])  # fmt: skip
"""Rows of three kinds: sums of a service's records (``records`` is not null), calls of one id
(``began``), and requests that are wanted (``wanted``), if they are too many for memory.

``request_id`` is the root, ``head`` the request below it, ``own`` whether that heads some of the
records.
"""

WITHOUT_ID = "\0"
"""What the key of a call without an id begins with; its source and place there follow."""


def records_and_calls(
    batch: pa.RecordBatch, owned: OwnedRecords, wanted: Filter | None
) -> tuple[pa.Table, pa.Table]:
    """Return what each record tells of its request, and what services say of calls they answered.

    The calls come with what they are ordered by.
    """
    import pyarrow.compute as pc

    fulfils = _fulfils(batch, wanted)
    places = owned.other_calls(batch)
    known = pc.is_valid(batch["root_request_id"])
    batch, places, fulfils = batch.filter(known), places.filter(known), fulfils.filter(known)
    alone = pc.is_valid(places)
    key = pc.if_else(alone, _key_without_id(batch, places), batch["root_request_id"])
    told = is_told_by_service(batch)
    status = pc.is_valid(batch["http_status"])
    answered = pc.and_(told, status)
    began_at, ended_at = times(batch, answered)
    service = batch["service_name"].cast(pa.string())
    nobody = pa.scalar(None, pa.string())
    program = pc.fill_null(batch["program"].cast(pa.string()), "")
    called = pc.match_substring_regex(program, f"^(?:{UNDER_CALLERS_ID})")
    own = pc.or_(alone, pc.fill_null(pc.equal(batch["request_id"], key), False))
    head = pc.if_else(alone, key, batch[HEAD])
    heads = pc.or_(alone, pc.fill_null(pc.equal(batch["request_id"], head), False))
    records = pa.table({
        "request_id": key,
        "head": head,
        "own": pc.and_not(heads, called).cast(pa.uint8()),
        "service": service,
        "start": began_at,
        "end": ended_at,
        "severity_number": batch["severity_number"],
        "records": key,
        "user": pc.if_else(alone, nobody, _first_known(batch, "user_id", "user_name")),
        "project": pc.if_else(alone, nobody, _first_known(batch, "project_id", "project_name")),
        "fulfils": fulfils,
    })  # fmt: skip
    mine = pc.or_(own, pc.fill_null(pc.equal(batch["global_request_id"], key), False))
    calls = pa.table({
        "request_id": key,
        "head": head,
        "id": pc.coalesce(batch["request_id"], key),
        "service": service,
        "called": called,
        "other": pc.invert(own),
        "began": pc.fill_null(began_at.cast(pa.int64()), _LAST),
        "http_method": batch["http_method"].cast(pa.string()),
        "http_target": batch["http_target"],
        "http_status": batch["http_status"].cast(pa.int64()),
        "http_duration": pc.if_else(answered, batch["duration"], pa.scalar(None, pa.float64())),
        "asked": pc.if_else(status, None, batch["timestamp"].cast(pa.int64())),
        "answered": pc.if_else(status, batch["timestamp"].cast(pa.int64()), None),
    })  # fmt: skip
    return records, calls.filter(pc.and_(told, mine))


def _fulfils(batch: pa.RecordBatch, wanted: Filter | None) -> pa.Array:
    """Return 1 for the records that fulfil the condition, 0 for others."""
    import pyarrow.compute as pc

    if wanted is None:
        return pa.repeat(arrays.uint8(1), len(batch))
    return pc.fill_null(evaluate(wanted.expression, batch), False).cast(pa.uint8())


def _key_without_id(batch: pa.RecordBatch, places: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    source = batch["source"].cast(pa.string())
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(arrays.text(WITHOUT_ID), source, arrays.text("")),
        places.cast(pa.string()),
        arrays.text("@"),
    )


def _first_known(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
