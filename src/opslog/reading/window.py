"""A window of time, and which known blocks of a file may hold records of it.

That is told by the times with which every few blocks begin: a log is written in the order of
time, or put together from such logs.  Single records that are out of order may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from opslog.inputs.source import Source
from opslog.model.zones import Zone
from opslog.reading.index import Span
from opslog.scanner.catalog import Catalog

_STEP = 8
"""Blocks between two times that are looked at: to read a time costs as much as a tenth of one."""

_SLACK = timedelta(days=1)
"""How much earlier than its records a file may say that it was changed: zones differ."""


class TimeWindow(NamedTuple):
    """From when to when, both in UTC."""

    begin: datetime
    end: datetime

    def may_reach_into(self, source: Source) -> bool:
        """Return whether a file was changed late enough to hold records of this time."""
        return not source.regular or source.modified + _SLACK >= self.begin

    def blocks(
        self, spans: list[Span], last: Span | None, source: Source, zone: Zone, catalog: Catalog
    ) -> list[Span]:
        """Return those of ``spans`` that may hold records of this time; ``last`` follows them."""
        steps = [spans[at : at + _STEP] for at in range(0, len(spans), _STEP)]
        looked_at = [step[0] for step in steps] + ([last] if last else [])
        times = [*_beginnings(looked_at, source, zone, catalog), None]
        kept: list[Span] = []
        for number, step in enumerate(steps):
            first, then = _known(times[number::-1]), _known(times[number + 1 :])
            in_order = first is None or then is None or first <= then
            begun = first is None or then is None or first <= self.end
            ended = then is not None and then < self.begin
            if not in_order or (begun and not ended):
                kept += step
        return kept


def _known(times: list[datetime | None]) -> datetime | None:
    return next((time for time in times if time is not None), None)


def _beginnings(
    spans: list[Span], source: Source, zone: Zone, catalog: Catalog
) -> Iterator[datetime | None]:
    """Yield the first time in the beginning of each block, None where there is none."""
    from opslog.engine.normalizer import Normalizer  # start-up: most runs have no window

    normalizer = Normalizer(
        source=source.name, timezone=zone.name, reference=source.modified, catalog=catalog
    )
    for span in spans:
        whole = span.head[: span.head.rfind(b"\n") + 1]
        batches = [*normalizer.feed(whole), *normalizer.flush(close=True)]
        times = [time for one in batches for time in one["timestamp"].to_pylist()]
        yield _known(times)
