"""Counts of batches, added up in their order; memory does not grow with the records."""

from __future__ import annotations

from typing import Any

from opslog.correlate.tellers import Calls
from opslog.model.errors import OpslogError
from opslog.model.instants import utc_time
from opslog.model.severity import CLASS_OF, CLASSES
from opslog.stats.batch_counts import BatchCounts, Name
from opslog.stats.first_keys import FirstKeys
from opslog.stats.report import (  # fmt: skip
    Error,
    Logger,
    Others,
    Route,
    Service,
    StatsReport,
    TimelineStep,
)
from opslog.stats.requests import RouteCounts, by_route
from opslog.stats.timeline import AUTOMATIC, Timeline, multiples

OTHERS = "(others)"
"""Stands for the services that came after the first MOST_SERVICES."""

MOST_SERVICES = 200
MOST_ROWS = 10_000
"""Loggers, fingerprints and routes that have a row of their own, of each the first."""

STEPS = 60
"""Steps of the timeline, at most, where no width is given."""

_WARNING, _ERROR = CLASSES.index("warning"), CLASSES.index("error")
_WORSE = (_ERROR, _ERROR + 1)


class Totals:
    """Counts of records; ``every`` is the length of a step in seconds, None to choose by the span.

    Raises OpslogError for steps of no length.
    """

    def __init__(self, every: float | None = None) -> None:
        if every is not None and not 1e-3 <= every <= 1e9:
            raise OpslogError(f"every: expected seconds from 0.001, found {every:g}")
        self._every = every
        widths = AUTOMATIC if every is None else multiples(round(every * 1e6))
        self._timeline = Timeline(widths)
        self._records = 0
        self._span: tuple[int, int] | None = None
        self._untimed: dict[tuple[Name, int], int] = {}
        self._services: FirstKeys[Name, list[int]] = FirstKeys(MOST_SERVICES, lambda: [0] * 7)
        self._loggers: FirstKeys[tuple[Name, Name], list[int]] = FirstKeys(
            MOST_ROWS, lambda: [0] * 7
        )
        self._errors: FirstKeys[str, dict[str, Any]] = FirstKeys(MOST_ROWS, dict)
        self._calls = Calls(MOST_ROWS)

    @property
    def width(self) -> int:
        """Microseconds of a step; the next batches are to be counted in these."""
        return self._timeline.width

    def add(self, counts: BatchCounts) -> None:
        """Add the counts of the next batch."""
        self._records += counts.records
        if counts.span is not None:
            first, last = self._span or counts.span
            self._span = min(first, counts.span[0]), max(last, counts.span[1])
        timed = []
        for step, service, level, count in counts.times:
            name = service
            row = self._services[service]
            row[level] += count
            if row is self._services.others:
                name = OTHERS
            if step is None:
                key = name, level
                self._untimed[key] = self._untimed.get(key, 0) + count
            else:
                timed.append((step, (name, level), count))
        self._timeline.add(counts.width, timed)
        for service, logger, level, count in counts.loggers:
            self._loggers[service, logger][level] += count
        for one in counts.errors:
            self._add_error(one)
        if counts.requests is not None:
            self._calls.add(counts.requests)

    def _add_error(self, one: dict[str, Any]) -> None:
        have = self._errors[one["fingerprint"]]
        if not have:
            have |= one
            return
        have["records"] += one["records"]
        for name, choose in (("first", min), ("last", max)):
            times = [t for t in (have[name], one[name]) if t is not None]
            have[name] = choose(times) if times else None

    def report(self, top: int = 10) -> StatsReport:
        """Return what was counted, with at most ``top`` loggers, errors and routes."""
        line = self._timeline if self._every is not None else self._timeline.at_most(STEPS)
        steps = sorted({step for step, _ in line.counts})
        totals = [sum(row[n] for row in self._service_rows().values()) for n in range(7)]
        loggers = [_logger(*key, row) for key, row in self._loggers.items()]
        errors = [_error(one) for _, one in self._errors.items()]
        requests = by_route(self._calls, MOST_ROWS)
        routes = [_route(*key, one) for key, one in requests.items()]
        for rows in (loggers, errors):
            rows.sort(key=lambda one: -one.records)
        routes.sort(key=lambda one: -one.requests)
        rest = Others(
            sum(self._loggers.others) + sum(one.records for one in loggers[top:]),
            self._errors.others.get("records", 0) + sum(one.records for one in errors[top:]),
            sum(requests.others.statuses.values()) + sum(one.requests for one in routes[top:]),
        )
        return StatsReport(
            self._records,
            sum(self._untimed.values()),
            None if self._span is None else utc_time(self._span[0]),
            None if self._span is None else utc_time(self._span[1]),
            line.width / 1e6,
            _by_severity(totals),
            tuple(self._service_reports(line, steps)),
            tuple(_steps(line, steps)),
            tuple(loggers[:top]),
            tuple(errors[:top]),
            tuple(routes[:top]),
            rest,
        )

    def _service_rows(self) -> dict[Name, list[int]]:
        rows = dict(self._services.items())
        if any(self._services.others):
            rows[OTHERS] = self._services.others
        return rows

    def _service_reports(self, line: Timeline, steps: list[int]) -> list[Service]:
        places = {step: place for place, step in enumerate(steps)}
        lines: dict[Name, list[int]] = {}
        for (step, (name, _)), count in line.counts.items():
            lines.setdefault(name, [0] * len(steps))[places[step]] += count
        found = [
            Service(name, sum(row), _by_severity(row), tuple(lines.get(name, [0] * len(steps))))
            for name, row in self._service_rows().items()
        ]
        return sorted(found, key=lambda one: (-one.records, one.service or "~"))


def _steps(line: Timeline, steps: list[int]) -> list[TimelineStep]:
    found: dict[int, dict[str, list[int]]] = {step: {} for step in steps}
    for (step, (name, level)), count in line.counts.items():
        found[step].setdefault(name or "-", [0] * 7)[level] += count
    return [
        TimelineStep(
            utc_time(step * line.width),
            sum(map(sum, services.values())),
            {name: _by_severity(row) for name, row in sorted(services.items())},
        )
        for step, services in found.items()
    ]


def _logger(service: Name, name: Name, row: list[int]) -> Logger:
    return Logger(service, name, sum(row), row[_WARNING], sum(row[n] for n in _WORSE))


def _error(one: dict[str, Any]) -> Error:
    number = one["severity_number"]
    return Error(
        one["fingerprint"],
        one["records"],
        one["service_name"],
        one["logger"],
        CLASSES[CLASS_OF[number or 0]],
        one["exception_type"],
        one["template"],
        None if one["first"] is None else utc_time(one["first"]),
        None if one["last"] is None else utc_time(one["last"]),
        one["source"],
        one["source_offset"],
    )


def _route(service: Name, method: Name, route: str, one: RouteCounts) -> Route:
    return Route(
        service,
        method,
        route,
        sum(one.statuses.values()),
        {str(code) if code else "-": count for code, count in sorted(one.statuses.items())},
        sum(count for code, count in one.statuses.items() if code >= 500),
        one.durations.count,
        one.micros / 1e6,
        *(one.durations.quantile(share) for share in (0.5, 0.95, 0.99)),
    )


def _by_severity(row: list[int]) -> dict[str, int]:
    return {name: count for name, count in zip(CLASSES, row, strict=True) if count}
