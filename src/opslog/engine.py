"""The heart: bytes in, record batches out.

A block goes through three steps: *scan* (any thread), *assemble* (in order, one
source's blocks one after the other) and *finish* (any thread: filter, build
columns, and what the caller wants done with the batch).  Results come out in
order.  Nothing here opens a file, reads a clock or writes anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

import pyarrow as pa

from opslog import catalog as catalogs
from opslog import filters, schema
from opslog._assemble import Assembler, Records
from opslog._block import Block
from opslog._needles import Needles
from opslog._scan import recognise, scan
from opslog.arrays import int32
from opslog.catalog import Catalog
from opslog.filters import Filter
from opslog.lines import Cutter
from opslog.normalize import BatchBuilder, Kept
from opslog.timestamps import Zone, reference_of_year
from opslog.zones import Timezone, Zones

if TYPE_CHECKING:
    import pyarrow.compute as pc

T = TypeVar("T")

MOST_LINES = 65536
"""Lines of a block scanned at once, so that blank lines do not fill the memory."""


@dataclass(slots=True)
class Stats:
    """What went in and came out; the counts add up.

    ``bytes`` = bytes of all records + ``skipped_bytes``; ``records`` =
    ``kept`` + filtered ones + those ``dropped`` by each stage.  ``formats`` counts
    (records, lines, bytes) by format name, None for records no format recognised.
    ``timeouts`` counts, by format name, the lines on which its pattern ran out of time.
    ``sources`` are open now, and ``last_time`` is that of the last record of the latest
    block that ends with one that has a time (microseconds since the epoch, UTC).
    ``forgotten`` counts the calls between requests that were too many to remember.
    """

    bytes: int = 0
    lines: int = 0
    records: int = 0
    kept: int = 0
    skipped_bytes: int = 0
    formats: dict[str | None, tuple[int, int, int]] = field(default_factory=dict)
    timeouts: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    sources: int = 0
    last_time: int | None = field(default=None, compare=False)
    forgotten: int = 0

    @property
    def unrecognised(self) -> int:
        """Number of records no format recognised."""
        return self.formats.get(None, (0, 0, 0))[0]

    def count(self, name: str | None, counts: tuple[int, int, int]) -> None:
        """Count (records, lines, bytes) of the format ``name``."""
        have = self.formats.get(name, (0, 0, 0))
        self.formats[name] = tuple(a + b for a, b in zip(have, counts, strict=True))  # type: ignore[assignment]
        self.records += counts[0]
        self.lines += counts[1]


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """What is wanted of every record: formats, columns, filter, and what becomes of a batch."""

    catalog: Catalog
    names: tuple[str, ...]
    where: Filter | None
    finish: Callable[[Kept], T]
    skip: bool = False
    """Whether blocks that cannot hold a kept record need not be scanned."""

    @property
    def needles(self) -> tuple[frozenset[bytes], ...]:
        """What a kept record holds and a block must be searched for, if anything."""
        if not self.skip or self.where is None:
            return ()
        # What a layout states itself need not stand in the line.
        stated = {text.encode() for text in self.catalog.lines.constants}
        return tuple(texts for texts in self.where.needles if not texts & stated)

    def kept(self, records: Records, builder: BatchBuilder) -> Kept | None:
        """Return the kept records, None if there are none."""
        if not records.count:
            return None
        if self.where is None:
            return builder.kept(records, self.names)
        needed = builder.kept(records, self.where.columns).batch()
        selection = self.where.select(needed)
        return builder.kept(records, self.names, selection) if len(selection) else None


class Stream(Generic[T]):
    """One source on its way through the steps.

    ``live`` says that its blocks may be long in coming, ``source`` what it is
    called in records where that is not its ``name``.  ``note`` is told, in any
    thread, of each block that is searched for needles.
    """

    def __init__(
        self,
        job: Job[T],
        name: str,
        zone: Zone,
        stats: Stats,
        reference: int | None = None,
        live: bool = False,
        source: str | None = None,
    ) -> None:
        self.job = job
        self.live = live
        self.reference = reference
        self.stats = stats
        self.assembler = Assembler(job.catalog.lines.program)
        self.builder = BatchBuilder(job.catalog, name, zone, source)
        self.note: Callable[[Block], None] | None = None
        self._late: list[str] = []

    def dated(self, moment: datetime) -> None:
        """Read times without a year as at ``moment`` from now on."""
        self.reference = self.builder.zone.reference(moment)

    def scan(self, block: Block) -> Block | None:
        """Find and match the lines of ``block``; return what it has too many lines for."""
        lines = self.job.catalog.lines
        done = scan(lines.program, block, MOST_LINES, self.reference)
        if lines.patterns is not None:
            find = partial(lines.patterns.find, late=self._late)
            recognise(lines.program, block, find, self.reference)
        if done == block.size:
            return None
        rest = Block(0)
        block.split(done, rest)
        return rest

    def assemble(self, block: Block, final: bool, held: int = -1) -> Records:
        """Return the records complete with the next scanned block of the source.

        Open records whose last line ends at the offset ``held`` or before are complete, too.
        """
        records = self.assembler.feed(block, final, held)
        self.stats.bytes += block.size
        while self._late:
            name = self._late.pop()
            self.stats.timeouts[name] = self.stats.timeouts.get(name, 0) + 1
        for number, counts in records.counts(self.job.catalog.lines.program).items():
            known = None if number < 0 else self.job.catalog.lines.formats[number].name
            self.stats.count(known, counts)
        if records.count:
            last = self.builder.kept(records, (), int32(records.count - 1)).times()[0].as_py()
            self.stats.last_time = self.stats.last_time if last is None else last
        return records

    def finish(self, records: Records) -> tuple[int, T] | None:
        """Return (rows, result) of the kept records, None if there are none."""
        kept = self.job.kept(records, self.builder)
        return None if kept is None else (kept.count, self.job.finish(kept))

    def skipped(self, block: Block) -> None:
        """Count a block that cannot hold a kept record; what is open cannot be kept either."""
        self.assemble(Block(0), final=True)
        self.stats.bytes += block.size
        self.stats.skipped_bytes += block.size
        self.assembler = Assembler(self.job.catalog.lines.program)


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A block of a stream; ``skip`` says that it is only counted.

    Behind it the open records close whose last line ends at the offset ``held``
    or before.  With ``flush`` more may be long in coming: what is complete leaves
    before the next item is asked for.
    """

    stream: Stream[T]
    block: Block
    final: bool
    skip: bool = False
    held: int = -1
    flush: bool = False


