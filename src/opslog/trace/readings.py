"""Readings of logs for what a story's own records do not tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from operator import itemgetter

import pyarrow as pa

from opslog.engine.watch import Watch
from opslog.filters.filter import Filter
from opslog.inputs.paths import Sources
from opslog.logs import Logs
from opslog.model import schema
from opslog.model.errors import SourceError
from opslog.model.record import LogRecord, records_of
from opslog.model.stats import Stats
from opslog.reading.index import Index
from opslog.reading.pipeline import staged
from opslog.reading.window import TimeWindow
from opslog.rows.kept import Kept

_MOST = 100_000
"""Records of one answer that are kept: the last ones."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Further readings of the logs; ``stats`` and ``watch`` are told of each."""

    logs: Logs
    stats: Stats
    watch: Watch
    index: Index

    def batches(
        self,
        where: Filter,
        source: str | None = None,
        window: TimeWindow | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the records of a filter, of one source or of all; what cannot be read is not.

        With ``window`` only what may be of that time is read.  They have ``columns``, or all.
        """
        reading = replace(
            self.logs._begun(self.stats, self.watch),
            where=where, merge=False, most=None, follow=None,
            index=self.index if window else None, window=window,
        )  # fmt: skip
        if source is not None:
            reading = replace(reading, sources=Sources((source,), (source,)))
        with suppress(SourceError), reading.sources.standard_input_kept():
            stages = self.logs._stages
            built = schema.names() if stages or columns is None else columns
            yield from staged(reading.results(Kept.batch, built), stages)

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
