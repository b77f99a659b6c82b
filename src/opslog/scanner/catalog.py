"""The shipped formats, and catalogs: formats compiled together.

Shipped formats are the TOML files of ``formats/``: installed as ``opslog/formats``, beside
``src/`` in a checkout or an editable install.  Those of users (checking/user_formats.py) are
tried before them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from opslog.language.format import (
    Envelope,
    Format,
    FormatLayout,
    Rank,
)
from opslog.language.format_file import load
from opslog.language.layout import Capture, Colors, Constant, Layout, LayoutPart, OptionalParts
from opslog.model.errors import FormatError
from opslog.model.schema import COLUMNS
from opslog.model.severity import DEBUG, ERROR
from opslog.scanner import _program
from opslog.scanner.compiler import Compiler
from opslog.scanner.leaf import CatalogEntry, Leaf
from opslog.scanner.patterns import Patterns


def folder() -> Path:
    """Return the folder of the shipped formats; raises FormatError if it is missing."""
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
    """Return the shipped formats without samples and rejects, which no run needs."""
    return _in_order(load(path, samples=False) for path in folder().glob("*.toml"))


def _in_order(formats: Iterable[Format]) -> tuple[Format, ...]:
    """Return the shipped formats in the order in which they are tried.

    Those of oslo.log come first: most lines have them, and once a layout has taken a line only
    those before it are tried.  Formats that may begin with any word come last, so that they
    take no line from a layout that says more of it.
    """
    return tuple(
        sorted(formats, key=lambda f: (not f.name.startswith("oslo."), _is_vague(f), f.name))
    )


def _is_vague(one: Format) -> bool:
    """Whether a layout of a format may begin with almost any word."""
    return any(_begins_vaguely(item.layout.parts) for item in one.layouts)


def _begins_vaguely(parts: tuple[LayoutPart, ...]) -> bool:
    for part in parts:
        if isinstance(part, OptionalParts):
            if _begins_vaguely(part.parts):
                return True
        elif not isinstance(part, Constant | Colors):
            return isinstance(part, Capture) and part.hole.vague
    return False


@dataclass(frozen=True, slots=True)
class CompiledFormats:
    """Formats of one kind (lines or messages) as one scanner program."""

    program: _program.Program
    formats: tuple[Format, ...]
    leaves: tuple[Leaf, ...]
    constants: tuple[str, ...]
    expected: tuple[tuple[str, str], ...]
    """In words, what each node of the program expects, and what behind it."""
    patterns: Patterns | None
    """The patterns, which are tried on lines that the program does not take; None if none."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """A set of formats, ready to scan lines and the messages inside them."""

    lines: CompiledFormats
    messages: CompiledFormats

    @classmethod
    def of(cls, formats: Iterable[Format]) -> Catalog:
        """Compile ``formats``; a later one replaces an earlier one of the same name.

        Raises LayoutError for a layout that cannot be scanned.
        """
        named = {one.name: one for one in formats}
        return cls(
            _compile(tuple(one for one in named.values() if one.applies_to == "line")),
            _compile(tuple(one for one in named.values() if one.applies_to == "message")),
        )

    @classmethod
    @cache
    def default(cls) -> Catalog:
        """Return the catalog of the shipped formats, compiled once."""
        return cls.of(without_samples())

    @classmethod
    def beside_shipped(cls, own: Iterable[Format]) -> Catalog:
        """Return the catalog of ``own`` formats, tried in their order, then the shipped ones.

        Of several formats of one name the first counts.
        """
        named: dict[str, Format] = {}
        for one in (*own, *without_samples()):
            named.setdefault(one.name, one)
        return cls.of(named.values())

    def __reduce__(self) -> tuple[Callable[..., Catalog], tuple[object, ...]]:
        """Pickle the formats: the program is compiled from them again where they arrive."""
        if self is Catalog.default():
            return Catalog.default, ()
        return Catalog.of, ((*self.lines.formats, *self.messages.formats),)


def _compile(formats: tuple[Format, ...]) -> CompiledFormats:
    compiler = Compiler(tuple(column.name for column in COLUMNS))
    for number, one in enumerate(formats):
        _add_beside(compiler, one, number)
    for number, one in sorted(enumerate(formats), key=lambda item: _key_order(item[1])):
        if one.keyed:
            flags = _flags(
                one,
                json=True,
                keyed=one.keyed.pairs and one.keyed.others,
                alone=one.keyed.pairs and not one.keyed.times,
            )
            entry = CatalogEntry(_without_layout(one), number, -1, flags=flags, level=one.level)
            compiler.add_keyed(entry, one.keyed)
    for entry in _in_rank(formats):
        compiler.add(entry)
    patterns = []
    for number, one in enumerate(formats):
        for index, pattern in enumerate(one.patterns, len(one.layouts)):
            entry = CatalogEntry(
                _without_layout(one), number, index, flags=_flags(one), level=one.level
            )
            patterns.append(compiler.add_pattern(entry, pattern, one.name))
    program = compiler.program()
    return CompiledFormats(
        program,
        formats,
        tuple(compiler.leaves),
        tuple(compiler.constants),
        compiler.expected,
        Patterns(program, tuple(patterns)) if patterns else None,
    )


def _add_beside(compiler: Compiler, one: Format, number: int) -> None:
    """Add the layouts of a format that take no whole line: its tails and details."""
    # Any message may end in the tail of a message format: one list for all.
    owner = number if one.applies_to == "line" else 0
    for index, item in enumerate(one.tails):
        level = DEBUG if item.debug_only else 0
        compiler.add(CatalogEntry(item.layout, owner, index, level=level, tail=True))
    for index, item in enumerate(one.details):
        compiler.add(CatalogEntry(item.layout, number, index, detail=True))


def _in_rank(formats: tuple[Format, ...]) -> list[CatalogEntry]:
    """Return the entries of all layouts, by their rank.

    A traceback's prefix with colors comes before those that would take them for text.
    """
    declared = [
        (one, number, index, item)
        for number, one in enumerate(formats)
        for index, item in enumerate(one.layouts)
    ]
    declared.sort(key=lambda entry: _order(entry[-1]))
    return [_entry(*entry) for entry in declared]


def _order(item: FormatLayout) -> tuple[Rank, bool]:
    return item.rank, item.rank == Rank.TRACEBACK and not item.layout.colored


def _without_layout(one: Format) -> Layout:
    """Return what stands for a layout in the entry of a pattern or of keys."""
    return Layout("", (), one.severity)


def _key_order(one: Format) -> tuple[bool, bool]:
    """When objects or pairs are tried: those without a time last, envelopes behind records."""
    timed = one.applies_to == "message" or bool(one.keyed and one.keyed.times)
    return not timed, one.envelope is not None


def _entry(one: Format, number: int, index: int, item: FormatLayout) -> CatalogEntry:
    flags = _flags(
        one,
        bare=item.rank == Rank.BARE,
        unfinished=item.unfinished,
        alone=item.alone or item.second,
        second=item.second,
        unlogged=item.traceback,
        lined=one.envelope is None and not any(x.rank == Rank.TRACEBACK for x in one.layouts),
    )
    role = "traceback" if item.rank == Rank.TRACEBACK else "head"
    level = ERROR if role == "traceback" else one.level
    late = item.rank in (Rank.WEAK, Rank.HOLLOW)
    return CatalogEntry(item.layout, number, index, role, flags, level, until=item.until, late=late)


def _flags(one: Format, **own: bool) -> int:
    """Return the flags of a format's lines, and a line's own, as the scanner reads them."""
    flags = own | {
        "follow_on": one.follow_on,
        "utc": one.zone == "utc",
        "foremost": one.foremost,
        "envelope": one.envelope is not None,
    }
    if one.envelope is not None:
        flags |= asdict(one.envelope)
    return sum(_program.FLAGS[name] for name, wanted in flags.items() if wanted)


assert {flag.name for flag in fields(Envelope)} <= set(_program.FLAGS)
