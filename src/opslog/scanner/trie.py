"""Variants of layouts as a tree: what begins alike is matched once.

A node knows the number of the first layout that goes through it, so that the
scanner finds the first layout, in the order they were added, that takes a line.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from opslog.scanner import _program

TOKENS = ("token", "token?")
_WORD = (1 << 64) - 1
_ASCII = (1 << 128) - 1


class Step(NamedTuple):
    """One node before it has a place: operation, two arguments, the capture's slot and width."""

    op: str
    a: int = 0
    b: int = 0
    slot: int = -1
    width: int = 0


@dataclass(slots=True)
class Node:
    """A step in the tree: its layouts' first number, what it expects, what may follow."""

    step: Step
    order: int
    meaning: str
    children: list[Node] = field(default_factory=list)
    leaf: int = -1
    branch: int = 0
    """A number that tells it from its siblings where prefix.py may tell them apart."""


class Trie:
    """The tree of all layouts, and the literals they hold."""

    def __init__(self, first_bytes: Callable[[Step], int]) -> None:
        self._first_bytes = first_bytes
        self.literals = b""
        self.nodes: list[tuple[int, ...]] = []
        self.firsts: list[int] = []
        """What each placed node may begin with, the ASCII bytes as bits."""
        self._ends: dict[int, int] = {}
        """Index of the placed node behind which a list of nodes stands, by the list's id."""
        self.expected: list[tuple[str, str]] = []
        """What each placed node expects, and what behind it."""

    def literal(self, text: str) -> int:
        """Return the offset of ``text`` in the literals."""
        raw = text.encode()
        place = self.literals.find(raw)
        if place < 0:
            place = len(self.literals)
            self.literals += raw
        return place

    def insert(self, siblings: list[Node], steps: list[tuple[Step, str]], order: int) -> None:
        """Add a variant (its steps and what each means) below ``siblings``; it ends in a leaf."""
        node: Node | None = None
        waiting = list(steps)
        while waiting:
            step, meaning = waiting.pop(0)
            if step.op == "literal":
                node = self._shared_literal(siblings, step)
                if node is not None:
                    rest = self.text(step)[len(self.text(node.step)) :]
                    if rest:
                        waiting.insert(0, (self.literal_step(rest), repr(rest)))
                    siblings = node.children
                    continue
            node = next((n for n in siblings if n.step == step), None) if waiting else None
            if node is None:
                node = Node(step, order, meaning)
                siblings.append(node)
            siblings = node.children
        assert node is not None
        node.leaf = order

    def _shared_literal(self, siblings: list[Node], step: Step) -> Node | None:
        """Return a sibling that is a literal ``step`` begins with, splitting one if need be."""
        text = self.text(step)
        for node in siblings:
            if node.step.op != "literal":
                continue
            own = self.text(node.step)
            size = sum(
                1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, text, strict=False))
            )
            if not size:
                continue
            common = own[:size]
            if len(common) < len(own):
                rest = own[len(common) :]
                lower = Node(self.literal_step(rest), node.order, repr(rest), node.children)
                node.step, node.meaning = self.literal_step(common), repr(common)
                node.children = [lower]
            return node
        return None

    def text(self, step: Step) -> str:
        """Return the text of a literal step."""
        return self.literals[step.a : step.a + step.b].decode()

    def _word(self, step: Step) -> int:
        """Return the first 8 bytes of a literal as the scanner loads them."""
        if step.op != "literal":
            return 0
        return int.from_bytes(self.literals[step.a : step.a + min(step.b, 8)], sys.byteorder)

    def literal_step(self, text: str) -> Step:
        """Return the step that matches ``text``."""
        return Step("literal", self.literal(text), len(text.encode()))

    def depth(self, siblings: list[Node]) -> int:
        """Return how many nodes the longest way down has."""
        deepest, level = 0, siblings
        while level:
            deepest += 1
            level = [child for node in level for child in node.children]
        return deepest

    def number(self, roots: list[Node], most: int) -> None:
        """Give nodes that have siblings numbers from 1 on, those near the roots first."""
        level, free = roots, iter(range(1, most))
        while level:
            for node in level:
                if len(node.children) > 1:
                    for child in node.children:
                        child.branch = next(free, 0)
            level = [child for node in level for child in node.children]

    def place(self, siblings: list[Node]) -> int:
        """Append nodes that are tried in turn, and all below them; return the first's index."""
        following = -1
        for node in reversed(siblings):
            # A literal that must follow costs no node of its own.
            then, below = Step("literal"), node.children
            if len(below) == 1 and below[0].step.op == "literal" and node.step.op != "literal":
                then, meaning, below = below[0].step, below[0].meaning, below[0].children
            else:
                meaning = ""
            step = node.step
            if step.op in TOKENS and not step.width and then.op == "literal" and then.b:
                step, then, meaning, below = self._tokens(step, then, meaning, below)
            child = self.place(below)
            self.nodes.append(
                (_program.OPS[step.op], step.a, step.b, step.slot, child, following, node.leaf,
                 node.order, then.a, then.b, step.b - 1 if step.op in TOKENS else 0, node.branch,
                 step.width, self._word(step), self._word(then))
            )  # fmt: skip
            self._ends[id(below)] = len(self.nodes) - 1
            self.firsts.append(self._first_bytes(node.step) & _ASCII)
            self.expected.append((node.meaning, meaning))
            following = len(self.nodes) - 1
        return following

    def _tokens(
        self, step: Step, then: Step, meaning: str, below: list[Node]
    ) -> tuple[Step, Step, str, list[Node]]:
        """Join captures that follow each other with a blank between into one node."""
        count = 1
        while (
            self.text(then) == " "
            and len(below) == 1
            and below[0].step.op == step.op
            and below[0].step.slot == step.slot + count
            and not below[0].step.width
            and step.slot >= 0
            and len(below[0].children) == 1
            and below[0].children[0].step.op == "literal"
        ):
            literal = below[0].children[0]
            then, meaning, stop = literal.step, literal.meaning, below[0].step.a
            below, count = literal.children, count + 1
            step = step._replace(a=stop)
        return step._replace(b=count), then, meaning, below

    def placed(self, node: Node) -> int | None:
        """Return the index of the placed node that ends with this one; None if it goes on."""
        return self._ends.get(id(node.children))

    def packed(self) -> bytes:
        """Return the placed nodes as the scanner reads them."""
        return b"".join(struct.pack("=10i2hi2Q", *node) for node in self.nodes)

    def packed_firsts(self) -> bytes:
        """Return the ASCII bytes that each placed node may begin with, two words a node."""
        return b"".join(struct.pack("=2Q", m & _WORD, m >> 64) for m in self.firsts)
