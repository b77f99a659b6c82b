"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opslog.filters import Filter
from opslog.logs import Logs

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


@dataclass(slots=True)
class _Row:
    begin: datetime | None = None
    end: datetime | None = None
    services: dict[str, None] = field(default_factory=dict)
    user: str | None = None
    project: str | None = None
    call: tuple[str, str, int] | None = None
    severity: int = 0
    records: int = 0

    @property
    def duration(self) -> float | None:
        """Seconds; None without times and of a task, which only begins and ends with its log."""
        if self.begin is None or self.end is None:
            return None
        length = (self.end - self.begin).total_seconds()
        most = _TASK if self.user is None and self.project is None else _LONG
        return length if length <= most else None


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
    rows: dict[str, _Row] = {}
    for batch in replace(logs, root=True, merge=False, follow=None).batches(_COLUMNS):
        _count(rows, batch)
    found = [
        {
            "request_id": id_,
            "start": row.begin,
            "duration": row.duration,
            "services": list(row.services),
            "user": row.user,
            "project": row.project,
            "http_method": row.call and row.call[0],
            "http_target": row.call and row.call[1],
            "http_status": row.call and row.call[2],
            "severity_number": row.severity or None,
            "records": row.records,
        }
        for id_, row in sorted(rows.items(), key=_begin)
    ]
    return pa.Table.from_pylist(found, SCHEMA)


def _begin(item: tuple[str, _Row]) -> tuple[bool, float, str]:
    begin = item[1].begin
    return begin is None, begin.timestamp() if begin else 0.0, item[0]


def _count(rows: dict[str, _Row], batch: pa.RecordBatch) -> None:
    """Add the records of a batch to the rows of their requests."""
    import pyarrow.compute as pc

    batch = batch.filter(pc.is_valid(batch["root_request_id"]))
    if not len(batch):
        return
    columns = {
        "root": batch["root_request_id"],
        "service": batch["service_name"].cast(pa.string()),
        "user": _either(batch, "user_id", "user_name"),
        "project": _either(batch, "project_id", "project_name"),
        "time": batch["timestamp"],
        "severity": batch["severity_number"],
    }
    groups = (
        pa.table(columns)
        .group_by(["root", "service"], use_threads=False)
        .aggregate([
            ("time", "min"), ("time", "max"), ("severity", "max"), ("root", "count"),
            ("user", "min"), ("project", "min"),
        ])
    )  # fmt: skip
    for group in groups.to_pylist():
        row = rows.setdefault(group["root"], _Row())
        row.records += group["root_count"]
        row.severity = max(row.severity, group["severity_max"] or 0)
        row.user = row.user or group["user_min"]
        row.project = row.project or group["project_min"]
        if group["service"]:
            row.services[group["service"]] = None
        if group["time_min"] is not None:
            row.begin = min(row.begin or group["time_min"], group["time_min"])
            row.end = max(row.end or group["time_max"], group["time_max"])
    for id_, *call in _answers(batch):
        row = rows[id_]
        row.call = row.call or (call[0], call[1], call[2])


def _answers(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Yield (request, method, target, status) of the answers of the APIs called first."""
    import pyarrow.compute as pc

    told = pc.and_(pc.is_valid(batch["http_method"]), pc.is_valid(batch["http_status"]))
    own = pc.or_kleene(
        pc.equal(batch["request_id"], batch["root_request_id"]),
        pc.equal(batch["global_request_id"], batch["root_request_id"]),
    )
    found = batch.filter(pc.fill_null(pc.and_(told, own), False))
    names = ("root_request_id", "http_method", "http_target", "http_status")
    yield from zip(*(found[name].to_pylist() for name in names), strict=True)


def _either(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
