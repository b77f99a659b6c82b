"""Layouts: a log line with holes, as a value.

layout_parser.py reads the language in which they are written.  Matching is deterministic: a
hole takes the longest text its type allows and never gives any back, and optional parts are the
only choice, so the work is linear in the line.  From one layout are made the scanner's program
(scanner/compiler.py), which also says how far a line was matched, and a regular expression
(layout_regex.py) that accepts the same lines with the same captures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from opslog.language.hole_types import HoleType, hole_type
from opslog.model.schema import NAMING


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Text of one type, kept under ``names`` (none: not kept; two: its shape decides)."""

    names: tuple[str, ...]
    type: str
    """The name of a hole type, or a kind of timestamps."""
    width: int = 0
    """Blanks fill it up to this width: behind the value, before it if negative."""
    hole: HoleType = field(init=False, repr=False, compare=False)
    """What its type says."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hole", hole_type(self.type))

    @property
    def naming(self) -> bool:
        """Whether its text names something, and so must be no level word."""
        return not NAMING.isdisjoint(self.names)


@dataclass(frozen=True, slots=True)
class Constant:
    """A column value that the layout itself implies."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Colors:
    """Any number of terminal color codes, also none."""


@dataclass(frozen=True, slots=True)
class OptionalParts:
    """Parts that may be absent together."""

    parts: tuple[LayoutPart, ...]


LayoutPart: TypeAlias = Literal | Capture | Constant | Colors | OptionalParts


@dataclass(frozen=True, slots=True)
class Layout:
    """A parsed layout; ``text`` is its source."""

    text: str
    parts: tuple[LayoutPart, ...]
    vocabulary: str = "oslo"
    """Of its level words: a name of severity.VOCABULARIES, or words spelled out."""
    variants: tuple[tuple[LayoutPart, ...], ...] = field(init=False, repr=False, compare=False)
    """The layout without choices: each optional part first present, then absent.

    Variants that would fill a column twice are left out.
    """

    def __post_init__(self) -> None:
        choices = tuple(_expanded(self.parts))
        if filled_twice(self.holes()) is not None:
            choices = tuple(one for one in choices if filled_twice(one) is None)
        object.__setattr__(self, "variants", choices)

    @property
    def colored(self) -> bool:
        """Whether color codes may stand in its lines."""
        return any(isinstance(part, Colors) for part in self.parts)

    def holes(self) -> Iterator[Capture | Constant]:
        """Yield every capture and constant, those of optional parts too."""
        return _holes(self.parts)


def names_of(part: LayoutPart) -> tuple[str, ...]:
    """Return the columns and attributes that a part fills."""
    if isinstance(part, Capture):
        return part.names
    return (part.name,) if isinstance(part, Constant) else ()


def filled_twice(parts: Iterable[LayoutPart]) -> str | None:
    """Return a name that parts without choices fill more than once, None if there is none."""
    known: set[str] = set()
    for part in parts:
        for name in names_of(part):
            if name in known:
                return name
            known.add(name)
    return None


def literals_behind(variant: tuple[LayoutPart, ...]) -> list[str]:
    """Return for each part of a variant the literal directly behind it, empty if there is none."""
    found: list[str] = []
    following = ""
    for part in reversed(variant):
        found.append(following)
        if not isinstance(part, Constant):
            following = part.text if isinstance(part, Literal) else ""
    return found[::-1]


def _holes(parts: tuple[LayoutPart, ...]) -> Iterator[Capture | Constant]:
    for part in parts:
        if isinstance(part, OptionalParts):
            yield from _holes(part.parts)
        elif isinstance(part, (Capture, Constant)):
            yield part


def _expanded(parts: tuple[LayoutPart, ...]) -> Iterator[tuple[LayoutPart, ...]]:
    for index, part in enumerate(parts):
        if isinstance(part, OptionalParts):
            head, tail = parts[:index], parts[index + 1 :]
            for inner in (*_expanded(part.parts), ()):
                for rest in _expanded(tail):
                    yield head + inner + rest
            return
    yield parts
