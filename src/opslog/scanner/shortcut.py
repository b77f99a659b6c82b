"""Shortcuts: where a line's beginning says that one part of the tree takes it, or none.

Most lines of a file are of one layout, and mostly its first few nodes are of no other
layout declared before.  Where they match, nothing else needs to be tried.
"""

from __future__ import annotations

from collections.abc import Callable

from opslog.scanner._prefix import LONGEST_SHORTCUT
from opslog.scanner.prefix import LAST, Forest
from opslog.scanner.trie import Node


class ShortcutFinder:
    """Finds the shortcuts of a program's trees.

    ``place`` gives for a node the index of the placed node that ends with it, None where
    it is matched together with the next.
    """

    def __init__(
        self, roots: list[Node], forest: Forest, place: Callable[[Node], int | None]
    ) -> None:
        self._roots = roots
        self._forest = forest
        self._place = place

    def find(self, leaf: int) -> tuple[list[int], int, int, int] | None:
        """Return the first nodes on the way to a leaf behind which few layouts are left.

        With them comes how many of them need not be left again: behind those all that
        may take such a line is found, but for layouts from the number on that comes third;
        the branches left there come fourth, as bits.
        None if there are no such nodes, or too many.
        """
        with self._forest.lock:
            return self._along(_way(self._roots, leaf), leaf)

    def _along(self, way: list[Node], leaf: int) -> tuple[list[int], int, int, int] | None:
        nodes: list[int] = []
        ends: list[int | None] = [self._place(node) for node in way]
        for depth, (rivals, branches) in enumerate(self._forest.rivals(way, self._roots)):
            index = ends[depth]
            if index is None or not way[depth].children:
                continue
            nodes.append(index)
            if len(nodes) > LONGEST_SHORTCUT:
                return None
            common, limit = 0, LAST
            for at, rival in enumerate(rivals):
                if min(limit, rival) <= leaf:
                    break
                limit = min(limit, rival)
                if ends[at] is not None:
                    common, safe = common + 1, limit
            if common:
                return nodes, common, safe, branches
        return None


def _way(siblings: list[Node], leaf: int) -> list[Node]:
    """Return the nodes from a root to a leaf."""
    return next(filter(None, (_below(node, leaf) for node in siblings)), [])


def _below(node: Node, leaf: int) -> list[Node]:
    if node.leaf == leaf:
        return [node]
    below = _way(node.children, leaf) if node.children else []
    return [node, *below] if below else []
