"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.correlate import contexts, likely
from opslog.correlate.callers import is_called
from opslog.correlate.calls import UNDER_CALLERS_ID, is_told_by_service, times
from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.graph import RequestGraph
from opslog.correlate.roots import HEAD
from opslog.filters.filter import Filter, evaluate
from opslog.logs import Logs
from opslog.model import arrays
from opslog.model.naming import naming
from opslog.model.stats import Stats
from opslog.reading.groups import MOST, Groups, grouped, readable, values_by_key, with_values
from opslog.reading.sorted_rows import Order, SortedRows, whole_keys

if TYPE_CHECKING:
    import pyarrow.compute as pc

SCHEMA = pa.schema([
    ("request_id", pa.string()),
    ("start", pa.timestamp("us", "UTC")),
    ("duration", pa.float64()),
    ("http_duration", pa.float64()),
    ("services", pa.list_(pa.string())),
    ("user", pa.string()),
    ("project", pa.string()),
    ("http_method", pa.string()),
    ("http_target", pa.string()),
    ("http_status", pa.int64()),
    ("severity_number", pa.uint8()),
    ("records", pa.int64()),
])  # fmt: skip
"""The columns of a row.

``request_id``: of the call at the top.  Of an id that was sent with several calls, and under which
nothing was logged itself, each call is a row.  Of a call that was logged before it had
an id the place of its first record, ``source@source_offset``; an answer to a wrong token stands
under the id of the request before.
``duration``: seconds from ``start`` to the last record, work behind the answer included; null
for one record that tells no time, and for what a process does for itself: without a call, for no
user, in logs that name users elsewhere.  ``http_duration``: seconds to the answer, as the service
says.  ``start`` is the time of the first record or, if it tells of a call and how long that
took, of the call.
"""

LIKELY = pa.schema([*SCHEMA, ("likely_caller", pa.string()), ("likely_evidence", pa.string())])
"""The columns with those of a likely caller, null where none is: its ``request_id``, and whether
both are about one ``resource`` or were at work at one ``time`` (correlate/likely.py).
"""

_ORDER_OF_ROWS = (("start", "ascending"), ("request_id", "ascending"))
"""The order of rows whose sort keys are equal."""

_COLUMNS = tuple(dict.fromkeys((
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", HEAD, "user_id", "user_name", "project_id", "project_name",
    "program", "logger", "duration", "format", "http_method", "http_target", "http_status",
    *contexts.COLUMNS,
)))  # fmt: skip

_LAST = (1 << 63) - 1
"""Later than any time, in microseconds."""

_TASK, _LONG = 600.0, 86400.0
"""Longest seconds of a request without a user, and of any; what lasts longer is a task."""

_WAYS = {
    "start": "min", "end": "max", "severity_number": "max", "records": "count",
    "user": "first", "project": "first", "fulfils": "max", "own": "max",
}  # fmt: skip

_CALL = ("http_method", "http_target", "http_status", "http_duration")
_ORDER = ("called", "other", "began")
"""The order of calls: not of programs under their callers' ids, then its own, then by time."""

_TOLD = {**dict.fromkeys((*_ORDER, *_CALL), "first"), "asked": "min", "answered": "max"}

_PARTS = pa.schema([
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

_WITHOUT_ID = "\0"
"""What the key of a call without an id begins with; its source and place there follow."""

_LIKELY_FROM = (
    "request_id", "start", "duration", "http_duration", "services", "http_method", "http_target",
)  # fmt: skip
"""The columns that tell whose a call likely is."""

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
    guess: bool = False,
) -> SortedRows:
    """Return the same rows in ``order``, then in the order they began, however many there are.

    Memory holds a few times ``most`` bytes; the rest lies in temporary files until the rows
    are closed.  With ``guess`` they have the columns LIKELY, must fit into memory, and the logs
    are read once more.  ``stats`` counts what is read; a called request that is ``forgotten`` may
    have a row of its own.  Raises SinkError if a temporary file cannot be written.
    """
    with SortedRows(_PARTS, [("request_id", "ascending")], most) as parts:
        by_service = Groups(("request_id", "head", "service"), _WAYS, parts, most=most)
        calls = Groups(("request_id", "head", "id", "service"), _TOLD, parts, _ORDER, most)
        logs = replace(logs, _root=True, _servers=True)._changed(merge=False, follow=None)
        owned, columns, wanted_records = OwnedRecords(), _COLUMNS, None
        graph = logs.graph() if guess else None
        chosen = users = False

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
            if logs._pass.where is None:
                wanted_records = relation.condition
                columns = tuple(dict.fromkeys((*_COLUMNS, *wanted_records.columns)))
        for batch in readable(logs._batches(columns, logs._begun(stats)), unread):
            records, answers = _records_and_calls(batch, owned, wanted_records)
            by_service.add(records)
            users = users or _named(records)
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
                users,
            )
            for some in tables
        )
        order = (*order, *_ORDER_OF_ROWS)
        if graph is None:
            return SortedRows.of(found, SCHEMA, order, most)
        rows = pa.concat_tables([SCHEMA.empty_table(), *found])
        return SortedRows.of([_with_likely_callers(rows, graph)], LIKELY, order, most)


