"""Logs: sources, a filter and what to do with the records, as one sentence.

The file is longer than others because a third of it says what each word of it means.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from opslog.engine.live import HOLD, FollowOptions
from opslog.engine.watch import Watch, unwatched
from opslog.filters.filter import Filter
from opslog.inputs.given import Given, Readable, brought
from opslog.inputs.paths import STDIN, Sources
from opslog.inputs.remote import is_url
from opslog.model import names as naming
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.model.column_words import meant
from opslog.model.errors import OpslogError, SourceError, raise_all
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults, Timezone
from opslog.outputs import frames, sinks
from opslog.outputs.collision import refuse_input, refuse_input_folder, refuse_named
from opslog.outputs.output import STDOUT
from opslog.outputs.sink import Sink
from opslog.reading.direct import Direct, direct
from opslog.reading.index_files import IndexFiles
from opslog.reading.passes import Pass
from opslog.reading.pipeline import Stage, through_stages
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from opslog.correlate.graph import RequestGraph
    from opslog.correlate.related import Relation
    from opslog.language.format import Format
    from opslog.model.record import LogRecord

T = TypeVar("T")

PART_BYTES = 128 << 20
"""How many bytes of files are about in a part."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Logs:
    """Records of one or more sources, as ``read`` returns them; nothing is read until asked for.

    Every method that reads does so from the start, one source after the other.
    What can be read is read; then a SourceError, of several a SourceErrors, says
    what could not.  Logs can be pickled, if their stages can.
    """

    _pass: Pass
    _original: bool = False
    _root: bool = False
    _servers: bool = False
    _relation: Relation | None = None
    _stages: tuple[Stage, ...] = ()
    _last: int | None = None

    def __repr__(self) -> str:
        sources = self._pass.sources
        shown = map(str, sources.extents) if sources.extents else map(repr, sources.paths)
        return f"opslog.Logs({', '.join(shown)})"

    def filter(self, condition: pc.Expression | str | Filter) -> Logs:
        """Return these logs with only the records for which ``condition`` is true, too.

        A condition is a pyarrow expression, as ``opslog.F`` makes them, or its
        text form (query.py), whose times are read in ``timezone`` (of several: that of
        ``*``).  Raises FilterError for one that fits no record.
        """
        new, where = self._condition(condition), self._pass.where
        return self._changed(where=new if where is None else where & new)

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
        from opslog.correlate import relations  # start-up: most runs need none

        return relations.graph(self._begun())

    def _related(
        self,
        condition: pc.Expression | str | Filter,
        requests: bool = False,
        resources: bool = False,
    ) -> Logs:
        if self._relation is not None:
            raise OpslogError("with_requests, with_resources: expected one condition, found two")
        from opslog.correlate.related import Relation  # start-up: most runs need none

        return replace(self, _relation=Relation(self._condition(condition), requests, resources))

    def _condition(self, condition: pc.Expression | str | Filter) -> Filter:
        return Filter.of(condition, self._pass.times.zones.default.name)

    def limit(self, count: int) -> Logs:
        """Return the first ``count`` of these records; what follows is not read.

        Merged logs are read all the same: what is first is known only then.
        """
        _check_count("limit", count)
        if self._last is not None:
            raise OpslogError("limit: not of logs with tail")
        follow, most = self._pass.follow, self._pass.most
        if follow and follow.checkpoint is not None:
            raise OpslogError(
                "limit: not with a checkpoint: what follows the last record would count as read"
            )
        return self._changed(most=count if most is None else min(count, most))

    def tail(self, count: int) -> Logs:
        """Return the last ``count`` of these records.

        Plain files are read from the end as far as needed; merged logs, and what is piped through
        stages, are read as a whole.  Not for logs that are followed or limited: OpslogError.
        """
        _check_count("tail", count)
        if self._pass.follow or self._pass.most is not None:
            option = "follow" if self._pass.follow else "limit"
            raise OpslogError(f"tail: not of logs with {option}")
        return replace(self, _last=count)

    def parts(self, size: int = PART_BYTES) -> list[Logs]:
        """Return these logs in parts of about ``size`` bytes, each to be read alone and anywhere.

        The records of all parts, one part after the other, are those of these logs.  A part is
        pickled with what it has to know of its files: as they are now.  A plain file is divided
        (by multiples of 16 MiB), one that must be converted, or is no regular file, is in one
        part, small ones are together in one.  Reading a part raises SourceError for a file that
        has become another one.  Raises OpslogError for logs that are merged, followed or
        limited, have stages, or need records of other parts.
        """
        if size < 1:
            raise OpslogError(f"parts: expected a size from 1, found {size}")
        given = self._pass
        for option, is_given in (
            ("merge", given.merge),
            ("follow", given.follow is not None),
            ("limit", given.most is not None),
            ("tail", self._last is not None),
            ("pipe", bool(self._stages)),
            ("with_requests or with_resources", self._relation is not None),
            ("root", self._root),
        ):
            if is_given:
                raise OpslogError(f"parts: not of logs with {option}: a part is read alone")
        from opslog.reading.parts import divided  # start-up: most runs need it not

        sources = self._begun().sources
        parts = divided(sources, size, given.times, given.catalog)
        return [self._changed(sources=sources.part(extents)) for extents in parts]

    def pipe(self, stage: Stage) -> Logs:
        """Return what ``stage`` (opslog.stages) makes of these records, before any limit.

        It gets batches with all columns behind filter and merging; several stages
        come one after the other.  What it drops is counted in ``Stats.dropped``.
        """
        return replace(self, _stages=(*self._stages, stage))

    def batches(self, columns: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches, in the order of the sources or, merged, of time.

        Each holds the records of about 4 MiB of input; of logs that are followed,
        those that became complete.  When the next is asked for, what came before
        counts as written: a checkpoint may say so.  Of ``columns`` only those are
        built, which is faster than all.  Raises OpslogError for one there is not.
        """
        return self._batches(self._chosen(columns), self._begun())

    def __iter__(self) -> Iterator[LogRecord]:
        from opslog.model.record import records_of  # start-up: the command makes no objects

        for batch in self.batches():
            yield from records_of(batch)

    def count(self) -> int:
        """Return how many records there are; no column is built for that."""
        reading = replace(self._begun(), merge=False)
        if self._in_batches:
            return sum(map(len, self._batches(("source_offset",), reading)))
        return sum(self._results(attrgetter("count"), (), reading))

    def first(self) -> LogRecord | None:
        """Return the first record, None if there is none; no more is read than it needs."""
        return next(iter(self.head(1)), None)

    def head(self, count: int = 5) -> list[LogRecord]:
        """Return the first ``count`` records; no more is read than they need."""
        _check_count("head", count)
        return list(self.limit(count) if self._last is None else islice(self, count))

    def to_pandas(self, columns: Iterable[str] | None = None) -> Any:
        """Return all records, or ``columns`` of them, as a pandas.DataFrame; it must fit in memory.

        Integers may be missing (``Int64``), texts that repeat are categories, attributes are
        dicts.  Raises OpslogError without pandas.
        """
        return frames.pandas(self.to_table(columns))

    def to_polars(self, columns: Iterable[str] | None = None) -> Any:
        """Return all records, or ``columns`` of them, as a polars.DataFrame, likewise.

        Attributes are lists of a key and its value.  Raises OpslogError without Polars.
        """
        return frames.polars(self.to_table(columns))

    def to_table(self, columns: Iterable[str] | None = None) -> pa.Table:
        """Return all records, or ``columns`` of them, as one table; it must fit into memory."""
        return self.reader(columns).read_all()

    def reader(self, columns: Iterable[str] | None = None) -> pa.RecordBatchReader:
        """Return a reader of the batches, which are made as it is read, and its schema.

        Whatever takes one (Arrow, DuckDB, deltalake) reads logs of any size in little memory.
        """
        chosen = self._chosen(columns)
        fields = [pa.field(name, schema.BY_NAME[name].type) for name in chosen]
        return pa.RecordBatchReader.from_batches(pa.schema(fields), self.batches(chosen))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a stream of the batches for Arrow's PyCapsule interface: ``pa.table(logs)``."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def write_jsonl(self, path: str | os.PathLike[str], overwrite: bool = False) -> Stats:
        """Write JSON lines to ``path`` (``-``: standard output), likewise."""
        return self.write(path, "jsonl", overwrite=overwrite)

    def write_parquet(self, path: str | os.PathLike[str], overwrite: bool = False) -> Stats:
        """Write a Parquet file, likewise; it appears when it is complete."""
        return self.write(path, "parquet", overwrite=overwrite)

    def write_arrow(self, path: str | os.PathLike[str], overwrite: bool = False) -> Stats:
        """Write an Arrow IPC stream to ``path`` (``-``: standard output), likewise."""
        return self.write(path, "arrow", overwrite=overwrite)

    def write(
        self,
        path: str | os.PathLike[str],
        kind: str,
        stats: Stats | None = None,
        overwrite: bool = False,
        columns: Iterable[str] | None = None,
        names: str = naming.OPSLOG,
        append: bool = False,
    ) -> Stats:
        """Write the records as ``kind`` and return what was counted.

        It is one of sinks.FORMATS, or ``otlp`` for a receiver at ``otlp://HOST[:PORT]``.
        Of ``columns`` only those are written, in this order, where the kind has columns, called
        as ``names`` spells them (names.py).  A name that ends with .gz or .zst is that of a
        compressed file.  With ``append``, JSON lines are added to those a file holds.

        Raises SinkError where the output cannot be written, is one of the sources, or
        is a file that is not empty and holds no such output of opslog; ``overwrite``
        replaces the last.  Where a source cannot be read to its end, what was read is
        written and complete; where reading is interrupted, too, but a Parquet file
        does not appear then.
        """
        chosen = None if columns is None else self._chosen(columns)
        target = sinks.Target(
            os.fspath(path), kind, names, chosen, append=append, overwrite=overwrite
        )
        return self._write(target, stats)

    def _write(
        self,
        target: sinks.Target,
        stats: Stats | None = None,
        watch: Watch = unwatched,
    ) -> Stats:
        """Write the records to ``target``, likewise; ``watch`` is told of each block read."""
        output = target.path
        reading = self._begun(stats)
        self._refuse_input(output)
        failed: BaseException | None = None

        def watched(position: int) -> None:
            sink.tick(time.monotonic())
            watch(position)

        def safe(last: bool) -> bool:
            if last:
                sink.tick(math.inf)
            return not sink.pending

        reading = replace(reading, watch=watched)
        if follow := reading.follow:
            reading = replace(reading, follow=replace(follow, safe=safe))
        sink = sinks.open_sink(target, self._columns)
        try:
            if reading.stop and sink.fd is not None:
                reading.stop.watch_output(sink.fd)
            if follow:
                self._refuse_input(output)  # a pattern may name by links what is new
            try:
                if straight := self._direct(sink, reading):
                    found = self._results(straight.finish, sink.columns, reading)
                    for result in found:
                        straight.write(result)
                elif self._in_batches:
                    columns = tuple(dict.fromkeys((*self._columns, *sink.columns)))
                    for batch in self._batches(columns, reading):
                        sink.write(sink.of_batch(batch))
                elif reading.merge and sink.columns:
                    for rows in self._resolved(reading).merged(sink.rows, sink.columns):
                        sink.write_rows(rows)
                else:
                    for encoded in self._resolved(reading).results(sink.encode, sink.columns):
                        sink.write(encoded)
            except (SourceError, KeyboardInterrupt) as error:
                if isinstance(error, SourceError) and output != STDOUT and not reading.stats.bytes:
                    raise  # nothing was read: what an earlier run wrote stays
                failed = error
            # Following ends by an interrupt only: what was written then is complete.
            sink.close(complete=bool(follow) or not isinstance(failed, KeyboardInterrupt))
        except BaseException:
            sink.abort()
            raise
        if failed is not None:
            raise failed
        return reading.stats

    # -- what other rooms use ------------------------------------------------------------

    @property
    def _columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return schema.names(self._original, self._root)

    @property
    def _in_batches(self) -> bool:
        """Whether records come in batches alone, not block by block (_results)."""
        return bool(self._stages) or self._root or self._last is not None

    def _changed(self, **changes: Any) -> Logs:
        """Return these logs with ``changes`` in how they are read (Pass)."""
        return replace(self, _pass=replace(self._pass, **changes))

    def _begun(self, stats: Stats | None = None, watch: Watch = unwatched) -> Pass:
        """Return a new pass over what the paths stand for now."""
        sources = self._pass.sources
        # What is followed is expanded again and again, a part was when it was planned.
        if not sources.extents:
            sources = Sources(sources.paths) if self._pass.follow else Sources.of(sources.paths)
        return replace(self._pass, sources=sources, stats=stats or Stats(), watch=watch)

    def _batches(self, columns: tuple[str, ...], reading: Pass) -> Iterator[pa.RecordBatch]:
        """Yield ``columns`` of the kept records, or of what the stages make of them."""
        if self._last is not None:
            yield from self._ending(self._last, columns, reading)
            return
        yield from self._all_batches(columns, reading)

    def _ending(
        self, count: int, columns: tuple[str, ...], reading: Pass
    ) -> Iterator[pa.RecordBatch]:
        """Yield the last ``count`` records."""
        from opslog.reading.last import last  # start-up: most runs need it not

        logs = replace(self, _last=None)
        if reading.merge or self._stages or self._relation is not None or self._root:
            parts = [partial(logs._all_batches, columns, reading)]
        else:
            parts = [
                partial(part._all_batches, columns, replace(reading, sources=part._pass.sources))
                for part in logs.parts(1)
            ]
        found, errors = last(parts, count)
        reading.stats.kept = sum(map(len, found))
        yield from found
        known = {error.path for error in errors}
        errors += (one for one in reading.sources.unopenable() if one.path not in known)
        raise_all(errors)

    def _all_batches(self, columns: tuple[str, ...], reading: Pass) -> Iterator[pa.RecordBatch]:
        if not self._stages:
            return self._unstaged(columns, reading)
        sources = Sources() if reading.most == 0 else reading.sources
        every = tuple(dict.fromkeys((*self._columns, *columns)))
        reading, most = replace(reading, most=None, sources=sources), reading.most
        see = getattr(self._stages[0], "see", None)
        staged: Generator[Any, str | None, None]
        if see and not self._root and not reading.merge:
            staged = self._results(see, every, reading)
        else:
            staged = self._unstaged(every, reading)
        found = through_stages(staged, self._stages, most, reading.stats)
        return found if columns == self._columns else (batch.select(columns) for batch in found)

    def _direct(self, sink: Sink, reading: Pass) -> Direct | None:
        """Return how records get past the stages, if they do."""
        staged = self._stages and sink.columns == self._columns
        if not staged or self._root or reading.merge or reading.most is not None:
            return None
        if self._last is not None:
            return None
        return direct(self._stages, sink, reading.stats)

    def _results(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...], reading: Pass
    ) -> Generator[T, str | None, None]:
        """Yield what ``finish`` makes of each block's kept records, of which ``columns`` are built.

        It may be called in several threads at once; results come in order, those of
        sources one after the other.  Not for logs whose records come in batches alone.
        """
        return self._resolved(reading).results(finish, columns)

    def _unstaged(
        self, columns: tuple[str, ...], reading: Pass
    ) -> Generator[pa.RecordBatch, str | None, None]:
        if self._root:
            from opslog.correlate import relations  # start-up: most runs need none

            return relations.with_roots(reading, self._relation, columns, self._servers)
        return self._resolved(reading).batches(Kept.batch, columns)

    def _resolved(self, reading: Pass) -> Pass:
        """Return the pass with a filter in place of the relation; read for that."""
        if self._relation is None:
            return reading
        from opslog.correlate import relations

        return relations.resolved(reading, self._relation)

    def _chosen(self, columns: Iterable[str] | None) -> tuple[str, ...]:
        if columns is None:
            return self._columns
        chosen, known = tuple(dict.fromkeys(columns)), (*self._columns, "fingerprint")
        if unknown := [name for name in chosen if name not in known]:
            near = meant(unknown[0], known)
            raise OpslogError(
                f"columns: expected some of {', '.join(known)}; found {', '.join(unknown)}"
                + (f"; did you mean {near!r}?" if near else "")
            )
        return chosen

    def _refuse_input(self, output: str) -> None:
        """Raise SinkError for an output that is read."""
        refuse = refuse_input_folder if sinks.is_folder(output) else refuse_input
        refuse(output, self._pass.sources.paths, self._pass.follow is not None)


def _check_count(method: str, count: int) -> None:
    if count < 0:
        raise OpslogError(f"{method}: expected a number from 0, found {count}")


def _names(paths: Iterable[object], name: str | None) -> tuple[str, ...]:
    """Return the sources that ``paths`` name, or bring along."""
    names = tuple(
        os.fspath(path) if isinstance(path, str | os.PathLike) else brought(path, name)
        for path in paths
    )
    own = [one for one in names if isinstance(one, Given)]
    if name is not None and (len(names) != 1 or not own):
        raise OpslogError(
            "name: expected bytes or a file object to be called so, and nothing else, "
            f"found {len(names)} source(s), {len(own)} of them such"
        )
    if twice := [one for one in own if names.count(one) > 1]:
        raise OpslogError(
            f"read: two sources are called {twice[0]!r}: give file objects names of their own "
            "(`.name`), so that records tell which they are of"
        )
    return names


def read(
    *paths: str | os.PathLike[str] | bytes | Readable,
    name: str | None = None,
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
    index: bool | None = None,
) -> Logs:
    """Return the logs in ``paths``: files, folders, globs, ``-`` for standard input (the default).

    A path may be ``bytes``, which are the log itself, or a binary file object: one that gives bytes
    by ``read`` or ``readinto``.  It is read from where it stands, stays open, and is read again
    if it can seek; else a second reading raises SourceError.  ``name`` is what such a source is
    called, as a file would be: its program, host and time zone are told by it.  Without, it is
    called as the object calls itself (its ``name``).
    Files may be at URLs that fsspec reads (``s3://``, ``https://``): ``opslog[fsspec]``.
    gzip, bzip2, xz and zstd are recognised by content, and so are tar archives: they are like
    folders, their members are called ``ARCHIVE!/NAME``, which is a path, too.  ``timezone`` (an
    IANA name or an offset) is that of times without an offset; a mapping says it by
    patterns of paths or file names (the last that fits; ``*`` for all others).
    Times without a year are of ``year``, or else the newest that are at most a day
    later than the last change of their file.  ``original`` adds
    the column of the lines as read, ``root`` that of the request that began it all (of what
    is no regular file, as far as it is known by then).  What ``opslog.trace`` learns of large
    files, which ids may stand where, is kept in the user's cache: it, and filters by the id of
    a request, read only what they need of them from then on.  With ``index`` such filters keep
    it, too; with False it is neither kept nor used.  With ``skip`` blocks that cannot hold a
    kept record are not scanned; counts then say so (Stats.skipped_bytes).  With
    ``merge`` the records of all sources come in the order of time: one without a
    time, or earlier than the one before it in its source, counts as late as that.
    Of what is no regular file (a pipe) records leave as they are complete; one whose
    further lines may be still to come waits at most ``hold`` seconds for them.
    With ``follow`` files are read on as they grow, are rotated and come into being,
    until the caller stops; ``checkpoint`` is the file that says how far they were
    read, for the next time (SinkError if it is one of ``paths``), and ``from_end`` leaves
    out what is there already.
    ``formats`` are format files, folders of them, or formats, tried before the
    shipped ones; one of the same name replaces the shipped one.  Raises
    FormatError for a file that is wrong or fails its own samples.
    """
    times = TimeDefaults.of(timezone, year)
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
    names = _names(paths, name) or (STDIN,)
    if follow and (others := [one for one in names if is_url(one) or isinstance(one, Given)]):
        raise OpslogError(f"follow: expected files of this machine, found {others[0]}")
    if checkpoint is not None:
        refuse_named(os.fspath(checkpoint), names)
    catalog = Catalog.default()
    if formats := list(formats):
        from opslog.checking.user_formats import user_formats  # start-up: most runs have none

        catalog = Catalog.beside_shipped(user_formats(formats))
    how = FollowOptions(None if checkpoint is None else os.fspath(checkpoint), from_end)
    return Logs(
        Pass(
            sources=Sources(names),
            times=times,
            catalog=catalog,
            skip=skip,
            threads=threads,
            merge=merge,
            hold=hold,
            follow=how if follow else None,
            index_files=None if index is False else IndexFiles.of_user(always=index is True),
        ),
        original,
        root,
    )
