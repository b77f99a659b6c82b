"""Which fields of which layouts fill the columns asked for: the tables of _plan.pyx."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from opslog.model import schema
from opslog.model.arrow import pa
from opslog.rows import _plan
from opslog.rows._jsonl import JsonKeys
from opslog.rows._plan import FIXED_TEXTS, SHAPES, WITHOUT_SLOT, Plan
from opslog.rows.fingerprint import with_sources
from opslog.scanner._program import FLAGS
from opslog.scanner.catalog import Catalog
from opslog.scanner.compiled import CompiledFormats
from opslog.scanner.slots import CHANGED, CONSTANT, FACILITY, FIRST, SECOND, SLOT, LeafSlots

_NUMBER = {column.name: index for index, column in enumerate(schema.COLUMNS)}
_RECORD_KINDS = {"timestamp": "timestamp", "severity_number": "level", "format": "format",
                 "source": "source", "source_offset": "offset", "original": "original"}  # fmt: skip
"""Columns that are not captured fields: how the kernels call them."""

_EXCEPTION = ("exception_stacktrace", "exception_type", "exception_message")
_SPECIAL = ("body", "service_name", "trace_id", "attributes", "fingerprint", *_EXCEPTION)
_UNFILLED = {*_RECORD_KINDS, *_SPECIAL} - {"service_name"}
"""Columns that no field of a layout fills as it is."""
_READ_APART = {"timestamp", "severity_number", "attributes"}
"""Likewise of a record as opslog writes it."""
_CHANGES = {mark: _plan.CHANGES[name] for name, mark in CHANGED.items()}
_JSON_SHAPES = {
    "host_name": "host", "resource_id": "resource", "resource_type": "resource kind",
}  # fmt: skip
"""How columns may be written in JSON."""

_SHAPES = {FIRST: SHAPES["id"], SECOND: SHAPES["name"], FACILITY: SHAPES["facility"]}

assert {c.kind for c in schema.COLUMNS if c.name not in _RECORD_KINDS} <= set(_plan.KINDS)
assert set(_RECORD_KINDS.values()) <= set(_plan.KINDS)
assert len(schema.COLUMNS) <= _plan.COLUMN_LIMIT


class Field(NamedTuple):
    """What fills a column: a capture of a layout, or a constant."""

    column: int
    """Number among the columns that are built."""
    slot: int
    """WITHOUT_SLOT: a constant."""
    shape: int
    """One of SHAPES."""
    text: int
    """Number of the attribute's name, or of the constant."""
    change: int
    """What is done with the text, as put() in the kernels takes it."""


assert Field._fields == _plan.FIELDS


@dataclass(frozen=True, eq=False, slots=True)
class ColumnPlan:
    """How a list of columns is built from the layouts of a catalog."""

    plan: Plan
    columns: list[tuple[str, str]]
    """(name, kind) of those that are built, those asked for first."""
    shown: int
    """How many were asked for."""
    formats: list[str]


@lru_cache(maxsize=64)
def column_plan(catalog: Catalog, names: tuple[str, ...]) -> ColumnPlan:
    """Return how the columns ``names`` are built."""
    shown = len(names)
    wanted = list(names := with_sources(names))
    if any(name in wanted for name in _EXCEPTION):
        wanted += [name for name in _EXCEPTION if name not in wanted]
    lines = catalog.lines.slots
    leaves = (*lines, *catalog.messages.slots)
    told = any("program" in leaf.slots for leaf in leaves)
    if told and "service_name" in wanted and "program" not in wanted:
        wanted.append("program")
    numbers = {name: index for index, name in enumerate(wanted)}
    ruled = (*_SPECIAL, "global_request_id", "program", "host_name", "logger")
    special = {name: numbers[name] for name in ruled if name in numbers}
    kinds = [(_RECORD_KINDS.get(name, schema.BY_NAME[name].kind), name) for name in wanted]
    texts_used = {text: number for number, text in enumerate(FIXED_TEXTS)}
    plan = Plan(
        lines=catalog.lines.program,
        messages=catalog.messages.program,
        kinds=[(kind, schema.BY_NAME[name].context) for kind, name in kinds],
        line_fields=_fields(catalog.lines, numbers, texts_used),
        message_fields=_fields(catalog.messages, numbers, texts_used),
        line_owners=_owners(catalog.lines, texts_used),
        message_owners=_owners(catalog.messages, texts_used),
        special=special,
        services=[_number(f.service, texts_used) for f in catalog.lines.names],
        texts=list(texts_used),
        slots=_NUMBER,
        tails=bool((_filled(leaf for leaf in lines if leaf.tail) | {"body"}) & set(names)),
        details=bool((_filled(leaf for leaf in lines if leaf.detail) | {"trace_id"}) & set(names)),
        requests=bool((_filled(catalog.messages.slots) | {"trace_id"}) & set(names)),
    )
    return ColumnPlan(
        plan,
        [(name, kind) for kind, name in kinds],
        shown,
        [f.name for f in catalog.lines.names],
    )