def _chosen_parts(parts: pa.Table) -> pa.Table:
    """Return the parts of the wanted requests."""
    import pyarrow.compute as pc

    ids = with_values(parts, "wanted")["request_id"].combine_chunks()
    return parts.filter(pc.is_in(parts["request_id"], ids))


def _records_and_calls(
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
        pc.binary_join_element_wise(arrays.text(_WITHOUT_ID), source, arrays.text("")),
        places.cast(pa.string()),
        arrays.text("@"),
    )


def _named(records: pa.Table) -> bool:
    """Return whether some records name a user or project."""
    return any(records[name].null_count < len(records) for name in ("user", "project"))


def _rows(parts: pa.Table, calls: pa.Table, users: bool) -> pa.Table:
    """Return the rows of requests: of their sums by service, and of the calls of each id.

    ``users``: whether the logs name users.
    """
    import pyarrow.compute as pc

    several = _several_heads(parts)
    parts, calls = _of_heads(parts, several), _of_heads(calls, several)
    mine = pc.and_(calls["other"], pc.equal(calls["id"], calls["request_id"]))
    other = pc.and_not(calls["other"], mine)
    calls = calls.set_column(calls.schema.get_field_index("other"), "other", other)
    parts = parts.sort_by([("start", "ascending"), ("service", "ascending")])
    found = grouped(parts, ("request_id",), {**_WAYS, "records": "sum"})
    calls = calls.sort_by([(name, "ascending") for name in _ORDER])
    first = calls.append_column("row", pa.array(range(len(calls)), pa.int64()))
    first = grouped(first.select(["request_id", "row"]), ("request_id",), {"row": "min"})
    rows = first["row"].take(pc.index_in(found["request_id"], first["request_id"].combine_chunks()))
    # What a request with records of its own called is not how it was called itself.
    of_others = pc.and_(calls["other"].take(rows), pc.is_in(found["request_id"], _owners(parts)))
    rows = pc.if_else(pc.fill_null(of_others, False), None, rows)
    call = {name: calls[name].take(rows) for name in (*_CALL, "asked", "answered")}
    length = pc.divide(pc.subtract(found["end"], found["start"]).cast(pa.int64()), 1e6)
    timeless = pc.and_(pc.equal(found["records"], 1), pc.equal(length, 0.0))
    between = pc.divide(pc.subtract(call["answered"], call["asked"]), 1e6)
    between = pc.if_else(pc.greater_equal(between, 0.0), between, None)
    answered = pc.coalesce(call["http_duration"], between)
    length = pc.max_element_wise(length, answered)  # a server's line tells no begin, but how long
    whose = grouped(_own_or_all(parts), ("request_id",), {"user": "first", "project": "first"})
    whose = whose.take(pc.index_in(found["request_id"], whose["request_id"].combine_chunks()))
    nobody = pc.and_(pc.is_null(whose["user"]), pc.is_null(whose["project"]))
    most = pc.if_else(nobody, _TASK, _LONG)
    told_call = pc.or_(*(pc.is_valid(call[name]) for name in ("http_target", "http_status")))
    # What is logged behind the answer to nobody is of a context left behind.
    ended = pc.and_(pc.and_(nobody, told_call), pc.not_equal(call["http_status"], 202))
    length = pc.if_else(pc.fill_null(ended, False), pc.coalesce(answered, length), length)
    itself = pc.and_(pc.and_not(nobody, told_call), users)
    without_id = pc.starts_with(found["request_id"], _WITHOUT_ID)
    columns = {
        **{name: found[name] for name in found.schema.names},
        **{name: call[name] for name in _CALL},
        "request_id": pc.replace_substring(
            found["request_id"], _WITHOUT_ID, "", max_replacements=1
        ),
        "duration": pc.if_else(
            pc.or_(pc.or_(pc.greater(length, most), timeless), itself), None, length
        ),
        "http_duration": answered,
        "services": values_by_key(parts, "request_id", "service", found["request_id"]),
    }
    # What carried the id of a request that had ended, and tells no call, is nobody's.
    told = pc.or_(pc.invert(without_id), pc.is_valid(call["http_method"]))
    kept = pc.and_(told, pc.equal(found["fulfils"], 1))
    return pa.table([columns[name] for name in SCHEMA.names], SCHEMA).filter(kept)


