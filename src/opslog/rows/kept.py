"""Records to record batches or JSON lines: the columns of schema.py, built only where asked for."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, TypeAlias

import pyarrow as pa

from opslog.assembly._records import Records
from opslog.model import schema, services
from opslog.model.arrays import texts
from opslog.model.zones import Zone
from opslog.rows import _columns, _plan
from opslog.rows._columns import Columns, Memory
from opslog.rows._jsonl import JsonKeys, JsonLines, JsonRows
from opslog.rows._plan import FIXED_TEXTS, Plan
from opslog.scanner._program import FLAGS, Program
from opslog.scanner.catalog import Catalog, CompiledFormats
from opslog.scanner.leaf import CHANGED, CONSTANT, FACILITY, FIRST, SECOND, SLOT, Leaf

_NUMBER = {column.name: index for index, column in enumerate(schema.COLUMNS)}
_KINDS = {"timestamp": "timestamp", "severity_number": "level", "format": "format",
          "source": "source", "source_offset": "offset", "original": "original"}  # fmt: skip
"""Columns that are not captured fields: how the kernels call them."""

_SAME = {"program": "program"}
"""What all records of a source have in common, unless a layout captures it."""

_EXCEPTION = ("exception_stacktrace", "exception_type", "exception_message")
_SPECIAL = ("body", "service_name", "trace_id", "attributes", *_EXCEPTION)
_CHANGES = {mark: _plan.CHANGES[name] for name, mark in CHANGED.items()}
_STRING = pa.string()


class BatchBuilder:
    """Turns the records of one source into columns or JSON lines.

    ``path`` tells service and program; records are of ``source``, if not of the path.
    """

    def __init__(self, catalog: Catalog, path: str, zone: Zone, source: str | None = None) -> None:
        self.catalog = catalog
        # A file name may hold bytes that are no text; columns may not.
        self.source = (source or path).encode("utf-8", "replace").decode()
        self.zone = zone
        self.formats = texts([f.name for f in catalog.lines.formats])
        self.service, self.program = services.of_path(path.encode("utf-8", "replace").decode())

    def kept(
        self, records: Records, names: tuple[str, ...], selection: pa.Array | None = None
    ) -> Kept:
        """Return the columns ``names`` of ``records``, or of those in ``selection`` (int32)."""
        view = None
        if selection is not None:
            raw = memoryview(selection.buffers()[1]).cast("B").cast("i")
            view = raw[selection.offset : selection.offset + len(selection)]
        return Kept(self, records, names, view)

    def find_service(self, said: bytes) -> bytes | None:
        """Return the service that the first of these says: logger, program, source, format.

        Logger, program and the format's service stand behind each other, a newline between;
        what is empty at the end may be missing.
        """
        logger, program, family = [*said.decode("utf-8", "replace").split("\n"), "", ""][:3]
        found = (
            services.service_of_logger(logger)
            or services.service_of_module(logger, family)
            or services.of_path(program)[0]
            or self.service
            or family
        )
        return found.encode() if found else None


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
        self.count = records.count if selection is None else len(selection)
        self._builder = builder
        self.records = records
        self._names = names
        self._selection = selection
        self._plan = _planned(builder.catalog, names)

    def batch(self) -> pa.RecordBatch:
        """Build the columns."""
        moments, ambiguous = self._moments() if self._timed() else (None, None)
        columns = Columns(*self._rows(ambiguous))
        arrays = []
        for number, name in enumerate(self._names):
            if name == "timestamp":
                assert moments is not None
                arrays.append(moments.view(schema.BY_NAME[name].type))
            elif self._plan.columns[number][1] not in schema.ARROW_TYPES:
                arrays.append(self._alone(name))
            else:
                arrays.append(_column(schema.BY_NAME[name], self.count, columns.column(number)))
        return pa.RecordBatch.from_arrays(arrays, schema=self._plan.arrow)

    def times(self) -> pa.Array:
        """Return the records' times: microseconds since the epoch in UTC, int64, nullable."""
        return self._moments()[0]

    @property
    def program(self) -> Program:
        """The scanner program the records were made by."""
        return self._builder.catalog.lines.program

    def clock(self) -> tuple[pa.Array, pa.Array]:
        """Return the times as read (microseconds, int64, nullable) and which are UTC, not local."""
        nulls, validity, values, utc = _columns.times(self.records, self._selection)
        local = _array(pa.int64(), self.count, nulls, validity, values)
        return local, _array(pa.bool_(), self.count, 0, None, utc)

    def others(self, names: tuple[str, ...], selection: pa.Array = None) -> pa.RecordBatch:
        """Return the columns ``names`` of all records, or of those in ``selection`` (int32)."""
        return self._builder.kept(self.records, names, selection).batch()

    def chosen(self, selection: pa.Array) -> Kept:
        """Return the records numbered by ``selection`` (int32)."""
        return self._builder.kept(self.records, self._names, selection)

    def offsets(self) -> memoryview:
        """Return where the records begin in their source, in bytes (int64)."""
        return memoryview(_columns.offsets(self.records, self._selection)).cast("B").cast("q")

    def some(self, names: tuple[str, ...], rows: pa.Array) -> pa.RecordBatch:
        """Return the columns ``names`` of those of these records numbered by ``rows`` (int32)."""
        if self._selection is not None:
            chosen = pa.py_buffer(self._selection)
            rows = pa.Array.from_buffers(pa.int32(), self.count, [None, chosen], 0).take(rows)
        return self.others(names, rows)

    def first(self, count: int) -> Kept:
        """Return the first ``count`` of these records."""
        everything = memoryview(array("i", range(count)))
        chosen = everything if self._selection is None else self._selection[:count]
        return Kept(self._builder, self.records, self._names, chosen)

    def json_lines(self, out: JsonLines, names: tuple[str, ...] = (), heads: bool = False) -> int:
        """Write the records as JSON lines into ``out`` and return how many bytes.

        ``names`` are those of the columns in the output, in order, if not their own;
        with ``heads`` each line stands behind its head, to be merged.
        """
        moments, ambiguous = self._moments() if heads or self._timed() else (None, None)
        keys = _keys(self._plan, names or self._names, self._builder.source, self._builder.program)
        values = known = None
        if moments is not None:
            known_buffer, value_buffer = moments.buffers()
            values = memoryview(value_buffer).cast("B").cast("q")
            known = memoryview(known_buffer).cast("B") if moments.null_count else None
        rows = JsonRows(*self._rows(ambiguous), names=keys, moments=values, timed=known)
        return out.encode_rows(rows, heads)

    def _timed(self) -> bool:
        return "timestamp" in self._names or "attributes" in self._names

    def _rows(self, ambiguous: pa.Array | None) -> _RowArguments:
        marked = None if ambiguous is None else memoryview(ambiguous.buffers()[1]).cast("B")
        program = (self._builder.program or "").encode()
        find = self._builder.find_service
        return self.records, self._plan.plan, find, program, self._selection, marked

    def _moments(self) -> tuple[pa.Array, pa.Array | None]:
        """Return UTC microseconds (int64, nullable) and which were ambiguous (None: none)."""
        return self._builder.zone.to_utc(*self.clock())

    def _alone(self, name: str) -> pa.Array:
        records, selection = self.records, self._selection
        if name == "severity_number":
            return _array(pa.uint8(), self.count, *_columns.severities(records, selection))
        if name == "format":
            numbers = _columns.formats(records, self.program, selection)
            return _encoded(_array(pa.int32(), self.count, *numbers), self._builder.formats)
        if name == "source_offset":
            return _array(pa.int64(), self.count, 0, None, _columns.offsets(records, selection))
        if name == "original":
            return _array(pa.binary(), self.count, 0, None, *_columns.originals(records, selection))
        return _constant(
            self._builder.source if name == "source" else self._builder.program, self.count
        )


