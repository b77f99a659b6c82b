"""What is told beside a story, found by readings of its own.

How a resource broke before a request for it was refused, which answer is likely that of a
call without one, and which errors were new elsewhere while the story failed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter

import pyarrow as pa

from opslog.engine.watch import Watch
from opslog.filters.about import about
from opslog.filters.fields import Fields
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
from opslog.trace import reasons
from opslog.trace.meanwhile import FailureTime, Meanwhile
from opslog.trace.story import Note, Story

_MOST = 100_000
"""Records of one answer that are kept: the last ones."""


def notes(
    story: Story, logs: Logs, stats: Stats, watch: Watch, index: Index, request: bool
) -> Iterator[Note]:
    """Yield what other records of ``logs`` tell of a story; ``request``: of a request's only.

    ``index`` knows the logs.
    """
    further = _Readings(logs, stats, watch, index)
    if request:
        yield from _broke_earlier(story, further)
        yield from _likely_answers(story, further)
    time = FailureTime.of(story)
    if time is not None:
        meanwhile = Meanwhile(story, time)
        for batch in further.batches(time.errors(), window=time.window()):
            meanwhile.add(batch)
        yield from meanwhile.notes()


@dataclass(frozen=True, slots=True)
class _Readings:
    """Further readings of the logs; ``stats`` and ``watch`` are told of each."""

    logs: Logs
    stats: Stats
    watch: Watch
    index: Index

    def batches(
        self, where: Filter, source: str | None = None, window: TimeWindow | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the records of a filter, of one source or of all; what cannot be read is not.

        With ``window`` only what may be of that time is read.
        """
        reading = replace(
            self.logs._begun(self.stats, self.watch),
            where=where, merge=False, most=None, follow=None,
            index=self.index if window else None, window=window,
        )  # fmt: skip
        if source is not None:
            reading = replace(reading, sources=Sources((source,), (source,)))
        with suppress(SourceError), reading.sources.standard_input_kept():
            yield from staged(reading.results(Kept.batch, schema.names()), self.logs._stages)

    def records(self, where: Filter, source: str | None = None) -> list[LogRecord]:
        """Return the last records of a filter in the order of time."""
        every = chain.from_iterable(map(records_of, self.batches(where, source)))
        timed = deque(((one.timestamp, one) for one in every if one.timestamp), maxlen=_MOST)
        return [record for _, record in sorted(timed, key=itemgetter(0))]


def _broke_earlier(story: Story, further: _Readings) -> Iterator[Note]:
    request = reasons.refused(story)
    number = None if request is None else reasons.reason(story, request)
    if request is None or number is None or request.begin is None:
        return
    broken = reasons.broken_resource(story, request, number)
    if broken is None:
        return
    f = Fields("UTC")
    errors = (f.severity >= "ERROR") | f.exception_type.is_valid()
    before = Filter.of(errors & (f.timestamp < request.begin))
    note = reasons.broke_earlier(*broken, further.records(about(broken[1]) & before))
    if note is not None:
        yield note


def _likely_answers(story: Story, further: _Readings) -> Iterator[Note]:
    f = Fields("UTC")
    for request, source, pid in reasons.unanswered(story):
        answered = f.http_status.is_valid() & f.http_method.is_valid() & (f.process_pid == pid)
        answers = further.records(Filter.of(answered), source)
        if (note := reasons.likely_answer(request, answers)) is not None:
            yield note
