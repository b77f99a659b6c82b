"""Which requests the lines of servers tell of that name no request: uWSGI's, Apache's, HAProxy's.

Some services log no line of their own for a call, or not at INFO; the server in front of them
does, without the id.  Its line tells of a request if that is the only one that fits, and fits
no other line.  Where as many requests fit several lines they tell what all of these say alike.
A line of the service's own process (uWSGI) fits a request whose records that
process wrote while the call went on, and no other process before; a line of a proxy fits a
request of the same path.  Method, path and status must agree as far as the service tells them.

Without a path a line is believed only where the log is complete: uWSGI counts its calls, and a
line that was not logged might be the one.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple
from zlib import crc32

import pyarrow as pa

from opslog.correlate import contexts
from opslog.correlate.calls import AT_BEGIN, LONGEST, UNDER_CALLERS_ID, is_told_by_service
from opslog.correlate.contexts import OwnedRecords, hashes
from opslog.correlate.matching import (
    DURATION,
    LINE,
    METHOD,
    PAIRS,
    PATH,
    ROWS,
    SURE,
    TOLD,
    matched,
)  # fmt: skip
from opslog.correlate.sources import by_source, mapped
from opslog.correlate.tellers import RANKS, hashed_paths
from opslog.model import arrays
from opslog.model.hosts import host_of_path
from opslog.reading.groups import Groups, grouped
from opslog.reading.sorted_rows import MOST, SortedRows, whole_keys

COLUMNS = tuple(dict.fromkeys((
    *contexts.COLUMNS, "service_name", "format", "duration", "attributes",
)))  # fmt: skip
"""The columns of records that tell it."""

SET = ("service_name", "timestamp")
"""The columns that are set beside the request's id where lines tell of requests."""

_TELLING = {
    "duration": arrays.uint8(DURATION),
    "http_method": arrays.uint8(METHOD),
    "http_target": arrays.uint8(PATH),
}
"""The columns of a line that tell of its request only if this is ``known``."""

LINES = 1 << 20
"""Lines that are remembered with their requests; what comes later belongs to none."""

_FRONT = 2
"""From this rank on servers are other processes than the service."""

_SECOND = 1_000_000
_APART = _SECOND // 10
"""By how much the clock of a server may differ, and what it rounds, in microseconds."""

_AROUND = 4
"""Lines before and behind one among which none may be missing."""

_FAILING = r"^neutron\.(?:pecan_wsgi\.hooks\.translation|api\.v2\.resource)$"
_FAILED = r"^(?P<method>[A-Z]+) failed\b"
"""The loggers that tell of a call that it failed, and with which method."""

_NUMBER = "uwsgi_requests"
"""The attribute by which uWSGI counts calls."""

_SPANS = pa.schema([
    ("process", pa.int64()),
    ("request_id", pa.string()),
    ("time", pa.int64()),
    ("end", pa.int64()),
    ("path", pa.int64()),
    ("other_path", pa.int64()),
    ("method", pa.int32()),
    ("other_method", pa.int32()),
    ("status", pa.int32()),
    ("service", pa.string()),
    ("others", pa.uint8()),
])  # fmt: skip
"""What a process's records of one request tell: ``other_path`` is the same as ``path`` if they
tell of one call.  ``others``: whether other processes may work for a request that came to this one.
"""

_WAYS = {
    "time": "min", "end": "max", "path": "min", "other_path": "max",
    "method": "min", "other_method": "max", "status": "max",
    "service": "first", "others": "max",
}  # fmt: skip


