"""The rows of requests, of what was told of each."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pyarrow as pa

from opslog.correlate import likely
from opslog.correlate.callers import is_called
from opslog.correlate.graph import RequestGraph
from opslog.model.naming import naming
from opslog.model.stats import Stats
from opslog.reading.groups import grouped, values_by_key
from opslog.trace.request_parts import CALL, ORDER, WAYS, WITHOUT_ID

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

_TASK, _LONG = 600.0, 86400.0
"""Longest seconds of a request without a user, and of any; what lasts longer is a task."""

_LIKELY_FROM = (
    "request_id", "start", "duration", "http_duration", "services", "http_method", "http_target",
)  # fmt: skip
"""The columns that tell whose a call likely is."""


def rows_of(parts: pa.Table, calls: pa.Table, users: bool) -> pa.Table:
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
    found = grouped(parts, ("request_id",), {**WAYS, "records": "sum"})
    calls = calls.sort_by([(name, "ascending") for name in ORDER])
    first = calls.append_column("row", pa.array(range(len(calls)), pa.int64()))
    first = grouped(first.select(["request_id", "row"]), ("request_id",), {"row": "min"})
    rows = first["row"].take(pc.index_in(found["request_id"], first["request_id"].combine_chunks()))
    # What a request with records of its own called is not how it was called itself.
    of_others = pc.and_(calls["other"].take(rows), pc.is_in(found["request_id"], _owners(parts)))
    rows = pc.if_else(pc.fill_null(of_others, False), None, rows)
    call = {name: calls[name].take(rows) for name in (*CALL, "asked", "answered")}
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
    without_id = pc.starts_with(found["request_id"], WITHOUT_ID)
    columns = {
        **{name: found[name] for name in found.schema.names},
        **{name: call[name] for name in CALL},
        "request_id": pc.replace_substring(found["request_id"], WITHOUT_ID, "", max_replacements=1),
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
        if _called_by_users(services) > 1
    ]
    return pa.array(several, pa.string())


def _called_by_users(services: list[str | None]) -> int:
    """Return how many heads of these services none of the others called."""
    heads = Counter(services)  # of few services, however many heads there are
    return sum(count for one, count in heads.items() if not is_called(one, heads))


def _of_heads(rows: pa.Table, roots: pa.Array) -> pa.Table:
    """Return rows of requests, those of these roots as rows of the heads."""
    import pyarrow.compute as pc

    several = pc.is_in(rows["request_id"], roots)
    key = pc.if_else(several, rows["head"], rows["request_id"])
    return rows.set_column(rows.schema.get_field_index("request_id"), "request_id", key)


def with_likely_callers(
    rows: pa.Table, graph: RequestGraph, stats: Stats | None = None
) -> pa.Table:
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
        call.callee: call
        for call in likely.likely_calls(graph, pa.table(columns, likely.SCHEMA), stats)
    }
    found = [calls.get(own) for own in table["request_id"]]
    for number, name in enumerate(LIKELY.names[len(SCHEMA) :]):
        values = [None if call is None else (call.caller, call.evidence)[number] for call in found]
        rows = rows.append_column(name, pa.array(values, pa.string()))
    return rows
