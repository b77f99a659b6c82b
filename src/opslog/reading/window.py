"""A window of time, and which known blocks of a file may hold records of it.

That is told by the times with which every few blocks begin: a log is written in the order of
time, or put together from such logs.  Single records that are out of order may be missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from opslog.inputs.source import Source
from opslog.model.zones import Zone
from opslog.reading.span import START, Span
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
        firsts = [step[0] for step in steps] + ([last] if last else [])
        heads = [span.head or source.bytes_at(span.offset, START) for span in firsts]
        reached = self.reached(beginnings(heads, source, zone, catalog))
        return [span for step, held in zip(steps, reached, strict=False) if held for span in step]

    def reached(self, times: list[datetime | None]) -> list[bool]:
        """Return which pieces of a file may hold records of this time.

        ``times`` are those with which the pieces begin, None where none is told.
        """
        found: list[bool] = []
        for number in range(len(times)):
            first, then = _known(times[number::-1]), _known(times[number + 1 :])
            in_order = first is None or then is None or first <= then
            begun = first is None or then is None or first <= self.end
            ended = then is not None and then < self.begin
            found.append(not in_order or (begun and not ended))
        return found


def _known(times: list[datetime | None]) -> datetime | None:
    return next((time for time in times if time is not None), None)


def beginnings(
    heads: Iterable[bytes], source: Source, zone: Zone, catalog: Catalog
) -> list[datetime | None]:
    """Return the first time in what each piece of a file begins with, None where there is none."""
    from opslog.engine.normalizer import Normalizer  # start-up: most runs have no window

    normalizer = Normalizer(
        source=source.name, timezone=zone.name, reference=source.modified, catalog=catalog
    )
    found: list[datetime | None] = []
    for head in heads:
        whole = head[: head.rfind(b"\n") + 1]
        batches = [*normalizer.feed(whole), *normalizer.flush(close=True)]
        times = [time for one in batches for time in one["timestamp"].to_pylist()]
        found.append(_known(times))
    return found