@lru_cache(maxsize=64)
def arrow_schema(names: tuple[str, ...]) -> pa.Schema:
    """Return the Arrow schema of the columns ``names``."""
    return pa.schema([pa.field(name, schema.BY_NAME[name].type) for name in names])


def _number(text: str, texts_used: dict[bytes, int]) -> int:
    """Return the number of a text, -1 of an empty one."""
    return texts_used.setdefault(text.encode(), len(texts_used)) if text else -1


def _owners(compiled: CompiledFormats, texts_used: dict[bytes, int]) -> list[int]:
    """Return per leaf the number of its format's name."""
    names = [_number(one.name, texts_used) for one in compiled.names]
    return [names[leaf.format] for leaf in compiled.slots]


def _filled(leaves: Iterable[LeafSlots]) -> set[str]:
    """Return the columns that layouts fill."""
    names = {name for leaf in leaves for name in leaf.slots}
    return {name if name in _NUMBER else "attributes" for name in names}


def _fields(
    compiled: CompiledFormats, numbers: dict[str, int], texts_used: dict[bytes, int]
) -> list[list[Field]]:
    """Return per leaf what fills a column."""
    if not numbers:
        return [[] for _ in compiled.slots]
    known: dict[tuple[str, int, int], Field | None] = {}
    return [_leaf_fields(compiled, leaf, numbers, texts_used, known) for leaf in compiled.slots]


def _leaf_fields(
    compiled: CompiledFormats,
    leaf: LeafSlots,
    numbers: dict[str, int],
    texts_used: dict[bytes, int],
    known: dict[tuple[str, int, int], Field | None],
) -> list[Field]:
    """Return what fills a column in a leaf; what is the same in many of them is ``known``."""
    found: list[Field] = []
    stamp, number = leaf.slots.get("timestamp"), numbers.get("attributes")
    if leaf.flags & FLAGS["envelope"] and stamp is not None and number is not None:
        # Where the record has a time of its own, the envelope's is kept beside it.
        kept = f"{compiled.names[leaf.format].name}.timestamp".encode()
        text = texts_used.setdefault(kept, len(texts_used))
        found.append(Field(number, stamp, SHAPES["stamp"], text, 0))
    json = leaf.flags & (FLAGS["json"] | FLAGS["stored"])
    for name, slot in leaf.slots.items():
        key = name, slot, json
        if key not in known:
            known[key] = _field(compiled, *key, numbers, texts_used)
        if (field := known[key]) is not None:
            found.append(field)
    return found


def _field(
    compiled: CompiledFormats,
    name: str,
    slot: int,
    json: int,
    numbers: dict[str, int],
    texts_used: dict[bytes, int],
) -> Field | None:
    """Return how a slot fills the column ``name``, None if that is not built."""
    stored = json & FLAGS["stored"]
    attribute = name not in _NUMBER
    number = numbers.get("attributes" if attribute else name)
    if number is None or name in (_READ_APART if stored else _UNFILLED):
        return None
    shape = SHAPES["any"]
    change, text = 0, -1
    if slot > SLOT:
        change = _CHANGES.get(slot & ~(SLOT | FIRST | SECOND | CONSTANT | FACILITY), 0)
        shape = next((shape for mark, shape in _SHAPES.items() if slot & mark), shape)
    if attribute or slot & CONSTANT:
        value = (name if attribute else compiled.constants[slot & SLOT]).encode()
        text = texts_used.setdefault(value, len(texts_used))
    if name in _JSON_SHAPES and json and not stored:
        shape = SHAPES[_JSON_SHAPES[name]]
    return Field(number, WITHOUT_SLOT if slot & CONSTANT else slot & SLOT, shape, text, change)


@lru_cache(maxsize=64)
def json_keys(planned: ColumnPlan, names: tuple[str, ...]) -> JsonKeys:
    """Return the keys of JSON lines with these columns, called ``names`` in the output."""
    # Columns that are built but not written stand behind the others, as they are.
    spelled = zip_longest(names, planned.columns)
    columns = [(name or own, kind) for name, (own, kind) in spelled]
    return JsonKeys(columns, planned.shown, planned.formats)
