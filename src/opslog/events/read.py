"""Notifications of logs or batches, and the pairs and requests made of them, in one pass."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TypeAlias

import pyarrow as pa

from opslog.engine.watch import Watch, unwatched
from opslog.events.notification import API, COLUMNS, LOGGER, PRINTED, numbered_notifications
from opslog.events.pairs import PairFinder
from opslog.events.requests import RequestFinder, api_calls_in
from opslog.events.rows import EventRequest, Notification, Pair
from opslog.events.summary import SummaryCounter
from opslog.filters.fields import F
from opslog.filters.filter import Filter
from opslog.inputs.archive import several
from opslog.logs import Logs
from opslog.model.stats import Stats

EventRow: TypeAlias = Notification | Pair | EventRequest
_Next: TypeAlias = tuple[tuple[int, int], str, int | Notification]


@dataclass(slots=True)
class EventCollector:
    """Takes batches in the order of time; yields rows, and counts them.

    Batches have at least the columns ``notification.COLUMNS``.
    """

    summary: SummaryCounter = field(default_factory=SummaryCounter)
    pairs: PairFinder = field(default_factory=PairFinder)
    requests: RequestFinder = field(default_factory=RequestFinder)

    def add(self, batch: pa.RecordBatch) -> Iterator[EventRow]:
        """Take the next batch; yield its events, and the pairs and requests complete with them."""
        calls: Iterator[_Next] = (
            ((row, 0), request, time) for row, request, time in api_calls_in(batch)
        )
        events: Iterator[_Next] = (
            ((row, 1), "", event) for row, event in numbered_notifications(batch)
        )
        # In the order of records, so that batches do not show.
        for _, request, what in heapq.merge(calls, events, key=itemgetter(0)):
            if isinstance(what, int):
                yield from self._counted(self.requests.add_call(request, what))
                continue
            self.summary.add_event(what)
            yield what
            yield from self._counted(self.requests.add(what))
            for pair in self.pairs.add(what):
                if pair.end is not None:
                    pair = replace(pair, since_request=self.requests.seconds_since_call(what))
                self.summary.add_pair(pair)
                yield pair

    def close(self) -> Iterator[EventRow]:
        """Yield what has not ended, and the requests that are left."""
        for pair in self.pairs.close():
            self.summary.add_pair(pair)
            yield pair
        yield from self._counted(self.requests.close())

    def _counted(self, requests: Iterable[EventRequest]) -> Iterator[EventRequest]:
        for request in requests:
            self.summary.add_request(request)
            yield request


def event_rows(
    records: Logs | Iterable[pa.RecordBatch],
    collector: EventCollector | None = None,
    stats: Stats | None = None,
    watch: Watch = unwatched,
    calls: bool = True,
) -> Iterator[EventRow]:
    """Yield the events, pairs and requests of logs, or of batches in the order of time.

    Logs of several sources are read in the order of time.  ``collector`` then knows the
    summary.  Without ``calls`` records of APIs are not looked for, which reads
    faster and tells no requests.  Raises what reading raises, when all that can be
    read was yielded.
    """
    collector = EventCollector() if collector is None else collector
    failed: Exception | None = None
    batches = _read(records, stats, watch, calls) if isinstance(records, Logs) else records
    try:
        for batch in batches:
            yield from collector.add(batch)
    except Exception as error:
        failed = error
    yield from collector.close()
    if failed is not None:
        raise failed


def _read(logs: Logs, stats: Stats | None, watch: Watch, calls: bool) -> Iterator[pa.RecordBatch]:
    sent = F.attributes["event_type"].is_valid() | F.logger.startswith(LOGGER)
    wanted = Filter.holding(sent, "event_type", LOGGER, PRINTED)
    if calls:
        api = F.logger.matches(API) | F.program.matches(API)
        wanted = Filter.of(wanted.expression | (F.request_id.is_valid() & api))
    logs = logs.filter(wanted)
    reading = logs._begun(stats, watch)
    reading = replace(reading, merge=reading.merge or several(reading.sources))
    return logs._batches(COLUMNS, reading)