_RowArguments: TypeAlias = tuple[
    Records,
    Plan,
    Callable[[bytes], bytes | None],
    bytes,
    memoryview | None,
    memoryview | None,
]


@dataclass(frozen=True, eq=False, slots=True)
class _Planned:
    """How a list of columns is built from the layouts of a catalog."""

    plan: Plan
    arrow: pa.Schema
    columns: list[tuple[str, str]]
    shown: int
    formats: list[str]


@lru_cache(maxsize=64)
def _planned(catalog: Catalog, names: tuple[str, ...]) -> _Planned:
    wanted = list(names)
    if any(name in wanted for name in _EXCEPTION):
        wanted += [name for name in _EXCEPTION if name not in wanted]
    lines = catalog.lines.leaves
    leaves = (*lines, *catalog.messages.leaves)
    told = any("program" in leaf.slots for leaf in leaves)
    if told and "service_name" in wanted and "program" not in wanted:
        wanted.append("program")
    numbers = {name: index for index, name in enumerate(wanted)}
    ruled = (*_SPECIAL, "global_request_id")
    special = {name: numbers[name] for name in ruled if name in numbers}
    if told and "program" in numbers:
        special["program"] = numbers["program"]
    alone = _KINDS if told else _KINDS | _SAME
    kinds = [(alone.get(name, schema.BY_NAME[name].kind), name) for name in wanted]
    texts_used = {text: number for number, text in enumerate(FIXED_TEXTS)}
    plan = Plan(
        lines=catalog.lines.program,
        messages=catalog.messages.program,
        kinds=[(kind, schema.BY_NAME[name].context) for kind, name in kinds],
        line_fields=_fields(catalog.lines, numbers, texts_used),
        message_fields=_fields(catalog.messages, numbers, texts_used),
        special=special,
        services=[_number(f.service, texts_used) for f in catalog.lines.formats],
        texts=list(texts_used),
        slots=_NUMBER,
        tails=bool((_filled(e for e in lines if e.entry.tail) | {"body"}) & set(names)),
        details=bool((_filled(e for e in lines if e.entry.detail) | {"trace_id"}) & set(names)),
        requests=bool((_filled(catalog.messages.leaves) | {"trace_id"}) & set(names)),
    )
    return _Planned(
        plan,
        pa.schema([pa.field(name, schema.BY_NAME[name].type) for name in names]),
        [(name, kind) for kind, name in kinds],
        len(names),
        [f.name for f in catalog.lines.formats],
    )


