"""The heart: bytes in, record batches out.

A block goes through three steps: *scan* (any thread), *assemble* (in order, one
source's blocks one after the other) and *finish* (any thread: filter, build
columns, and what the caller wants done with the batch).  Results come out in
order.  Nothing here opens a file, reads a clock or writes anything.  Small blocks, as
files of some kilobytes make them, are worked on at once in the thread that reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from opslog.assembly._records import Records
from opslog.engine.pool import SMALL_BYTES, Done, Pool
from opslog.engine.skipping import at_once, in_pool, with_skipped_marked
from opslog.engine.stream import Item
from opslog.kernel._block import Block

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


def run(
    items: Iterable[Item[T]], threads: int, spare: deque[Block]
) -> Generator[tuple[int, T], None, None]:
    """Yield (rows, result) of every batch, in order; used blocks go to ``spare``."""
    if threads == 1:
        for item in with_skipped_marked(items, at_once, 0):
            yield from in_this_thread(item, spare)
        return
    with Pool(threads) as pool:
        searched = with_skipped_marked(items, in_pool(pool), threads)
        yield from _overlapped(searched, pool, threads + 1, spare)


def in_this_thread(item: Item[T], spare: deque[Block]) -> Iterator[tuple[int, T]]:
    """Yield (rows, result) of the batches complete with ``item``, made in this thread."""
    stream, block = item.stream, item.block
    if item.skip and not stream.assembler.sought:
        stream.skipped(block)
    else:
        for records in _records(item):
            result = stream.finish(records)
            if result is not None:
                yield result
    spare.append(block)


def _records(item: Item[T]) -> Iterator[Records]:
    """Yield the records complete with an item, all of it done in this thread."""
    if item.only:
        return item.stream.only(item.block, item.only)
    return item.stream.records(item.block, item.final, item.held)


def _overlapped(
    items: Iterable[Item[T]], pool: Pool, ahead: int, spare: deque[Block]
) -> Iterator[tuple[int, T]]:
    """Scan and finish in the pool, a few blocks ahead; assemble here, in order."""
    scanning: deque[tuple[Item[T], Future[Block | None] | None]] = deque()
    finishing: deque[tuple[Block, Future[tuple[int, T] | None] | Done[tuple[int, T] | None]]] = (
        deque()
    )

    def collected() -> Iterator[tuple[int, T]]:
        block, future = finishing.popleft()
        result = future.result()
        if len(spare) < ahead:
            spare.append(block)
        if result is not None:
            yield result

    def assembled() -> Iterator[tuple[int, T]]:
        item, future = scanning.popleft()
        stream, part = item.stream, item.block
        if item.skip and not stream.assembler.sought:
            stream.skipped(part)
            spare.append(part)
            return
        if item.only:
            for records in _records(item):
                finishing.append((records.block, Done(stream.finish(records))))
            spare.append(part)
            return
        rest = stream.scan(part) if future is None else future.result()
        while True:
            last = rest is None
            records = stream.assemble(part, item.final and last, item.held if last else -1)
            if part.size > SMALL_BYTES:
                finishing.append((part, pool.submit(stream.finish, records)))
            else:
                finishing.append((part, Done(stream.finish(records))))
            while len(finishing) > ahead:
                yield from collected()
            if rest is None:
                return
            part, rest = rest, stream.scan(rest)

    try:
        for item in items:
            small = item.block.size <= SMALL_BYTES
            if small:
                while scanning and (scanning[0][1] is None or scanning[0][1].done()):
                    yield from assembled()
                while not scanning and finishing and finishing[0][1].done():
                    yield from collected()
            if (item.flush or small) and not scanning and not finishing:
                yield from in_this_thread(item, spare)
                continue
            here = item.skip or item.only or small
            scanning.append((item, None if here else pool.submit(item.stream.scan, item.block)))
            while scanning and (item.flush or len(scanning) > ahead):
                yield from assembled()
            while finishing and item.flush:
                yield from collected()
        while scanning:
            yield from assembled()
        while finishing:
            yield from collected()
    finally:
        for pending in (*(f for _, f in scanning), *(f for _, f in finishing)):
            if pending is not None:
                pending.cancel()
