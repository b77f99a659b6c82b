"""Formats to one scanner program: which of their layouts is tried when, and what its lines are."""

from __future__ import annotations

from dataclasses import asdict, fields

from opslog.language.format import Envelope, Format, FormatLayout, Rank
from opslog.language.layout import Layout
from opslog.model.schema import COLUMNS
from opslog.model.severity import DEBUG, ERROR
from opslog.scanner import _program
from opslog.scanner.compiled import CompiledFormats, FormatName
from opslog.scanner.compiler import Compiler
from opslog.scanner.described import Described, Description
from opslog.scanner.leaf import CatalogEntry, Leaf
from opslog.scanner.patterns import Patterns
from opslog.scanner.slots import LeafSlots


def compiled(formats: tuple[Format, ...]) -> CompiledFormats:
    """Compile formats of one kind; raises LayoutError for a layout that cannot be scanned."""
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
                stored=one.keyed.stored,
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
    leaves = tuple(compiler.leaves)
    return CompiledFormats(
        program,
        tuple(FormatName(one.name, one.service, one.dated) for one in formats),
        tuple(_slots(leaf) for leaf in leaves),
        tuple(compiler.constants),
        Patterns(program, tuple(patterns)) if patterns else None,
        Described(Description(formats, leaves, compiler.expected)),
    )


def _slots(leaf: Leaf) -> LeafSlots:
    entry = leaf.entry
    return LeafSlots(entry.format, entry.flags, entry.tail, entry.detail, leaf.slots)


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


def _key_order(one: Format) -> tuple[bool, bool, bool, bool]:
    """When objects or pairs are tried: opslog's own, others, then what has any time or none.

    Envelopes come behind records.
    """
    stored = one.keyed is not None and one.keyed.stored
    timed = one.applies_to == "message" or bool(one.keyed and one.keyed.times)
    return not stored, not timed, one.catch_all, one.envelope is not None


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