def _number(text: str, texts_used: dict[bytes, int]) -> int:
    """Return the number of a text, -1 of an empty one."""
    return texts_used.setdefault(text.encode(), len(texts_used)) if text else -1


def _filled(leaves: Iterable[Leaf]) -> set[str]:
    """Return the columns that layouts fill."""
    names = {name for leaf in leaves for name in leaf.slots}
    return {name if name in _NUMBER else "attributes" for name in names}


def _fields(
    compiled: CompiledFormats, numbers: dict[str, int], texts_used: dict[bytes, int]
) -> list[list[tuple[int, ...]]]:
    """Return per leaf (column, slot, shape, text, change) of what fills a column."""
    return [list(_leaf_fields(compiled, leaf, numbers, texts_used)) for leaf in compiled.leaves]


def _leaf_fields(
    compiled: CompiledFormats, leaf: Leaf, numbers: dict[str, int], texts_used: dict[bytes, int]
) -> Iterator[tuple[int, ...]]:
    stamp, number = leaf.slots.get("timestamp"), numbers.get("attributes")
    if leaf.entry.flags & FLAGS["envelope"] and stamp is not None and number is not None:
        # Where the record has a time of its own, the envelope's is kept beside it.
        kept = f"{compiled.formats[leaf.entry.format].name}.timestamp".encode()
        yield number, stamp, 4, texts_used.setdefault(kept, len(texts_used)), 0
    for name, slot in leaf.slots.items():
        if name in _KINDS or (name in _SPECIAL and name != "service_name"):
            continue
        attribute = name not in _NUMBER
        number = numbers.get("attributes" if attribute else name)
        if number is None:
            continue
        change = _CHANGES.get(slot & ~(SLOT | FIRST | SECOND | CONSTANT | FACILITY), 0)
        text = -1
        if attribute or slot & CONSTANT:
            known = (name if attribute else compiled.constants[slot & SLOT]).encode()
            text = texts_used.setdefault(known, len(texts_used))
        shape = 1 if slot & FIRST else 2 if slot & SECOND else 3 if slot & FACILITY else 0
        yield number, -1 if slot & CONSTANT else slot & SLOT, shape, text, change


