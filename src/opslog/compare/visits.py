"""Visits: what one program did in the name of one request, and the call it answered.

The id of a request is that of the visit, but where a program works under its caller's id
(glance, Swift's storage servers): that is a call of its own.
"""

from __future__ import annotations

import pyarrow as pa

from opslog.compare.places import Places
from opslog.correlate import contexts
from opslog.correlate.calls import UNDER_CALLERS_ID, times
from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.roots import HEAD
from opslog.model.severity import ERROR
from opslog.reading.groups import Groups
from opslog.reading.sorted_rows import SortedRows

COLUMNS = tuple(dict.fromkeys((
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", HEAD, "program", "logger", "duration", "format", "http_method",
    "http_target", "http_status", "exception_type", "exception_message", *contexts.COLUMNS,
)))  # fmt: skip
"""The columns of records that tell of visits."""

WITHOUT_ID = "\x02"
"""What the id of a call begins with of which none is known; its place follows."""

UNDER = "\x01"
"""What stands between the id of a caller and the service that works under it."""

_WAYS = {
    "root": "first", "start": "min", "end": "max", "records": "count",
    "method": "first", "target": "first", "status": "first", "seconds": "first",
    "answer": "first", "error": "first", "error_place": "first", "error_said": "first",
    "last_place": "last", "last_said": "last", "last": "last",
}  # fmt: skip

SCHEMA = pa.schema([
    ("node", pa.string()),
    ("service", pa.string()),
    ("program", pa.string()),
    ("time", pa.int64()),
    ("place", pa.int64()),
    ("root", pa.string()),
    ("start", pa.int64()),
    ("end", pa.int64()),
    ("records", pa.int64()),
    ("method", pa.string()),
    ("target", pa.string()),
    ("status", pa.int64()),
    ("seconds", pa.float64()),
    ("answer", pa.int64()),
    ("error", pa.int64()),
    ("error_place", pa.int64()),
    ("error_said", pa.string()),
    ("last_place", pa.int64()),
    ("last_said", pa.string()),
    ("last", pa.int32()),
])  # fmt: skip
"""Times are microseconds; ``time`` and ``place`` are those of the first record, ``answer`` is the
place of the answer, ``error`` the time of the first error, ``last`` the template of the last
message.
"""

SAID = pa.schema([
    ("node", pa.string()),
    ("program", pa.string()),
    ("template", pa.int32()),
    ("time", pa.int64()),
])  # fmt: skip
"""What a program said in the name of a request: the number of a template, and when first."""

_LATE = (1 << 63) - 1
_QUOTED = 300
"""Characters of a message that are kept."""

_KEYS = ("node", "service", "program")
_ORDER = ("time", "place")


class Visits:
    """Sums up visits and what was said in them, batch by batch."""

    def __init__(self, places: Places, rows: SortedRows, said: SortedRows) -> None:
        self._places = places
        self._owned = OwnedRecords()
        self._visits = Groups(_KEYS, {**dict.fromkeys(_ORDER, "first"), **_WAYS}, rows, _ORDER)
        self._said = Groups(tuple(SAID.names[:3]), {"time": "min"}, said)

    def add(self, batch: pa.RecordBatch, told: pa.Array, codes: pa.Array, wanted: pa.Array) -> None:
        """Take records: which are told by services, their templates, and which of these count."""
        import pyarrow.compute as pc

        status = pc.is_valid(batch["http_status"])
        answered = pc.and_(told, status)
        began, ended = times(batch, answered)
        nodes = self._nodes(batch, told)
        known = pc.is_valid(nodes)
        severity = batch["severity_number"].fill_null(0)
        failed = pc.or_(
            pc.greater_equal(severity, ERROR), pc.is_valid(batch["exception_type"])
        ).fill_null(False)
        places = self._places.of(batch)
        moments = batch["timestamp"].cast(pa.int64())
        body = pc.utf8_slice_codeunits(batch["body"], 0, _QUOTED)
        nothing = {kind: pa.scalar(None, kind) for kind in (pa.int64(), pa.string(), pa.float64())}

        def where(mask: pa.Array, values: pa.Array) -> pa.Array:
            return pc.if_else(mask, values, nothing[values.type])

        rows = pa.table({
            "node": nodes,
            "service": batch["service_name"].cast(pa.string()),
            "program": batch["program"].cast(pa.string()),
            "time": pc.fill_null(moments, _LATE),
            "place": places,
            "root": batch["root_request_id"],
            "start": began.cast(pa.int64()),
            "end": ended.cast(pa.int64()),
            "records": nodes,
            "method": where(told, batch["http_method"].cast(pa.string())),
            "target": where(told, batch["http_target"].cast(pa.string())),
            "status": where(told, batch["http_status"].cast(pa.int64())),
            "seconds": where(answered, batch["duration"].cast(pa.float64())),
            "answer": where(answered, places),
            "error": where(failed, moments),
            "error_place": where(failed, places),
            "error_said": where(failed, body),
            "last_place": places,
            "last_said": body,
            "last": pc.if_else(wanted, codes, pa.scalar(None, pa.int32())),
        })  # fmt: skip
        self._visits.add(rows.filter(known))
        said = pa.table({
            "node": nodes, "program": rows["program"], "template": codes, "time": moments
        })  # fmt: skip
        some = pc.and_(pc.and_(known, wanted), pc.is_valid(codes))
        self._said.add(said.filter(some))

    def finish(self) -> None:
        """Put all sums where they belong."""
        self._visits.finish()
        self._said.finish()

    def whole(self, parts: pa.Table) -> pa.Table:
        """Return the visits of which these are all sums, those of a node in their order."""
        return self._visits.again(parts)

    def _nodes(self, batch: pa.RecordBatch, told: pa.Array) -> pa.Array:
        """Return the request of each record, null for none."""
        import pyarrow.compute as pc

        own = pc.coalesce(
            batch["request_id"].cast(pa.string()), batch["global_request_id"].cast(pa.string())
        )
        program = pc.fill_null(batch["program"].cast(pa.string()), "")
        called = pc.match_substring_regex(program, f"^(?:{UNDER_CALLERS_ID})")
        service = pc.fill_null(batch["service_name"].cast(pa.string()), "?")
        under = pc.binary_join_element_wise(own, service, UNDER)
        own = pc.if_else(called, under, own)
        # A server's line may tell of a call of which no id is known.
        served = pc.and_(pc.and_(told, pc.is_valid(batch["http_status"])), pc.is_null(own))
        place = pc.binary_join_element_wise(
            batch["source"].cast(pa.string()), batch["source_offset"].cast(pa.string()), "@"
        )
        own = pc.if_else(served, pc.binary_join_element_wise("", place, WITHOUT_ID), own)
        # A record behind the answer of its id's request is of another call, of which no id tells.
        return pc.if_else(pc.is_valid(self._owned.other_calls(batch)), None, own)
