"""Holes and literals of layouts as instructions of the scanner, and the tables these refer to."""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

from opslog.language.atoms import Atoms, spelled
from opslog.language.hole_types import COLORS, HOLE_TYPES, HoleType
from opslog.language.layout import Capture, Colors, LayoutPart, Literal, literals_behind
from opslog.language.timestamps import DIRECTIVE
from opslog.model.severity import LONGEST_WORD, longest_first, vocabulary
from opslog.scanner import _program

TOKENS = ("token", "token?")
"""Operations that read several captures at once if only a blank stands between them."""


class Instruction(NamedTuple):
    """What one node of the scanner's program does."""

    op: str
    a: int = 0
    b: int = 0
    slot: int = -1
    """The number of the capture it keeps, -1 if none."""
    width: int = 0
    """Blanks fill the capture up to it: behind the value, before it if negative."""
    literal: str = ""
    """The text that is to be there, or of the operation ``text`` ends the capture."""
    texts: tuple[Atoms, ...] = ()
    """What it takes: one of these; a literal takes itself."""
    naming: int = 0
    """Which of its captures must be no level word, as bits: 1 is the first."""


Described: TypeAlias = tuple[Instruction, str]
"""An instruction, and in words what it expects."""

_COLORS: Described = Instruction(COLORS.op, texts=(COLORS.atoms,)), COLORS.accepts
_END = Instruction("end", texts=((),))


def texts_of(instruction: Instruction) -> tuple[Atoms, ...]:
    """Return the texts one of which an instruction takes, without the blanks of its width."""
    if instruction.op == "literal":
        return (spelled(instruction.literal.encode()),)
    return instruction.texts


class Instructions:
    """Makes instructions, each once, and keeps the tables they refer to."""

    def __init__(self) -> None:
        self._literals: dict[str, Described] = {}
        self._captures: dict[tuple[tuple[str, ...], str, int, str, int, str], Described] = {}
        self._classes: dict[int, int] = {}
        self._vocabularies: dict[str, tuple[int, tuple[Atoms, ...]]] = {}
        self._words: list[int] = []
        self._programs: dict[tuple[int, ...], int] = {}
        self._times: list[int] = []

    def steps(self, variant: tuple[LayoutPart, ...], words: str) -> list[Described]:
        """Return the steps of a layout without choices whose level words are of ``words``."""
        steps: list[Described] = []
        kept = 0
        for part, after in zip(variant, literals_behind(variant), strict=True):
            if isinstance(part, Literal):
                if part.text not in self._literals:
                    self._literals[part.text] = literal(part.text)
                steps.append(self._literals[part.text])
            elif isinstance(part, Capture):
                steps.append(self._capture(part, after, kept if part.names else -1, words))
                kept += bool(part.names)
            elif isinstance(part, Colors):
                steps.append(_COLORS)
        if steps[-1][0].op != "rest":
            steps.append((_END, "the end of the line"))
        return steps

    def alone(self, part: Capture, words: str) -> list[Described]:
        """Return the steps of a text that is a value of ``part`` and nothing else; none is kept."""
        return [self._capture(part, "", -1, words), (_END, "the end of the text")]

    def _capture(self, part: Capture, after: str, slot: int, words: str) -> Described:
        # The fields and not the capture: a tuple is hashed without a call of Python.
        known = (part.names, part.type, part.width, after, slot, words)
        found = self._captures.get(known)
        if found is None:
            hole = part.hole
            a, b, texts = self._arguments(hole, after, bool(part.names), words)
            end = after if hole.op == "text" else ""
            made = Instruction(hole.op, a, b, slot, part.width, end, texts, int(part.naming))
            found = self._captures[known] = made, _meaning(part, hole, after)
        return found

    def _arguments(
        self, hole: HoleType, after: str, kept: bool, words: str
    ) -> tuple[int, int, tuple[Atoms, ...]]:
        """Return the arguments of a type's operation, and the texts one of which it takes."""
        if hole.op == "severity":
            offset, texts = self._vocabulary(words)
            return offset, 0, texts
        texts = (hole.atoms_before(after),)
        if hole.stops:
            return hole.stop(after), hole.argument, texts
        if hole.op == "run":
            [run] = hole.atoms
            return self._classes.setdefault(run.bytes, len(self._classes)), hole.argument, texts
        if hole.op == "iso":
            return hole.argument, int(not kept), texts
        if hole.op == "time":
            return self._program(hole.program), int(not kept), texts
        return hole.argument, 0, texts

    def _program(self, program: tuple[int, ...]) -> int:
        """Return where the program of a timestamp stands in the table of times."""
        if program not in self._programs:
            self._programs[program] = len(self._times)
            self._times += [len(program), *program]
        return self._programs[program]

    def _vocabulary(self, name: str) -> tuple[int, tuple[Atoms, ...]]:
        """Return where the words of a vocabulary stand in the table of words, and their texts."""
        if name not in self._vocabularies:
            levels = vocabulary(name)
            texts = tuple(spelled(word.encode()) for word in levels)
            self._vocabularies[name] = len(self._words), texts
            self._words += _grouped(levels)
        return self._vocabularies[name]

    @property
    def classes(self) -> bytes:
        """The table of classes: 256 bytes each, 1 for a byte that is in it."""
        return b"".join(bytes(one >> c & 1 for c in range(256)) for one in self._classes) or b"\0"

    @property
    def words(self) -> list[int]:
        """The table of level words: per vocabulary as ``_ops.pxd`` reads it."""
        return self._words or [0]

    @property
    def times(self) -> list[int]:
        """The table of programs of timestamps: per program its length, then the program."""
        return self._times or [0]


_WORD = struct.Struct(f"=2i{LONGEST_WORD}s")
"""A level word: its length, its severity number and its text."""
assert _WORD.size == _program.WORD_SIZE


def _grouped(levels: dict[str, int]) -> list[int]:
    """Return where each group of words begins, then the groups: words that begin alike."""
    groups: list[list[str]] = [[] for _ in range(_program.WORD_GROUPS)]
    for word in longest_first(levels):
        groups[word.encode()[0] % len(groups)].append(word)
    starts: list[int] = []
    words: list[int] = [0]
    for group in groups:
        starts.append(len(groups) + len(words) if group else len(groups))
        for word in group:
            packed = _WORD.pack(len(word), levels[word], word.encode())
            words += struct.unpack(f"={len(packed) // 4}i", packed)
        if group:
            words.append(0)
    return starts + words


def literal(text: str) -> Described:
    """Return the step that takes ``text``."""
    return Instruction("literal", literal=text), repr(text)


def _meaning(part: Capture, hole: HoleType, after: str) -> str:
    """Say for a diagnosis what a capture expects."""
    kind = f"anything up to {after!r}" if hole.op == "text" else hole.accepts
    return f"{'|'.join(part.names)} ({kind})" if part.names else kind


def _agree() -> None:
    """Assert that the table of types and the compiled scanner mean the same by their numbers."""
    known = {one.op for one in (*HOLE_TYPES.values(), COLORS)} | {"iso", "time", "literal", "end"}
    assert known <= set(_program.OPS), known - set(_program.OPS)
    assert all(len(one.atoms) == 1 for one in HOLE_TYPES.values() if one.op == "run")
    assert DIRECTIVE == _program.DIRECTIVE


_agree()
