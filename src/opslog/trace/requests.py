"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.reading.sorted_rows import Order, SortedRows, whole_keys
from opslog.trace.groups import MOST, Groups, grouped, readable, values_by_key, with_values
from opslog.trace.story import UNDER_CALLERS_ID

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

_ORDER_OF_ROWS = (("start", "ascending"), ("request_id", "ascending"))
"""The order of rows whose sort keys are equal."""

_COLUMNS = (
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", "user_id", "user_name", "project_id", "project_name",
    "program", "logger", "duration", "http_method", "http_target", "http_status",
)  # fmt: skip

_LAST = (1 << 63) - 1
"""Later than any time, in microseconds."""

_TASK, _LONG = 600.0, 86400.0
"""Longest seconds of a request without a user, and of any; what lasts longer is a task."""

_WAYS = {
    "start": "min", "end": "max", "severity_number": "max", "records": "count",
    "user": "first", "project": "first",
}  # fmt: skip

_CALL = ("http_method", "http_target", "http_status")
_ORDER = ("other", "called", "began")
"""The order of a request's calls: its own before others', then by program, then by time."""

_FIRST = dict.fromkeys((*_ORDER, *_CALL), "first")

_PARTS = pa.schema([
    ("request_id", pa.string()),
    ("service", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("end", pa.timestamp("us", "UTC")),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
    ("user", pa.string()),
    ("project", pa.string()),
    ("other", pa.bool_()),
    ("called", pa.bool_()),
    ("began", pa.int64()),
    ("http_method", pa.string()),
    ("http_target", pa.string()),
    ("http_status", pa.int64()),
    ("wanted", pa.bool_()),
])  # fmt: skip
"""Rows of three kinds: sums of a service's records (``records`` is not null), first calls
(``began``), and requests that are wanted (``wanted``), if they are too many for memory.
"""

_IDS = 64
"""Bytes of memory by which the ids of wanted requests are counted."""


def requests(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each request, in the order they began; they must fit into memory.

    With a condition those of which one record fulfils it; they are told by all of
    their records.  ``user`` and ``project`` are ids, or names where only those are
    logged; the call is that of the API that was called first; the duration of a
    task that goes on is null.  The logs are read twice.  What cannot be read is
    raised, or added to ``unread`` if that is given: then the rows tell of the rest.
    """
    with sorted_requests(logs, condition, unread=unread) as rows:
        return rows.table()


def sorted_requests(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    order: Order = (),
    unread: list[Exception] | None = None,
    stats: Stats | None = None,
    most: int = MOST,
) -> SortedRows:
    """Return the same rows in ``order``, then in the order they began, however many there are.

    Memory holds a few times ``most`` bytes; the rest lies in temporary files until the rows
    are closed.  ``stats`` counts what is read; a called request that is ``forgotten`` may
    have a row of its own.  Raises SinkError if a temporary file cannot be written.
    """
    with SortedRows(_PARTS, [("request_id", "ascending")], most) as parts:
        by_service = Groups(("request_id", "service"), _WAYS, parts, most=most)
        calls = Groups(("request_id",), _FIRST, parts, _ORDER, most)
        logs = replace(logs, _root=True)._changed(merge=False, follow=None)
        chosen = False

        def choose(ids: list[str]) -> None:
            nonlocal chosen
            chosen = True
            wanted = [pa.array(ids, pa.string()), pa.repeat(True, len(ids))]
            parts.add(pa.table(wanted, ["request_id", "wanted"]))

        if condition is not None:
            logs = logs.with_requests(condition)
            assert logs._relation is not None
            relation = replace(logs._relation, many=choose, most=most // _IDS)
            logs = replace(logs, _relation=relation)
        for batch in readable(logs._batches(_COLUMNS, logs._begun(stats)), unread):
            records, answers = _records_and_calls(batch)
            by_service.add(records)
            calls.add(answers)
        by_service.finish()
        calls.finish()
        tables = whole_keys(parts.tables(), "request_id")
        if chosen:
            tables = map(_chosen_parts, tables)
        found = (
            _rows(
                by_service.again(with_values(some, "records")),
                calls.again(with_values(some, "began")),
            )
            for some in tables
        )
        return SortedRows.of(found, SCHEMA, (*order, *_ORDER_OF_ROWS), most)


def _chosen_parts(parts: pa.Table) -> pa.Table:
    """Return the parts of the wanted requests."""
    import pyarrow.compute as pc

    ids = with_values(parts, "wanted")["request_id"].combine_chunks()
    return parts.filter(pc.is_in(parts["request_id"], ids))


def _records_and_calls(batch: pa.RecordBatch) -> tuple[pa.Table, pa.Table]:
    """Return what each record of a request tells of it, and the calls that APIs say they answered.

    The calls come with what they are ordered by.
    """
    import pyarrow.compute as pc

    batch = batch.filter(pc.is_valid(batch["root_request_id"]))
    root = batch["root_request_id"]
    answered = _is_answer(batch)
    began = _began(batch, answered)
    records = pa.table({
        "request_id": root,
        "service": batch["service_name"].cast(pa.string()),
        "start": began,
        "end": batch["timestamp"],
        "severity_number": batch["severity_number"],
        "records": root,
        "user": _first_known(batch, "user_id", "user_name"),
        "project": _first_known(batch, "project_id", "project_name"),
    })  # fmt: skip
    own = pc.equal(batch["request_id"], root)
    mine = pc.or_kleene(own, pc.equal(batch["global_request_id"], root))
    program = pc.fill_null(batch["program"].cast(pa.string()), "")
    calls = pa.table({
        "request_id": root,
        "other": pc.invert(pc.fill_null(own, False)),
        "called": pc.match_substring_regex(program, f"^(?:{UNDER_CALLERS_ID})"),
        "began": pc.fill_null(began.cast(pa.int64()), _LAST),
        "http_method": batch["http_method"].cast(pa.string()),
        # Of one record with the method, also where that has no target.
        "http_target": pc.fill_null(batch["http_target"], ""),
        "http_status": batch["http_status"],
    })  # fmt: skip
    return records, calls.filter(pc.and_(answered, pc.fill_null(mine, False)))


def _is_answer(batch: pa.RecordBatch) -> pa.Array:
    """Return which records are a service's own lines about calls it has answered."""
    import pyarrow.compute as pc

    told = pc.and_(pc.is_valid(batch["http_method"]), pc.is_valid(batch["http_status"]))
    # A client's line looks the same.
    client = pc.match_substring(batch["logger"].cast(pa.string()), "connectionpool")
    return pc.and_not(told, pc.fill_null(client, False))


def _began(batch: pa.RecordBatch, answered: pa.Array) -> pa.Array:
    """Return the times of records; for the answer to a call the time at which the call began."""
    import pyarrow.compute as pc

    seconds = pc.fill_null(batch["duration"], 0.0)
    told = pc.and_(answered, pc.and_(pc.greater(seconds, 0.0), pc.less(seconds, _LONG)))
    length = pc.round(pc.multiply(pc.if_else(told, seconds, 0.0), 1e6)).cast(pa.int64())
    time = batch["timestamp"]
    return pc.subtract(time.cast(pa.int64()), length).cast(time.type)


def _rows(parts: pa.Table, calls: pa.Table) -> pa.Table:
    """Return the rows of requests; ``parts``: their sums by service, ``calls``: first calls."""
    import pyarrow.compute as pc

    parts = parts.sort_by([("start", "ascending"), ("service", "ascending")])
    found = grouped(parts, ("request_id",), {**_WAYS, "records": "sum"})
    length = pc.divide(pc.subtract(found["end"], found["start"]).cast(pa.int64()), 1e6)
    nobody = pc.and_(pc.is_null(found["user"]), pc.is_null(found["project"]))
    most = pc.if_else(nobody, _TASK, _LONG)
    rows = pc.index_in(found["request_id"], calls["request_id"].combine_chunks())
    columns = {
        **{name: found[name] for name in found.schema.names},
        **{name: calls[name].take(rows) for name in _CALL},
        "duration": pc.if_else(pc.greater(length, most), None, length),
        "services": values_by_key(parts, "request_id", "service", found["request_id"]),
    }
    target = columns["http_target"]
    columns["http_target"] = pc.if_else(pc.equal(target, ""), None, target)
    return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)


def _first_known(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
