"""All instances, volumes and ports of some logs: one row for the life of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from opslog.events.notification import COLUMNS as EVENT_COLUMNS
from opslog.events.notification import numbered_events
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.errors import SourceError
from opslog.trace import lives
from opslog.trace.groups import Groups, grouped, listed

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
_COLUMNS = (*EVENT_COLUMNS, "resource_type", "service_name", "severity_number", "http_target")


_WAYS = {
    "resource_type": "first", "start": "min", "end": "max", "severity_number": "max",
    "records": "count",
}  # fmt: skip

_MENTION = pa.schema(
    [("row", pa.uint64()), ("resource_type", pa.string()), ("resource_id", pa.string())]
)

_Begun: TypeAlias = tuple[str, str, str]
"""What of which request: kind of resource, operation, request id."""


@dataclass(slots=True)
class _Told:
    """What messages and notifications say of the lives of resources, by id."""

    moments: dict[str, list[tuple[datetime, lives.Moment]]] = field(default_factory=dict)
    begun: dict[_Begun, list[datetime]] = field(default_factory=dict)
    """Operations on what had no id yet."""
    ended: dict[_Begun, list[str]] = field(default_factory=dict)

    def add(self, id_: str, time: datetime, moment: lives.Moment) -> None:
        self.moments.setdefault(id_, []).append((time, moment))

    def add_event(
        self, id_: str | None, time: datetime | None, request: str | None, moment: lives.Moment
    ) -> None:
        """Take what a notification says."""
        if id_ is not None and time is not None:
            self.add(id_, time, moment)
        if request is None:
            return
        if id_ is not None and moment.ends:
            self.ended.setdefault((moment.kind, moment.ends, request), []).append(id_)
        elif id_ is None and moment.begins and time is not None:
            self.begun.setdefault((moment.kind, moment.begins, request), []).append(time)

    def settle(self) -> None:
        """Give what began without an id to what ended: if the request has no other, it is that."""
        for key, times in self.begun.items():
            if len(times) == len(ends := self.ended.get(key, [])) == 1:
                self.add(ends[0], times[0], lives.Moment(key[0], begins=key[1]))


def resources(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each instance, volume and port, in the order they were named first.

    With a condition only the records that fulfil it tell of them.  Lives are told
    by the services' messages and notifications: of what is not logged nothing is known.
    Memory grows with the number of resources, of their requests and their changes.
    What cannot be read is raised, or added to ``unread`` if that is given: then the
    rows tell of the rest.
    """
    if condition is not None:
        logs = logs.filter(condition)
    groups = Groups(("resource_id", "service", "request_id"), _WAYS)
    told = _Told()
    try:
        for batch in logs._changed(merge=False, follow=None).batches(_COLUMNS):
            events = _events(told, batch)
            records = _named(batch, events)
            groups.add(records)
            _tell(told, records)
    except SourceError as error:
        if unread is None:
            raise
        unread.append(error)
    told.settle()
    found = groups.table()
    return SCHEMA.empty_table() if found is None else _rows(found, told)


def _events(told: _Told, batch: pa.RecordBatch) -> pa.Table:
    """Take what notifications say; return for each its row, and kind and id of its resource."""
    rows, kinds, ids = [], [], []
    for row, event in numbered_events(batch):
        moment, id_ = lives.moment_told(event), event.resource_id
        if moment is not None:
            time, request = batch["timestamp"][row].as_py(), batch["request_id"][row].as_py()
            told.add_event(id_, time, request, moment)
        rows.append(row)
        kinds.append(moment and moment.kind)
        ids.append(moment and id_)
    columns = [
        pa.array(values, field.type)
        for values, field in zip((rows, kinds, ids), _MENTION, strict=True)
    ]
    return pa.table(columns, _MENTION)