def run(
    items: Iterable[Item[T]], threads: int, spare: deque[Block]
) -> Generator[tuple[int, T], None, None]:
    """Yield (rows, result) of every batch, in order; used blocks go to ``spare``."""
    if threads == 1:
        for item in _without_needless(items, _at_once, 0):
            yield from in_turn(item, spare)
        return
    with ThreadPoolExecutor(threads, "opslog") as pool:
        searched = _without_needless(items, _in_pool(pool), threads)
        yield from _overlapped(searched, pool, threads + 1, spare)


def in_turn(item: Item[T], spare: deque[Block]) -> Iterator[tuple[int, T]]:
    """Yield (rows, result) of the batches complete with ``item``, made in this thread."""
    stream, block = item.stream, item.block
    if item.skip:
        stream.skipped(block)
        spare.append(block)
        return
    part: Block | None = block
    while part is not None:
        rest = stream.scan(part)
        last = rest is None
        result = stream.finish(
            stream.assemble(part, item.final and last, item.held if last else -1)
        )
        if result is not None:
            yield result
        part = rest
    spare.append(block)


def _overlapped(
    items: Iterable[Item[T]], pool: ThreadPoolExecutor, ahead: int, spare: deque[Block]
) -> Iterator[tuple[int, T]]:
    """Scan and finish in the pool, a few blocks ahead; assemble here, in order."""
    scanning: deque[tuple[Item[T], Future[Block | None] | None]] = deque()
    finishing: deque[tuple[Block, Future[tuple[int, T] | None]]] = deque()

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
        if future is None:
            stream.skipped(part)
            spare.append(part)
            return
        rest = future.result()
        while True:
            last = rest is None
            records = stream.assemble(part, item.final and last, item.held if last else -1)
            finishing.append((part, pool.submit(stream.finish, records)))
            while len(finishing) > ahead:
                yield from collected()
            if rest is None:
                return
            part, rest = rest, stream.scan(rest)

    try:
        for item in items:
            if item.flush and not scanning and not finishing:
                yield from in_turn(item, spare)
                continue
            scanning.append(
                (item, None if item.skip else pool.submit(item.stream.scan, item.block))
            )
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


