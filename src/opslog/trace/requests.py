"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.filters import Filter
from opslog.logs import Logs
from opslog.trace.groups import Groups, grouped, listed

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
"""The columns of a row.  ``duration``: seconds from the first to the last record."""

_COLUMNS = (
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", "user_id", "user_name", "project_id", "project_name",
    "http_method", "http_target", "http_status",
)  # fmt: skip

_TASK, _LONG = 600.0, 86400.0
"""Seconds after which what nobody asked for, and what anybody did, is a task, not a request."""


_WAYS = {
    "start": "min", "end": "max", "severity_number": "max", "records": "count",
    "user": "first", "project": "first",
    "http_method": "first", "http_target": "first", "http_status": "first",
}  # fmt: skip


def requests(logs: Logs, condition: pc.Expression | str | Filter | None = None) -> pa.Table:
    """Return a row (SCHEMA) for each request, in the order they began.

    With a condition those of which one record fulfils it; they are told by all of
    their records.  ``user`` and ``project`` are ids, or names where only those are
    logged; the call is that of the API that was called first; the duration of a
    task that goes on is null.  The logs are read twice.  Memory grows with the
    number of requests.
    """
    if condition is not None:
        logs = logs.with_requests(condition)
    groups = Groups(("request_id", "service"), _WAYS)
    for batch in replace(logs, root=True, merge=False, follow=None).batches(_COLUMNS):
        groups.add(_told(batch))
    found = groups.table()
    return SCHEMA.empty_table() if found is None else _rows(found)


def _told(batch: pa.RecordBatch) -> pa.Table:
    """Return what each record that belongs to a request tells of it."""
    import pyarrow.compute as pc

    batch = batch.filter(pc.is_valid(batch["root_request_id"]))
    answers = pc.and_(pc.is_valid(batch["http_method"]), pc.is_valid(batch["http_status"]))
    own = pc.or_kleene(
        pc.equal(batch["request_id"], batch["root_request_id"]),
        pc.equal(batch["global_request_id"], batch["root_request_id"]),
    )
    called = pc.and_kleene(answers, own)
    nothing = pa.scalar(None, pa.string())
    method, target = batch["http_method"].cast(pa.string()), batch["http_target"]
    return pa.table({
        "request_id": batch["root_request_id"],
        "service": batch["service_name"].cast(pa.string()),
        "start": batch["timestamp"],
        "end": batch["timestamp"],
        "severity_number": batch["severity_number"],
        "records": batch["root_request_id"],
        "user": _either(batch, "user_id", "user_name"),
        "project": _either(batch, "project_id", "project_name"),
        "http_method": pc.if_else(called, method, nothing),
        # Of one record with the method, also where that has no target.
        "http_target": pc.if_else(called, pc.fill_null(target, ""), nothing),
        "http_status": pc.if_else(called, batch["http_status"], pa.scalar(None, pa.int64())),
    })  # fmt: skip


def _rows(groups: pa.Table) -> pa.Table:
    """Return the rows of the requests whose parts at each service are given."""
    import pyarrow.compute as pc

    ways = {**_WAYS, "records": "sum"}
    groups = groups.sort_by("start")
    found = grouped(groups, ("request_id",), ways)
    length = pc.divide(pc.subtract(found["end"], found["start"]).cast(pa.int64()), 1e6)
    nobody = pc.and_(pc.is_null(found["user"]), pc.is_null(found["project"]))
    most = pc.if_else(nobody, _TASK, _LONG)
    columns = {
        **{name: found[name] for name in found.schema.names},
        "duration": pc.if_else(pc.greater(length, most), None, length),
        "services": listed(groups, "request_id", "service", found["request_id"]),
        "http_target": pc.if_else(pc.equal(found["http_target"], ""), None, found["http_target"]),
    }
    table = pa.table([columns[name] for name in SCHEMA.names], SCHEMA)
    return table.sort_by([("start", "ascending"), ("request_id", "ascending")])


def _either(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
