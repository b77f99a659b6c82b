"""Records to record batches or JSON lines: the columns of schema.py, built only where asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import accumulate
from typing import TypeAlias, TypeVar

from opslog.assembly._records import Records
from opslog.kernel._screen import Screen
from opslog.model import schema, services
from opslog.model.arrays import int32, texts
from opslog.model.arrow import pa
from opslog.model.hosts import host_of_path
from opslog.model.zones import Zone
from opslog.rows import _columns
from opslog.rows._columns import Columns
from opslog.rows._jsonl import JsonLines, JsonRows
from opslog.rows._plan import Plan
from opslog.rows._texts import Matching
from opslog.rows.arrays import array_of, column_of, constant, encoded
from opslog.rows.plan import arrow_schema, column_plan, json_keys
from opslog.scanner._program import Program
from opslog.scanner.catalog import Catalog

R = TypeVar("R")


@lru_cache(maxsize=8)
def _format_names(catalog: Catalog) -> pa.StringArray:
    return texts([one.name for one in catalog.lines.names])


_EARLIEST, _LATEST = -(1 << 63), (1 << 63) - 1
"""What a time may be, before and behind all that a record can have."""


class BatchBuilder:
    """Turns the records of one source into columns or JSON lines.

    ``path`` tells service, program and host where lines do not; records are of ``source``,
    if not of the path.
    """

    def __init__(self, catalog: Catalog, path: str, zone: Zone, source: str | None = None) -> None:
        self.catalog = catalog
        # A file name may hold bytes that are no text; columns may not.
        path = path.encode("utf-8", "replace").decode()
        self.source = source.encode("utf-8", "replace").decode() if source else path
        self.zone = zone
        self.service, self.program = services.of_path(path)
        self.host = host_of_path(path)

    def kept(
        self, records: Records, names: tuple[str, ...], selection: pa.Array | None = None
    ) -> Kept:
        """Return the columns ``names`` of ``records``, or of those in ``selection`` (int32)."""
        view = None
        if selection is not None:
            raw = memoryview(selection.buffers()[1]).cast("B").cast("i")
            view = raw[selection.offset : selection.offset + len(selection)]
        return Kept(self, records, names, view)

    def last_time(self, records: Records) -> int | None:
        """Return the last record's time, microseconds since the epoch in UTC; None if unknown."""
        found = _columns.last_time(records)
        if found is None:
            return None
        if self.zone.offset is None:
            moments = self.kept(records, (), int32(records.count - 1)).times()
            last: int | None = moments[0].as_py()
            return last
        local, is_utc = found
        return local if is_utc else local - self.zone.offset