def _named(batch: pa.RecordBatch, events: pa.Table) -> pa.Table:
    """Return the records that name resources, one row for each that a record names.

    ``event`` says that a notification names it, which tells of its life in its own way.
    """
    import pyarrow.compute as pc

    kind = batch["resource_type"].cast(pa.string())
    own = pc.and_(pc.is_in(kind, pa.array(lives.KINDS)), pc.is_valid(batch["resource_id"]))
    numbers = pc.indices_nonzero(pc.fill_null(own, False))
    parts = [
        events.filter(pc.is_valid(events["resource_id"])),
        pa.table([numbers, kind.take(numbers), batch["resource_id"].take(numbers)], _MENTION),
        *_in_text(batch["body"]),
        *_in_text(batch["http_target"]),
    ]
    # A record names a resource once, however often; its own column knows the kind best.
    found = grouped(pa.concat_tables(parts), ("row", "resource_id"), {"resource_type": "first"})
    records = batch.take(found["row"].combine_chunks())
    return pa.table({
        "resource_id": found["resource_id"],
        "resource_type": found["resource_type"],
        "service": records["service_name"].cast(pa.string()),
        "request_id": records["request_id"],
        "start": records["timestamp"],
        "end": records["timestamp"],
        "severity_number": records["severity_number"],
        "records": found["row"],
        "body": records["body"],
        "event": pc.is_in(found["row"], events["row"].combine_chunks()),
    })  # fmt: skip


def _in_text(text: pa.Array) -> Iterator[pa.Table]:
    """Yield what texts name: (row, kind, id) of the first in each, of the second, ..."""
    import pyarrow.compute as pc

    rows = pa.table({"row": pa.array(range(len(text)), pa.uint64()), "text": text})
    while True:
        rows = rows.filter(pc.match_substring_regex(rows["text"], lives.NAMED))
        if not len(rows):
            return
        first = pc.extract_regex(rows["text"], lives.NAMED).combine_chunks()
        kind = pc.replace_substring_regex(
            pc.utf8_lower(first.field("kind")), "^server$", "instance"
        )
        yield pa.table([rows["row"], kind, first.field("id")], _MENTION)
        rest = pc.replace_substring_regex(rows["text"], lives.NAMED, ";", max_replacements=1)
        rows = rows.set_column(1, "text", rest)


def _tell(told: _Told, records: pa.Table) -> None:
    """Take what messages say of the lives of the resources they name."""
    import pyarrow.compute as pc

    telling = pc.match_substring_regex(records["body"], lives.TELLING)
    telling = pc.and_not(pc.and_(telling, pc.is_valid(records["start"])), records["event"])
    for row in records.filter(pc.fill_null(telling, False)).to_pylist():
        moment = lives.moment_of(row["resource_type"], row["body"])
        if moment is not None:
            told.add(row["resource_id"], row["start"], moment)


def _rows(groups: pa.Table, told: _Told) -> pa.Table:
    """Return the rows of the resources whose parts by service and request are given."""
    import pyarrow.compute as pc

    groups = groups.sort_by("start")
    found = grouped(groups, ("resource_id",), {**_WAYS, "records": "sum"})
    ids = found["resource_id"]
    length = pc.subtract(found["end"], found["start"]).cast(pa.int64())
    requests = listed(groups, "resource_id", "request_id", ids)
    columns = {
        **{name: found[name] for name in found.schema.names},
        "duration": pc.divide(length, 1e6),
        "services": listed(groups, "resource_id", "service", ids),
        "requests": pc.list_value_length(requests),
        **_lives([told.moments.get(id_, []) for id_ in ids.to_pylist()]),
    }
    table = pa.table([columns[name].cast(SCHEMA.field(name).type) for name in SCHEMA.names], SCHEMA)
    return table.sort_by([("start", "ascending"), ("resource_id", "ascending")])


def _lives(told: list[list[tuple[datetime, lives.Moment]]]) -> dict[str, pa.Array]:
    """Return the columns that tell of the lives of resources."""
    rows = [_life(sorted(moments, key=lambda one: one[0])) for moments in told]
    return {
        name: pa.array([row[name] for row in rows], SCHEMA.field(name).type)
        for name in ("state", "states", "active_after", "unfinished")
    }


def _life(told: list[tuple[datetime, lives.Moment]]) -> dict[str, Any]:
    """Return what moments in the order of time tell of one life."""
    open_: dict[str, datetime] = {}
    states: list[dict[str, Any]] = []
    created = usable = None
    for time, moment in told:
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
        "state": states[-1]["state"] if states else None,
        "states": states,
        "active_after": (usable - created).total_seconds() if usable and created else None,
        "unfinished": sorted(open_, key=open_.__getitem__),
    }
