"""Logs: sources, a filter and what to do with the records, as one sentence."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import pyarrow as pa

from opslog import catalog as catalogs
from opslog import filters, schema, sinks
from opslog._block import Block
from opslog.catalog import Catalog
from opslog.engine import Item, Job, Stats, Stream, run
from opslog.errors import OpslogError, SinkError, SourceError
from opslog.filters import Filter
from opslog.lines import Cutter
from opslog.normalize import Kept
from opslog.records import LogRecord, records_of
from opslog.sources import STDIN, Source, expand
from opslog.timestamps import Zone

if TYPE_CHECKING:
    import pyarrow.compute as pc

T = TypeVar("T")


Watch: TypeAlias = Callable[[int], None]
"""Is told after each block how many bytes were read so far, as they lie in the files."""


def _unwatched(position: int) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Reading:
    """What becomes known while logs are read."""

    stats: Stats = field(default_factory=Stats)
    watch: Watch = _unwatched
    errors: list[SourceError] = field(default_factory=list)
    errors_before: dict[str, int] = field(default_factory=dict)
    """How many errors there were when a source was opened."""

    interrupt: KeyboardInterrupt | None = None


@dataclass(frozen=True, slots=True)
class Logs:
    """Records of one or more sources; nothing is read until they are asked for.

    Every method that reads does so from the start, one source after the other.
    What can be read is read; then a SourceError, or an ExceptionGroup of
    several, says what could not.
    """

    paths: tuple[str, ...]
    timezone: str = "UTC"
    where: Filter | None = None
    original: bool = False
    threads: int = 1
    skip: bool = True
    most: int | None = None
    catalog: Catalog = field(default_factory=catalogs.default, repr=False)

    def filter(self, expression: pc.Expression | Filter) -> Logs:
        """Return these logs with only the records for which ``expression`` is true, too."""
        new = expression if isinstance(expression, Filter) else filters.of(expression)
        return replace(self, where=new if self.where is None else self.where & new)

    def limit(self, count: int) -> Logs:
        """Return the first ``count`` of these records; what follows is not read."""
        if count < 0:
            raise OpslogError(f"limit: expected a number from 0, found {count}")
        return replace(self, most=count if self.most is None else min(count, self.most))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return schema.names(self.original)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches in the order of the sources; about 4 MiB of input each."""
        return self._run(Kept.batch, self.names, Reading())

    def __iter__(self) -> Iterator[LogRecord]:
        for batch in self.batches():
            yield from records_of(batch)

    def to_table(self) -> pa.Table:
        """Return all records as one table; it must fit into memory."""
        schema_ = schema.arrow_schema(self.original)
        return pa.Table.from_batches(list(self.batches()), schema_)

    def write_jsonl(self, path: str | os.PathLike[str]) -> Stats:
        """Write JSON lines to ``path`` (``-``: standard output)."""
        return self.write(path, "jsonl")

    def write_parquet(self, path: str | os.PathLike[str]) -> Stats:
        """Write a Parquet file; it appears when it is complete."""
        return self.write(path, "parquet")

    def write_arrow(self, path: str | os.PathLike[str]) -> Stats:
        """Write an Arrow IPC stream to ``path`` (``-``: standard output)."""
        return self.write(path, "arrow")

    def write(self, path: str | os.PathLike[str], kind: str, stats: Stats | None = None) -> Stats:
        """Write the records as ``kind`` (sinks.FORMATS) and return what was counted.

        Raises SinkError where the output cannot be written.  Where a source
        cannot be read to its end, what was read is written and complete.
        """
        return self.write_to(sinks.Target(os.fspath(path), kind), stats)

    def write_to(
        self,
        target: sinks.Target,
        stats: Stats | None = None,
        watch: Watch = _unwatched,
    ) -> Stats:
        """Write the records to ``target``, likewise; ``watch`` is told of each block read."""
        stats = Stats() if stats is None else stats
        output = target.path
        if os.path.isfile(output):
            for name in expand(self.paths):
                if os.path.exists(name) and os.path.samefile(name, output):
                    raise SinkError(output, "is also an input; write to another file")
        sink = sinks.open_sink(target, self.names)
        failed: BaseException | None = None
        try:
            try:
                for encoded in self._run(sink.encode, sink.columns, Reading(stats, watch)):
                    sink.write(encoded)
            except (SourceError, ExceptionGroup, KeyboardInterrupt) as error:
                failed = error
            sink.close()
        except BaseException:
            sink.abort()
            raise
        if failed is not None:
            raise failed
        return stats

    def _run(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...], reading: Reading
    ) -> Iterator[T]:
        if self.most is None:
            for rows, result in self._results(finish, columns, reading):
                reading.stats.kept += rows
                yield result
        else:
            yield from self._first(self.most, finish, columns, reading)
        if reading.interrupt is not None:
            raise reading.interrupt
        if len(reading.errors) == 1:
            raise reading.errors[0]
        if reading.errors:
            raise ExceptionGroup("some sources could not be read", reading.errors)

    def _first(
        self,
        left: int,
        finish: Callable[[Kept], T],
        columns: tuple[str, ...],
        reading: Reading,
    ) -> Iterator[T]:
        """Finish the first records here, one batch after the other, and stop reading."""
        if not left:
            return
        with closing(self._results(_itself, columns, reading)) as results:
            while left and (found := next(results, None)) is not None:
                rows, kept = found
                if rows > left:
                    rows, kept = left, kept.first(left)
                left -= rows
                reading.stats.kept += rows
                yield finish(kept)
            if not left:
                # How far was read ahead must not show.
                del reading.errors[reading.errors_before[kept.source] :]

    def _results(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...], reading: Reading
    ) -> Generator[tuple[int, T], None, None]:
        job = Job(self.catalog, columns, self.where, finish, self.skip)
        spare: deque[Block] = deque()
        with closing(self._items(job, reading, spare)) as items:
            yield from run(items, self.threads, spare)

    def _items(
        self, job: Job[T], reading: Reading, spare: deque[Block]
    ) -> Generator[Item[T], None, None]:
        zone = Zone(self.timezone)
        done = 0
        for name in expand(self.paths):
            try:
                source = Source(name)
            except SourceError as error:
                reading.errors.append(error)
                continue
            stream = Stream(job, name, zone, reading.stats)
            reading.errors_before[stream.builder.source] = len(reading.errors)
            cutter = Cutter(spare)
            try:
                while count := source.read_into(cutter.room()):
                    block = cutter.filled(count)
                    if block is not None:
                        yield Item(stream, block, final=False)
                        reading.watch(done + source.position)
            except SourceError as error:
                reading.errors.append(error)
            except KeyboardInterrupt as interrupt:
                # What has been read is finished before the interrupt takes its way.
                reading.interrupt = interrupt
            finally:
                done += source.position
                source.close()
            yield Item(stream, cutter.rest(), final=True)
            reading.watch(done)
            if reading.interrupt is not None:
                return


def _itself(kept: Kept) -> Kept:
    return kept


def read(
    *paths: str | os.PathLike[str],
    timezone: str = "UTC",
    original: bool = False,
    threads: int = 1,
    skip: bool = True,
) -> Logs:
    """Return the logs in ``paths``: files, folders, globs, ``-`` for standard input (the default).

    gzip, bzip2, xz and zstd are recognised by content.  ``timezone`` (an IANA
    name or an offset) is that of times without an offset.  ``original`` adds
    the column of the lines as read.  With ``skip`` blocks that cannot hold a
    kept record are not scanned; counts then say so (Stats.skipped_bytes).
    """
    Zone(timezone)
    if threads < 1:
        raise OpslogError(f"threads: expected at least 1, found {threads}")
    names = tuple(os.fspath(path) for path in paths) or (STDIN,)
    return Logs(names, timezone, original=original, threads=threads, skip=skip)