class Named:
    """The requests that lines of servers tell of, by their places."""

    def __init__(self, lines: pa.Table) -> None:
        """``lines`` has the columns of PAIRS, but names of sources."""
        import pyarrow.compute as pc

        self._by_source: dict[str, pa.Table] = {}
        for source in lines["source"].unique().to_pylist():
            found = lines.filter(pc.equal(lines["source"], source))
            self._by_source[source] = found.combine_chunks()

    @property
    def sources(self) -> frozenset[str]:
        """The sources that have such lines."""
        return frozenset(self._by_source)

    def name(self, batch: pa.RecordBatch, told: bool = False) -> pa.RecordBatch:
        """Return records with the ids of the requests that they tell of.

        What other lines that fit do not say alike is null.  With ``told`` they are told of as the
        service's: with its name, and without their time, which is of whole seconds.
        """
        return mapped(batch, partial(self._name, told=told))

    def _name(self, batch: pa.RecordBatch, told: bool) -> pa.RecordBatch:
        """Do so with records of one source."""
        known = self._by_source.get(batch["source"][0].as_py()) if len(batch) else None
        if known is None:
            return batch
        import pyarrow.compute as pc

        rows = pc.index_in(batch["source_offset"], known["source_offset"].combine_chunks())
        found = pc.is_valid(rows)
        columns = {"request_id": known["request_id"].combine_chunks().take(rows)}
        if told:
            columns["service_name"] = known["service"].combine_chunks().take(rows)
            columns["timestamp"] = pa.scalar(None, batch["timestamp"].type)
        bits = known["known"].combine_chunks().take(rows)
        for name, bit in _TELLING.items():
            if name in batch.schema.names:
                column = _texts(batch[name]) if name == "http_method" else batch[name]
                columns[name] = pc.if_else(pc.equal(pc.bit_wise_and(bits, bit), bit), column, None)
        for name, values in columns.items():
            at = batch.schema.get_field_index(name)
            field = batch.schema.field(at)
            before = batch[name]
            if pa.types.is_dictionary(field.type):
                before = before.cast(field.type.value_type)
            column = pc.if_else(found, values, before)
            if pa.types.is_dictionary(field.type):
                column = column.dictionary_encode().cast(field.type)
            batch = batch.set_column(at, field, column)
        return batch


class Told(NamedTuple):
    """What records told: spans of requests, and lines with the numbers of their sources."""

    spans: pa.Table
    lines: pa.Table
    sources: tuple[str, ...]


