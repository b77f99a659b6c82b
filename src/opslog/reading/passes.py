"""One pass over sources: what is read, what is kept of it, and what becomes of that."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from opslog.engine._search import holds_id
from opslog.engine.job import Job
from opslog.engine.live import HOLD, FollowOptions
from opslog.engine.run import run
from opslog.engine.watch import Watch, unwatched
from opslog.filters.filter import Filter
from opslog.inputs.paths import Sources
from opslog.model.arrow import pa
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.process.stop import Stop
from opslog.reading.index import Index
from opslog.reading.index_files import IndexFiles
from opslog.reading.reading import Reading
from opslog.reading.window import TimeWindow
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

if TYPE_CHECKING:
    from opslog.following.follow import Following

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Sources that are read from the start, one after the other, and what is kept of them.

    What ``finish`` makes of a block's kept records, of which ``columns`` are built,
    comes in order; it may be called in several threads at once.  No more comes
    once the generator is sent the source that the last of them came from.  What
    can be read is read; then a SourceError, of several a SourceErrors, says what
    could not.  ``stats`` counts, ``watch`` is told how far it is.
    """

    sources: Sources
    times: TimeDefaults
    catalog: Catalog = field(repr=False)
    where: Filter | None = None
    skip: bool = True
    threads: int = 1
    merge: bool = False
    most: int | None = None
    hold: float = HOLD
    follow: FollowOptions | None = None
    stop: Stop | None = None
    index: Index | None = None
    index_files: IndexFiles | None = None
    window: TimeWindow | None = None
    stats: Stats = field(default_factory=Stats)
    watch: Watch = unwatched

    def results(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...]
    ) -> Generator[T, str | None, None]:
        """Yield what ``finish`` makes of each block, source by source, merged or not."""
        if self.most is not None:
            yield from self._first(self.most, finish, columns)
            return
        reading = self._reading(finish, columns)
        for rows, result in run(reading.items(), self.threads, reading.spare):
            self.stats.kept += rows
            if (last := (yield result)) is not None:
                reading.forget_behind(last)
                break
        reading.close()

    def merged(
        self, finish: Callable[[Kept], Any], columns: tuple[str, ...]
    ) -> Generator[Any, str | None, None]:
        """Yield the rows that ``finish`` makes (a batch or lines), of all sources by time."""
        from opslog.reading import merge  # start-up: most runs merge nothing

        with merge.Runs(len(self.sources.names)) as runs:

            def put(kept: Kept) -> merge.Part:
                return runs.put(kept.source, kept.places, finish(kept))

            reading = self._reading(put, columns, ordered=True)
            with closing(run(reading.items(), self.threads, reading.spare)) as found:
                for _, part in found:
                    runs.add(part)
            reading.spare.clear()
            with closing(runs.merged(self.most, self.threads)) as rows:
                for count, taken in rows:
                    if self.stop:
                        self.stop.check()
                    self.stats.kept += count
                    if (yield taken) is not None:
                        break
        reading.close()

    def batches(
        self, finish: Callable[[Kept], pa.RecordBatch], columns: tuple[str, ...]
    ) -> Generator[pa.RecordBatch, str | None, None]:
        """Yield the batches that ``finish`` makes: by time if these sources are merged."""
        return (self.merged if self.merge else self.results)(finish, columns)

    def _first(
        self, left: int, finish: Callable[[Kept], T], columns: tuple[str, ...]
    ) -> Iterator[T]:
        """Finish the first ``left`` records here, one batch after the other, and stop reading."""
        if not left:
            return
        reading = self._reading(_itself, columns)
        with closing(reading.items()) as items:
            for rows, kept in run(items, self.threads, reading.spare):
                taken = kept.first(left) if rows > left else kept
                left -= taken.count
                self.stats.kept += taken.count
                yield finish(taken)
                if not left:
                    reading.forget_behind(kept.source)
                    break
        reading.close()

    def _reading(
        self, finish: Callable[[Kept], T], columns: tuple[str, ...], ordered: bool = False
    ) -> Reading[T] | Following[T]:
        job = Job(self.catalog, columns, self.where, finish, self.skip, ordered)
        if self.follow:
            from opslog.following.follow import Following  # start-up: most runs need it not

            return Following(
                self.sources.paths, job, self.times, self.stats, self.follow, self.watch,
                self.hold, self.stop,
            )  # fmt: skip
        return Reading(
            self.sources, job, self.times, self.stats, self.watch, self.hold, self.stop,
            self.index or self._kept_index(job), self.window,
        )  # fmt: skip

    def _kept_index(self, job: Job[T]) -> Index | None:
        """Return the index of earlier runs for a search by ids, None for any other reading."""
        if not any(all(map(holds_id, texts)) for texts in job.needles):
            return None
        if (files := self.index_files) is None:
            return None
        return Index(files, every=False, notes=files.always)


def _itself(kept: Kept) -> Kept:
    return kept
