"""Variants of layouts as a tree: what begins alike is matched once.

A node knows the number of the first layout that goes through it, so that the
scanner finds the first layout, in the order they were added, that takes a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from opslog.scanner.instructions import Described, Instruction, literal


@dataclass(slots=True)
class Node:
    """A step in the tree: its layouts' first number, what it expects, what may follow."""

    instruction: Instruction
    order: int
    meaning: str
    children: list[Node] = field(default_factory=list)
    leaf: int = -1
    branch: int = 0
    """A number that tells it from its siblings where prefix.py may tell them apart."""
    placed: int = -1
    """The index of the placed node that ends with it; -1 if that goes on, or none is placed."""


def insert(siblings: list[Node], steps: list[Described], order: int) -> None:
    """Add the steps of a variant below ``siblings``; the node of the last one is its leaf.

    Literals share a node as far as they begin alike, the last step shares none.
    """
    waiting = steps[::-1]
    node: Node | None = None
    while waiting:
        instruction, meaning = waiting.pop()
        node = None
        if instruction.op == "literal":
            node = _sharing(siblings, instruction.literal)
            rest = instruction.literal[len(node.instruction.literal) :] if node else ""
            if rest:
                waiting.append(literal(rest))
        elif waiting:
            node = _same(siblings, instruction)
        if node is None:
            node = Node(instruction, order, meaning)
            siblings.append(node)
        siblings = node.children
    assert node is not None, "a variant has steps"
    node.leaf = order


def _same(siblings: list[Node], instruction: Instruction) -> Node | None:
    """Return the sibling that does the same, None if there is none."""
    for node in siblings:
        if node.instruction == instruction:
            return node
    return None


def _sharing(siblings: list[Node], text: str) -> Node | None:
    """Return a sibling that is a literal ``text`` begins with, splitting one if need be."""
    for node in siblings:
        own = node.instruction.literal
        if node.instruction.op != "literal" or own[0] != text[0]:
            continue
        if not text.startswith(own):
            shared = min(len(own), len(text))
            size = next((at for at in range(shared) if own[at] != text[at]), shared)
            step, meaning = literal(own[size:])
            node.children = [Node(step, node.order, meaning, node.children)]
            node.instruction, node.meaning = literal(own[:size])
        return node
    return None


def depth(siblings: list[Node]) -> int:
    """Return how many nodes the longest way down has."""
    return sum(1 for _ in _levels(siblings))


def number(roots: list[Node], most: int) -> None:
    """Give nodes numbers below ``most``: the roots from 1 on, then those that have siblings.

    Those near the roots come first.  Where numbers run out, 0 stands for any node.
    """
    free = iter(range(1, most))
    for root in roots:
        root.branch = next(free, 0)
    for level in _levels(roots):
        for node in level:
            if len(node.children) > 1:
                for child in node.children:
                    child.branch = next(free, 0)


def _levels(siblings: list[Node]) -> Iterator[list[Node]]:
    """Yield the nodes next to the roots, then those below them, and so on."""
    while siblings:
        yield siblings
        siblings = [child for node in siblings for child in node.children]
