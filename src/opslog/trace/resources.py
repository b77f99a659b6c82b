"""All instances, volumes and ports of some logs: one row for the life of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from opslog.events.notification import COLUMNS as EVENT_COLUMNS
from opslog.events.notification import numbered_notifications
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.reading.sorted_rows import Order, SortedRows, whole_keys
from opslog.trace import lives
from opslog.trace.groups import MOST, Groups, grouped, readable, values_by_key, with_values

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
seconds from the beginning of its creation until it could be used.  ``unfinished``:
operations that began and were never told to end.
"""

_ORDER_OF_ROWS = (("start", "ascending"), ("resource_id", "ascending"))
"""The order of rows whose sort keys are equal."""

_USABLE = ("active", "available", "bound", "in-use")
_COLUMNS = (*EVENT_COLUMNS, "resource_type", "service_name", "severity_number", "http_target")

_WAYS = {
    "resource_type": "first", "start": "min", "end": "max", "severity_number": "max",
    "records": "count",
}  # fmt: skip

_MENTIONS = pa.schema(
    [("row", pa.uint64()), ("resource_type", pa.string()), ("resource_id", pa.string())]
)

_PARTS = pa.schema([
    ("resource_id", pa.string()),
    ("service", pa.string()),
    ("request_id", pa.string()),
    ("resource_type", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("end", pa.timestamp("us", "UTC")),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
    ("time", pa.int64()),
    ("begins", pa.string()),
    ("ends", pa.string()),
    ("state", pa.string()),
])  # fmt: skip
"""Rows of two kinds: sums of the records of a service and request (``records`` is not null),
and changes of the resource (``time`` is not null).
"""

_BY_RESOURCE = (("resource_id", "ascending"), ("time", "ascending"))

_OPERATIONS = pa.schema([
    ("request_id", pa.string()),
    ("resource_type", pa.string()),
    ("operation", pa.string()),
    ("began", pa.int64()),
    ("resource_id", pa.string()),
])  # fmt: skip
"""Operations that began without an id of the resource (``began``), or ended with one."""

_Change: TypeAlias = tuple[int, str, str, str]
"""Time in microseconds, operation that begins, operation that ends, state from then on."""


@dataclass(slots=True)
class _Lives:
    """What messages and notifications of a block say of the lives of resources."""

    changes: list[tuple[str, int, str, str, str]] = field(default_factory=list)
    """Id of the resource, and the fields of _Change."""
    operations: list[tuple[str, str, str, int | None, str | None]] = field(default_factory=list)
    """Rows of _OPERATIONS."""

    def add(self, id_: str, time: int, change: lives.Change) -> None:
        self.changes.append((id_, time, change.begins, change.ends, change.state))

    def add_event(
        self, id_: str | None, time: int | None, request: str | None, change: lives.Change
    ) -> None:
        """Take what a notification says."""
        if id_ is not None and time is not None:
            self.add(id_, time, change)
        if request is None:
            return
        if id_ is not None and change.ends:
            self.operations.append((request, change.kind, change.ends, None, id_))
        elif id_ is None and change.begins and time is not None:
            self.operations.append((request, change.kind, change.begins, time, None))


def resources(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each instance, volume and port, in the order they were named first.

    With a condition only the records that fulfil it tell of them.  Lives are told
    by the services' messages and notifications: of what is not logged nothing is known.
    The rows must fit into memory.  What cannot be read is raised, or added to ``unread``
    if that is given: then the rows tell of the rest.
    """
    with sorted_resources(logs, condition, unread=unread) as rows:
        return rows.table()


def sorted_resources(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    order: Order = (),
    unread: list[Exception] | None = None,
    stats: Stats | None = None,
    most: int = MOST,
) -> SortedRows:
    """Return the same rows in ``order``, then as they were named first, however many there are.

    Memory holds a few times ``most`` bytes; the rest lies in temporary files until the rows
    are closed.  ``stats`` counts what is read.  Raises SinkError if a temporary file cannot
    be written.
    """
    if condition is not None:
        logs = logs.filter(condition)
    logs = logs._changed(merge=False, follow=None)
    with (
        SortedRows(_PARTS, _BY_RESOURCE, most) as parts,
        SortedRows(_OPERATIONS, [("request_id", "ascending")], most) as operations,
    ):
        groups = Groups(("resource_id", "service", "request_id"), _WAYS, parts, most=most)
        for batch in readable(logs._batches(_COLUMNS, logs._begun(stats)), unread):
            told = _Lives()
            events = _add_notifications(told, batch)
            records = _mentions(batch, events)
            groups.add(records)
            _add_messages(told, records)
            parts.add(_changes(told.changes))
            operations.add(_table(told.operations, _OPERATIONS))
        groups.finish()
        for some in whole_keys(operations.tables(), "request_id"):
            parts.add(_changes(_begun_without_id(some)))
        found = (
            _rows(groups.again(with_values(some, "records")), with_values(some, "time"))
            for some in whole_keys(parts.tables(), "resource_id")
        )
        return SortedRows.of(found, SCHEMA, (*order, *_ORDER_OF_ROWS), most)


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


def _changes(rows: Iterable[tuple[str, int, str, str, str]]) -> pa.Table:
    names = ("resource_id", "time", "begins", "ends", "state")
    return _table([*rows], pa.schema([_PARTS.field(name) for name in names]))


def _begun_without_id(operations: pa.Table) -> Iterator[tuple[str, int, str, str, str]]:
    """Yield beginnings without an id as changes of the resource that ended in the same request.

    A request with several beginnings or ends of one operation gives none.
    """
    began: dict[tuple[str, str, str], list[int]] = {}
    ended: dict[tuple[str, str, str], list[str]] = {}
    for request, kind, operation, time, id_ in zip(*operations.to_pydict().values(), strict=True):
        if id_ is None:
            began.setdefault((request, kind, operation), []).append(time)
        else:
            ended.setdefault((request, kind, operation), []).append(id_)
    for key, times in began.items():
        if len(times) == len(ends := ended.get(key, [])) == 1:
            yield ends[0], times[0], key[2], "", ""


def _add_notifications(told: _Lives, batch: pa.RecordBatch) -> pa.Table:
    """Add the changes that notifications say; return row, kind and id of their resources."""
    rows = []
    times = batch["timestamp"].view(pa.int64())
    for row, event in numbered_notifications(batch):
        change, id_ = lives.change_of_notification(event), event.resource_id
        if change is not None:
            time, request = times[row].as_py(), batch["request_id"][row].as_py()
            told.add_event(id_, time, request, change)
        rows.append((row, change and change.kind, change and id_))
    return _table(rows, _MENTIONS)


def _mentions(batch: pa.RecordBatch, events: pa.Table) -> pa.Table:
    """Return the records that name resources, one row for each that a record names.

    ``event`` says that a notification names it, which tells of its life in its own way.
    """
    import pyarrow.compute as pc

    kind = batch["resource_type"].cast(pa.string())
    own = pc.and_(pc.is_in(kind, pa.array(lives.KINDS)), pc.is_valid(batch["resource_id"]))
    numbers = pc.indices_nonzero(pc.fill_null(own, False))
    parts = [
        events.filter(pc.is_valid(events["resource_id"])),
        pa.table([numbers, kind.take(numbers), batch["resource_id"].take(numbers)], _MENTIONS),
        *_mentions_in_text(batch["body"]),
        *_mentions_in_text(batch["http_target"]),
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


def _mentions_in_text(text: pa.Array) -> Iterator[pa.Table]:
    """Yield (row, kind, id) of the first resource in each text, then of the second, and so on."""
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
        yield pa.table([rows["row"], kind, first.field("id")], _MENTIONS)
        rest = pc.replace_substring_regex(rows["text"], lives.NAMED, ";", max_replacements=1)
        rows = rows.set_column(1, "text", rest)


def _add_messages(told: _Lives, records: pa.Table) -> None:
    """Add the changes that messages say of the resources they name."""
    import pyarrow.compute as pc

    telling = pc.match_substring_regex(records["body"], lives.TELLING)
    telling = pc.and_not(pc.and_(telling, pc.is_valid(records["start"])), records["event"])
    some = records.filter(pc.fill_null(telling, False))
    columns = [some["start"].cast(pa.int64()), *map(some.column, ("resource_type", "resource_id"))]
    rows = zip(*(column.to_pylist() for column in (*columns, some["body"])), strict=True)
    for time, kind, id_, body in rows:
        change = lives.change_of_message(kind, body)
        if change is not None:
            told.add(id_, time, change)


def _rows(groups: pa.Table, changes: pa.Table) -> pa.Table:
    """Return the rows of resources; ``groups`` are their sums by service and request."""
    import pyarrow.compute as pc

    order = ("start", "service", "request_id")
    groups = groups.sort_by([(name, "ascending") for name in order])
    found = grouped(groups, ("resource_id",), {**_WAYS, "records": "sum"})
    ids = found["resource_id"]
    length = pc.subtract(found["end"], found["start"]).cast(pa.int64())
    requests = values_by_key(groups, "resource_id", "request_id", ids)
    columns = {
        **{name: found[name] for name in found.schema.names},
        "duration": pc.divide(length, 1e6),
        "services": values_by_key(groups, "resource_id", "service", ids),
        "requests": pc.list_value_length(requests),
        **_lives(ids.to_pylist(), changes),
    }
    return pa.table([columns[name].cast(SCHEMA.field(name).type) for name in SCHEMA.names], SCHEMA)


def _lives(ids: list[str], changes: pa.Table) -> dict[str, pa.Array]:
    """Return the columns that tell of the lives of resources, whose changes are in their order."""
    told: dict[str, list[_Change]] = {}
    names = ("resource_id", "time", "begins", "ends", "state")
    columns = (changes[name].to_pylist() for name in names)
    for id_, *change in zip(*columns, strict=True):
        told.setdefault(id_, []).append(tuple(change))
    rows = [_life(told.get(id_, [])) for id_ in ids]
    return {
        name: pa.array([row[name] for row in rows], SCHEMA.field(name).type)
        for name in ("state", "states", "active_after", "unfinished")
    }


def _life(told: list[_Change]) -> dict[str, Any]:
    """Return the columns of one life from its changes in the order of time."""
    open_: dict[str, int] = {}
    states: list[dict[str, Any]] = []
    created = usable = None
    for time, begins, ends, state in told:
        if begins:
            open_[begins] = time
            if begins == "create" and created is None:
                created = time
        if ends:
            open_.pop(ends, None)
        if state and (not states or states[-1]["state"] != state):
            states.append({"time": time, "state": state})
        if created is not None and usable is None and state in _USABLE:
            usable = time
    return {
        "state": states[-1]["state"] if states else None,
        "states": states,
        "active_after": None if created is None or usable is None else (usable - created) / 1e6,
        "unfinished": sorted(open_, key=open_.__getitem__),
    }