REACH = 1
"""How many blocks further a record may end: a block has 3 MiB at least, a record 2 MiB at most."""

_Held = Callable[[], frozenset[int]]
"""Returns the numbers of the needles that a block may hold, once they are known."""

_Search = Callable[[Callable[[Block], frozenset[int]], Block], _Held]
"""Has a block searched by a function."""


def _at_once(look: Callable[[Block], frozenset[int]], block: Block) -> _Held:
    found = look(block)
    return lambda: found


def _in_pool(pool: ThreadPoolExecutor) -> _Search:
    return lambda look, block: pool.submit(look, block).result


def _without_needless(items: Iterable[Item[T]], search: _Search, ahead: int) -> Iterator[Item[T]]:
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
        wanted = near == everything and not item.skip
        return item if wanted else Item(stream, item.block, item.final, skip=True)

    for item in items:
        held.append((lambda: nothing) if item.skip else search(look, item.block))
        waiting.append(item)
        if len(waiting) > REACH + ahead:
            yield decided()
    while waiting:
        held.append(lambda: nothing)
        yield decided()


class Normalizer:
    """Bytes of one source in, batches of records out; no files, no threads of its own.

    Where bytes are cut between two calls of ``feed`` never changes the
    records.  Batches have the columns ``schema.names(original)`` and come in
    the order of the records' first lines.  Times without a year are of ``year``,
    or the newest that are at most a day later than ``reference``; with neither
    they are null: nothing here reads a clock.
    """

    def __init__(
        self,
        *,
        source: str = "-",
        timezone: Timezone = "UTC",
        year: int | None = None,
        reference: datetime | None = None,
        where: pc.Expression | None = None,
        original: bool = False,
        catalog: Catalog | None = None,
    ) -> None:
        self.stats = Stats()
        job: Job[pa.RecordBatch] = Job(
            catalog or catalogs.default(),
            schema.names(original),
            None if where is None else filters.of(where),
            Kept.batch,
        )
        zone = Zones(timezone).of(source)
        newest = reference_of_year(year) if year is not None else zone.reference(reference)
        self._stream = Stream(job, source, zone, self.stats, newest)
        self._spare: deque[Block] = deque()
        self._cutter = Cutter(self._spare)
        self._closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[pa.RecordBatch]:
        """Take the next bytes and return the batches complete with them, mostly none or one."""
        if self._closed:
            raise ValueError("feed() after close(): a Normalizer reads one source once")
        out: list[pa.RecordBatch] = []
        view = memoryview(data).cast("B")
        while view:
            room = self._cutter.room()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            view = view[count:]
            block = self._cutter.filled(count)
            if block is not None:
                out += self._batches(Item(self._stream, block, final=False))
        return out

    def flush(self, close: bool = False) -> list[pa.RecordBatch]:
        """Return the batches complete with the whole lines fed so far.

        A record of which more lines may come stays open, unless ``close`` says
        that these will not be waited for: it then has the attribute
        ``closed`` = ``hold``.
        """
        if self._closed:
            return []
        block = self._cutter.lines()
        if block is None:
            block = self._cutter.fresh()
            block.reset(self._cutter.offset)
        held = self._cutter.offset if close else -1
        return self._batches(Item(self._stream, block, final=False, held=held))

    def close(self) -> list[pa.RecordBatch]:
        """Say that the source has ended and return the last batches."""
        if self._closed:
            return []
        self._closed = True
        return self._batches(Item(self._stream, self._cutter.rest(), final=True))

    def _batches(self, item: Item[pa.RecordBatch]) -> list[pa.RecordBatch]:
        found = list(in_turn(item, self._spare))
        self.stats.kept += sum(rows for rows, _ in found)
        return [batch for _, batch in found]
