"""Logs: sources, a filter and what to do with the records, as one sentence."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from opslog import catalog as catalogs
from opslog import filters, schema, sinks
from opslog._block import Block
from opslog.catalog import Catalog
from opslog.engine import Item, Job, Stats, Stream, run
from opslog.errors import OpslogError, SinkError, SourceError
from opslog.filters import Filter
from opslog.format import Format
from opslog.lines import Cutter
from opslog.normalize import Kept
from opslog.records import LogRecord, records_of
from opslog.sources import STDIN, Source, expand
from opslog.timestamps import Zone

if TYPE_CHECKING:
    import pyarrow.compute as pc

T = TypeVar("T")


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
    catalog: Catalog = field(default_factory=catalogs.default, repr=False)

    def filter(self, expression: pc.Expression | Filter) -> Logs:
        """Return these logs with only the records for which ``expression`` is true, too."""
        new = expression if isinstance(expression, Filter) else filters.of(expression)
        return replace(self, where=new if self.where is None else self.where & new)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return schema.names(self.original)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches in the order of the sources; about 4 MiB of input each."""
        return self._run(Kept.batch, Stats())

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
        """Write the records as ``kind`` (jsonl, parquet, arrow) and return what was counted.

        Raises SinkError where the output cannot be written.  Where a source
        cannot be read to its end, what was read is written and complete.
        """
        stats = Stats() if stats is None else stats
        output = os.fspath(path)
        if os.path.isfile(output):
            for name in expand(self.paths):
                if os.path.exists(name) and os.path.samefile(name, output):
                    raise SinkError(output, "is also an input; write to another file")
        sink = sinks.open_sink(output, kind, self.names)
        failed: BaseException | None = None
        try:
            try:
                for encoded in self._run(sink.encode, stats):
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

    def _run(self, finish: Callable[[Kept], T], stats: Stats) -> Iterator[T]:
        job = Job(self.catalog, self.names, self.where, finish, self.skip)
        errors: list[SourceError] = []
        stop: list[KeyboardInterrupt] = []
        spare: deque[Block] = deque()
        items = self._items(job, stats, errors, stop, spare)
        for rows, result in run(items, self.threads, spare):
            stats.kept += rows
            yield result
        if stop:
            raise stop[0]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("some sources could not be read", errors)

    def _items(
        self,
        job: Job[T],
        stats: Stats,
        errors: list[SourceError],
        stop: list[KeyboardInterrupt],
        spare: deque[Block],
    ) -> Iterator[Item[T]]:
        zone = Zone(self.timezone)
        for name in expand(self.paths):
            try:
                source = Source(name)
            except SourceError as error:
                errors.append(error)
                continue
            stream = Stream(job, name, zone, stats)
            cutter = Cutter(spare)
            try:
                while count := source.read_into(cutter.room()):
                    block = cutter.filled(count)
                    if block is not None:
                        yield Item(stream, block, final=False)
            except SourceError as error:
                errors.append(error)
            except KeyboardInterrupt as interrupt:
                # What has been read is finished before the interrupt takes its way.
                stop.append(interrupt)
            finally:
                source.close()
            yield Item(stream, cutter.rest(), final=True)
            if stop:
                return


def read(
    *paths: str | os.PathLike[str],
    timezone: str = "UTC",
    original: bool = False,
    threads: int = 1,
    skip: bool = True,
    formats: Iterable[str | os.PathLike[str] | Format] = (),
) -> Logs:
    """Return the logs in ``paths``: files, folders, globs, ``-`` for standard input (the default).

    gzip, bzip2, xz and zstd are recognised by content.  ``timezone`` (an IANA
    name or an offset) is that of times without an offset.  ``original`` adds
    the column of the lines as read.  With ``skip`` blocks that cannot hold a
    kept record are not scanned; counts then say so (Stats.skipped_bytes).
    ``formats`` are format files, folders of them, or formats, tried before the
    shipped ones; one of the same name replaces the shipped one.  Raises
    FormatError for a file that is wrong or fails its own samples.
    """
    Zone(timezone)
    if threads < 1:
        raise OpslogError(f"threads: expected at least 1, found {threads}")
    names = tuple(os.fspath(path) for path in paths) or (STDIN,)
    catalog = catalogs.default()
    if formats := list(formats):
        from opslog.user_formats import user_formats  # start-up: most runs have none

        catalog = catalogs.beside_shipped(user_formats(formats))
    return Logs(
        names, timezone, original=original, threads=threads, skip=skip, catalog=catalog
    )  # fmt: skip