class ServerLines:
    """Finds the requests that lines of servers tell of, in memory that does not grow with logs.

    It is shown all records (COLUMNS), those of a source in their order.
    """

    def __init__(self, memory: int = MOST) -> None:
        self._owned = OwnedRecords()
        keys = ("request_id", "process")
        self._parts = SortedRows(_SPANS, [(name, "ascending") for name in keys], memory)
        self._rows = SortedRows(ROWS, [("group", "ascending"), ("time", "ascending")], memory)
        for rows in (self._parts, self._rows):
            weakref.finalize(self, rows.close)
        self._spans = Groups(keys, _WAYS, self._parts, most=memory)
        self._sources: dict[str, int] = {}
        self._held: pa.Table | None = None
        """The last lines of a source, behind which one may be missing."""
        self._counted = pa.array([], pa.int64())
        """The numbers of these calls and of the four before."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Take records; raises SinkError if a temporary file cannot be written."""
        for one in by_source(batch):
            self._add(one)

    def _add(self, batch: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        left = self._owned.other_calls(batch)
        forms = _texts(batch["format"])
        timed = pc.is_valid(batch["timestamp"])
        nobodys = pc.is_null(batch["request_id"])
        lines = pc.and_(pc.is_in(forms, pa.array([*RANKS])), pc.and_(timed, nobodys))
        lines = pc.and_(lines, pc.and_(pc.is_valid(batch["http_target"]), _measured(batch)))
        if pc.any(lines).as_py():
            self._add_lines(batch.filter(lines))
        records = pc.and_(pc.and_(timed, pc.is_null(left)), pc.invert(nobodys))
        records = pc.and_(records, pc.is_valid(batch["process_pid"]))
        if pc.any(records).as_py():
            self._add_records(batch.filter(records))

    def _add_records(self, batch: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        told = is_told_by_service(batch)
        nothing = pa.scalar(None, pa.int64())
        target = pc.if_else(told, batch["http_target"], pa.scalar(None, pa.string()))
        path = pc.if_else(pc.is_valid(target), hashed_paths(target), nothing)
        named = pc.if_else(told, _texts(batch["http_method"]), _failed_methods(batch))
        method = _methods(named)
        status = batch["http_status"].cast(pa.int32())
        time = batch["timestamp"].cast(pa.int64())
        program = pc.fill_null(_texts(batch["program"]), "")
        adopts = pc.match_substring_regex(program, f"^(?:{UNDER_CALLERS_ID})")
        user = pc.or_(pc.is_valid(batch["user_id"]), pc.is_valid(batch["user_name"]))
        self._spans.add(pa.table({
            "process": _processes(batch), "request_id": batch["request_id"], "time": time,
            "end": time, "path": path, "other_path": path, "method": method,
            "other_method": method,
            "status": pc.if_else(told, status, pa.scalar(None, pa.int32())),
            "service": _texts(batch["service_name"]),
            "others": pc.and_not(user, adopts).cast(pa.uint8()),
        }))  # fmt: skip

    def _add_lines(self, batch: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        forms = _texts(batch["format"])
        length = pc.round(pc.multiply(batch["duration"], 1e6)).cast(pa.int64())
        moment = batch["timestamp"].cast(pa.int64())
        whole = pc.equal(pc.multiply(pc.divide(moment, _SECOND), _SECOND), moment)
        at_begin = pc.is_in(forms, pa.array(sorted(AT_BEGIN)))
        begin = pc.if_else(at_begin, moment, pc.subtract(moment, length))
        end = pc.add(pc.add(begin, length), pc.if_else(whole, arrays.int64(_SECOND), 0))
        path = hashed_paths(batch["http_target"])
        inside = pc.and_(
            pc.is_in(forms, pa.array([name for name, rank in RANKS.items() if rank < _FRONT])),
            pc.is_valid(batch["process_pid"]),
        )
        source = batch["source"][0].as_py()
        number = pc.map_lookup(batch["attributes"], pa.scalar(_NUMBER), "first")
        number = number.cast(pa.int64())
        lines = pa.table({
            "group": pc.if_else(inside, _processes(batch), path),
            "time": pc.subtract(begin, _APART),
            "end": pc.add(end, _APART),
            "path": path,
            "method": _methods(_texts(batch["http_method"])),
            "status": pc.fill_null(batch["http_status"].cast(pa.int32()), 0),
            "source": pa.repeat(pa.scalar(self._number(source), pa.int32()), len(batch)),
            "source_offset": batch["source_offset"],
        })  # fmt: skip
        if self._held is None or self._held["source"][0].as_py() != self._number(source):
            self._finish_lines()
            before = pc.subtract(number[0], arrays.numbers(range(_AROUND, 0, -1)))
            self._held, self._counted = lines.slice(0, 0), before
        self._held = pa.concat_tables([self._held, lines])
        self._counted = pa.concat_arrays([self._counted, number])
        self._put_lines(len(self._held) - _AROUND)

    def _finish_lines(self) -> None:
        """Take the last lines of a source."""
        if self._held is not None:
            import pyarrow.compute as pc

            behind = pc.add(self._counted[-1], arrays.numbers(range(1, _AROUND + 1)))
            self._counted = pa.concat_arrays([self._counted, behind.cast(pa.int64())])
            self._put_lines(len(self._held))
            self._held = None

    def _put_lines(self, count: int) -> None:
        """Take the first lines that are held, behind which enough are known."""
        import pyarrow.compute as pc

        if count <= 0:
            return
        assert self._held is not None
        before, behind = self._counted.slice(0, count), self._counted.slice(2 * _AROUND, count)
        counted = pc.fill_null(pc.subtract(behind, before), -1)
        sure = pc.and_(pc.greater_equal(counted, 0), pc.less_equal(counted, 2 * _AROUND))
        kind = pc.if_else(sure, arrays.uint8(LINE | SURE), arrays.uint8(LINE))
        self._rows.add(self._held.slice(0, count).append_column("kind", kind))
        self._held, self._counted = self._held.slice(count), self._counted.slice(count)

    def _number(self, source: str) -> int:
        return self._sources.setdefault(source, len(self._sources))

    def told(self) -> Iterator[Told]:
        """Yield what the records told, for ``add_told`` of another one; no more is taken then."""
        self._finish_lines()
        self._spans.finish()
        nothing = pa.table([])
        for spans in self._parts.tables():
            yield Told(spans, nothing, ())
        for lines in self._rows.tables():
            yield Told(nothing, lines, tuple(self._sources))

    def add_told(self, told: Told) -> None:
        """Take what records told that another one was shown, those of each source whole."""
        self._parts.add(told.spans)
        if len(told.lines):
            numbers = pa.array([self._number(name) for name in told.sources], pa.int32())
            at = told.lines.schema.get_field_index("source")
            own = numbers.take(told.lines["source"].combine_chunks())
            self._rows.add(told.lines.set_column(at, "source", own))

    def named(self) -> Named:
        """Return the requests of lines; no more is taken then."""
        self._finish_lines()
        self._spans.finish()
        for some in whole_keys(self._parts.tables(), "request_id"):
            self._rows.add(_requests(self._spans.again(some)))
        found, count = [], 0
        for pairs in matched(self._rows.tables()):
            found.append(pairs)
            count += len(pairs)
            if count >= LINES:
                break
        pairs = pa.concat_tables([PAIRS.empty_table(), *found])
        names = arrays.texts([*self._sources])
        source = names.take(pairs["source"].combine_chunks())
        return Named(pairs.set_column(0, "source", source))


def _requests(spans: pa.Table) -> pa.Table:
    """Return the rows of requests: in the group of their process, and in that of their path."""
    import pyarrow.compute as pc

    one = {
        name: pc.fill_null(pc.equal(spans[name], spans[f"other_{name}"]), False)
        for name in ("path", "method")
    }
    alike = pc.or_(one["path"], pc.is_null(spans["path"]))
    path = pc.if_else(one["path"], spans["path"], 0)
    told = pc.or_(pc.is_valid(spans["status"]), pc.invert(_began(spans)))
    kind = pc.if_else(told, arrays.uint8(TOLD), arrays.uint8(0))
    kind = pc.add(kind, pc.if_else(pc.not_equal(path, 0), arrays.uint8(SURE), arrays.uint8(0)))
    rows = pa.table({
        "group": spans["process"],
        "time": spans["time"],
        "end": spans["end"],
        "path": path,
        "method": pc.fill_null(pc.if_else(one["method"], spans["method"], 0), 0).cast(pa.int32()),
        "status": pc.fill_null(pc.if_else(alike, spans["status"], 0), 0).cast(pa.int32()),
        "kind": kind,
        "request_id": spans["request_id"],
        "service": spans["service"],
    })  # fmt: skip
    by_path = rows.filter(pc.not_equal(path, 0))
    return pa.concat_tables([rows, by_path.set_column(0, "group", by_path["path"])])


def _began(spans: pa.Table) -> pa.Array:
    """Return which spans are of the process that a request came to: it logged first."""
    import pyarrow.compute as pc

    ids = grouped(spans, ("request_id",), {"time": "min", "process": "count"})
    rows = pc.index_in(spans["request_id"], ids["request_id"].combine_chunks())
    first = pc.equal(spans["time"], ids["time"].take(rows))
    alone = pc.equal(ids["process"].take(rows), 1)
    return pc.and_(first, pc.or_(alone, pc.equal(spans["others"], 1)))


def _measured(batch: pa.RecordBatch) -> pa.Array:
    """Return which lines tell how long their call took."""
    import pyarrow.compute as pc

    took = pc.and_(pc.greater_equal(batch["duration"], 0.0), pc.less(batch["duration"], LONGEST))
    return pc.fill_null(took, False)


def _methods(methods: pa.Array) -> pa.Array:
    """Return a number for each method (int32), never 0; null where there is none."""
    found = methods.dictionary_encode()
    numbers = [crc32(text.encode()) & 0x3FFFFFFF | 1 for text in found.dictionary.to_pylist()]
    return arrays.numbers(numbers).take(found.indices)


def _failed_methods(batch: pa.RecordBatch) -> pa.Array:
    """Return the methods that messages tell: neutron logs ``POST failed (client error): ...``."""
    import pyarrow.compute as pc

    said = pc.match_substring_regex(_texts(batch["logger"]), _FAILING)
    body = pc.if_else(said, batch["body"], pa.scalar(None, pa.string()))
    return pc.struct_field(pc.extract_regex(body, _FAILED), "method")


def _texts(column: pa.Array) -> pa.Array:
    return column.cast(pa.string())


def _processes(batch: pa.RecordBatch) -> pa.Array:
    """Return a number for each process (int64): of its host and its id.

    The host is that of the path, where this tells one: a server's line names none.
    """
    import pyarrow.compute as pc

    of_path = host_of_path(batch["source"][0].as_py())
    host = batch["host_name"] if of_path is None else pa.repeat(of_path, len(batch))
    return pc.add(pc.multiply(hashes(host), arrays.int64(0x9E3779B1)), batch["process_pid"])