@lru_cache(maxsize=256)
def _keys(planned: _Planned, names: tuple[str, ...], source: str, program: str | None) -> JsonKeys:
    # Columns that are built but not written stand behind the others, as they are.
    spelled = zip_longest(names, planned.columns)
    columns = [(name or own, kind) for name, (own, kind) in spelled]
    return JsonKeys(columns, planned.shown, planned.formats, source, program)


def _column(column: schema.Column, count: int, built: tuple[Any, ...]) -> pa.Array:
    nulls, *buffers = built
    if column.kind == "map":
        entries = nulls
        ends, key_ends, keys, value_ends, values = buffers
        return pa.MapArray.from_arrays(
            _array(pa.int32(), count + 1, 0, None, ends),
            _array(_STRING, entries, 0, None, key_ends, keys),
            _array(_STRING, entries, 0, None, value_ends, values),
        )
    if nulls == count:
        return _nulls(column.kind, count)
    if column.kind == "dictionary":
        validity, indices, entries, ends, data = buffers
        entry_texts = _array(_STRING, entries, 0, None, ends, data)
        return _encoded(_array(pa.int32(), count, nulls, validity, indices), entry_texts)
    return _array(column.type, count, nulls, *buffers)


def _array(
    kind: pa.DataType, count: int, nulls: int, validity: Memory | None, *buffers: Memory
) -> pa.Array:
    known = pa.py_buffer(validity) if nulls else None
    return pa.Array.from_buffers(kind, count, [known, *map(pa.py_buffer, buffers)], nulls)


def _encoded(indices: pa.Array, dictionary: pa.Array) -> pa.DictionaryArray:
    if indices.null_count == len(indices):
        return _nulls("dictionary", len(indices))
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)


_whole: dict[tuple[str, str | None], pa.Array] = {}


def _nulls(kind: schema.Kind, count: int) -> pa.Array:
    """Return ``count`` nulls, a slice of an array kept for all blocks."""
    whole = _whole.get((kind, None))
    if whole is None or len(whole) < count:
        whole = _whole[(kind, None)] = pa.nulls(max(count, 32768), schema.ARROW_TYPES[kind])
    return whole.slice(0, count)


def _zeros(count: int) -> pa.Array:
    """Return at least so many zeros, the same ones for all constants: there may be many."""
    whole = _whole.get(("zeros", None))
    if whole is None or len(whole) < count:
        size = max(count, 32768)
        whole = pa.Array.from_buffers(pa.int32(), size, [None, pa.py_buffer(bytes(4 * size))], 0)
        _whole[("zeros", None)] = whole
    return whole


def _constant(text: str | None, count: int) -> pa.Array:
    """Return ``text`` ``count`` times, dictionary-encoded, likewise."""
    if text is None:
        return _nulls("dictionary", count)
    whole = _whole.get(("constant", text))
    if whole is None or len(whole) < count:
        if len(_whole) > 1000:
            _whole.clear()
        whole = pa.DictionaryArray.from_arrays(_zeros(count), texts([text]))
        _whole[("constant", text)] = whole
    return whole.slice(0, count)
