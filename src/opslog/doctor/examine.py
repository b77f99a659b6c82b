"""One pass over files: their blocks for the engine, and a report of each."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from opslog.doctor.copies import EarlierFiles
from opslog.doctor.file_findings import FileFindings
from opslog.doctor.layouts import facts
from opslog.doctor.report import BINARY, FileReport
from opslog.doctor.survey import BlockFindings, surveyor
from opslog.engine.job import Job
from opslog.engine.run import run
from opslog.engine.stream import Item, Stream
from opslog.engine.tables import StoredTables
from opslog.engine.watch import Watch, unwatched
from opslog.inputs.archive import Opening
from opslog.inputs.lines import BlockCutter
from opslog.inputs.paths import STDIN, expand, is_named_pipe
from opslog.inputs.source import Source
from opslog.kernel._block import Block
from opslog.language.format import Format
from opslog.model.errors import OpslogError, SourceError
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults, Timezone
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

EXAMPLES = 3


def examine(
    *paths: str | os.PathLike[str],
    timezone: Timezone = "UTC",
    year: int | None = None,
    threads: int = 1,
    formats: Iterable[str | os.PathLike[str] | Format] = (),
    examples: int = EXAMPLES,
    host_zone: str | None = None,
    stats: Stats | None = None,
    watch: Watch = unwatched,
) -> Iterator[FileReport]:
    """Yield a report of each file in ``paths``, as ``opslog.read`` takes them, in their order.

    ``examples`` is how many lines are shown of each kind.  ``host_zone`` is the
    name of this machine's zone, preferred where a guess agrees with it.
    ``stats`` counts records as they come, and ``watch`` is told of each block
    read.  A file that cannot be read is reported, not raised.
    """
    if threads < 1:
        raise OpslogError(f"threads: expected at least 1, found {threads}")
    times = TimeDefaults.of(timezone, year)
    catalog = Catalog.default()
    if formats := list(formats):
        from opslog.checking.user_formats import user_formats  # start-up: most runs have none

        catalog = Catalog.beside_shipped(user_formats(formats))
    names = expand(tuple(os.fspath(path) for path in paths) or (STDIN,))
    examination = _Examination(catalog, times, examples, watch, year)
    total = Stats() if stats is None else stats
    return _reports(examination, names, threads, host_zone, total)


@dataclass(slots=True)
class _Examination:
    """One pass: what is wanted, and the files that were opened and not yet reported."""

    catalog: Catalog
    times: TimeDefaults
    examples: int
    watch: Watch
    year: int | None
    spare: deque[Block] = field(default_factory=deque)
    opened: deque[FileFindings] = field(default_factory=deque)
    done: int = 0
    earlier: EarlierFiles = field(default_factory=EarlierFiles)

    def report(self, host: str | None) -> FileReport:
        """Return the report of the first of the opened files."""
        return self.opened.popleft().report(host, self.earlier)

    def items(
        self, names: list[str]
    ) -> Generator[Item[tuple[FileFindings, BlockFindings]], None, None]:
        """Yield the blocks of the files, one after the other."""
        opening = Opening(self._failed, of_tables=StoredTables())
        for name in names:
            if name != STDIN and is_named_pipe(name):
                self._failed(SourceError(name, "is a named pipe, no regular file"))
                continue
            try:
                source = Source(name, of_tables=StoredTables())
            except SourceError as error:
                self._failed(error)
                continue
            try:
                for one in opening.sources(source):
                    file = self._begun(one.name)
                    if (found := one.binary) is not None:
                        file.status, file.problem = BINARY, found
                    else:
                        yield from self._blocks(file, one)
                    self.watch(self.done + source.position)
            finally:
                self.done += source.position
                source.close()
            self.watch(self.done)

    def _begun(self, name: str) -> FileFindings:
        file = FileFindings(name, self.catalog, self.times.zones.of(name), self.examples)
        self.opened.append(file)
        return file

    def _failed(self, error: SourceError) -> None:
        self._begun(error.path).fail(error.reason)

    def _blocks(
        self, file: FileFindings, source: Source
    ) -> Iterator[Item[tuple[FileFindings, BlockFindings]]]:
        regular = source.regular
        file.changed = source.modified if regular else None
        file.year_source = "--year" if self.year else "last change" if regular else "now"
        stream = self._stream(file, source)
        cutter = BlockCutter(self.spare)
        failed: str | None = None
        read = 0
        while True:
            room = cutter.room()
            try:
                count = source.read_into(room)
            except SourceError as error:
                failed, count = error.reason, 0
            if not count:
                break
            read += count
            file.cut = room[count - 1] != 10
            block = cutter.filled(count)
            if block is not None:
                yield Item(stream, block, final=False)
                self.watch(self.done + source.position)
        yield Item(stream, cutter.rest(), final=True)
        if failed is not None:
            file.fail(failed, read)

    def _stream(
        self, file: FileFindings, source: Source
    ) -> Stream[tuple[FileFindings, BlockFindings]]:
        survey_block = surveyor(facts(self.catalog), file.zone.to_utc, self.examples)

        def finish(kept: Kept) -> tuple[FileFindings, BlockFindings]:
            return file, survey_block(kept, file.sample.limit)

        job: Job[tuple[FileFindings, BlockFindings]] = Job(self.catalog, (), None, finish)
        stream = Stream(job, file.path, file.zone, file.stats, self.times.reference)
        stream.dated(source.modified)
        return stream


def _reports(
    examination: _Examination, names: list[str], threads: int, host: str | None, total: Stats
) -> Iterator[FileReport]:
    with closing(examination.items(names)) as items:
        for rows, (file, findings) in run(items, threads, examination.spare):
            while examination.opened[0] is not file:
                yield examination.report(host)
            file.add(findings)
            total.records += rows
            total.kept += rows
    while examination.opened:
        yield examination.report(host)
