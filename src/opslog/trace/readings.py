"""Readings of logs for what a story's own records do not tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from operator import itemgetter

import pyarrow as pa

from opslog.engine.watch import Watch, unwatched
from opslog.filters.filter import Filter
from opslog.inputs.paths import Sources
from opslog.logs import Logs
from opslog.model import schema
from opslog.model.errors import SourceError
from opslog.model.record import LogRecord, records_of
from opslog.model.stats import Stats
from opslog.reading.index import Index
from opslog.reading.passes import Pass
from opslog.reading.pipeline import staged
from opslog.reading.window import TimeWindow
from opslog.rows.kept import Kept

_MOST = 100_000
"""Records of one answer that are kept: the last ones."""


@dataclass(frozen=True)
class Readings:
    """Readings of the logs of a story; ``stats`` and ``watch`` are told of each.

    The first leaves an index behind, by which the others go past what they do not need.
    """

    logs: Logs
    stats: Stats = field(default_factory=Stats)
    watch: Watch = unwatched
    index: Index = field(default_factory=Index)

    def found(
        self,
        where: Filter,
        columns: tuple[str, ...],
        source: str | None = None,
        window: TimeWindow | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Return the records of a filter, with ``columns``, of one source or of all.

        With ``window`` only what may be of that time is read.  Filters of the logs do not hold,
        stages do.  Raises SourceError for sources that can be read only once; what else cannot
        be read is told by one behind all that can.
        """
        reading = replace(
            self.logs._begun(self.stats, self.watch),
            where=where, merge=False, most=None, follow=None, index=self.index, window=window,
        )  # fmt: skip
        refuse_streams(reading.sources)
        if source is not None:
            reading = replace(reading, sources=reading.sources.alone(source))
        return self._read(reading, columns)

    def _read(self, reading: Pass, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        with reading.sources.standard_input_kept():
            yield from staged(reading.results(Kept.batch, columns), self.logs._stages)

    def batches(
        self,
        where: Filter,
        source: str | None = None,
        window: TimeWindow | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield what is ``found``, but not what cannot be read; stages get all columns."""
        built = schema.names() if self.logs._stages or columns is None else columns
        with suppress(SourceError):
            yield from self.found(where, built, source, window)

    def records(
        self, where: Filter, source: str | None = None, window: TimeWindow | None = None
    ) -> list[LogRecord]:
        """Return the last records of a filter in the order of time, read as ``batches`` says."""
        every = chain.from_iterable(map(records_of, self.batches(where, source, window)))
        timed: deque[tuple[datetime, LogRecord]] = deque(maxlen=_MOST)
        left_out = self.stats.let_go.get("answers", 0)
        for one in every:
            if one.timestamp:
                left_out += len(timed) == _MOST
                timed.append((one.timestamp, one))
        self.stats.leave_out("answers", left_out)
        return [record for _, record in sorted(timed, key=itemgetter(0))]


def refuse_streams(sources: Sources) -> None:
    """Raise SourceError for what is no file: it must be read several times."""
    if unsuitable := sources.readable_once():
        raise SourceError(
            unsuitable[0],
            "is no file, but must be read several times; write it to a file first",
        )
