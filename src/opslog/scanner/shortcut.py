"""Shortcuts: the first nodes of a layout, if no layout declared before it begins alike.

Most lines of a file have one layout.  If its first few nodes match, and no layout declared
before can take such a line, only what is behind these nodes needs to be tried.  The more nodes
match, the less is left.
"""

from __future__ import annotations

from typing import TypeAlias

from opslog.language.atoms import ANY, byte_set
from opslog.scanner._program import BEHIND_ALL
from opslog.scanner._shortcut import BEGINNINGS, LONGEST_SHORTCUT
from opslog.scanner.prefix import Forest
from opslog.scanner.trie import Node

_MOST_UNTOLD = 6
"""Nodes of a layout behind which it is not looked further if all these tell nothing."""


_NAMED = [byte_set(beginning) for beginning in BEGINNINGS if beginning]
_KINDS = [*_NAMED, ANY & ~sum(_NAMED)]
"""The first bytes of each kind of lines, as bits."""

Link: TypeAlias = tuple[int, int, int, int]
"""A placed node of a shortcut, and what is known behind it: see ``find``."""


class ShortcutFinder:
    """Finds the shortcuts of a program's trees, whose nodes are placed."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest

    def find(self, leaf: int, kind: int) -> list[Link] | None:
        """Return the shortcut to a leaf, None if there is none.

        It holds for lines that begin with a byte of BEGINNINGS[kind].
        It is a list of placed nodes, each with what is known of a line that has matched it and
        those before: (node, common, limit, branches).  The line has a layout behind the first
        ``common`` nodes, unless that layout's number is ``limit`` or greater; if it is 0, nothing
        is known.  ``branches`` are those that may still take such a line, as bits.
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
            steps.append((index, common, safe, branches))
            if len(steps) == LONGEST_SHORTCUT or (len(steps) == _MOST_UNTOLD and not common):
                break
            if all(competitor == BEHIND_ALL for competitor in competitors):
                break  # what is behind it has nothing beside it
        return steps if any(common for _, common, _, _ in steps) else None


def _path_to(siblings: list[Node], leaf: int) -> list[Node]:
    """Return the nodes from a root to a leaf."""
    return next(filter(None, (_below(node, leaf) for node in siblings)), [])


def _below(node: Node, leaf: int) -> list[Node]:
    if node.leaf == leaf:
        return [node]
    below = _path_to(node.children, leaf) if node.children else []
    return [node, *below] if below else []
