"""Chunks to blocks of whole lines, cut the same way however the chunks come."""

from __future__ import annotations

from collections import deque

from opslog.kernel._block import PIECE_BYTES, Block

BLOCK_BYTES = 4 * 1024 * 1024
"""A block is cut behind its last newline within this many bytes."""

assert BLOCK_BYTES >= 2 * PIECE_BYTES


class BlockCutter:
    """Fills blocks of one source, from ``offset`` on, and hands them out when they are full.

    ``continued`` says that the bytes before did not end with a newline.  A block
    is taken only while there are bytes to keep: many sources may be at rest.
    """

    def __init__(self, spare: deque[Block], offset: int = 0, continued: bool = False) -> None:
        self._spare = spare
        self._block: Block | None = None
        self._next = (offset, continued)
        self._looked = 0

    def fresh(self) -> Block:
        """Return a block that nobody uses."""
        return self._spare.pop() if self._spare else Block(BLOCK_BYTES)

    @property
    def offset(self) -> int:
        """Where in the source the bytes begin that were not handed out."""
        return self._next[0]

    @property
    def size(self) -> int:
        """How many bytes were not handed out."""
        return 0 if self._block is None else self._block.size

    def room(self) -> memoryview:
        """Return where the next bytes of the source are to be written; never empty."""
        return self._filling().room(BLOCK_BYTES)

    def filled(self, count: int) -> Block | None:
        """Say that ``count`` bytes were written; return a block if one is full."""
        block = self._filling()
        block.filled(count)
        if block.size < BLOCK_BYTES:
            return None
        return self._cut(block, block.whole())

    def lines(self) -> Block | None:
        """Return the lines that are whole already, None if there are none."""
        block = self._filling()
        at = block.whole(self._looked)
        if not at:
            self._looked = block.size
            return None
        return self._cut(block, at)

    def rest(self, whole: bool = False) -> Block:
        """Return what is left at the end of the source as its last block.

        With ``whole`` a line that has begun is left out: more of it was to come.
        """
        block = self._filling()
        return self._cut(block, block.whole() if whole else block.size)

    def _filling(self) -> Block:
        if self._block is None:
            self._block = self.fresh()
            self._block.reset(*self._next)
        return self._block

    def _cut(self, block: Block, at: int) -> Block:
        rest = self.fresh()
        self._looked = 0
        block.split(at, rest)
        self._next = (rest.offset, rest.continued)
        if rest.size:
            self._block = rest
        else:
            self._block = None
            self._spare.append(rest)
        return block