def _own_or_all(parts: pa.Table) -> pa.Table:
    """Return the sums of each request's own records, or all where it has none."""
    import pyarrow.compute as pc

    have_own = pc.is_in(parts["request_id"], _owners(parts))
    return parts.filter(pc.or_(_are_own(parts), pc.invert(have_own)))


def _owners(parts: pa.Table) -> pa.Array:
    """Return the requests that have records of their own."""
    return parts["request_id"].filter(_are_own(parts)).combine_chunks()


def _are_own(parts: pa.Table) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.and_(pc.equal(parts["own"], 1), pc.equal(parts["head"], parts["request_id"]))


def _several_heads(parts: pa.Table) -> pa.Array:
    """Return the ids that users sent with several calls: they head no record, but have heads.

    A service that another one of them calls was called by that, even if it is not known when.
    """
    import pyarrow.compute as pc

    own = parts.filter(pc.equal(parts["own"], 1))
    at_top = pc.equal(own["head"], own["request_id"])
    known = own["request_id"].filter(at_top).combine_chunks()
    below = own.filter(pc.invert(pc.or_(at_top, pc.is_in(own["request_id"], known))))
    below = grouped(below, ("request_id", "head"), {"service": "first"})
    found = grouped(below, ("request_id",), {"service": "list"})
    found = found.filter(pc.greater(pc.list_value_length(found["service"]), 1))
    several = [
        root
        for root, services in zip(*(column.to_pylist() for column in found), strict=True)
        if sum(not is_called(one, services) for one in services) > 1
    ]
    return pa.array(several, pa.string())


def _of_heads(rows: pa.Table, roots: pa.Array) -> pa.Table:
    """Return rows of requests, those of these roots as rows of the heads."""
    import pyarrow.compute as pc

    several = pc.is_in(rows["request_id"], roots)
    key = pc.if_else(several, rows["head"], rows["request_id"])
    return rows.set_column(rows.schema.get_field_index("request_id"), "request_id", key)


def _with_likely_callers(rows: pa.Table, graph: RequestGraph) -> pa.Table:
    """Return the rows of requests with the columns of their likely callers."""
    table = rows.to_pydict()
    named = re.compile(naming())
    columns: dict[str, list[object]] = {name: [] for name in likely.SCHEMA.names}
    for own, start, length, answered, services, method, target in zip(
        *(table[name] for name in _LIKELY_FROM), strict=True
    ):
        taken = answered if method in likely.READS and answered is not None else length
        columns["request_id"].append(own)
        columns["service_name"].append(services[0] if services else None)
        columns["start"].append(start)
        columns["end"].append(start and start + timedelta(seconds=taken or 0))
        columns["http_method"].append(method)
        columns["resources"].append([found["id"] for found in named.finditer(target or "")])
    calls = {
        call.callee: call for call in likely.likely_calls(graph, pa.table(columns, likely.SCHEMA))
    }
    found = [calls.get(own) for own in table["request_id"]]
    for number, name in enumerate(LIKELY.names[len(SCHEMA) :]):
        values = [None if call is None else (call.caller, call.evidence)[number] for call in found]
        rows = rows.append_column(name, pa.array(values, pa.string()))
    return rows


def _first_known(batch: pa.RecordBatch, first: str, second: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(batch[first].cast(pa.string()), batch[second].cast(pa.string()))
