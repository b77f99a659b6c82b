"""Skipping: blocks that cannot hold a kept record are counted, not scanned."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter
from typing import TypeVar

from opslog.engine._search import Needles
from opslog.engine.pool import SMALL_BYTES, Pool
from opslog.engine.stream import Item, Stream
from opslog.kernel._block import Block

T = TypeVar("T")

REACH = 1
"""How many blocks further a record may end: a block has 3 MiB at least, a record 2 MiB at most."""

_Held = Callable[[], frozenset[int]]
"""Returns the numbers of the needles that a block may hold, once they are known."""

_Search = Callable[[Callable[[Block], frozenset[int]], Block], _Held]
"""Has a block searched by a function."""


def at_once(look: Callable[[Block], frozenset[int]], block: Block) -> _Held:
    found = look(block)
    return lambda: found


def in_pool(pool: Pool) -> _Search:
    def search(look: Callable[[Block], frozenset[int]], block: Block) -> _Held:
        if block.size <= SMALL_BYTES:
            return at_once(look, block)
        return pool.submit(look, block).result

    return search


def with_skipped_marked(items: Iterable[Item[T]], search: _Search, ahead: int) -> Iterator[Item[T]]:
    """Mark the blocks to skip: those that cannot hold a part of a kept record.

    A kept record holds all the filter's needles, so the blocks it lies in hold
    them between them; none of these blocks is further than REACH from another.
    So many blocks are searched ``ahead``.
    """
    for stream, own in groupby(items, key=attrgetter("stream")):
        if stream.live or not stream.job.needles:
            yield from own
        else:
            yield from _needed(stream, own, search, ahead)


def _needed(
    stream: Stream[T], items: Iterable[Item[T]], search: _Search, ahead: int
) -> Iterator[Item[T]]:
    looked_for = [Needles(texts) for texts in stream.job.needles]
    everything, nothing = frozenset(range(len(looked_for))), frozenset[int]()
    held: deque[_Held] = deque([lambda: nothing] * REACH)
    waiting: deque[Item[T]] = deque()

    def look(block: Block) -> frozenset[int]:
        if stream.note:
            stream.note(block)
        return frozenset(n for n in everything if looked_for[n].may_be_in(block))

    def decided() -> Item[T]:
        item = waiting.popleft()
        near = nothing.union(*(found() for found in islice(held, 2 * REACH + 1)))
        held.popleft()
        wanted = item.needed or (near == everything and not item.skip)
        return item if wanted else Item(stream, item.block, item.final, skip=True)

    for item in items:
        held.append((lambda: nothing) if item.skip else search(look, item.block))
        waiting.append(item)
        if len(waiting) > REACH + ahead:
            yield decided()
    while waiting:
        held.append(lambda: nothing)
        yield decided()
