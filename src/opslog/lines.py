"""Chunks to blocks of whole lines, cut the same way however the chunks come."""

from __future__ import annotations

from collections import deque

from opslog._block import PIECE_BYTES, Block

BLOCK_BYTES = 4 * 1024 * 1024
"""A block is cut behind its last newline when this many bytes have been read into it."""

assert BLOCK_BYTES >= 2 * PIECE_BYTES


class Cutter:
    """Fills blocks of one source and hands them out when they are full."""

    def __init__(self, spare: deque[Block], size: int = BLOCK_BYTES) -> None:
        self._spare = spare
        self._size = size
        self._rest = Block(0)
        self._rest.reset(0)
        self._block: Block | None = None
        self._limit = 0

    def room(self) -> memoryview:
        """Return where the next bytes of the source are to be written; never empty."""
        return self._filling().room(self._limit)

    def filled(self, count: int) -> Block | None:
        """Say that ``count`` bytes were written; return a block if one is full."""
        block = self._filling()
        block.filled(count)
        if block.size < self._limit:
            return None
        whole = block.whole()
        if not whole:
            self._limit += self._size
            return None
        return self._cut(whole)

    def rest(self) -> Block:
        """Return what is left at the end of the source as its last block."""
        return self._cut(self._filling().size)

    def _filling(self) -> Block:
        # A source that waits holds no block, only the beginning of a line.
        if self._block is None:
            self._block = self._spare.pop() if self._spare else Block(self._size)
            self._limit = self._size + self._rest.size
            self._rest.split(0, self._block)
        return self._block

    def _cut(self, at: int) -> Block:
        block, self._block = self._filling(), None
        block.split(at, self._rest)
        return block
