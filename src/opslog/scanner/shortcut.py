"""Shortcuts: the first nodes of a layout, if no layout declared before it begins alike.

Most lines of a file have one layout.  If its first few nodes match, and no layout declared
before can take such a line, only what is behind these nodes needs to be tried.  The more nodes
match, the less is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from opslog.language.atoms import ANY, byte_set
from opslog.model.severity import vocabulary
from opslog.scanner._program import BEHIND_ALL
from opslog.scanner._shortcut import BEGINNINGS, LONGEST_SHORTCUT
from opslog.scanner.leaf import Kind
from opslog.scanner.prefix import Forest
from opslog.scanner.trie import Node

_MOST_UNTOLD = 6
"""Nodes of a layout behind which it is not looked further if all these tell nothing."""


_NAMED = [byte_set(beginning) for beginning in BEGINNINGS if beginning]
_KINDS = [*_NAMED, ANY & ~sum(_NAMED)]
"""The first bytes of each kind of lines, as bits."""

Link: TypeAlias = tuple[int, int, int, int, int, int]
"""A placed node of a shortcut, and what is known behind it: see ``find``."""


class _Settled(NamedTuple):
    """A way up to a node behind which all layouts are of one kind, and one takes any text."""

    depth: int
    rest: Node
    unsure: int
    """The severities, as bits, at which a line may leave the way where its level stands."""


class ShortcutFinder:
    """Finds the shortcuts of a program's trees, whose nodes are placed."""

    def __init__(self, forest: Forest, kinds: list[Kind]) -> None:
        """``kinds`` are those of the leaves."""
        self.forest = forest
        self._kinds = kinds

    def find(self, leaf: int, kind: int) -> list[Link] | None:
        """Return the shortcut to a leaf, None if there is none.

        It holds for lines that begin with a byte of BEGINNINGS[kind].
        It is a list of placed nodes, each with what is known of a line that has matched it and
        those before: (node, common, limit, branches, settled, unsure).  The line has a layout
        behind the first ``common`` nodes, unless that layout's number is ``limit`` or greater; if
        it is 0, nothing is known.  ``branches`` are those that may still take such a line, as
        bits.  Its layout is of the kind of that of the placed node ``settled``, which keeps one
        capture more than are read by then, unless its severity is among the bits ``unsure``; -1
        if its kind is not known.
        """
        with self.forest.lock:
            way = _path_to(self.forest.roots, leaf)
            return self._along(way, leaf, _KINDS[kind]) if way else None

    def _along(self, way: list[Node], leaf: int, first: int) -> list[Link] | None:
        steps: list[Link] = []
        if not self.forest.may_begin(way[0], first):
            return None
        ends = [node.placed for node in way]
        known = self.forest.competitors(way, first)
        settled = self._settled(way, leaf, first)
        for depth, (competitors, branches) in enumerate(known):
            index = ends[depth]
            if index < 0 or not way[depth].children:
                continue
            common, limit, safe = 0, BEHIND_ALL, 0
            for at, competitor in enumerate(competitors):
                if min(limit, competitor) <= leaf:
                    break
                limit = min(limit, competitor)
                if ends[at] >= 0:
                    common, safe = common + 1, limit
            like, unsure = settled.get(depth, (-1, 0))
            steps.append((index, common, safe, branches, like, unsure))
            if len(steps) == LONGEST_SHORTCUT or (len(steps) == _MOST_UNTOLD and not common):
                break
            if all(competitor == BEHIND_ALL for competitor in competitors):
                break  # what is behind it has nothing beside it
        return steps if any(common for _, common, *_ in steps) else None

    def _settled(self, way: list[Node], leaf: int, first: int) -> dict[int, tuple[int, int]]:
        """Return for each node of a way behind which the kind is known: (settled, unsure)."""
        level = next((n for n, node in enumerate(way) if node.instruction.op == "severity"), None)
        if level is None or self._kinds[leaf].number < 0:
            return {}
        beside = way[level - 1].children if level else self.forest.roots
        literals = [node for node in beside if node.instruction.op == "literal"]
        unsure = _bits_of_words(literals, self._kinds[leaf].words)
        ways = [
            _Settled(depth, rest, unsure)
            for depth in range(level, len(way) - 1)
            for rest in way[depth].children
            if _takes_all(rest) and self._are_alike(way[depth])
        ]
        found: dict[int, tuple[int, int]] = {}
        aside = frozenset(map(id, literals))
        for depth, (competitors, _) in enumerate(self.forest.competitors(way, first, aside)):
            for one in ways:
                if one.depth <= depth and min(competitors[: one.depth + 1]) > one.rest.order:
                    found[depth] = one.rest.placed, one.unsure
                    break
        return found

    def _are_alike(self, node: Node) -> bool:
        """Return whether all layouts behind a node are of one kind."""
        kinds = {self._kinds[leaf].number for leaf in _leaves(node)}
        return len(kinds) == 1 and -1 not in kinds


def _takes_all(node: Node) -> bool:
    """Return whether a node is the end of a layout and takes any text."""
    made = node.instruction
    return made.op == "rest" and node.leaf >= 0 and made.slot >= 0 and not made.width


def _leaves(node: Node) -> Iterator[int]:
    """Yield the leaves behind a node."""
    for child in node.children:
        if child.leaf >= 0:
            yield child.leaf
        yield from _leaves(child)


def _bits_of_words(literals: list[Node], words: str) -> int:
    """Return the severities, as bits, of level words that may stand where one of these does."""
    found = 0
    for word, number in vocabulary(words).items():
        for text in (node.instruction.literal for node in literals):
            if text.startswith(word) or word.startswith(text):
                found |= 1 << number
    return found


def _path_to(siblings: list[Node], leaf: int) -> list[Node]:
    """Return the nodes from a root to a leaf."""
    return next(filter(None, (_below(node, leaf) for node in siblings)), [])


def _below(node: Node, leaf: int) -> list[Node]:
    if node.leaf == leaf:
        return [node]
    below = _path_to(node.children, leaf) if node.children else []
    return [node, *below] if below else []
