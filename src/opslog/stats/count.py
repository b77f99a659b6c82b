"""Batches, or logs, in; a report out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from opslog.engine.watch import Watch, unwatched
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.rows.kept import Kept
from opslog.stats.part import COLUMNS, Part, part_of, part_of_kept
from opslog.stats.report import Report
from opslog.stats.tally import Tally


class Counted:
    """What was counted so far; ``every`` is the length of a step in seconds, None to choose.

    A stage, too: batches pass unchanged through ``Logs.pipe(counted)``.
    Raises OpslogError for steps of no length.
    """

    def __init__(self, every: float | None = None) -> None:
        self._tally = Tally(every)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the records of a batch with all columns of the schema."""
        self._tally.add(part_of(batch, self._tally.width))

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
        if logs._stages or logs._root:
            for batch in logs._batches(logs._columns, reading):
                self.add(batch)
            return

        def finish(kept: Kept) -> Part:
            # Another thread may have widened the steps meanwhile: then this part's are finer.
            return part_of_kept(kept, self._tally.width)

        for part in logs._results(finish, COLUMNS, reading):
            self._tally.add(part)

    def report(self, top: int = 10) -> Report:
        """Return what was counted, with at most ``top`` loggers, errors and routes."""
        return self._tally.report(top)


def stats_of(
    records: Logs | Iterable[pa.RecordBatch], every: float | None = None, top: int = 10
) -> Report:
    """Return what is said of logs, or of batches with all columns of the schema.

    ``every`` is the length of a step of the timeline in seconds, chosen by the span if None;
    ``top`` is how many loggers, errors and routes are told.
    """
    counted = Counted(every)
    if isinstance(records, Logs):
        counted.read(records)
    else:
        for batch in records:
            counted.add(batch)
    return counted.report(top)
