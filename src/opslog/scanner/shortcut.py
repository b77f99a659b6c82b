"""Shortcuts: the first nodes of a layout, if no layout declared before it begins alike.

Most lines of a file have one layout.  If its first few nodes match, and no layout declared
before can take such a line, only what is behind these nodes needs to be tried.
"""

from __future__ import annotations

from collections.abc import Callable

from opslog.scanner._prefix import LONGEST_SHORTCUT
from opslog.scanner._program import BEHIND_ALL
from opslog.scanner.prefix import Forest
from opslog.scanner.trie import Node


class ShortcutFinder:
    """Finds the shortcuts of a program's trees.

    ``place`` returns the index of the placed node that ends with a node, None if the node is
    matched together with the next one.
    """

    def __init__(
        self, roots: list[Node], forest: Forest, place: Callable[[Node], int | None]
    ) -> None:
        self._roots = roots
        self._forest = forest
        self._place = place

    def find(self, leaf: int) -> tuple[list[int], int, int, int] | None:
        """Return the shortcut to a leaf: (nodes, common, limit, branches), None if there is none.

        A line that matches the placed ``nodes`` has a layout behind the first ``common`` of them,
        unless that layout's number is ``limit`` or greater.  ``branches`` are those that may
        still take such a line, as bits.  There is no shortcut if it had more nodes than
        LONGEST_SHORTCUT.
        """
        with self._forest.lock:
            return self._along(_path_to(self._roots, leaf), leaf)

    def _along(self, way: list[Node], leaf: int) -> tuple[list[int], int, int, int] | None:
        nodes: list[int] = []
        ends: list[int | None] = [self._place(node) for node in way]
        for depth, (competitors, branches) in enumerate(self._forest.competitors(way, self._roots)):
            index = ends[depth]
            if index is None or not way[depth].children:
                continue
            nodes.append(index)
            if len(nodes) > LONGEST_SHORTCUT:
                return None
            common, limit = 0, BEHIND_ALL
            for at, competitor in enumerate(competitors):
                if min(limit, competitor) <= leaf:
                    break
                limit = min(limit, competitor)
                if ends[at] is not None:
                    common, safe = common + 1, limit
            if common:
                return nodes, common, safe, branches
        return None


def _path_to(siblings: list[Node], leaf: int) -> list[Node]:
    """Return the nodes from a root to a leaf."""
    return next(filter(None, (_below(node, leaf) for node in siblings)), [])


def _below(node: Node, leaf: int) -> list[Node]:
    if node.leaf == leaf:
        return [node]
    below = _path_to(node.children, leaf) if node.children else []
    return [node, *below] if below else []
