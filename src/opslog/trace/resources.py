"""All instances, volumes and ports of some logs: one row for the life of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opslog.filters import Filter
from opslog.logs import Logs
from opslog.trace import lives

if TYPE_CHECKING:
    import pyarrow.compute as pc

SCHEMA = pa.schema([
    ("resource_type", pa.string()),
    ("resource_id", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("duration", pa.float64()),
    ("state", pa.string()),
    ("states", pa.list_(pa.struct([("time", pa.timestamp("us", "UTC")), ("state", pa.string())]))),
    ("active_after", pa.float64()),
    ("unfinished", pa.list_(pa.string())),
    ("services", pa.list_(pa.string())),
    ("requests", pa.int64()),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
])  # fmt: skip
"""The columns of a row.

``duration``: seconds from the first to the last record that names it.  ``active_after``:
seconds from the begin of its creation until it could be used.  ``unfinished``:
operations that began and were never told to end.
"""

_USABLE = ("active", "available", "bound", "in-use")
_COLUMNS = ("timestamp", "resource_type", "resource_id", "service_name", "request_id",
            "severity_number", "body", "http_target")  # fmt: skip


@dataclass(slots=True)
class _Life:
    kind: str
    told: list[tuple[datetime, lives.Moment]] = field(default_factory=list)
    begin: datetime | None = None
    end: datetime | None = None
    services: dict[str, None] = field(default_factory=dict)
    requests: set[str] = field(default_factory=set)
    severity: int = 0
    records: int = 0

    def add(self, record: dict[str, Any]) -> None:
        self.records += 1
        self.severity = max(self.severity, record["severity_number"] or 0)
        if record["service_name"]:
            self.services[record["service_name"]] = None
        if record["request_id"]:
            self.requests.add(record["request_id"])
        time = record["timestamp"]
        if time is None:
            return
        self.begin = min(self.begin or time, time)
        self.end = max(self.end or time, time)
        moment = lives.moment_of(self.kind, record["body"] or "")
        if moment is not None:
            self.told.append((time, moment))

    def row(self, id_: str) -> dict[str, Any]:
        open_: dict[str, datetime] = {}
        states: list[dict[str, Any]] = []
        created = usable = None
        for time, moment in sorted(self.told, key=lambda one: one[0]):
            if moment.begins:
                open_[moment.begins] = time
                if moment.begins == "create":
                    created = created or time
            if moment.ends:
                open_.pop(moment.ends, None)
            if moment.state and (not states or states[-1]["state"] != moment.state):
                states.append({"time": time, "state": moment.state})
            if created and usable is None and moment.state in _USABLE:
                usable = time
        return {
            "resource_type": self.kind,
            "resource_id": id_,
            "start": self.begin,
            "duration": (self.end - self.begin).total_seconds()
            if self.begin and self.end
            else None,
            "state": states[-1]["state"] if states else None,
            "states": states,
            "active_after": (usable - created).total_seconds() if usable and created else None,
            "unfinished": sorted(open_, key=open_.__getitem__),
            "services": list(self.services),
            "requests": len(self.requests),
            "severity_number": self.severity or None,
            "records": self.records,
        }


def resources(logs: Logs, condition: pc.Expression | str | Filter | None = None) -> pa.Table:
    """Return a row (SCHEMA) for each instance, volume and port, in the order they were named first.

    With a condition only the records that fulfil it tell of them.  Lives are told
    by the services' messages, so of a level that was not logged nothing is known.
    Memory grows with the number of resources and of their changes.
    """
    if condition is not None:
        logs = logs.filter(condition)
    found: dict[str, _Life] = {}
    for batch in replace(logs, merge=False, follow=None).batches(_COLUMNS):
        for kind, id_, record in _named(batch):
            life = found.get(id_)
            if life is None:
                life = found[id_] = _Life(kind)
            life.add(record)
    ordered = sorted(
        found.items(), key=lambda item: (item[1].begin is None, item[1].begin or 0, item[0])
    )
    return pa.Table.from_pylist([life.row(id_) for id_, life in ordered], SCHEMA)


def _named(batch: pa.RecordBatch) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (kind, id, record) of each resource a record names, each once."""
    import pyarrow.compute as pc

    about = pc.is_valid(batch["resource_id"])
    for name in ("body", "http_target"):
        names = pc.match_substring_regex(batch[name], lives.NAMED_WORDS)
        about = pc.or_(about, pc.fill_null(names, False))
    for record in batch.filter(about).to_pylist():
        ids: dict[str, str] = {}
        if record["resource_type"] in ("instance", "volume", "port") and record["resource_id"]:
            ids[record["resource_id"]] = record["resource_type"]
        text = f"{record['body'] or ''} {record['http_target'] or ''}"
        for kind, id_ in lives.NAMED.findall(text):
            ids.setdefault(id_, lives.KINDS.get(kind.lower(), kind.lower()))
        for id_, kind in ids.items():
            yield kind, id_, record
