"""Layouts, patterns and tables of keys to a program for the scanner: the tables of _program.pyx.

Every layout is written out as its variants, each a sequence of steps without
choices, which share the nodes of one tree (trie.py).
"""

from __future__ import annotations

import struct
from itertools import chain

from opslog.language.format import KeyedShape
from opslog.language.layout import Capture, Layout, LayoutPart, Literal
from opslog.language.pattern import MOST_GROUPS, Pattern
from opslog.model.errors import LayoutError
from opslog.scanner import _program, trie
from opslog.scanner._json import JsonTable
from opslog.scanner._prefix import MOST_BRANCHES
from opslog.scanner.instructions import Instructions
from opslog.scanner.json_table import json_table
from opslog.scanner.leaf import (
    CatalogEntry,
    Leaf,
    column_of,
    kinds_of,
    packed,
    slot_table,
    slots_of,
)
from opslog.scanner.node_table import NodeTable
from opslog.scanner.patterns import PlacedPattern
from opslog.scanner.prefix import Forest
from opslog.scanner.shortcut import ShortcutFinder
from opslog.scanner.slots import CONSTANT, SLOT
from opslog.scanner.trees import Trees
from opslog.scanner.trie import Node

_MOST_LEAVES = 32000
"""A line keeps the number of its leaf in 16 bits."""
_DEEPEST = _program.DEEPEST
"""How many nodes a variant, and a way through a tree, may have; a line keeps no more captures."""
assert MOST_GROUPS <= _DEEPEST


