"""Where formats live, and all of them compiled together.

Shipped formats are the TOML files of ``formats/``: installed as
``opslog/formats``, beside ``src/`` in a checkout or an editable install.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opslog import _program
from opslog.errors import FormatError
from opslog.format import BARE, TRACEBACK, Format, FormatLayout, load
from opslog.jsonkeys import JsonShape
from opslog.program import Compiler, Entry, Leaf
from opslog.schema import COLUMNS


def folder() -> Path:
    """Return the folder of the shipped formats."""
    package = Path(__file__).resolve().parent
    for place in (package / "formats", package.parents[1] / "formats"):
        if place.is_dir():
            return place
    raise FormatError(str(package / "formats"), "folder", "the shipped formats are missing")


@cache
def shipped() -> tuple[Format, ...]:
    """Return the shipped formats, by name."""
    return tuple(load(path) for path in sorted(folder().glob("*.toml"), key=lambda p: p.stem))


@dataclass(frozen=True, slots=True)
class Compiled:
    """Formats of one kind (lines or messages) as one scanner program."""

    program: _program.Program
    formats: tuple[Format, ...]
    leaves: tuple[Leaf, ...]
    names: tuple[str, ...]
    """Columns, then attributes, in the order of the program's slot table."""
    constants: tuple[str, ...]
    expected: tuple[tuple[str, str], ...]
    """What each node of the program expects, and what behind it."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """A set of formats, ready to scan lines and the messages inside them."""

    lines: Compiled
    messages: Compiled

    @classmethod
    def of(cls, formats: Iterable[Format]) -> Catalog:
        """Compile ``formats``; a later one replaces an earlier one of the same name."""
        named = {f.name: f for f in formats}
        return cls(
            _compile(tuple(f for f in named.values() if f.applies_to == "line")),
            _compile(tuple(f for f in named.values() if f.applies_to == "message")),
        )


@cache
def default() -> Catalog:
    """Return the catalog of the shipped formats."""
    return Catalog.of(shipped())


def _compile(formats: tuple[Format, ...]) -> Compiled:
    compiler = Compiler(tuple(column.name for column in COLUMNS))
    ranked: list[tuple[int, Entry]] = []
    for number, one in enumerate(formats):
        for index, item in enumerate(one.layouts):
            ranked.append((item.rank, _entry(one, number, index, item)))
        for index, item in enumerate(one.tails):
            level = 5 if item.debug_only else 0
            compiler.add(Entry(item.layout, number, index, level=level, tail=True))
        if one.json:
            compiler.add_json(
                JsonShape(number, one.json.required, one.json.columns, one.json.epoch, one.json.iso)
            )
    for _, entry in sorted(ranked, key=_order):
        compiler.add(entry)
    program = compiler.program()
    return Compiled(
        program,
        formats,
        tuple(compiler.leaves),
        tuple(compiler.names),
        tuple(compiler.constants),
        tuple(compiler.trie.expected),
    )


def _order(ranked: tuple[int, Entry]) -> tuple[int, bool]:
    """By rank; a traceback's prefix with colours before those that would take them for text."""
    rank, entry = ranked
    return rank, rank == TRACEBACK and not entry.layout.coloured


def _entry(one: Format, number: int, index: int, item: FormatLayout) -> Entry:
    flags = 0
    if one.follow_on:
        flags |= _program.FLAGS["follow_on"]
    if item.rank == BARE:
        flags |= _program.FLAGS["bare"]
    role = "traceback" if item.rank == TRACEBACK else "head"
    return Entry(item.layout, number, index, role, flags, level=17 if role == "traceback" else 0)
