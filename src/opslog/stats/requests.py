"""Requests that services answered, by route: each once, whoever told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.correlate.tellers import Calls, what
from opslog.stats.batch_counts import Name, grouped
from opslog.stats.first_keys import FirstKeys
from opslog.stats.histogram import Histogram, classes

Key = tuple[Name, Name, str]
"""Service, method and route."""

_Numbers = tuple[int, int, int]
"""The numbers of route, service and method."""


@dataclass(slots=True)
class RouteCounts:
    """The requests of a route; status 0 stands for none."""

    statuses: dict[int, int] = field(default_factory=dict)
    durations: Histogram = field(default_factory=Histogram)
    micros: int = 0


def by_route(calls: Calls, most: int) -> FirstKeys[Key, RouteCounts]:
    """Return the requests of the ``most`` routes that came first, and of all others together.

    A method that nobody tells comes last.
    """
    counts: dict[_Numbers, RouteCounts] = {}
    for told in calls.tables():
        _add(told.combine_chunks(), counts)
    out: FirstKeys[Key, RouteCounts] = FirstKeys(most, RouteCounts)
    services, methods, routes = (_names(calls, name) for name in ("service", "method", "route"))
    for (route, service, method), one in sorted(counts.items(), key=_place):
        key = services(service), methods(method), routes(route) or ""
        _put(one, out.others if OTHERS in key else out[key])
    return out


OTHERS = "\0"
"""Stands for a name that came too late to be told."""


def _place(row: tuple[_Numbers, RouteCounts]) -> tuple[int, ...]:
    return tuple(number & 0xFFFFFFFF for number in row[0])


def _names(calls: Calls, kind: str) -> Callable[[int], Name]:
    known = [*calls.names[kind], OTHERS]
    return lambda number: None if number < 0 else known[number]


def _add(told: pa.Table, counts: dict[_Numbers, RouteCounts]) -> None:
    import pyarrow.compute as pc

    if not len(told):
        return
    whats, micros = (told[name].combine_chunks() for name in ("what", "length"))
    for number, count in zip(*grouped([whats]), strict=True):
        service, method, route, status = what(number)
        statuses = counts.setdefault((route, service, method), RouteCounts()).statuses
        statuses[status] = statuses.get(status, 0) + count
    timed = pc.indices_nonzero(pc.greater_equal(micros, 0))
    if not len(timed):
        return
    whats, micros = whats.take(timed), micros.take(timed)
    kinds = classes(pc.divide(micros.cast(pa.float64()), 1e6))
    for number, kind, count, length in zip(*grouped([whats, kinds], micros), strict=True):
        service, method, route, _ = what(number)
        one = counts[route, service, method]
        one.durations.add([(kind, count)])
        one.micros += length


def _put(one: RouteCounts, into: RouteCounts) -> None:
    for status, count in one.statuses.items():
        into.statuses[status] = into.statuses.get(status, 0) + count
    into.durations.add(one.durations.counts.items())
    into.micros += one.micros