class Compiler:
    """Collects entries and makes one Program of them.

    ``names`` are the columns whose slots the program tells, by their numbers.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.leaves: list[Leaf] = []
        self.constants: list[str] = []
        self._table = NodeTable()
        self._names = names
        self._instructions = Instructions()
        self._heads: list[Node] = []
        self._late: list[Node] = []
        self._details: dict[int, list[Node]] = {}
        self._tails: dict[int, list[_Tail]] = {}
        self._keyed: list[tuple[CatalogEntry, KeyedShape]] = []

    def add(self, entry: CatalogEntry) -> None:
        """Add a layout behind those already there; raises LayoutError if it cannot be scanned."""
        layout = entry.layout
        for variant in layout.variants:
            steps = self._instructions.steps(variant, layout.vocabulary)
            if len(steps) > _DEEPEST:
                raise LayoutError(layout.text, 0, f"more than {_DEEPEST} parts")
            if len(self.leaves) >= _MOST_LEAVES:
                raise LayoutError(layout.text, 0, "more layouts than a catalog can hold")
            trie.insert(self._roots(entry, variant), steps, len(self.leaves))
            kept = sum(1 for instruction, _ in steps if instruction.slot >= 0)
            self.leaves.append(Leaf(entry, slots_of(variant, self._constant), kept))

    def _roots(self, entry: CatalogEntry, variant: tuple[LayoutPart, ...]) -> list[Node]:
        """Return the trees that a variant belongs to."""
        if entry.tail:
            tail = _Tail(entry, variant)
            self._tails.setdefault(entry.format, []).append(tail)
            return tail.roots
        if entry.detail:
            return self._details.setdefault(entry.format, [])
        return self._late if entry.late else self._heads

    def add_pattern(self, entry: CatalogEntry, pattern: Pattern, format_name: str) -> PlacedPattern:
        """Add a pattern, which stands beside the trees."""
        leaf = len(self.leaves)
        slots = {column_of(name): slot for slot, name in enumerate(pattern.names)}
        self.leaves.append(Leaf(entry, slots, len(slots)))
        time = severity = -1
        if pattern.kind is not None:
            time = self._alone(entry.layout, Capture(("timestamp",), pattern.kind), leaf)
        if "severity" in pattern.names:
            severity = self._alone(entry.layout, Capture(("severity",), "severity"), leaf)
        return PlacedPattern(pattern, format_name, leaf, time, severity)

    def _alone(self, layout: Layout, part: Capture, leaf: int) -> int:
        """Place a node that takes a text alone, capturing nothing, and return its index."""
        roots: list[Node] = []
        trie.insert(roots, self._instructions.alone(part, layout.vocabulary), leaf)
        return self._table.place(roots)

    def add_keyed(self, entry: CatalogEntry, shape: KeyedShape) -> None:
        """Add a JSON object or a line of pairs behind those already there."""
        self._keyed.append((entry, shape))

    def _constant(self, value: str) -> int:
        """Return the number of a constant."""
        if value not in self.constants:
            if len(self.constants) > SLOT:
                raise LayoutError(value, 0, "more constants than a catalog can hold")
            self.constants.append(value)
        return self.constants.index(value)

    def program(self) -> _program.Program:
        """Return everything added as one Program; leaf numbers are indices of ``leaves``.

        Raises LayoutError if the layouts share so many beginnings that the tree is too deep.
        """
        if trie.depth([*self._heads, *self._late, *chain(*self._details.values())]) > _DEEPEST:
            text = max((leaf.entry.layout.text for leaf in self.leaves), key=len)
            raise LayoutError(text, 0, f"more than {_DEEPEST} beginnings shared by layouts")
        for roots in (self._heads, self._late):
            roots.sort(key=lambda node: node.order)
        trees = [*self._heads, *self._late]
        trie.number(trees, MOST_BRANCHES)
        places = [self._table.place([root]) for root in trees]
        entries = (*(leaf.entry for leaf in self.leaves), *(entry for entry, _ in self._keyed))
        formats = 1 + max((entry.format for entry in entries), default=0)
        tails = self._tail_table(formats)
        details = [self._table.place(self._details.get(number, [])) for number in range(formats)]
        json, pairs = self._key_table(pairs=False), self._key_table(pairs=True)
        closings = bytearray()
        finder = ShortcutFinder(Forest(trees, len(self._heads)), kinds_of(self.leaves))
        return _program.Program(
            nodes=self._table.nodes,
            firsts=self._table.firsts,
            roots=_ints(places),
            trees=Trees(finder),
            literals=self._table.literals,
            classes=self._instructions.classes,
            words=_ints(self._instructions.words),
            times=_ints(self._instructions.times),
            tails=_ints(tails),
            details=_ints(details),
            leaves=b"".join(packed(leaf, closings) for leaf in self.leaves) or b"\0",
            closings=bytes(closings),
            slots=slot_table(self.leaves, self._names),
            most_slots=max((leaf.kept for leaf in self.leaves), default=0),
            json=json,
            pairs=pairs,
        )

    @property
    def expected(self) -> tuple[tuple[str, str], ...]:
        """What each node of the program expects, and what behind it."""
        return tuple(self._table.expected)

    def _key_table(self, pairs: bool) -> JsonTable | None:
        """Return the table of JSON's shapes, or of pairs; each gets a leaf; None without shapes."""
        keyed = [(entry, shape) for entry, shape in self._keyed if shape.pairs == pairs]
        if not keyed:
            return None
        shapes = [(shape, entry.layout.vocabulary) for entry, shape in keyed]
        table, found = json_table(shapes, len(self.leaves))
        for (entry, shape), slots in zip(keyed, found, strict=True):
            constants = {
                name: CONSTANT | self._constant(value) for name, value in shape.constants.items()
            }
            self.leaves.append(Leaf(entry, slots | constants, len(set(slots.values()))))
        return table

    def _tail_table(self, formats: int) -> list[int]:
        """Return per format the offset of its tails: more blanks first, each list ended by -1."""
        offsets: list[int] = []
        lists = [-1]
        for number in range(formats):
            own = self._tails.get(number, [])
            offsets.append(formats + (len(lists) if own else 0))
            for tail in sorted(own, key=lambda tail: -tail.blanks):
                lists += [tail.blanks, self._table.place(tail.roots), tail.level, tail.end]
            if own:
                lists.append(-1)
        return offsets + lists


class _Tail:
    """A variant of a layout of what ends a message: where it begins is known by its blanks."""

    def __init__(self, entry: CatalogEntry, variant: tuple[LayoutPart, ...]) -> None:
        literals = [part.text for part in variant if isinstance(part, Literal)]
        self.blanks = sum(text.count(" ") for text in literals)
        if not 0 < self.blanks <= _program.WIDEST_TAIL:
            raise LayoutError(
                entry.layout.text, 0, "the part behind a message must begin with a blank"
            )
        self.level = entry.level
        last = variant[-1]
        self.end = last.text.encode()[-1] if isinstance(last, Literal) else -1
        """The byte it ends in, -1 if any may be."""
        self.roots: list[Node] = []


def _ints(values: list[int]) -> bytes:
    return struct.pack(f"={len(values)}i", *values)
