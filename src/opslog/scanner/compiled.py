"""Formats as one scanner program, with what its numbers stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from opslog.scanner._program import Program
from opslog.scanner.slots import LeafSlots

if TYPE_CHECKING:
    from opslog.language.format import Format
    from opslog.scanner.described import Described
    from opslog.scanner.leaf import Leaf
    from opslog.scanner.patterns import Patterns


class FormatName(NamedTuple):
    """What is needed of a format to count its records."""

    name: str
    service: str
    dated: bool
    """Whether its records are only dated."""


@dataclass(frozen=True, slots=True)
class CompiledFormats:
    """Formats of one kind (lines or messages) as one scanner program."""

    program: Program
    names: tuple[FormatName, ...]
    slots: tuple[LeafSlots, ...]
    """Of each leaf."""
    constants: tuple[str, ...]
    patterns: Patterns | None
    """The patterns, which are tried on lines that the program does not take; None if none."""
    described: Described
    """All there is to say of formats, leaves and nodes."""

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats, as they were declared."""
        return self.described.whole.formats

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves, with their layouts."""
        return self.described.whole.leaves

    @property
    def expected(self) -> tuple[tuple[str, str], ...]:
        """In words, what each node of the program expects, and what behind it."""
        return self.described.whole.expected
