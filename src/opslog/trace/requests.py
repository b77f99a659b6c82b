"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.errors import SourceError
from opslog.trace.groups import Groups, grouped, listed
from opslog.trace.story import CALLED

if TYPE_CHECKING:
    import pyarrow.compute as pc

SCHEMA = pa.schema([
    ("request_id", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("duration", pa.float64()),
    ("services", pa.list_(pa.string())),
    ("user", pa.string()),
    ("project", pa.string()),
    ("http_method", pa.string()),
    ("http_target", pa.string()),
    ("http_status", pa.int64()),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
])  # fmt: skip
"""The columns of a row.  ``duration``: seconds to the last record.

They count from ``start``: that of the first record or, if it tells of a call and how long
that took, of the call.
"""

_COLUMNS = (
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", "user_id", "user_name", "project_id", "project_name",
    "program", "logger", "duration", "http_method", "http_target", "http_status",
)  # fmt: skip

_LAST = (1 << 63) - 1
"""Later than any time, in microseconds."""

_TASK, _LONG = 600.0, 86400.0
"""Seconds after which what nobody asked for, and what anybody did, is a task, not a request."""


_WAYS = {
    "start": "min", "end": "max", "severity_number": "max", "records": "count",
    "user": "first", "project": "first",
}  # fmt: skip

_CALL = ("http_method", "http_target", "http_status")
_ORDER = ("other", "called", "began")
"""Which call is the first: of the request itself, of a program that is not called, the earliest."""


def requests(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each request, in the order they began.

    With a condition those of which one record fulfils it; they are told by all of
    their records.  ``user`` and ``project`` are ids, or names where only those are
    logged; the call is that of the API that was called first; the duration of a
    task that goes on is null.  The logs are read twice.  Memory grows with the
    number of requests.  What cannot be read is raised, or added to ``unread`` if
    that is given: then the rows tell of the rest.
    """
    if condition is not None:
        logs = logs.with_requests(condition)
    parts = Groups(("request_id", "service"), _WAYS)
    calls = Groups(("request_id",), dict.fromkeys((*_ORDER, *_CALL), "first"), _ORDER)
    try:
        for batch in replace(logs, _root=True)._changed(merge=False, follow=None).batches(_COLUMNS):
            parts.add(_told(batch))
            calls.add(_answers(batch))
    except SourceError as error:
        if unread is None:
            raise
        unread.append(error)
    found = parts.table()
    return SCHEMA.empty_table() if found is None else _rows(found, calls.table())


def _told(batch: pa.RecordBatch) -> pa.Table:
    """Return what each record that belongs to a request tells of it."""
    import pyarrow.compute as pc

    batch = batch.filter(pc.is_valid(batch["root_request_id"]))
    return pa.table({
        "request_id": batch["root_request_id"],
        "service": batch["service_name"].cast(pa.string()),
        "start": _begin(batch),
        "end": batch["timestamp"],
        "severity_number": batch["severity_number"],
        "records": batch["root_request_id"],
        "user": _either(batch, "user_id", "user_name"),
        "project": _either(batch, "project_id", "project_name"),
    })  # fmt: skip


def _answers(batch: pa.RecordBatch) -> pa.Table:
    """Return what APIs told of calls they answered, with what they are ordered by."""
    import pyarrow.compute as pc

    root = batch["root_request_id"]
    own = pc.equal(batch["request_id"], root)
    known = pc.or_kleene(own, pc.equal(batch["global_request_id"], root))
    program = pc.fill_null(batch["program"].cast(pa.string()), "")
    return pa.table({
        "request_id": root,
        "other": pc.invert(pc.fill_null(own, False)),
        "called": pc.match_substring_regex(program, f"^(?:{CALLED})"),
        "began": pc.fill_null(_begin(batch).cast(pa.int64()), _LAST),
        "http_method": batch["http_method"].cast(pa.string()),
        # Of one record with the method, also where that has no target.
        "http_target": pc.fill_null(batch["http_target"], ""),
        "http_status": batch["http_status"],
    }).filter(pc.and_(_is_answer(batch), pc.fill_null(known, False)))  # fmt: skip


def _is_answer(batch: pa.RecordBatch) -> pa.Array:
    """Return which records are a service's own lines about calls it has answered."""
    import pyarrow.compute as pc

    told = pc.and_(pc.is_valid(batch["http_method"]), pc.is_valid(batch["http_status"]))
    # A client's line looks the same.
    client = pc.match_substring(batch["logger"].cast(pa.string()), "connectionpool")
    return pc.and_not(told, pc.fill_null(client, False))


def _begin(batch: pa.RecordBatch) -> pa.Array:
    """Return when what records tell of began: an answered call before its answer."""
    import pyarrow.compute as pc

    seconds = pc.fill_null(batch["duration"], 0.0)
    told = pc.and_(_is_answer(batch), pc.and_(pc.greater(seconds, 0.0), pc.less(seconds, _LONG)))
    length = pc.round(pc.multiply(pc.if_else(told, seconds, 0.0), 1e6)).cast(pa.int64())
    time = batch["timestamp"]
    return pc.subtract(time.cast(pa.int64()), length).cast(time.type)


def _rows(parts: pa.Table, calls: pa.Table | None) -> pa.Table:
    """Return the rows of the requests whose parts at each service and first calls are given."""
    import pyarrow.compute as pc

    parts = parts.sort_by("start")
    found = grouped(parts, ("request_id",), {**_WAYS, "records": "sum"})
    length = pc.divide(pc.subtract(found["end"], found["start"]).cast(pa.int64()), 1e6)
    nobody = pc.and_(pc.is_null(found["user"]), pc.is_null(found["project"]))
    most = pc.if_else(nobody, _TASK, _LONG)
    columns = {
        **{name: found[name] for name in found.schema.names},
        "duration": pc.if_else(pc.greater(length, most), None, length),
        "services": listed(parts, "request_id", "service", found["request_id"]),
    }
    if calls is None:
        columns |= {name: pa.nulls(len(found), SCHEMA.field(name).type) for name in _CALL}
    else:
        rows = pc.index_in(found["request_id"], calls["request_id"].combine_chunks())
        columns |= {name: calls[name].take(rows) for name in _CALL}
        target = columns["http_target"]
        columns["http_target"] = pc.if_else(pc.equal(target, ""), None, target)
    table = pa.table([columns[name] for name in SCHEMA.names], SCHEMA)
    return table.sort_by([("start", "ascending"), ("request_id", "ascending")])


def _either(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
