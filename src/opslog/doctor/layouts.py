"""What the layouts of a catalog say, and what they leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from opslog.language.format import Format, Rank
from opslog.language.layout import Capture
from opslog.scanner.catalog import Catalog
from opslog.scanner.leaf import Leaf

CONTEXT, DEFAULT, BARE, OTHER = "context", "default", "bare", "other"
"""A layout of oslo.log: with a request id; with an empty bracket; with no place for one; none."""

_EMPTY_BRACKET = re.compile(r"\[(?:\{~\})*[- ]?(?:\{~\})*\]")
_YEARS = re.compile(r"%[YysFD]")


@dataclass(frozen=True, slots=True)
class LayoutFacts:
    """What one layout (a leaf of the scanner's program) says."""

    format: str
    number: int
    """The number of the format in the catalog."""
    role: str
    derived: bool
    """Whether its format is made of oslo.log's options."""
    global_id: bool
    process_id: bool
    timed: bool
    yearless: bool
    dated: bool
    """Whether the layout reads no more than a time or a name."""


@lru_cache(maxsize=8)
def facts(catalog: Catalog) -> tuple[LayoutFacts, ...]:
    """Return what each layout of the catalog's lines says, by leaf."""
    return tuple(
        _facts(leaf, catalog.lines.formats[leaf.entry.format]) for leaf in catalog.lines.leaves
    )


def _facts(leaf: Leaf, of: Format) -> LayoutFacts:
    derived = any(item.rank == Rank.TRACEBACK for item in of.layouts)
    kind = _kind(leaf, of)
    return LayoutFacts(
        of.name,
        leaf.entry.format,
        _role(leaf, of, derived),
        derived,
        "global_request_id" in leaf.slots,
        "process_pid" in leaf.slots,
        kind is not None or (of.keyed is not None and "timestamp" in leaf.slots),
        kind is not None and "%" in kind and not _YEARS.search(kind),
        of.dated,
    )


def _kind(leaf: Leaf, of: Format) -> str | None:
    """Return the kind of the layout's timestamp, None if it has none."""
    number = leaf.entry.number - len(of.layouts)
    if not leaf.entry.layout.text and 0 <= number < len(of.patterns):
        return of.patterns[number].kind
    kinds = (
        hole.type
        for hole in leaf.entry.layout.holes()
        if isinstance(hole, Capture) and "timestamp" in hole.names
    )
    return next(kinds, None)


def _role(leaf: Leaf, of: Format, derived: bool) -> str:
    python = of.keyed is None and "logger" in leaf.slots and leaf.entry.role == "head"
    if not python or not (derived or of.name == "python.logging"):
        return OTHER
    if "request_id" in leaf.slots:
        return CONTEXT
    return DEFAULT if _EMPTY_BRACKET.search(leaf.entry.layout.text) else BARE
