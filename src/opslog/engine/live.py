"""A source that is still being written: its records leave as soon as they are complete.

A record is complete when the next head of its worker has come, and behind all
records before it (docs/explanation/assembly.md).  For what may never come it waits
at most ``hold`` seconds after its last line.  While an unfinished line arrives, that
time stands still: what it will be is not known yet.  So the records are those of
the whole file, unless the lines of one come more than ``hold`` apart.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from opslog.engine.stream import Item, Stream
from opslog.inputs.lines import BlockCutter
from opslog.kernel._block import Block

T = TypeVar("T")

HOLD = 0.2
"""Seconds a record waits for more lines."""

TAIL_BYTES = 64
"""How much a stream remembers of what stands before the bytes that it still has."""


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)


def _always(last: bool) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """How logs are followed.

    ``checkpoint`` is the file that says how far they were read, ``metrics`` the one
    of what was counted: neither is followed.  With ``from_end`` what is there at the
    beginning is left out.  ``safe`` says whether all that
    was written is where it will be found after a kill, and sees to it if asked for
    the last time; ``warn`` is told what keeps a file from being read for now.
    """

    checkpoint: str | None = None
    from_end: bool = False
    metrics: str | None = None
    safe: Callable[[bool], bool] = _always
    warn: Callable[[str], None] = _warn


class LiveStream(Generic[T]):
    """The items of one stream, as its bytes come.

    Times are seconds of a clock that never goes back (time.monotonic); nothing
    here reads one.
    """

    def __init__(
        self,
        stream: Stream[T],
        spare: deque[Block],
        hold: float = HOLD,
        offset: int = 0,
        continued: bool = False,
        tail: bytes = b"",
    ) -> None:
        self.stream = stream
        self.handed_out = offset
        """Offset up to which the bytes are in items."""
        self.tail = tail
        """The last bytes before that offset."""
        self._start = offset
        self._hold = hold
        self._cutter = BlockCutter(spare, offset, continued)
        self._arrivals: deque[tuple[float, int]] = deque()
        self._lost = 0.0
        self._unfinished: tuple[float, float] | None = None
        self.moved = False
        """Whether bytes came since the last flush."""

    @property
    def cut(self) -> int:
        """Offset before which all is in records that have left, and behind which none of it is."""
        return max(self._start, self.stream.assembler.cut)

    @property
    def unfinished(self) -> int:
        """How many bytes have come of a line that is not whole."""
        return self._cutter.size

    def room(self) -> memoryview:
        """Return where the next bytes are to be written; never empty."""
        return self._cutter.room()

    def filled(self, count: int) -> Item[T] | None:
        """Say that ``count`` bytes were written; return an item if a block is full."""
        self.moved = True
        block = self._cutter.filled(count)
        return None if block is None else self._item(block)

    def feed(self, data: bytes | memoryview, now: float) -> Iterator[Item[T]]:
        """Take bytes and yield the items complete with them; each is used before the next."""
        yield from self.put(data)
        yield from self.flush(now)

    def put(self, data: bytes | memoryview) -> Iterator[Item[T]]:
        """Take bytes and yield the items of blocks that are full."""
        view = memoryview(data)
        while view:
            room = self.room()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            view = view[count:]
            item = self.filled(count)
            if item is not None:
                yield item

    def flush(self, now: float) -> Iterator[Item[T]]:
        """Yield the lines that are whole and the records that have waited long enough, if any."""
        moved, self.moved = self.moved, False
        block = self._cutter.lines() if moved else None
        if moved:
            self._arrived(now)
        held = self._expired_until(now)
        if moved or held >= 0:
            block = block or self._nothing()
            yield self._item(block, held=held, flush=True)

    def due(self) -> float | None:
        """Return when a record will have waited long enough, None if none waits.

        True once all items have been used.
        """
        end = self.stream.assembler.open_end
        if end is None:
            return None
        if self._unfinished:
            return self._unfinished[1] + self._hold
        came = next((time for time, arrived in self._arrivals if arrived >= end), 0.0)
        return came + self._lost + self._hold

    def lines(self) -> Item[T] | None:
        """Return the lines that are whole, None if there are none; all is used before the next."""
        block = self._cutter.lines()
        return None if block is None else self._item(block, flush=True)

    def end(self, whole: bool = False, flush: bool = False, needed: bool = False) -> Item[T]:
        """Return the last item; with ``whole`` without a line that has begun."""
        return self._item(self._cutter.rest(whole), final=True, flush=flush, needed=needed)

    def _item(
        self,
        block: Block,
        final: bool = False,
        held: int = -1,
        flush: bool = False,
        needed: bool = False,
    ) -> Item[T]:
        self.handed_out = block.offset + block.size
        self.tail = (self.tail + block.end(TAIL_BYTES))[-TAIL_BYTES:]
        return Item(self.stream, block, final, held=held, flush=flush, needed=needed)

    def _nothing(self) -> Block:
        block = self._cutter.fresh()
        block.reset(self._cutter.offset)
        return block

    def _arrived(self, now: float) -> None:
        """Take note of when the lines came that are whole."""
        if self._unfinished:
            self._lost += now - self._unfinished[0]
            self._unfinished = None
        if not self._arrivals or self._arrivals[-1][1] < self._cutter.offset:
            self._arrivals.append((now - self._lost, self._cutter.offset))
        if self._cutter.size:
            self._unfinished = (now, now)

    def _expired_until(self, now: float) -> int:
        """Return the offset up to which lines came long enough ago, -1 if none did."""
        held = -1
        if self._unfinished:
            if self._unfinished[1] + self._hold <= now and self._arrivals:
                # The line has stopped in its middle: all that waited beside it has waited enough.
                held = self._arrivals[-1][1]
                self._arrivals.clear()
            return held
        # As due() says it: another sum may be rounded otherwise, and what is due not leave.
        while self._arrivals and self._arrivals[0][0] + self._lost + self._hold <= now:
            held = self._arrivals.popleft()[1]
        return held
