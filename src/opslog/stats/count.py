"""Batches, or logs, in; a report out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from opslog.engine.watch import Watch, unwatched
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.rows.kept import Kept
from opslog.stats.batch_counts import COLUMNS, EVERY, BatchCounts, count_batch, count_kept
from opslog.stats.report import StatsReport
from opslog.stats.totals import Totals

FEW = 4096
"""Records that are counted together at least: to count few takes as long, as files may be small."""


class StatsCounter:
    """What was counted so far; ``every`` is the length of a step in seconds, None to choose.

    A stage, too: batches pass unchanged through ``Logs.pipe(counted)``.
    Raises OpslogError for steps of no length.
    """

    def __init__(self, every: float | None = None) -> None:
        self._totals = Totals(every)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the records of a batch with all columns of the schema."""
        self._totals.add(count_batch(batch, self._totals.width))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``batches`` as they are, and count them."""
        for batch in batches:
            self.add(batch)
            yield batch

    def read(self, logs: Logs, stats: Stats | None = None, watch: Watch = unwatched) -> None:
        """Count the records of ``logs``; only what is counted is built.

        Raises what reading raises, when all that can be read is counted.
        """
        reading = replace(logs._begun(stats, watch), merge=False)
        if logs._in_batches:
            for batch in logs._batches(logs._columns, reading):
                self.add(batch)
            return

        def finish(kept: Kept) -> BatchCounts | pa.RecordBatch:
            if kept.count < FEW:
                return kept.with_columns(EVERY).batch()
            # Another thread may have widened the steps meanwhile: then its steps are finer.
            return count_kept(kept, self._totals.width)

        few: list[pa.RecordBatch] = []
        records = 0
        try:
            for found in logs._results(finish, COLUMNS, reading):
                if isinstance(found, pa.RecordBatch):
                    few.append(found)
                    records += len(found)
                if records >= FEW or isinstance(found, BatchCounts):
                    self._add_together(few)
                    records = 0
                if isinstance(found, BatchCounts):
                    self._totals.add(found)
        finally:
            self._add_together(few)

    def _add_together(self, few: list[pa.RecordBatch]) -> None:
        """Count the records of small batches, in their order, and empty the list."""
        if few:
            table = pa.Table.from_batches(few).unify_dictionaries().combine_chunks()
            few.clear()
            for batch in table.to_batches():
                self.add(batch)

    def report(self, top: int = 10) -> StatsReport:
        """Return what was counted, with at most ``top`` loggers, errors and routes."""
        return self._totals.report(top)


def count_records(
    records: Logs | Iterable[pa.RecordBatch], every: float | None = None, top: int = 10
) -> StatsReport:
    """Return what is said of logs, or of batches with all columns of the schema.

    ``every`` is the length of a step of the timeline in seconds, chosen by the span if None;
    ``top`` is how many loggers, errors and routes are told.
    """
    counted = StatsCounter(every)
    if isinstance(records, Logs):
        counted.read(records)
    else:
        for batch in records:
            counted.add(batch)
    return counted.report(top)
