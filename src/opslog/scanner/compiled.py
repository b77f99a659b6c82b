"""Formats as one scanner program, with what its numbers stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opslog.language.format import Format
from opslog.scanner._program import Program
from opslog.scanner.leaf import Leaf

if TYPE_CHECKING:
    from opslog.scanner.patterns import Patterns


@dataclass(frozen=True, slots=True)
class CompiledFormats:
    """Formats of one kind (lines or messages) as one scanner program."""

    program: Program
    formats: tuple[Format, ...]
    leaves: tuple[Leaf, ...]
    constants: tuple[str, ...]
    expected: tuple[tuple[str, str], ...]
    """In words, what each node of the program expects, and what behind it."""
    patterns: Patterns | None
    """The patterns, which are tried on lines that the program does not take; None if none."""
