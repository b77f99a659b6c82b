"""Pairs and requests, counted by event."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from opslog.events.rows import EventRequest, EventSummary, Notification, Pair
from opslog.stats.first_keys import FirstKeys
from opslog.stats.histogram import Histogram, classes

MOST = 10_000
OTHERS = "(others)"


@dataclass(slots=True)
class _Row:
    counts: dict[str, int] = field(default_factory=dict)
    durations: Histogram = field(default_factory=Histogram)
    requests: Histogram = field(default_factory=Histogram)

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


class SummaryCounter:
    """Counts notifications, pairs and requests by event; of the first 10,000 events apart."""

    def __init__(self) -> None:
        self._rows: FirstKeys[str, _Row] = FirstKeys(MOST, _Row)

    def add_event(self, event: Notification) -> None:
        """Count a notification."""
        self._rows[event.event].count("notifications")

    def add_pair(self, pair: Pair) -> None:
        """Count a pair."""
        row = self._rows[pair.event]
        row.count(pair.status)
        if pair.overlapping:
            row.count("overlapping")
        if (pair.attempt or 1) > 1:
            row.count("retried")
        if pair.status == "ended" and pair.duration is not None:
            _add(row.durations, pair.duration)

    def add_request(self, request: EventRequest) -> None:
        """Count a request."""
        _add(self._rows[request.event].requests, request.duration)

    def rows(self) -> list[EventSummary]:
        """Return a row for each event, in the order of their names."""
        rows = sorted(self._rows.items())
        if self._rows.others.counts:
            rows.append((OTHERS, self._rows.others))
        return [_row(name, row) for name, row in rows]


def _add(histogram: Histogram, seconds: float) -> None:
    [number] = classes(pa.array([seconds])).to_pylist()
    histogram.add([(number, 1)])


def _row(name: str, row: _Row) -> EventSummary:
    counts = row.counts.get
    durations, requests = row.durations.quantile, row.requests.quantile
    return EventSummary(
        name,
        counts("notifications", 0),
        counts("ended", 0),
        counts("failed", 0),
        counts("retried", 0),
        counts("overlapping", 0),
        counts("no end", 0),
        counts("no start", 0),
        durations(0.5),
        durations(0.95),
        durations(0.99),
        row.requests.count,
        requests(0.5),
        requests(0.95),
        requests(0.99),
    )
