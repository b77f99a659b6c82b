"""Skipping: blocks that cannot hold a kept record are counted, not scanned."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import TypeVar

from opslog.engine._search import Needles
from opslog.engine.near import Spans, spans_of
from opslog.engine.pool import SMALL_BYTES, Pool
from opslog.engine.stream import Item, Stream

T = TypeVar("T")

REACH = 1
"""How many blocks further a record may end: a block has 3 MiB at least, a record 2 MiB at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """What of the needles a block may hold, by their numbers.

    ``only`` are the parts of it that hold every record with a hit in it; None if that is not sure.
    """

    numbers: frozenset[int]
    only: Spans | None = ()


_Held = Callable[[], Found]
"""Returns what a block may hold, once that is known."""

_Search = Callable[[Callable[[Item[T]], Found], Item[T]], _Held]
"""Has the block of an item searched by a function."""


def at_once(look: Callable[[Item[T]], Found], item: Item[T]) -> _Held:
    found = look(item)
    return lambda: found


def in_pool(pool: Pool) -> _Search[T]:
    def search(look: Callable[[Item[T]], Found], item: Item[T]) -> _Held:
        if item.block.size <= SMALL_BYTES:
            return at_once(look, item)
        return pool.submit(look, item).result

    return search


def with_skipped_marked(
    items: Iterable[Item[T]], search: _Search[T], ahead: int
) -> Iterator[Item[T]]:
    """Mark the blocks to skip: those that cannot hold a part of a kept record.

    A kept record holds all the filter's needles, so the blocks it lies in hold
    them between them; none of these blocks is further than REACH from another.
    Where the lines around each hit of a block tell what record it is in, the others of
    the block are skipped, too.  So many blocks are searched ``ahead``.
    """
    for stream, own in groupby(items, key=attrgetter("stream")):
        if stream.live or not stream.job.needles:
            yield from own
        else:
            yield from _needed(stream, own, search, ahead)


def _needed(
    stream: Stream[T], items: Iterable[Item[T]], search: _Search[T], ahead: int
) -> Iterator[Item[T]]:
    looked_for = [Needles(texts) for texts in stream.job.needles]
    everything, nothing = frozenset(range(len(looked_for))), Found(frozenset())
    held: deque[_Held] = deque([lambda: nothing] * REACH)
    waiting: deque[Item[T]] = deque()

    def look(item: Item[T]) -> Found:
        if stream.note:
            stream.note(item.block)
        if len(looked_for) > 1:
            return Found(
                frozenset(n for n in everything if looked_for[n].may_be_in(item.block)), None
            )
        places = looked_for[0].places(item.block)
        if places == []:
            return nothing
        near = places and spans_of(stream, item.block, places, item.final)
        return Found(everything, near or None)

    def decided() -> Item[T]:
        item = waiting.popleft()
        near = [found() for found in islice(held, 2 * REACH + 1)]
        only = near[REACH].only
        held.popleft()
        wanted = frozenset[int]().union(*(one.numbers for one in near if one.only is None))
        if item.needed or (wanted == everything and not item.skip):
            return item
        return Item(stream, item.block, item.final, skip=not only, only=only or ())

    for item in items:
        held.append((lambda: nothing) if item.skip else search(look, item))
        waiting.append(item)
        if len(waiting) > REACH + ahead:
            yield decided()
    while waiting:
        held.append(lambda: nothing)
        yield decided()
