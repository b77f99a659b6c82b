"""Trees of layouts as the table of nodes that the scanner reads: struct Node of _program.pxd."""

from __future__ import annotations

import struct
import sys

from opslog.language.atoms import ANY, first_bytes
from opslog.scanner import _program
from opslog.scanner.instructions import TOKENS, Instruction
from opslog.scanner.trie import Node

_NODE = struct.Struct("=10i2Bhi2Q")
_FIRSTS = struct.Struct("=2Q")
_MOST_JOINED = 8
"""A node has a bit for each capture that ends there."""
assert _NODE.size == _program.NODE_SIZE


class NodeTable:
    """The nodes placed so far, each behind all that is below it, and the literals they name."""

    def __init__(self) -> None:
        self.expected: list[tuple[str, str]] = []
        """What each placed node expects, and what behind it."""
        self._nodes: list[bytes] = []
        self._firsts: list[bytes] = []
        self._literals = b""
        self._known: dict[str, tuple[int, int, int]] = {}

    @property
    def nodes(self) -> bytes:
        """The placed nodes."""
        return b"".join(self._nodes)

    @property
    def firsts(self) -> bytes:
        """The ASCII bytes that each placed node may begin with, as bits of two 64-bit words."""
        return b"".join(self._firsts)

    @property
    def literals(self) -> bytes:
        """The text in which all literals stand."""
        return self._literals or b"\0"

    def place(self, siblings: list[Node]) -> int:
        """Append nodes that are tried in turn, and all below them.

        Returns the index of the first of them, -1 if there is none.
        """
        following = -1
        for node in reversed(siblings):
            following = self._place(node, following)
        return following

    def _place(self, node: Node, following: int) -> int:
        instruction, behind = node.instruction, None
        if instruction.op != "literal":
            behind = _only_literal(node.children)
        if behind is not None and instruction.op in TOKENS and not instruction.width:
            instruction, behind = _joined(instruction, behind)
        # A literal that must follow costs no node of its own.
        below, then, meaning = node.children, (0, 0, 0), ""
        if behind is not None:
            below, meaning = behind.children, behind.meaning
            then = self._literal(behind.instruction.literal)
        child = self.place(below)
        a, b, word = instruction.a, instruction.b, 0
        if instruction.literal:
            a, b, word = self._literal(instruction.literal)
        self._nodes.append(
            _NODE.pack(
                _program.OPS[instruction.op],
                a,
                b,
                instruction.slot,
                child,
                following,
                node.leaf,
                node.order,
                *then[:2],
                instruction.b - 1 if instruction.op in TOKENS else 0,
                instruction.naming,
                node.branch,
                instruction.width,
                word if instruction.op == "literal" else 0,
                then[2],
            )
        )
        if instruction.op == "literal":
            first = 1 << self._literals[a]
        else:
            first = ANY if instruction.width else first_bytes(node.instruction.texts)
        self._firsts.append(_FIRSTS.pack(first & _WORD, first >> 64 & _WORD))
        self.expected.append((node.meaning, meaning))
        (behind or node).placed = len(self._nodes) - 1
        return len(self._nodes) - 1

    def _literal(self, text: str) -> tuple[int, int, int]:
        """Return where a text stands in the literals, its size, its first 8 bytes as a number."""
        if text not in self._known:
            raw = text.encode()
            place = self._literals.find(raw)
            if place < 0:
                place = len(self._literals)
                self._literals += raw
            self._known[text] = place, len(raw), int.from_bytes(raw[:8], sys.byteorder)
        return self._known[text]


_WORD = (1 << 64) - 1


def _only_literal(nodes: list[Node]) -> Node | None:
    """Return the literal that must be there, None if something else may."""
    return nodes[0] if len(nodes) == 1 and nodes[0].instruction.op == "literal" else None


def _joined(token: Instruction, behind: Node) -> tuple[Instruction, Node]:
    """Join a token with those that follow it, if each is kept and a blank is between.

    Returns an instruction for all of them and the literal behind the last one.
    """
    count = 1
    while token.slot >= 0 and behind.instruction.literal == " " and len(behind.children) == 1:
        [node] = behind.children
        other, following = node.instruction, _only_literal(node.children)
        alike = other.op == token.op and other.slot == token.slot + count and not other.width
        if following is None or not alike or count == _MOST_JOINED:
            break
        naming = token.naming | other.naming << count
        token, behind, count = token._replace(a=other.a, naming=naming), following, count + 1
    return token._replace(b=count), behind
