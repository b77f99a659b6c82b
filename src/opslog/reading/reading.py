"""Reading sources block by block, and what becomes known on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Generic, TypeVar

from opslog.engine.job import Job
from opslog.engine.live import LiveStream
from opslog.engine.stream import Item, Stream
from opslog.engine.tables import StoredTables
from opslog.engine.watch import Watch
from opslog.inputs.archive import Opening
from opslog.inputs.extent import Extent
from opslog.inputs.lines import BlockCutter
from opslog.inputs.paths import Sources
from opslog.inputs.source import Source
from opslog.kernel._block import Block
from opslog.model.errors import SourceError, raise_all
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.process.stop import Stop
from opslog.reading.index import Index, Spans
from opslog.reading.span import Span
from opslog.reading.window import TimeWindow

T = TypeVar("T")

_GATHER = 0.005
"""Seconds within which what comes in small parts is gathered: each costs as much as a large one."""

_LATEST = 0.02
"""Seconds after which what never stops coming, but fills no block meanwhile, is given out."""

_IDLE = 1.0
"""Seconds after which who watches is told that nothing comes."""

_BEHIND = 1 << 16
"""Bytes that are read at once behind the end of a part, to find its seam."""

_DATED = 60.0
"""Seconds after which times without a year are read as at a new now."""


class Reading(Generic[T]):
    """One pass over sources: their blocks for the engine, and their errors for the end."""

    def __init__(
        self,
        sources: Sources,
        job: Job[T],
        times: TimeDefaults,
        stats: Stats,
        watch: Watch,
        hold: float,
        stop: Stop | None,
        index: Index | None,
        window: TimeWindow | None,
    ) -> None:
        self.sources = sources
        self.job = job
        self.times = times
        self.stats = stats
        self.watch = watch
        self.hold = hold
        self.stop = stop
        self.index = index
        self.window = window
        # What the index knows of a source must be the same in each reading of it.
        narrowed = job.skip and not job.ordered and not (index and index.every)
        self._tables = StoredTables(job.where, job.reads) if narrowed else StoredTables()
        self.spare: deque[Block] = deque()
        self._errors: list[SourceError] = []
        self._errors_before: dict[str, int] = {}
        self._interrupt: KeyboardInterrupt | None = None

    def items(self) -> Generator[Item[T], None, None]:
        """Yield the blocks of the sources, one after the other."""
        done = 0
        for extent in self.sources.extents or map(Extent, self.sources.names):
            name = extent.name
            try:
                source = Source(name, self.stop, self._tables)
            except SourceError as error:
                self._errors.append(error)
                continue
            except KeyboardInterrupt as interrupt:
                self._interrupt = interrupt
                return
            try:
                yield from self._source(source, extent, done)
            except KeyboardInterrupt as interrupt:
                self._interrupt = interrupt
            finally:
                done += max(0, source.position - extent.begin)
                source.close()
            if self.index:
                self.index.keep(ended=False)
            self.watch(done)
            if self._interrupt:
                return

    def _source(self, source: Source, extent: Extent, done: int) -> Iterator[Item[T]]:
        """Yield the blocks of a source, or of the members of an archive."""
        opening = Opening(self._errors.append, self.stop, self._tables)
        if not source.is_archive:
            for one in opening.sources(source):
                yield from self._file(one, extent, done)
            return
        known, binary, found = len(self._errors), self.stats.binary, 0
        if extent.size >= 0:
            try:
                source.expect(extent)
            except SourceError as error:
                self._errors.append(error)
                return
        for one in opening.sources(source):
            found += 1
            yield from self._file(one, Extent(one.name), done)
            self.watch(done + source.position)
            if self._interrupt:
                return
        unread = found == self.stats.binary - binary and known == len(self._errors)
        if unread and self.sources.is_given(source.name):
            told = f"none of its {found:,} file(s) is text" if found else "there is no file in it"
            self._errors.append(SourceError(source.name, f"is a tar archive without a log: {told}"))

    def _file(self, source: Source, extent: Extent, done: int) -> Iterator[Item[T]]:
        """Yield the blocks of a file, if it holds text."""
        spans = None
        if self.index and source.regular and source.is_local and not extent.plain:
            spans = self.index.of(source)
        if self.window and not self.window.may_reach_into(source):
            return
        if (spans and spans.known) or source.binary is None:
            yield from self._blocks(source, extent, spans, done)
        elif self.sources.is_given(source.name):
            self._errors.append(SourceError(source.name, f"is no log, but {source.binary}"))
        else:
            self.stats.binary += 1

    def _blocks(
        self, source: Source, extent: Extent, spans: Spans | None, done: int
    ) -> Iterator[Item[T]]:
        """Yield the blocks of a source, or a part; ``done`` bytes were read of those before."""
        called = extent.called or source.name
        zone = self.times.zones.of(called)
        stream = Stream(
            self.job, called, zone, self.stats, self.times.reference, live=not source.regular
        )
        stream.dated(extent.modified or source.modified)
        self._errors_before[stream.builder.source] = len(self._errors)
        begin = spans.begin if spans else (0, False)
        try:
            if extent.size >= 0:
                source.expect(extent)
            if extent.dated is not None:
                stream.bound(extent)
                begin = extent.begin, source.seek_behind(extent.begin)
            elif extent.plain:
                stream.bound(extent)
                begin = source.seek_line(extent.begin), False
        except SourceError as error:
            self._errors.append(error)
            return
        self.stats.sources += 1
        live = LiveStream(stream, self.spare, self.hold, *begin)
        try:
            for item in self._items(source, extent, live, spans):
                if item is not None:
                    yield item
                self.watch(done + source.position - extent.begin)
                self._check()
        except SourceError as error:
            self._errors.append(error)
        except KeyboardInterrupt as interrupt:
            # What has been read is finished before the interrupt takes its way.
            self._interrupt = interrupt
        finally:
            self.stats.sources -= 1
        yield live.end(whole=self._interrupt is not None, needed=extent.end is not None)

    def _items(
        self, source: Source, extent: Extent, live: LiveStream[T], spans: Spans | None
    ) -> Iterator[Item[T] | None]:
        if extent.plain:
            yield from _part(source, extent, live)
        elif live.stream.live:
            yield from self._written(source, live)
        elif spans is None:
            yield from _whole(source, live)
        else:
            needed, behind = spans.needed(live.stream.job.needles)
            if self.window:
                job, zone = self.job, self.times.zones.of(source.name)
                needed = self.window.blocks(needed, spans.last, source, zone, job.catalog)
            if needed or behind:
                live.stream.begins_with(source.start)  # its first block may be left out
            if spans.notes:
                live.stream.note = spans.add
            yield from _known(source, live.stream, needed, spans.begin[0], self.spare)
            if behind:
                source.seek(spans.begin[0])
                yield from _whole(source, live)
                spans.ended(source)
            elif spans.last is not None:
                live.stream.gone_past(spans.last.size)

    def _written(self, source: Source, live: LiveStream[T]) -> Iterator[Item[T] | None]:
        """Yield the items of a source that is still being written, as they come.

        None comes about once a second while nothing else does.
        """
        flushed, dated = 0.0, monotonic()
        wake = self.stop.fd if self.stop else None
        while True:
            self._check()
            if source.ready(0):
                count = source.read_into(live.room())
                if not count:
                    return
                item = live.filled(count)
                if item is not None:
                    yield item
                    flushed = monotonic()
                if monotonic() < flushed + _LATEST:
                    continue
            elif live.moved and source.ready(max(0.0, flushed + _GATHER - monotonic()), wake):
                continue
            yield from live.flush(monotonic())
            flushed = monotonic()
            if flushed > dated + _DATED:
                live.stream.dated(datetime.now(UTC))
                dated = flushed
            due = live.due()
            wait = _IDLE if due is None else min(_IDLE, max(0.0, due - flushed))
            if not source.ready(wait, wake):
                yield None

    def _check(self) -> None:
        if self.stop:
            self.stop.check()

    def forget_behind(self, source: str) -> None:
        """Drop errors found since ``source`` was opened: how far was read ahead must not show."""
        # A record as opslog wrote it tells another source than that which it stands in.
        del self._errors[self._errors_before.get(source, len(self._errors)) :]

    def close(self) -> None:
        """Raise what kept sources from being read to their end, if anything did."""
        if self.index:
            self.index.keep()
        if self._interrupt:
            raise self._interrupt
        raise_all(self._errors)


def _whole(source: Source, live: LiveStream[T]) -> Iterator[Item[T]]:
    """Yield the items of a source that is all there."""
    while count := source.read_into(live.room()):
        item = live.filled(count)
        if item is not None:
            yield item


def _part(source: Source, extent: Extent, live: LiveStream[T]) -> Iterator[Item[T]]:
    """Yield the items of a part of a file: up to the seam behind its end."""
    end = extent.size if extent.end is None else extent.end
    while not live.stream.assembler.over and source.offset < extent.size:
        left = end - source.offset
        behind = left <= 0 and extent.end is not None
        room = live.room()[: min(_BEHIND, extent.size - source.offset) if behind else left]
        count = source.read_into(room)
        if not count:
            return
        item = live.filled(count)
        if item is None and source.offset >= end:
            item = live.lines()
        if item is not None:
            # Nothing behind the end is left out: the seam may be in it.
            yield replace(item, needed=True) if behind else item
    source.check_same()


def _known(
    source: Source, stream: Stream[T], needed: list[Span], end: int, spare: deque[Block]
) -> Iterator[Item[T]]:
    """Yield the items of known blocks before ``end``; of what is gone past, an empty one."""
    cutter, at = BlockCutter(spare), 0

    def past(to: int) -> Item[T]:
        stream.gone_past(to - at)
        nothing = cutter.fresh()
        nothing.reset(at)
        return Item(stream, nothing, final=False, skip=True)

    for span in needed:
        if span.offset > at:
            yield past(span.offset)
        source.seek(span.offset)
        block = cutter.fresh()
        block.reset(span.offset, span.continued)
        while block.size < span.size and (count := source.read_into(block.room(span.size))):
            block.filled(count)
        at = span.end
        yield Item(stream, block, final=False)
    if end > at:
        yield past(end)
