"""Which trees of layouts can take a line, by its first bytes.

All trees are followed at once, byte by byte, as a finite automaton whose states are made
when a line first leads to them.  The automaton may allow a tree that does not take the line,
but never rules out one that does: it saves work and does not change the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from threading import Lock
from typing import NamedTuple

from opslog.language.atoms import ANY, Atom, Atoms, many
from opslog.scanner._prefix import LINE_END
from opslog.scanner._program import BEHIND_ALL
from opslog.scanner.instructions import texts_of
from opslog.scanner.trie import Node

_ASCII = (1 << 128) - 1
_BLANKS = many(" ", absent=1)


class Position(NamedTuple):
    """A position of the automaton: the atom of a node that the next byte may be of."""

    atom: Atom | None
    """None at the end of a layout, where nothing may follow."""
    node: Node
    text: int
    """The number of the text, among those one of which the node takes."""
    number: int
    """The number of the atom in this text."""
    way: int
    """The branches that lead to the node, as bits."""
    through: int
    """These, and the branches that begin behind it."""


class Forest:
    """The automaton of a program's trees; its states are numbered, 0 is before the first byte.

    A state is a set of positions.  The branches that lead to them or begin behind them may take
    the line; roots are branches, too.  The trees of the first ``early`` roots are tried before
    the others: while one of them is left, the others need not be told apart.
    """

    def __init__(
        self,
        roots: list[Node],
        early: int,
        origins: Sequence[tuple[int, int]] = (),
        branches: Sequence[int] = (),
    ) -> None:
        """Make the automaton; of states made before, where they come from and their branches."""
        self.roots = roots
        self._count_early = early
        self.lock = Lock()
        """To be held while asking, since states are made by any thread that asks."""
        self._trees = sum({1 << root.branch for root in roots} - {1})
        """The branches of the roots, as bits."""
        self._early = sum({1 << root.branch for root in roots[:early]} - {1})
        self._positions: list[Position] = []
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._known: dict[int, tuple[Atoms, ...]] = {}
        self._after: dict[int, frozenset[int]] = {}
        self._ways: dict[int, int] = {}
        """Per node the branches that lead to it, as bits."""
        self._through: dict[int, int] = {}
        """Per node these, and the branches that begin behind it."""
        self._states: list[frozenset[int] | None] = []
        """Per state its positions; None of one made before, until something leads on from it."""
        self._origins: list[tuple[int, int]] = []
        """Per state one that leads there, and by which byte."""
        self._by_positions: dict[frozenset[int], int] = {}
        self.branches: list[int] = []
        """Per state its branches, as bits; that of nodes without a number is always set."""
        self.told: list[int] = []
        """Per state a number that stands for its branches."""
        self._told: dict[int, int] = {}
        self.settled: list[bool] = []
        """Per state whether further bytes make no difference."""
        begin: set[int] = set()
        for root in roots:
            self._branch(root, 1)
            self._enter(root, begin)
        self._state(frozenset(begin), (0, 0))
        for origin, told in zip(origins[1:], branches[1:], strict=True):
            self._add(None, origin, told, settled=False)

    def __reduce__(self) -> tuple[type[Forest], tuple[object, ...]]:
        """Pickle the trees, and of the states as much as finds their positions again."""
        return Forest, (self.roots, self._count_early, self._origins, self.branches)

    def _branch(self, node: Node, above: int) -> int:
        """Fill in the branches through a node; return its own and those below it."""
        own = above | 1 << node.branch
        self._ways[id(node)] = own
        below = 0
        for child in node.children:
            below |= self._branch(child, own)
        self._through[id(node)] = own | below
        return below | 1 << node.branch

    def step(self, state: int, byte: int) -> tuple[int, int]:
        """Return the state that ``byte`` leads to, and the ASCII bytes that lead there, as bits.

        LINE_END leads to what may take a line that ends here.
        """
        found, alike = self._led_by(state, byte)
        return self._state(found, (state, byte)), alike & _ASCII

    def _led_by(self, state: int, byte: int) -> tuple[frozenset[int], int]:
        """Return the positions that a byte leads to, and which bytes do so, as bits."""
        found: set[int] = set()
        alike = ANY
        for number in self._positions_of(state):
            atom = self._positions[number].atom
            if byte == LINE_END:
                if atom is None:
                    found.add(number)
            elif atom is None:
                continue
            elif atom.bytes >> byte & 1:
                found |= self._behind(number)
                alike &= atom.bytes
            else:
                alike &= ~atom.bytes
        return frozenset(found), alike

    def _positions_of(self, state: int) -> frozenset[int]:
        """Return the positions of a state; of one made before they are found by what led there."""
        way = []
        while self._states[state] is None:
            way.append(state)
            state = self._origins[state][0]
        for number in reversed(way):
            found, _ = self._led_by(*self._origins[number])
            self._states[number] = found
            self.settled[number] = self._is_settled(found, self.branches[number])
            self._by_positions.setdefault(found, number)
            state = number
        positions = self._states[state]
        assert positions is not None
        return positions

    def competitors(
        self, way: list[Node], first: int, aside: frozenset[int] = frozenset()
    ) -> Iterator[tuple[list[int], int]]:
        """Yield for each node of a way what else may take a line that begins as the way up to it.

        Such a line may be of a layout that leaves the way before its first node, before its
        second, ...: for each the number of the first such layout, BEHIND_ALL if there is none.
        With them come all branches that may take the line, as bits.  The line begins with one
        of the bytes ``first``, as bits; nodes whose id() is in ``aside`` do not take it.
        """
        leaving: list[set[int]] = []
        siblings = self.roots
        for node in way:
            others: set[int] = set()
            for other in siblings:
                if other is not node and id(other) not in aside:
                    self._enter(other, others)
            if node is way[0]:
                others = {number for number in others if self._begins(number, first)}
            leaving.append(others)
            texts = self._texts(node)
            leaving = [
                set().union(*(self._reachable(off, text) for text in texts)) if off else off
                for off in leaving
            ]
            left = [[self._positions[position] for position in off] for off in leaving]
            branches = self._through[id(node)] | 1
            for one in chain.from_iterable(left):
                branches |= one.through
            yield [min((p.node.order for p in off), default=BEHIND_ALL) for off in left], branches
            siblings = node.children

    def may_begin(self, node: Node, first: int) -> bool:
        """Return whether a text of a node may begin with one of the bytes, or is empty."""
        found: set[int] = set()
        self._enter(node, found)
        return any(self._begins(position, first) for position in found)

    def _begins(self, position: int, first: int) -> bool:
        """Return whether one of the bytes may be read at a position, or none need be."""
        atom = self._positions[position].atom
        return atom is None or atom.bytes & first != 0

    def _reachable(self, positions: set[int], atoms: Atoms) -> set[int]:
        """Return the positions to which texts of the atoms may lead from these."""
        before: list[set[int]] = [positions, *(set() for _ in atoms)]
        for number, atom in enumerate(atoms):
            before[number + atom.absent] |= before[number]
            waiting = before[number]
            while waiting:
                after: set[int] = set()
                for position in waiting:
                    other = self._positions[position].atom
                    if other is not None and other.bytes & atom.bytes:
                        after |= self._behind(position)
                waiting = after - before[number + 1] if atom.repeats else set()
                before[number + 1] |= after
        return before[-1]

    def _texts(self, node: Node) -> tuple[Atoms, ...]:
        """Return the texts one of which a node takes."""
        texts = self._known.get(id(node))
        if texts is None:
            texts, width = texts_of(node.instruction), node.instruction.width
            if width < 0:
                texts = tuple((_BLANKS, *atoms) for atoms in texts)
            elif width:
                texts = tuple((*atoms, _BLANKS) for atoms in texts)
            self._known[id(node)] = texts
        return texts

    def _state(self, numbers: frozenset[int], origin: tuple[int, int]) -> int:
        if numbers not in self._by_positions:
            self._by_positions[numbers] = len(self._states)
            branches = 1
            for number in numbers:
                branches |= self._positions[number].through
            self._add(numbers, origin, branches, self._is_settled(numbers, branches))
        return self._by_positions[numbers]

    def _add(
        self, numbers: frozenset[int] | None, origin: tuple[int, int], branches: int, settled: bool
    ) -> None:
        self._states.append(numbers)
        self._origins.append(origin)
        self.branches.append(branches)
        self.told.append(self._told.setdefault(branches, len(self._told)))
        self.settled.append(settled)

    def _is_settled(self, numbers: frozenset[int], branches: int) -> bool:
        """Return whether further bytes rule out nothing, or only one way is left."""
        positions = [self._positions[number] for number in numbers]
        trees = branches & self._trees
        if all(p.atom is not None and p.atom.repeats and p.atom.bytes == ANY for p in positions):
            return True
        left = trees & self._early or trees
        if left & (left - 1):
            return False
        ways = [position.way for position in positions if position.way & left]
        together = 0
        for way in ways:
            together |= way
        return together in ways

    def _behind(self, position: int) -> frozenset[int]:
        """Return the positions behind one whose byte was read."""
        if position not in self._after:
            atom, node, text, index, *_ = self._positions[position]
            found: set[int] = set()
            if atom is not None and atom.repeats:
                found.add(position)
            self._arrive(node, text, index + 1, found)
            self._after[position] = frozenset(found)
        return self._after[position]

    def _enter(self, node: Node, found: set[int]) -> None:
        for text in range(len(self._texts(node))):
            self._arrive(node, text, 0, found)

    def _arrive(self, node: Node, text: int, index: int, found: set[int]) -> None:
        atoms = self._texts(node)[text]
        if index < len(atoms) or not node.children:
            key = (id(node), text, index)
            number = self._numbers.setdefault(key, len(self._positions))
            if number == len(self._positions):
                atom = atoms[index] if index < len(atoms) else None
                way, through = self._ways[id(node)], self._through[id(node)]
                self._positions.append(Position(atom, node, text, index, way, through))
            if number in found:
                return
            found.add(number)
        if index == len(atoms):
            for child in node.children:
                self._enter(child, found)
        elif atoms[index].absent:
            self._arrive(node, text, index + atoms[index].absent, found)
