"""All instances, volumes, ports and others of some logs: one row for the life of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opslog.events.notification import COLUMNS as EVENT_COLUMNS
from opslog.events.notification import numbered_notifications
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.reading.groups import MOST, Groups, grouped, readable, values_by_key, with_values
from opslog.reading.sorted_rows import Order, SortedRows, whole_keys
from opslog.trace import lives, nameless
from opslog.trace.changes import NAMELESS, Change
from opslog.trace.life import Life

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

_COLUMNS = (
    *EVENT_COLUMNS, "global_request_id", "resource_type", "service_name", "severity_number",
    "http_method", "http_target", "http_status",
)  # fmt: skip

_WAYS = {
    "resource_type": "first", "start": "min", "end": "max", "severity_number": "max",
    "records": "count",
}  # fmt: skip

_MENTIONS = pa.schema([
    ("row", pa.uint64()),
    ("resource_type", pa.string()),
    ("resource_id", pa.string()),
    ("label", pa.string()),
])  # fmt: skip

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
    ("operation", pa.string()),
    ("moment", pa.string()),
    ("state", pa.string()),
])  # fmt: skip
"""Rows of two kinds: sums of the records of a service and request (``records`` is not null),
and changes of the resource (``time`` is not null).
"""

_BY_RESOURCE = (("resource_id", "ascending"), ("time", "ascending"))

_CHANGES = pa.schema([
    _PARTS.field(name)
    for name in ("resource_id", "time", "request_id", "operation", "moment", "state")
])  # fmt: skip


@dataclass(slots=True)
class _Told:
    """What the records of a block say of the lives of resources."""

    changes: list[tuple[Any, ...]] = field(default_factory=list)
    """Rows of _CHANGES."""
    nameless: list[tuple[Any, ...]] = field(default_factory=list)
    """Rows of nameless.SCHEMA."""

    def add(self, id_: str, time: int, request: str | None, change: Change) -> None:
        """Take a change of a resource."""
        self.changes.append((id_, time, request, change.operation, change.moment, change.state))
        if request is not None:
            named = (request, change.kind, id_, None, change.operation, *(None,) * 5)
            self.nameless.append(named)

    def add_nameless(
        self, record: dict[str, Any], request: str | None, change: Change, label: str | None = None
    ) -> None:
        """Take a change of a resource that a record does not name."""
        if request is not None and record["time"] is not None:
            told = (change.operation, record["time"], change.moment, change.state)
            by = (record["service"], record["severity_number"])
            self.nameless.append((request, change.kind, None, label, *told, *by))


def resources(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each resource (lives.KINDS), in the order they were named first.

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
        SortedRows(nameless.SCHEMA, nameless.BY_REQUEST, most) as unnamed,
    ):
        groups = Groups(("resource_id", "service", "request_id"), _WAYS, parts, most=most)
        for batch in readable(logs._batches(_COLUMNS, logs._begun(stats)), unread):
            told = _Told()
            events = _add_notifications(told, batch)
            mentions = _mentions(batch, events)
            records = _records(batch, mentions, events)
            groups.add(records)
            _add_messages(told, records)
            _add_nameless(told, batch, mentions, events)
            parts.add(_table(told.changes, _CHANGES))
            unnamed.add(_named_by_requests(batch, mentions))
            unnamed.add(_table(told.nameless, nameless.SCHEMA))
        groups.finish()
        for some in whole_keys(unnamed.tables(), "request_id"):
            for rows in _now_named(some):
                parts.add(rows)
        found = (
            _rows(groups.again(with_values(some, "records")), with_values(some, "time"))
            for some in whole_keys(parts.tables(), "resource_id")
        )
        return SortedRows.of(found, SCHEMA, (*order, *_ORDER_OF_ROWS), most)


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


def _now_named(of_requests: pa.Table) -> Iterator[pa.Table]:
    """Yield changes whose resource is known now; for those known by a label only, their record."""
    changes, labelled = [], []
    for id_, row, by_label in nameless.with_names(of_requests):
        told = tuple(row[name] for name in ("time", "request_id", "operation", "moment", "state"))
        changes.append((id_, *told))
        if by_label:
            time, severity = row["time"], row["severity_number"]
            names = (id_, row["service"], row["request_id"], row["resource_type"])
            labelled.append((*names, time, time, severity, 1))
    yield _table(changes, _CHANGES)
    yield _table(labelled, pa.schema([*_PARTS][:8]))


def _add_notifications(told: _Told, batch: pa.RecordBatch) -> pa.Table:
    """Add the changes that notifications say; return row, kind and id of their resources."""
    rows = []
    times = batch["timestamp"].view(pa.int64())
    for row, event in numbered_notifications(batch):
        change, id_ = lives.change_of_notification(event), event.resource_id
        if change is not None:
            time, request = times[row].as_py(), batch["request_id"][row].as_py()
            if id_ is None:
                record = {"time": time, "service": None, "severity_number": None}
                told.add_nameless(record, request, change)
            elif time is not None:
                told.add(id_, time, request, change)
        rows.append((row, change and change.kind, change and id_, None))
    return _table(rows, _MENTIONS)


def _mentions(batch: pa.RecordBatch, events: pa.Table) -> pa.Table:
    """Return which records name which resources; the own column of a record knows best."""
    import pyarrow.compute as pc

    kind = batch["resource_type"].cast(pa.string())
    own = pc.and_(pc.is_in(kind, pa.array(lives.KINDS)), pc.is_valid(batch["resource_id"]))
    numbers = pc.indices_nonzero(pc.fill_null(own, False))
    nulls = pa.nulls(len(numbers), pa.string())
    columns = [numbers, kind.take(numbers), batch["resource_id"].take(numbers), nulls]
    parts = [
        events.filter(pc.is_valid(events["resource_id"])),
        pa.table(columns, _MENTIONS),
        *_mentions_in_text(batch["body"]),
        *_mentions_in_text(batch["http_target"]),
    ]
    return pa.concat_tables(parts)


def _mentions_in_text(text: pa.Array) -> Iterator[pa.Table]:
    """Yield (row, kind, id) of the first resource in each text, then of the second, and so on."""
    import pyarrow.compute as pc

    rows = pa.table({"row": pa.array(range(len(text)), pa.uint64()), "text": text})
    while True:
        rows = rows.filter(pc.match_substring_regex(rows["text"], lives.NAMED))
        if not len(rows):
            return
        first = pc.extract_regex(rows["text"], lives.NAMED).combine_chunks()
        words = first.field("named").dictionary_encode()
        told = [lives.kind_and_label(word) for word in words.dictionary.to_pylist()]
        kinds, labels = (
            pa.array([pair[n] for pair in told], pa.string()).take(words.indices) for n in (0, 1)
        )
        found = pa.table([rows["row"], kinds, first.field("id"), labels], _MENTIONS)
        yield with_values(found, "resource_type")
        rest = pc.replace_substring_regex(rows["text"], lives.NAMED, ";", max_replacements=1)
        rows = rows.set_column(1, "text", rest)


def _records(batch: pa.RecordBatch, mentions: pa.Table, events: pa.Table) -> pa.Table:
    """Return the records that name resources, one row for each that a record names.

    ``event`` says that a notification names it, which tells of its life in its own way.
    """
    import pyarrow.compute as pc

    # A record names a resource once, however often.
    found = grouped(mentions, ("row", "resource_id"), {"resource_type": "first"})
    records = batch.take(found["row"].combine_chunks())
    status = records["http_status"].cast(pa.string())
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
        "call": pc.binary_join_element_wise(
            records["http_method"].cast(pa.string()), records["http_target"], status, " "
        ),
        "event": pc.is_in(found["row"], events["row"].combine_chunks()),
    })  # fmt: skip


def _add_messages(told: _Told, records: pa.Table) -> None:
    """Add the changes that messages and calls say of the resources they name."""
    import pyarrow.compute as pc

    own = pc.and_not(pc.is_valid(records["start"]), records["event"])
    records = records.filter(own)
    ways: tuple[tuple[str, dict[str, str], Callable[[str, str], Iterable[Change]]], ...] = (
        ("body", lives.TELLING, lives.changes_of_message),
        ("call", lives.TELLING_CALLS, lives.changes_of_call),
    )
    for kind in pc.unique(records["resource_type"]).to_pylist():
        of_kind = records.filter(pc.equal(records["resource_type"], kind))
        for name, patterns, changes in ways:
            telling = pc.match_substring_regex(of_kind[name], patterns[kind])
            some = of_kind.filter(pc.fill_null(telling, False))
            columns = [some["resource_id"], some["start"].cast(pa.int64()), some["request_id"]]
            rows = zip(*(c.to_pylist() for c in (*columns, some[name])), strict=True)
            for id_, time, request, text in rows:
                for change in changes(kind, text):
                    told.add(id_, time, request, change)


def _add_nameless(told: _Told, batch: pa.RecordBatch, mentions: pa.Table, events: pa.Table) -> None:
    """Add the changes that messages say of resources they do not name."""
    import pyarrow.compute as pc

    telling = pc.match_substring_regex(batch["body"], lives.TELLING_NAMELESS)
    rows = pc.indices_nonzero(pc.fill_null(telling, False))
    rows = rows.filter(pc.invert(pc.is_in(rows, events["row"].combine_chunks().cast(pa.uint64()))))
    if not len(rows):
        return
    named: dict[int, list[str]] = {}
    own = mentions.filter(pc.is_in(mentions["row"], rows))
    for row, kind in zip(own["row"].to_pylist(), own["resource_type"].to_pylist(), strict=True):
        named.setdefault(row, []).append(kind)
    some = batch.take(rows)
    columns = {
        "row": rows,
        "time": some["timestamp"].view(pa.int64()),
        "service": some["service_name"].cast(pa.string()),
        "severity_number": some["severity_number"],
        **{name: some[name] for name in ("request_id", "global_request_id", "body")},
    }
    for record in pa.table(columns).to_pylist():
        kinds = named.get(record["row"], [])
        for change, label in lives.nameless_changes(record["body"], kinds):
            told.add_nameless(record, record["request_id"], change, label)
            if label is None:
                told.add_nameless(record, record["global_request_id"], change)


def _named_by_requests(batch: pa.RecordBatch, mentions: pa.Table) -> pa.Table:
    """Return the resources that requests name, as rows of nameless.SCHEMA."""
    import pyarrow.compute as pc

    mentions = mentions.filter(
        pc.is_in(mentions["resource_type"], pa.array(sorted({c.kind for c in NAMELESS})))
    )
    rows = mentions["row"].combine_chunks()
    parts = [
        mentions.set_column(0, "request_id", batch[name].take(rows))
        for name in ("request_id", "global_request_id")
    ]
    keys = ("request_id", "resource_type", "resource_id", "label")
    found = grouped(with_values(pa.concat_tables(parts), "request_id"), keys, {})
    nulls = [pa.nulls(len(found), f.type) for f in [*nameless.SCHEMA][4:]]
    columns = [*(found[name].cast(pa.string()) for name in keys), *nulls]
    return pa.table(columns, nameless.SCHEMA)


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
        **_lives(ids.to_pylist(), found["resource_type"].to_pylist(), changes),
    }
    return pa.table([columns[name].cast(SCHEMA.field(name).type) for name in SCHEMA.names], SCHEMA)


def _lives(ids: list[str], kinds: list[str], changes: pa.Table) -> dict[str, pa.Array]:
    """Return the columns that tell of the lives of resources, whose changes are in their order."""
    found = {id_: Life(kind) for id_, kind in zip(ids, kinds, strict=True)}
    columns = (changes[name].to_pylist() for name in _CHANGES.names)
    for id_, *change in zip(*columns, strict=True):
        if id_ in found:
            found[id_].take(tuple(change))
    return {
        name: pa.array([getattr(found[id_], name) for id_ in ids], SCHEMA.field(name).type)
        for name in ("state", "states", "active_after", "unfinished")
    }
