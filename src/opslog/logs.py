"""Logs: sources, a filter and what to do with the records, as one sentence."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from opslog import catalog as catalogs
from opslog import filters, merge, query, schema, sinks
from opslog.catalog import Catalog
from opslog.engine import Job, Stats, run
from opslog.errors import OpslogError, SinkError, SourceError
from opslog.filters import Filter
from opslog.format import Format
from opslog.live import HOLD, Follow
from opslog.normalize import Kept
from opslog.output import STDOUT
from opslog.piping import Stage, piped
from opslog.reading import Reading, Watch, unwatched
from opslog.records import LogRecord, records_of
from opslog.sources import STDIN, expand, identity, pipes, place, rewind
from opslog.stop import Stop
from opslog.zones import Times, Timezone, Zones

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from opslog.correlate.graph import RequestGraph
    from opslog.correlate.links import Found
    from opslog.correlate.related import Related, Relation
    from opslog.follow import Following

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Logs:
    """Records of one or more sources; nothing is read until they are asked for.

    Every method that reads does so from the start, one source after the other.
    What can be read is read; then a SourceError, or an ExceptionGroup of
    several, says what could not.
    """

    paths: tuple[str, ...]
    timezone: Timezone = "UTC"
    year: int | None = None
    where: Filter | None = None
    original: bool = False
    threads: int = 1
    skip: bool = True
    merge: bool = False
    most: int | None = None
    hold: float = HOLD
    follow: Follow | None = None
    root: bool = False
    relation: Relation | None = None
    stop: Stop | None = field(default=None, repr=False, compare=False)
    stages: tuple[Stage, ...] = ()
    catalog: Catalog = field(default_factory=catalogs.default, repr=False)

    def filter(self, condition: pc.Expression | str | Filter) -> Logs:
        """Return these logs with only the records for which ``condition`` is true, too.

        A condition is a pyarrow expression, as ``opslog.F`` makes them, or its
        text form (query.py), whose times are read in ``timezone`` (of several: that of
        ``*``).  Raises FilterError for one that fits no record.
        """
        new = self._condition(condition)
        return replace(self, where=new if self.where is None else self.where & new)

    def with_requests(self, condition: pc.Expression | str | Filter) -> Logs:
        """Return every record of each request of which one record fulfils ``condition``.

        A request is all that one call set off, under whatever ids and in whatever
        services (docs/explanation/requests.md).  A record that fulfils the condition
        and belongs to no request is there, too.  Filters of these logs hold for what
        is returned, not for what fulfils the condition.  The sources are read twice:
        one that is no file raises SourceError.
        """
        return self._related(condition, requests=True)

    def with_resources(self, condition: pc.Expression | str | Filter) -> Logs:
        """Return every record about each resource of which one fulfils ``condition``, likewise."""
        return self._related(condition, resources=True)

    def graph(self) -> RequestGraph:
        """Read the sources and return which request called which, whatever the filter."""
        related = _related(None)
        self._survey(expand(self.paths), related, Stats(), unwatched)
        return related.graph

    def _related(
        self,
        condition: pc.Expression | str | Filter,
        requests: bool = False,
        resources: bool = False,
    ) -> Logs:
        if self.relation is not None:
            raise OpslogError("with_requests, with_resources: expected one condition, found two")
        from opslog.correlate.related import Relation  # start-up: most runs need none

        return replace(self, relation=Relation(self._condition(condition), requests, resources))

    def _condition(self, condition: pc.Expression | str | Filter) -> Filter:
        if isinstance(condition, str):
            condition = query.parse(condition, Zones(self.timezone).default.name)
        return condition if isinstance(condition, Filter) else filters.of(condition)

    def limit(self, count: int) -> Logs:
        """Return the first ``count`` of these records; what follows is not read.

        Merged logs are read all the same: what is first is known only then.
        """
        if count < 0:
            raise OpslogError(f"limit: expected a number from 0, found {count}")
        if self.follow and self.follow.checkpoint is not None:
            raise OpslogError(
                "limit: not with a checkpoint: what follows the last record would count as read"
            )
        return replace(self, most=count if self.most is None else min(count, self.most))

    def pipe(self, stage: Stage) -> Logs:
        """Return what ``stage`` (opslog.stages) makes of these records, before any limit.

        It gets batches with all columns behind filter and merging; several stages
        come one after the other.  What it drops is counted in ``Stats.dropped``.
        """
        return replace(self, stages=(*self.stages, stage))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return schema.names(self.original, self.root)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches, in the order of the sources or, merged, of time.

        Each holds the records of about 4 MiB of input; of logs that are followed,
        those that became complete.  When the next is asked for, what came before
        counts as written: a checkpoint may say so.
        """
        take = self._staged if self.stages else self._batched
        return take(self._names(), Stats(), unwatched)

    def finished(
        self,
        finish: Callable[[Kept], T],
        columns: tuple[str, ...],
        stats: Stats | None = None,
        watch: Watch = unwatched,
    ) -> Generator[T, str | None, None]:
        """Yield what ``finish`` makes of each block's kept records, of which ``columns`` are built.

        It may be called in several threads at once; results come in order.  Of merged
        logs it returns a batch.  Raises OpslogError if there are stages.
        """
        if self.stages:
            raise OpslogError("finished: expected logs without stages, which need all columns")
        take: Any = self._merged if self.merge else self._run
        stats = Stats() if stats is None else stats
        found: Generator[T, str | None, None] = take(
            expand(self.paths), finish, columns, stats, watch
        )
        return found

    def __iter__(self) -> Iterator[LogRecord]:
        for batch in self.batches():
            yield from records_of(batch)

    def to_table(self) -> pa.Table:
        """Return all records as one table; it must fit into memory."""
        schema_ = schema.arrow_schema(self.original, self.root)
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
        cannot be read to its end, what was read is written and complete; where
        reading is interrupted, too, but a Parquet file does not appear then.
        """
        return self.write_to(sinks.Target(os.fspath(path), kind), stats)

    def write_to(
        self,
        target: sinks.Target,
        stats: Stats | None = None,
        watch: Watch = unwatched,
    ) -> Stats:
        """Write the records to ``target``, likewise; ``watch`` is told of each block read."""
        stats = Stats() if stats is None else stats
        output = target.path
        names = self._names()
        self._refuse_input(output)
        sink = sinks.open_sink(target, self.names)
        failed: BaseException | None = None

        def watched(position: int) -> None:
            sink.tick(time.monotonic())
            watch(position)

        def safe(last: bool) -> bool:
            if last:
                sink.tick(math.inf)
            return not sink.pending

        logs = replace(self, follow=replace(self.follow, safe=safe)) if self.follow else self
        try:
            if self.follow:
                self._refuse_input(output)  # it may be new in a folder that is followed
            try:
                if self.stages or self.root:
                    take = logs._staged if self.stages else logs._batched
                    for batch in take(names, stats, watched):
                        sink.write(sink.of_batch(batch))
                else:
                    logs, told = logs._resolved(names, stats, watched)
                    if self.merge and sink.columns:
                        for rows in logs._merged(names, sink.rows, sink.columns, stats, told):
                            sink.write_rows(rows)
                    else:
                        for encoded in logs._run(names, sink.encode, sink.columns, stats, told):
                            sink.write(encoded)
            except (SourceError, ExceptionGroup, KeyboardInterrupt) as error:
                failed = error
            # Following ends by an interrupt only: what was written then is complete.
            sink.close(complete=bool(self.follow) or not isinstance(failed, KeyboardInterrupt))
        except BaseException:
            sink.abort()
            raise
        if failed is not None:
            raise failed
        return stats

    def _run(
        self,
        names: list[str],
        finish: Callable[[Kept], T],
        columns: tuple[str, ...],
        stats: Stats,
        watch: Watch,
    ) -> Generator[T, str | None, None]:
        """Yield what ``finish`` makes of each block's kept records, one source after the other.

        No more is read once it is sent the source that the last of them came from.
        """
        if self.most is not None:
            yield from self._first(self.most, names, finish, columns, stats, watch)
            return
        reading = self._reading(finish, columns, stats, watch)
        for rows, result in run(reading.items(names), self.threads, reading.spare):
            stats.kept += rows
            if (last := (yield result)) is not None:
                reading.forget_behind(last)
                break
        reading.close()

    def _first(
        self,
        left: int,
        names: list[str],
        finish: Callable[[Kept], T],
        columns: tuple[str, ...],
        stats: Stats,
        watch: Watch,
    ) -> Iterator[T]:
        """Finish the first ``left`` records here, one batch after the other, and stop reading."""
        reading = self._reading(_itself, columns, stats, watch)
        with closing(reading.items(names if left else [])) as items:
            for rows, kept in run(items, self.threads, reading.spare):
                taken = kept.first(left) if rows > left else kept
                left -= taken.count
                stats.kept += taken.count
                yield finish(taken)
                if not left:
                    reading.forget_behind(kept.source)
                    break
        reading.close()

    def _merged(
        self,
        names: list[str],
        rows: Callable[[Kept], pa.RecordBatch],
        columns: tuple[str, ...],
        stats: Stats,
        watch: Watch,
    ) -> Generator[pa.RecordBatch, str | None, None]:
        """Yield ``rows`` of the kept records of all sources in the order of time.

        Likewise no more is yielded once it is sent something.
        """
        with merge.Runs(len(names)) as runs:

            def put(kept: Kept) -> merge.Part:
                return runs.put(kept.source, kept.times, rows(kept))

            reading = self._reading(put, columns, stats, watch)
            items = reading.items(names)
            with closing(run(items, self.threads, reading.spare)) as found:
                for _, part in found:
                    runs.add(part)
            reading.spare.clear()
            with closing(runs.merged(self.most, self.threads)) as merged:
                for count, taken in merged:
                    if self.stop:
                        self.stop.check()
                    stats.kept += count
                    if (yield taken) is not None:
                        break
        reading.close()

    def _staged(self, names: list[str], stats: Stats, watch: Watch) -> Iterator[pa.RecordBatch]:
        """Yield what the stages make of the kept records, at most so many."""
        plain = replace(self, most=None)
        read = plain._batched(names if self.most != 0 else [], stats, watch)
        return piped(read, self.stages, self.most, stats)

    def _batched(
        self, names: list[str], stats: Stats, watch: Watch
    ) -> Generator[pa.RecordBatch, str | None, None]:
        """Yield the kept records, with their roots if they are wanted; sent as to ``_run``."""
        if self.root:
            return self._rooted(names, stats, watch)
        logs, watch = self._resolved(names, stats, watch)
        take = logs._merged if self.merge else logs._run
        return take(names, Kept.batch, self.names, stats, watch)

    def _names(self) -> list[str]:
        """Return the sources; when following as they were given, to be expanded again and again."""
        return list(self.paths) if self.follow else expand(self.paths)

    def _refuse_input(self, output: str) -> None:
        """Raise SinkError for an output that is read."""
        own = identity(1 if output == STDOUT else output)
        names = expand(self.paths)
        if own and any(identity(0 if name == STDIN else name) == own for name in names):
            raise SinkError(output, "is also an input; write to another file")
        written = os.path.realpath(output)
        for path in self.paths if self.follow and output != STDOUT else ():
            folder = os.path.realpath(path)
            if os.path.isdir(folder) and os.path.commonpath([written, folder]) == folder:
                raise SinkError(
                    output, "lies in a folder that is followed, and would be read as it is written"
                )

    def _resolved(self, names: list[str], stats: Stats, watch: Watch) -> tuple[Logs, Watch]:
        """Return these logs with a filter in place of the relation; read for that."""
        if self.relation is None:
            return self, watch
        related = _related(self.relation)
        watch = self._survey(names, related, stats, watch)
        return replace(self, where=related.filter(self.where), relation=None), watch

    def _rooted(
        self, names: list[str], stats: Stats, watch: Watch
    ) -> Generator[pa.RecordBatch, str | None, None]:
        """Yield the kept records with their roots."""
        from opslog.correlate.roots import rooted

        related = _related(self.relation)
        if self.follow or (pipes(names) and not (self.merge or self.relation)):
            yield from self._rooted_once(names, related, stats, watch)
            return
        watch = self._survey(names, related, stats, watch)
        where = related.filter(self.where) if self.relation else self.where
        logs = replace(self, where=where)
        take = logs._merged if self.merge else logs._run

        def finish(kept: Kept) -> pa.RecordBatch:
            return rooted(kept.batch(), related.graph)

        yield from take(names, finish, self.names, stats, watch)

    def _rooted_once(
        self, names: list[str], related: Related, stats: Stats, watch: Watch
    ) -> Iterator[pa.RecordBatch]:
        """Yield the kept records with their roots as far as they are known by then."""
        from opslog.correlate.links import candidates
        from opslog.correlate.roots import rooted

        where, left = self.where, sys.maxsize if self.most is None else self.most

        def finish(kept: Kept) -> tuple[Found, pa.RecordBatch, int]:
            batch = kept.batch()
            if where is not None:
                batch = batch.take(where.select(batch))
            return candidates(kept), batch.select(self.names), kept.count

        columns = tuple(dict.fromkeys(self.names + (where.columns if where else ())))
        logs = replace(self, where=None, most=None)
        names = names if left else []
        for links, batch, count in logs._run(names, finish, columns, stats, watch):
            related.graph.add_found(links)
            taken = batch.slice(0, min(left, len(batch)))
            left -= len(taken)
            stats.kept += len(taken) - count
            stats.forgotten = related.graph.evicted
            yield rooted(taken, related.graph)
            if not left:
                return

    def _survey(self, names: list[str], related: Related, stats: Stats, watch: Watch) -> Watch:
        """Read all for what records say of each other; return who watches the second reading."""
        if self.follow:
            raise OpslogError(
                "follow: not with requests or resources, for which logs are read twice: "
                "expected one of both"
            )
        if unsuitable := pipes(names):
            raise SourceError(
                unsuitable[0], "is no file, but must be read twice; write it to a file first"
            )
        start = place(names)
        half = 0

        def first(position: int) -> None:
            nonlocal half
            half = position // 2
            watch(half)

        logs = replace(self, where=None, most=None)
        columns = self.relation.columns if self.relation else ()
        try:
            for found in logs._run(names, related.find, columns, Stats(), first):
                related.add(*found)
        except (SourceError, ExceptionGroup):
            pass  # what could not be read is told when it cannot be read again
        rewind(start)
        related.settle()
        stats.forgotten = related.graph.evicted
        return lambda position: watch(half + position // 2)

    def _times(self) -> Times:
        return Times.of(self.timezone, self.year)

    def _reading(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...], stats: Stats, watch: Watch
    ) -> Reading[T] | Following[T]:
        job = self._job(finish, columns)
        if self.follow:
            from opslog.follow import Following  # start-up: most runs need it not

            return Following(job, self._times(), stats, self.follow, watch, self.hold, self.stop)
        return Reading(job, self._times(), stats, watch, self.hold, self.stop)

    def _job(self, finish: Callable[[Kept], T], columns: tuple[str, ...]) -> Job[T]:
        return Job(self.catalog, columns, self.where, finish, self.skip)


def _related(relation: Relation | None) -> Related:
    from opslog.correlate.graph import RequestGraph  # start-up: most runs need none
    from opslog.correlate.related import Related

    return Related(RequestGraph(), relation)


def _itself(kept: Kept) -> Kept:
    return kept


def read(
    *paths: str | os.PathLike[str],
    timezone: Timezone = "UTC",
    year: int | None = None,
    original: bool = False,
    threads: int = 1,
    skip: bool = True,
    merge: bool = False,
    hold: float = HOLD,
    follow: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    from_end: bool = False,
    formats: Iterable[str | os.PathLike[str] | Format] = (),
    root: bool = False,
) -> Logs:
    """Return the logs in ``paths``: files, folders, globs, ``-`` for standard input (the default).

    gzip, bzip2, xz and zstd are recognised by content.  ``timezone`` (an IANA
    name or an offset) is that of times without an offset; a mapping says it by
    patterns of paths or file names (the last that fits; ``*`` for all others).
    Times without a year are of ``year``, or else the newest that are at most a day
    later than the last change of their file.  ``original`` adds
    the column of the lines as read, ``root`` that of the request that began it all (of what
    is no regular file, as far as it is known by then).  With ``skip`` blocks that cannot hold a
    kept record are not scanned; counts then say so (Stats.skipped_bytes).  With
    ``merge`` the records of all sources come in the order of time: one without a
    time, or earlier than the one before it in its source, counts as late as that.
    Of what is no regular file (a pipe) records leave as they are complete; one whose
    further lines may be still to come waits at most ``hold`` seconds for them.
    With ``follow`` files are read on as they grow, are rotated and come into being,
    until the caller stops; ``checkpoint`` is the file that says how far they were
    read, for the next time, and ``from_end`` leaves out what is there already.
    ``formats`` are format files, folders of them, or formats, tried before the
    shipped ones; one of the same name replaces the shipped one.  Raises
    FormatError for a file that is wrong or fails its own samples.
    """
    Times.of(timezone, year)
    if not 0 <= hold < math.inf:
        raise OpslogError(f"hold: expected a number of seconds from 0, found {hold}")
    if threads < 1:
        raise OpslogError(f"threads: expected at least 1, found {threads}")
    if merge and follow:
        raise OpslogError(
            "merge and follow: what is followed has no end before which it could be put in the "
            "order of time; follow without merge, or merge without follow"
        )
    for option, given in (("checkpoint", checkpoint is not None), ("from_end", from_end)):
        if given and not follow:
            raise OpslogError(f"{option}: has no effect without follow")
    names = tuple(os.fspath(path) for path in paths) or (STDIN,)
    catalog = catalogs.default()
    if formats := list(formats):
        from opslog.user_formats import user_formats  # start-up: most runs have none

        catalog = catalogs.beside_shipped(user_formats(formats))
    return Logs(
        names,
        timezone,
        year,
        original=original,
        threads=threads,
        skip=skip,
        merge=merge,
        hold=hold,
        follow=Follow(None if checkpoint is None else os.fspath(checkpoint), from_end)
        if follow
        else None,
        root=root,
        catalog=catalog,
    )
