"""What a catalog holds, and how the scanner reports a line of it: as a leaf of its tree."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from opslog.language.format import MOST_COLUMNS
from opslog.language.hole_types import HOLE_TYPES
from opslog.language.layout import Capture, Constant, Layout, LayoutPart
from opslog.scanner import _program
from opslog.scanner.slots import CHANGED, CONSTANT, FACILITY, FIRST, SECOND, SLOT

assert MOST_COLUMNS <= SLOT
_MARKS = {"": 0, "facility": FACILITY, **CHANGED}
_WRITER = ("process_pid", "program", "container_name", "tag", "host_name", "stream", "juju_entity")
"""What tells the writers of one source apart."""
_SPEAKER = ("thread_id", "client_address")
"""What tells apart, beside the writer, whose text an envelope holds."""


class CatalogEntry(NamedTuple):
    """A layout in its role: where it comes from and what its lines mean.

    A pattern and a table of keys have an empty layout.  ``level`` is the severity number of
    lines that state none, or the only one at which a tail (a layout of what ends a message)
    is looked for; 0 for any.
    """

    layout: Layout
    format: int
    """The number of its format in the catalog."""
    number: int
    """Its own among the layouts, then patterns, of the format; -1 of a table of keys."""
    role: str = "head"
    """A name of ``_program.ROLES``."""
    flags: int = 0
    """Of ``_program.FLAGS``."""
    level: int = 0
    tail: bool = False
    detail: bool = False
    """Whether it only says more of lines that another layout, or none, took."""
    until: str = ""
    """What the last line begins with of the block that its lines open; empty if they open none."""
    late: bool = False
    """Whether so little marks its lines that it is tried only where no other layout fits."""


class Leaf(NamedTuple):
    """A variant of a layout as the scanner reports it."""

    entry: CatalogEntry
    slots: dict[str, int]
    """Column or attribute name to slot, with marks."""
    kept: int
    """How many captures are kept."""


def slots_of(variant: tuple[LayoutPart, ...], constant: Callable[[str], int]) -> dict[str, int]:
    """Return the slots, with marks, of what a variant fills; ``constant`` numbers a value."""
    slots: dict[str, int] = {}
    count = 0
    for part in variant:
        if isinstance(part, Capture):
            if not part.names:
                continue
            marks = (FIRST, SECOND) if len(part.names) > 1 else (0,)
            for name, mark in zip(part.names, marks, strict=True):
                slots[column_of(name)] = count | mark | _MARKS[part.hole.change]
            count += 1
        elif isinstance(part, Constant):
            slots[part.name] = CONSTANT | constant(part.value)
    return slots


def column_of(name: str) -> str:
    """Return the column or attribute that a name in a layout or a pattern fills."""
    return "severity_text" if name == "severity" else name


def packed(leaf: Leaf, closings: bytearray) -> bytes:
    """Return a leaf as the scanner reads it, the struct Leaf of _program.pxd.

    What ends its block is put behind ``closings``.
    """
    slots, flags = leaf.slots, leaf.entry.flags
    if "timestamp" in slots:
        flags |= _program.FLAGS["stamped"]
    graded = "severity_text" in slots or any(slot & FACILITY for slot in slots.values())
    if graded or flags & _program.FLAGS["json"]:
        flags |= _program.FLAGS["graded"]
    if leaf.entry.layout.colored:
        flags |= _program.FLAGS["colored"]
    plain = _plain(slots)
    names = (*_WRITER, *_SPEAKER) if flags & _program.FLAGS["envelope"] else _WRITER
    writer = [plain[name] for name in names if name in plain][: _program.WORKER_SLOTS]
    closing = leaf.entry.until.encode()
    at = len(closings)
    closings += closing
    return _LEAF.pack(
        leaf.entry.format,
        leaf.entry.number,
        _program.ROLES[leaf.entry.role],
        flags,
        leaf.kept,
        plain.get("timestamp", -1),
        plain.get("logger", -1),
        plain.get("resource_id", -1),
        plain.get("body", -1),
        leaf.entry.level,
        at,
        len(closing),
        *writer,
        *[-1] * (_program.WORKER_SLOTS - len(writer)),
    )


_LEAF = struct.Struct(f"={12 + _program.WORKER_SLOTS}i")
assert _LEAF.size == _program.LEAF_SIZE
assert len(_WRITER) <= _program.WORKER_SLOTS
assert {one.change for one in HOLE_TYPES.values()} <= set(_MARKS)


class Kind(NamedTuple):
    """What of a leaf counts for a record that nobody wants."""

    number: int
    """Equal for leaves of which that is equal; -1 if such a line must be read to its end."""
    words: str
    """The vocabulary of its levels."""


_BARE = _program.FLAGS["bare"]
"""What this flag says is asked for with the rest of the line."""
_PLAIN = sum(_program.FLAGS[name] for name in ("stamped", "graded", "follow_on", "utc"))
"""The other flags of heads whose text tells nothing of the lines behind them."""


def kinds_of(leaves: list[Leaf]) -> list[Kind]:
    """Return the kind of each leaf."""
    numbers: dict[tuple[int, ...], int] = {}
    second = {leaf.entry.format for leaf in leaves if leaf.entry.flags & _program.FLAGS["second"]}
    kinds = []
    for leaf in leaves:
        number = -1
        form, _, role, flags, _, time, _, _, _, level, _, closing, *writer = _LEAF.unpack(
            packed(leaf, bytearray())
        )
        sure = role == _program.ROLES["head"] and not closing and form not in second
        if sure and flags & ~_BARE == flags & _PLAIN:
            kind = (form, flags & _PLAIN, time, level, *writer)
            number = numbers.setdefault(kind, len(numbers))
        kinds.append(Kind(number, leaf.entry.layout.vocabulary))
    return kinds


def slot_table(leaves: list[Leaf], names: tuple[str, ...]) -> bytes:
    """Return the slots that fill the columns ``names``, as int16 [column, leaf], -1 for none."""
    plain = [_plain(leaf.slots) for leaf in leaves]
    rows = [slots.get(name, -1) for name in names for slots in plain]
    return struct.pack(f"={len(rows)}h", *rows) or b"\0"


def _plain(slots: dict[str, int]) -> dict[str, int]:
    """Return the slots without marks."""
    return {name: slot for name, slot in slots.items() if slot <= SLOT}
