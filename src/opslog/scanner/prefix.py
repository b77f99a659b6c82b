"""What a line's first bytes say: which trees of layouts can take it at all.

All trees are followed at once, byte by byte, as a finite automaton made on
demand; what it allows may be more than a layout takes, never less.  So most
trees need not be tried on most lines, however many there are, and what a line
is taken for does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from threading import Lock
from typing import NamedTuple, TypeAlias

from opslog.scanner._prefix import MOST_TREES
from opslog.scanner.trie import TOKENS, Node, Step

ANY = (1 << 256) - 1
_ASCII = (1 << 128) - 1


def mask(members: Iterable[int]) -> int:
    """Return the set of bytes as bits of a number."""
    found = 0
    for byte in members:
        found |= 1 << byte
    return found


_DIGITS = mask(b"0123456789")
_LETTERS = mask(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HEX = _DIGITS | mask(b"abcdefABCDEF")
_SOLID = ANY & ~mask(b" ")
_TOKEN = ANY & ~mask(b" \t[]\x1b")
_HOST = _DIGITS | _LETTERS | mask(b".:-_%")


class Atom(NamedTuple):
    """One byte, or any number of them from one on; it may be missing."""

    bytes: int
    repeats: bool = False
    absent: int = 0
    """If it is not 0, how many atoms from this one on may be missing together."""


Atoms: TypeAlias = list[Atom]
"""What a step takes, one behind the other."""

_ISO = [Atom(_DIGITS)] * 4 + [
    Atom(mask(b"-")), Atom(_DIGITS), Atom(_DIGITS), Atom(mask(b"-")), Atom(_DIGITS), Atom(_DIGITS),
    Atom(mask(b" T")), Atom(_DIGITS), Atom(_DIGITS), Atom(mask(b":")), Atom(_DIGITS), Atom(_DIGITS),
    Atom(mask(b":")), Atom(_DIGITS), Atom(_DIGITS),
    Atom(mask(b".,"), absent=2), Atom(_DIGITS, repeats=True),
    Atom(mask(b"."), absent=2), Atom(_DIGITS, repeats=True),
    Atom(mask(b"Z"), absent=1),
    Atom(mask(b"+-"), absent=6), Atom(_DIGITS), Atom(_DIGITS), Atom(mask(b":"), absent=1),
    Atom(_DIGITS), Atom(_DIGITS),
]  # fmt: skip

_COLORS = [
    Atom(mask(b"\x1b#^"), absent=2), Atom(mask(b"\x1b#^[0123456789;m"), repeats=True)
]  # fmt: skip

_FIXED: dict[str, Atoms] = {
    "rest": [Atom(ANY, True, 1)],
    "text": [Atom(ANY, True, 1)],
    "quoted": [Atom(ANY, True, 1)],
    "structure": [Atom(mask(b"[")), Atom(ANY, True)],
    "number": [Atom(_DIGITS | mask(b"."), True)],
    "int?": [Atom(_DIGITS | mask(b"-"), True)],
    "pri": [Atom(_DIGITS, True)],
    "uuid": [Atom(_HEX | mask(b"-"), True)],
    "id": [Atom(_HEX | mask(b"-None"), True)],
    "request": [Atom(_DIGITS | _LETTERS | mask(b"-._"), True)],
    "source": [Atom(_SOLID, True)],
    "address": [Atom(_HOST, True)],
    "url": [Atom(mask(b"h")), Atom(_SOLID, True)],
    "resource": [Atom(_LETTERS | mask(b"_"), True)],
    "token": [Atom(_TOKEN, True)],
    "token?": [Atom(_TOKEN, True, 1)],
    "iso": _ISO,
    "colors": _COLORS,
    "end": [],
}

_BLANKS = Atom(mask(b" "), True, 1)

LAST = (1 << 31) - 1
"""Behind every layout."""

_UNKNOWN = [Atom(ANY, True, 1)]

_TIMES: dict[str, Atoms] = {
    "Y": [Atom(_DIGITS)] * 4,
    "b": [Atom(_LETTERS)] * 3,
    "a": [Atom(_LETTERS)] * 3,
    "Z": [Atom(_LETTERS)] * 3,
    "e": [Atom(mask(b" "), True, 1), Atom(_DIGITS), Atom(_DIGITS, absent=1)],
    "k": [Atom(_DIGITS | mask(b" ")), Atom(_DIGITS, absent=1)],
    "f": [Atom(_DIGITS, True)],
    "L": [Atom(_DIGITS, True)],
    "s": [Atom(_DIGITS, True)],
    "z": [Atom(mask(b"Z+-")), Atom(_DIGITS | mask(b":"), True, 1)],
}


def time_atoms(program: Iterable[int], directive: int) -> Atoms:
    """Return the atoms of a time's program: literal bytes, and directives from ``directive`` on."""
    atoms: Atoms = []
    for code in program:
        if code < directive:
            atoms.append(Atom(1 << code))
        else:
            atoms += _TIMES.get(chr(code - directive), [Atom(_DIGITS)] * 2)
    return atoms


