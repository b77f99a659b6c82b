"""Where formats live, and all of them compiled together.

Shipped formats are the TOML files of ``formats/``: installed as
``opslog/formats``, beside ``src/`` in a checkout or an editable install.  Those
of users (user_formats.py) are tried before them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from opslog.language.format import BARE, HOLLOW, TRACEBACK, WEAK, Format, FormatLayout, load
from opslog.language.layout import Capture, Colors, Constant, Layout, Optional, Part
from opslog.model.errors import FormatError
from opslog.model.schema import COLUMNS
from opslog.scanner import _program
from opslog.scanner.compiler import Compiler, Entry, Leaf
from opslog.scanner.json_keys import JsonShape
from opslog.scanner.patterns import Patterns, Placed


def folder() -> Path:
    """Return the folder of the shipped formats."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "formats", package.parents[1] / "formats"):
        if place.is_dir():
            return place
    raise FormatError(str(package / "formats"), "folder", "the shipped formats are missing")


def user_folder() -> Path:
    """Return the folder of a user's formats, in ``$XDG_CONFIG_HOME``; it may be absent."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(config, "opslog", "formats")


@cache
def shipped() -> tuple[Format, ...]:
    """Return the shipped formats with their samples, in the order in which they are tried."""
    return _in_order(load(path) for path in folder().glob("*.toml"))


@cache
def without_samples() -> tuple[Format, ...]:
    """Return the shipped formats likewise, without what no run needs."""
    return _in_order(load(path, samples=False) for path in folder().glob("*.toml"))


def _in_order(formats: Iterable[Format]) -> tuple[Format, ...]:
    """Return the shipped formats in the order in which they are tried.

    Those of oslo.log come first: most lines are theirs, and once a layout has taken a
    line only those before it are tried.  What may begin with any word comes last: no
    layout that says more of a line has to wait for it.
    """
    return tuple(
        sorted(formats, key=lambda f: (not f.name.startswith("oslo."), _is_vague(f), f.name))
    )


_VAGUE = ("text", "token", "token?", "percent", "quoted", "word", "address", "addresses")
"""Types of captures that say little of a line that begins with one."""


def _is_vague(one: Format) -> bool:
    """Whether a layout of a format may begin with a word that may be anything."""
    return any(_begins_vaguely(item.layout.parts) for item in one.layouts)


def _begins_vaguely(parts: tuple[Part, ...]) -> bool:
    for part in parts:
        if isinstance(part, Optional):
            if _begins_vaguely(part.parts):
                return True
        elif not isinstance(part, Constant | Colors):
            return isinstance(part, Capture) and part.type in _VAGUE
    return False


@dataclass(frozen=True, slots=True)
class Compiled:
    """Formats of one kind (lines or messages) as one scanner program."""

    program: _program.Program
    formats: tuple[Format, ...]
    leaves: tuple[Leaf, ...]
    constants: tuple[str, ...]
    expected: tuple[tuple[str, str], ...]
    """What each node of the program expects, and what behind it."""
    patterns: Patterns | None
    """What is tried on lines that the program does not take."""


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
    return Catalog.of(without_samples())


def beside_shipped(own: Iterable[Format]) -> Catalog:
    """Return the catalog of ``own`` formats, tried in their order, then the shipped ones.

    Of several formats of one name the first counts.
    """
    named: dict[str, Format] = {}
    for one in own:
        named.setdefault(one.name, one)
    return Catalog.of([*named.values(), *(f for f in without_samples() if f.name not in named)])


def _compile(formats: tuple[Format, ...]) -> Compiled:
    compiler = Compiler(tuple(column.name for column in COLUMNS))
    ranked: list[tuple[int, Entry]] = []
    for number, one in enumerate(formats):
        for index, item in enumerate(one.layouts):
            ranked.append((item.rank, _entry(one, number, index, item)))
        for index, item in enumerate(one.tails):
            level = 5 if item.debug_only else 0
            # Any message may end in the tail of a message format: one list for all.
            of = number if one.applies_to == "line" else 0
            compiler.add(Entry(item.layout, of, index, level=level, tail=True))
        for index, item in enumerate(one.details):
            compiler.add(Entry(item.layout, number, index, detail=True))
    for number, one in sorted(enumerate(formats), key=lambda item: not _timed(item[1])):
        if keys := one.json:
            compiler.add_json(
                JsonShape(
                    number,
                    keys.required,
                    keys.columns,
                    keys.epoch,
                    keys.iso,
                    keys.epoch_us,
                    _flags(one),
                    keys.constants,
                    one.severity,
                )
            )
    for _, entry in sorted(ranked, key=_order):
        compiler.add(entry)
    placed = [
        Placed(pattern, one.name, *compiler.add_pattern(_beside(one, number, index), pattern))
        for number, one in enumerate(formats)
        for index, pattern in enumerate(one.patterns, len(one.layouts))
    ]
    program = compiler.program()
    return Compiled(
        program,
        formats,
        tuple(compiler.leaves),
        tuple(compiler.constants),
        tuple(compiler.trie.expected),
        Patterns(program, tuple(placed)) if placed else None,
    )


def _timed(one: Format) -> bool:
    """Whether a JSON format's objects have a time: those without are looked for last."""
    keys = one.json
    return one.applies_to == "message" or bool(keys and (keys.epoch or keys.iso or keys.epoch_us))


def _order(ranked: tuple[int, Entry]) -> tuple[int, bool]:
    """By rank; a traceback's prefix with colors before those that would take them for text."""
    rank, entry = ranked
    return rank, rank == TRACEBACK and not entry.layout.colored


def _entry(one: Format, number: int, index: int, item: FormatLayout) -> Entry:
    flags = _flags(one)
    if item.rank == BARE:
        flags |= _program.FLAGS["bare"]
    for name, wanted in (
        ("unfinished", item.unfinished),
        ("alone", item.alone),
        ("unlogged", item.traceback),
    ):
        flags |= _program.FLAGS[name] if wanted else 0
    role = "traceback" if item.rank == TRACEBACK else "head"
    level = 17 if role == "traceback" else one.level
    late = item.rank in (WEAK, HOLLOW)
    return Entry(item.layout, number, index, role, flags, level, late=late)


def _beside(one: Format, number: int, index: int) -> Entry:
    """Return the entry of a pattern: it has no layout, but a vocabulary."""
    return Entry(Layout("", (), one.severity), number, index, flags=_flags(one), level=one.level)


def _flags(one: Format) -> int:
    flags = _program.FLAGS["follow_on"] if one.follow_on else 0
    flags |= _program.FLAGS["utc"] if one.zone == "utc" else 0
    flags |= _program.FLAGS["foremost"] if one.foremost else 0
    if one.envelope is not None:
        flags |= _program.FLAGS["envelope"]
        for name, wanted in asdict(one.envelope).items():
            flags |= _program.FLAGS[name] if wanted else 0
    return flags