class Kept:
    """Records that were asked for, not yet built: as a batch or as JSON lines."""

    def __init__(
        self,
        builder: BatchBuilder,
        records: Records,
        names: tuple[str, ...],
        selection: memoryview | None,
    ) -> None:
        self.source = builder.source
        self.writer = builder.program
        self.count = records.count if selection is None else len(selection)
        self._builder = builder
        self.records = records
        self._names = names
        self._selection = selection
        self._plan = column_plan(builder.catalog, names)

    def __len__(self) -> int:
        return self.count

    def batch(self) -> pa.RecordBatch:
        """Build the columns."""
        moments, ambiguous = self._moments() if self._timed() else (None, None)
        columns = Columns(
            *self._rows(ambiguous), source=self.source.encode(), shown=self._plan.shown
        )
        arrays = []
        for number, name in enumerate(self._names):
            if name == "timestamp":
                assert moments is not None
                arrays.append(moments.view(schema.BY_NAME[name].type))
            elif self._plan.columns[number][1] not in schema.arrow_types() and (
                name == "severity_number" or not columns.some_stored
            ):
                arrays.append(self._alone(name))
            else:
                arrays.append(column_of(schema.BY_NAME[name], self.count, columns.column(number)))
        return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(self._names))

    def times(self) -> pa.Array:
        """Return the records' times: microseconds since the epoch in UTC, int64, nullable."""
        return self._moments()[0]

    def places(self) -> pa.Array:
        """Return how late the latest of each record and those before it is (int64)."""
        places: pa.Array = self.records.places
        if self._selection is None:
            return places
        chosen = pa.Array.from_buffers(
            pa.int32(), self.count, [None, pa.py_buffer(self._selection)], 0
        )
        return places.take(chosen)

    @property
    def program(self) -> Program:
        """The scanner program the records were made by."""
        return self._builder.catalog.lines.program

    def clock(self) -> tuple[pa.Array, pa.Array]:
        """Return the times as read (microseconds, int64, nullable) and which are UTC, not local."""
        nulls, validity, values, utc = _columns.times(self.records, self._selection)
        local = array_of(pa.int64(), self.count, nulls, validity, values)
        return local, array_of(pa.bool_(), self.count, 0, None, utc)

    def others(self, names: tuple[str, ...], selection: pa.Array = None) -> pa.RecordBatch:
        """Return the columns ``names`` of all records, or of those in ``selection`` (int32)."""
        return self._builder.kept(self.records, names, selection).batch()

    def with_columns(self, names: tuple[str, ...]) -> Kept:
        """Return the same records with the columns ``names``."""
        return Kept(self._builder, self.records, names, self._selection)

    def within(self, least: int, since: int | None, until: int | None) -> Kept:
        """Return those of these records whose severity number is ``least`` or more, if not 0.

        And whose time is ``since`` or later, and before ``until``: microseconds since the epoch
        in UTC.
        """
        moments = known = None
        if since is not None or until is not None:
            moments, known, _ = self._instants()
        since = _EARLIEST if since is None else max(since, _EARLIEST)
        until = _LATEST if until is None else min(until, _LATEST)
        count, numbers = _columns.within(
            self.records, self._selection, least, moments, known, since, until
        )
        return Kept(
            self._builder,
            self.records,
            self._names,
            memoryview(numbers).cast("B").cast("i")[:count],
        )

    def having(
        self, names: tuple[str, ...], whole: tuple[bytes, ...], beginnings: tuple[bytes, ...]
    ) -> Kept:
        """Return those of these records of whose columns ``names``, of text, one has such a text.

        As a ``whole``, or as its beginning.
        """
        texts = (*whole, *beginnings)
        ends, numbers = array("i", accumulate(map(len, texts))), array("i", bytes(4 * self.count))
        matching = self.loaded(partial(Matching, asked=len(names)), names)
        count = matching.found(b"".join(texts), memoryview(ends), len(whole), memoryview(numbers))
        return Kept(self._builder, self.records, self._names, memoryview(numbers)[:count])

    def among(self, rows: pa.Array) -> Kept:
        """Return those of these records numbered by ``rows`` (int32)."""
        if self._selection is not None:
            chosen = pa.py_buffer(self._selection)
            rows = pa.Array.from_buffers(pa.int32(), self.count, [None, chosen], 0).take(rows)
        return self.chosen(rows)

    def chosen(self, selection: pa.Array) -> Kept:
        """Return the records numbered by ``selection`` (int32)."""
        return self._builder.kept(self.records, self._names, selection)

    def offsets(self) -> memoryview:
        """Return where the records begin in their source, in bytes (int64)."""
        return memoryview(_columns.offsets(self.records, self._selection)).cast("B").cast("q")

    def sizes(self) -> memoryview:
        """Return about how many bytes each record takes as columns (int64)."""
        return memoryview(_columns.sizes(self.records, self._selection)).cast("B").cast("q")

    def loaded(self, rows: Callable[..., R], names: tuple[str, ...]) -> R:
        """Return what ``rows``, a kind of Rows (_values.pyx), makes of these columns' values."""
        return rows(*self.with_columns(names)._rows(None))

    def some(self, names: tuple[str, ...], rows: pa.Array) -> pa.RecordBatch:
        """Return the columns ``names`` of those of these records numbered by ``rows`` (int32)."""
        return self.among(rows).with_columns(names).batch()

    def first(self, count: int) -> Kept:
        """Return the first ``count`` of these records."""
        everything = memoryview(array("i", range(count)))
        chosen = everything if self._selection is None else self._selection[:count]
        return Kept(self._builder, self.records, self._names, chosen)

    def json_lines(
        self,
        out: JsonLines,
        names: tuple[str, ...] = (),
        merged: bool = False,
        screen: Screen | None = None,
        change: Callable[[bytes], bytes | None] | None = None,
    ) -> bool:
        """Write the records as JSON lines into ``out``; return False if they cannot be.

        ``names`` are those of the columns in the output, in order, if not their own;
        with ``merged`` each line stands behind its head, by which it is merged.  In place of a
        text that ``screen`` holds back stands what ``change`` returns; for None, and a name
        that is held back, the records cannot be written.
        """
        values, known, ambiguous = self._instants() if self._timed() else (None, None, None)
        keys, source = json_keys(self._plan, names or self._names), self._builder.source.encode()
        rows = JsonRows(
            *self._rows(ambiguous),
            names=keys,
            moments=values,
            timed=known,
            source=source,
            screen=screen,
            change=change,
        )
        places = memoryview(self.places().buffers()[1]).cast("B").cast("q") if merged else None
        return out.encode_rows(rows, places)

    def fixed(self) -> tuple[str, ...]:
        """Return the texts of columns that do not come from a record: source and format."""
        return self.source, *(one.name for one in self._builder.catalog.lines.names)

    def _timed(self) -> bool:
        return "timestamp" in self._names or "attributes" in self._names

    def _rows(self, ambiguous: pa.Array | None) -> _RowArguments:
        marked = None if ambiguous is None else memoryview(ambiguous.buffers()[1]).cast("B")
        builder = self._builder
        service, program = (builder.service or "").encode(), (builder.program or "").encode()
        host = (builder.host or "").encode()
        return self.records, self._plan.plan, service, program, host, self._selection, marked

    def _moments(self) -> tuple[pa.Array, pa.Array | None]:
        """Return UTC microseconds (int64, nullable) and which were ambiguous (None: none)."""
        return self._builder.zone.to_utc(*self.clock())

    def _instants(self) -> tuple[memoryview, memoryview | None, pa.Array | None]:
        """Return the same as memory: int64 values, bits of those that are known (None: all)."""
        if self._builder.zone.offset == 0:
            nulls, validity, values, _ = _columns.times(self.records, self._selection)
            known = memoryview(validity).cast("B") if nulls else None
            return memoryview(values).cast("B").cast("q"), known, None
        moments, ambiguous = self._moments()
        known_buffer, value_buffer = moments.buffers()
        known = memoryview(known_buffer).cast("B") if moments.null_count else None
        return memoryview(value_buffer).cast("B").cast("q"), known, ambiguous

    def _alone(self, name: str) -> pa.Array:
        records, selection = self.records, self._selection
        if name == "severity_number":
            return array_of(pa.uint8(), self.count, *_columns.severities(records, selection))
        if name == "format":
            numbers = _columns.formats(records, self.program, selection)
            return encoded(
                array_of(pa.int32(), self.count, *numbers), _format_names(self._builder.catalog)
            )
        if name == "source_offset":
            return array_of(pa.int64(), self.count, 0, None, _columns.offsets(records, selection))
        if name == "original":
            return array_of(
                pa.binary(), self.count, 0, None, *_columns.originals(records, selection)
            )
        return constant(self._builder.source, self.count)


_RowArguments: TypeAlias = tuple[
    Records,
    Plan,
    bytes,
    bytes,
    bytes,
    memoryview | None,
    memoryview | None,
]