def fixed_atoms(step: Step) -> Atoms:
    """Return the atoms of a step that is the same whatever its arguments."""
    atoms = _FIXED.get(step.op, _UNKNOWN)
    if step.op == "request" and step.a:
        return [Atom(atoms[0].bytes, True, 1)]
    if step.op in TOKENS:
        return [atoms[0]._replace(bytes=_TOKEN & ~(1 << step.a))]
    return atoms


def first_bytes(texts: list[Atoms]) -> int:
    """Return the bytes one of which each of the texts begins with; all if none need be there."""
    found = 0
    for atoms in texts:
        at, more = 0, True
        while more and at < len(atoms):
            found |= atoms[at].bytes
            more = atoms[at].absent > 0
            at += atoms[at].absent
        if more:
            return ANY
    return found


class Place(NamedTuple):
    """Where the next byte is expected: at an atom of a node."""

    atom: Atom | None
    """None where nothing may follow."""
    node: Node
    text: int
    number: int
    """The atom's, among those of one of the node's texts."""
    tree: int
    """The node's tree, as a bit."""


class Forest:
    """Where the trees of a program may be after the bytes read so far, as numbered states.

    State 0 is before the first byte.  A state stands for places; the trees and the
    numbered branches on whose way they are, or which begin behind them, may take a
    line.  States are made when a line first leads to them.  The first ``early`` trees
    are tried before the others: where one of them is left, these need not be told apart.
    """

    def __init__(
        self, roots: list[Node], early: int, texts_of: Callable[[Step], list[Atoms]]
    ) -> None:
        self.lock = Lock()
        """To be held by who asks: another thread may come between any two steps."""
        self._texts_of = texts_of
        self._early = (1 << min(early, MOST_TREES - 1)) - 1
        self._places: list[Place] = []
        self._numbers: dict[tuple[int, int, int, int], int] = {}
        self._known: dict[int, list[Atoms]] = {}
        self._after: dict[int, frozenset[int]] = {}
        self._ways: dict[int, int] = {}
        """Per node the branches it stands in, as bits."""
        self._below: dict[int, int] = {}
        """Per node the branches that begin behind it."""
        self._states: list[frozenset[int]] = []
        self._by_places: dict[frozenset[int], int] = {}
        self.trees: list[int] = []
        """Per state its trees, as bits; the last one stands for all from there on."""
        self.branches: list[int] = []
        """Per state its branches, as bits; that of nodes without a number is always set."""
        self.told: list[int] = []
        """Per state a number that stands for its trees and branches."""
        self._told: dict[tuple[int, int], int] = {}
        self.settled: list[bool] = []
        """Per state whether further bytes make no difference."""
        begin: set[int] = set()
        for number, root in enumerate(roots):
            self._branch(root, 1)
            self._enter(root, 1 << min(number, MOST_TREES - 1), begin)
        self._state(frozenset(begin))

    def _branch(self, node: Node, above: int) -> int:
        """Note the branches a node stands in and those behind it; return all from it on."""
        own = above | 1 << node.branch
        self._ways[id(node)] = own
        below = 0
        for child in node.children:
            below |= self._branch(child, own)
        self._below[id(node)] = below
        return below | 1 << node.branch

    def step(self, state: int, byte: int) -> tuple[int, int]:
        """Return the state that ``byte`` leads to, and all bytes that lead there alike."""
        found: set[int] = set()
        alike = ANY
        for number in self._states[state]:
            atom = self._places[number].atom
            if atom is None:
                continue
            if atom.bytes >> byte & 1:
                found |= self._behind(number)
                alike &= atom.bytes
            else:
                alike &= ~atom.bytes
        return self._state(frozenset(found)), alike & _ASCII

    def rivals(self, way: list[Node], roots: list[Node]) -> Iterator[tuple[list[int], int]]:
        """Yield for each node of a way the first layouts off the way that may be on a line so far.

        What begins as the way does up to the node may be of layouts that leave the way
        before its first node, before its second, ...: for each the earliest that is left.
        With them come all branches that are left, as bits.
        """
        leaving: list[set[int]] = []
        siblings = roots
        for node in way:
            others: set[int] = set()
            for other in siblings:
                if other is not node:
                    self._enter(other, 0, others)
            leaving.append(others)
            texts = self._texts(node)
            leaving = [set().union(*(self._led(off, text) for text in texts)) for off in leaving]
            left = [[self._places[place].node for place in off] for off in leaving]
            branches = 1
            for one in (node, *chain.from_iterable(left)):
                branches |= self._ways[id(one)] | self._below[id(one)]
            yield [min((one.order for one in off), default=LAST) for off in left], branches
            siblings = node.children

    def _led(self, places: set[int], atoms: Atoms) -> set[int]:
        """Return where what the atoms take may lead from these places."""
        before: list[set[int]] = [places, *(set() for _ in atoms)]
        for number, atom in enumerate(atoms):
            before[number + atom.absent] |= before[number]
            waiting = before[number]
            while waiting:
                after: set[int] = set()
                for place in waiting:
                    other = self._places[place].atom
                    if other is not None and other.bytes & atom.bytes:
                        after |= self._behind(place)
                waiting = after - before[number + 1] if atom.repeats else set()
                before[number + 1] |= after
        return before[-1]

    def _texts(self, node: Node) -> list[Atoms]:
        """Return the texts one of which a node takes."""
        texts = self._known.get(id(node))
        if texts is None:
            texts = self._texts_of(node.step)
            if node.step.width < 0:
                texts = [[_BLANKS, *atoms] for atoms in texts]
            elif node.step.width:
                texts = [[*atoms, _BLANKS] for atoms in texts]
            self._known[id(node)] = texts
        return texts

    def _state(self, numbers: frozenset[int]) -> int:
        if numbers not in self._by_places:
            self._by_places[numbers] = len(self._states)
            self._states.append(numbers)
            places = [self._places[number] for number in numbers]
            trees, branches = 0, 1
            for place in places:
                trees |= place.tree
                branches |= self._ways[id(place.node)] | self._below[id(place.node)]
            self.trees.append(trees)
            self.branches.append(branches)
            self.told.append(self._told.setdefault((trees, branches), len(self._told)))
            self.settled.append(self._is_settled(places, trees))
        return self._by_places[numbers]

    def _is_settled(self, places: list[Place], trees: int) -> bool:
        """Return whether what is there stays whatever follows, or is one way only."""
        if all(p.atom is not None and p.atom.repeats and p.atom.bytes == ANY for p in places):
            return True
        left = trees & self._early or trees
        if left & (left - 1):
            return False
        ways = [self._ways[id(place.node)] for place in places if place.tree & left]
        together = 0
        for way in ways:
            together |= way
        return together in ways

    def _behind(self, place: int) -> frozenset[int]:
        """Return the places where the next byte is expected behind one that was taken."""
        if place not in self._after:
            atom, node, text, index, tree = self._places[place]
            found: set[int] = set()
            if atom is not None and atom.repeats:
                found.add(place)
            self._arrive(node, text, index + 1, tree, found)
            self._after[place] = frozenset(found)
        return self._after[place]

    def _enter(self, node: Node, tree: int, found: set[int]) -> None:
        for text in range(len(self._texts(node))):
            self._arrive(node, text, 0, tree, found)

    def _arrive(self, node: Node, text: int, index: int, tree: int, found: set[int]) -> None:
        atoms = self._texts(node)[text]
        if index < len(atoms) or not node.children:
            key = (id(node), text, index, tree)
            number = self._numbers.setdefault(key, len(self._places))
            if number == len(self._places):
                atom = atoms[index] if index < len(atoms) else None
                self._places.append(Place(atom, node, text, index, tree))
            if number in found:
                return
            found.add(number)
        if index == len(atoms):
            for child in node.children:
                self._enter(child, tree, found)
        elif atoms[index].absent:
            self._arrive(node, text, index + atoms[index].absent, tree, found)
