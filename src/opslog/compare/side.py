"""One side of a comparison: what the logs of a run, a day or a host tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.compare.operations import Operations
from opslog.compare.places import Places
from opslog.compare.programs import Programs
from opslog.compare.templates import COLUMNS as TEMPLATE_COLUMNS
from opslog.compare.templates import TemplateCounts
from opslog.compare.visits import COLUMNS as VISIT_COLUMNS
from opslog.compare.visits import SAID, SCHEMA, Visits
from opslog.correlate import relations
from opslog.correlate.calls import is_told_by_service
from opslog.correlate.graph import RequestGraph
from opslog.engine.watch import Watch, unwatched
from opslog.logs import Logs
from opslog.model.severity import INFO
from opslog.model.stats import Stats
from opslog.reading.groups import readable
from opslog.reading.pipeline import through_stages
from opslog.reading.sorted_rows import SortedRows

_COLUMNS = tuple(dict.fromkeys((*TEMPLATE_COLUMNS, *VISIT_COLUMNS)))


@dataclass(slots=True)
class Side:
    """What some logs tell; to be closed."""

    places: Places = field(default_factory=Places)
    templates: TemplateCounts = field(init=False)
    operations: Operations = field(default_factory=Operations)
    programs: Programs = field(default_factory=Programs)
    records: int = 0
    first: int | None = None
    last: int | None = None
    unread: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.templates = TemplateCounts(self.places)

    def close(self) -> None:
        """Remove temporary files."""
        self.operations.close()

    def read(self, logs: Logs, stats: Stats | None = None, watch: Watch = unwatched) -> None:
        """Read the kept records of logs; what cannot be read is put into ``unread``."""
        import pyarrow.compute as pc

        logs = logs._changed(merge=False, follow=None)
        graph = RequestGraph()
        with ExitStack() as stack:
            rows = stack.enter_context(SortedRows(SCHEMA, [("node", "ascending")]))
            said = stack.enter_context(SortedRows(SAID, [("node", "ascending")]))
            visits = Visits(self.places, rows, said)
            reading = logs._begun(stats, watch)
            columns = (
                tuple(dict.fromkeys((*logs._columns, *_COLUMNS))) if logs._stages else _COLUMNS
            )
            batches = relations.with_roots(reading, None, columns, servers=True, graph=graph)
            found: Iterator[pa.RecordBatch] = batches
            if logs._stages:
                found = through_stages(batches, logs._stages, None, reading.stats)
            for batch in readable(found, self.unread):
                if not len(batch):
                    continue
                self.records += len(batch)
                self._span(batch)
                self.programs.add(batch)
                told = is_told_by_service(batch)
                codes = self.templates.add(batch, told)
                severity = batch["severity_number"].fill_null(0)
                visits.add(batch, told, codes, pc.greater_equal(severity, INFO))
            visits.finish()
            self.operations.fill(visits, rows, said, graph)

    def _span(self, batch: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        span = pc.min_max(batch["timestamp"].cast(pa.int64()))
        if span["min"].is_valid:
            first, last = span["min"].as_py(), span["max"].as_py()
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)
