"""Counts by time, whose steps grow with the span: so few that they fit into memory.

Each width is a multiple of the one before it, and all steps begin at the epoch,
so that counts of short steps add up to those of long ones exactly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import TypeAlias

MOST = 100_000
"""Counts that are kept at a time."""

_SECONDS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400)
_DAYS = (7, 28, 364, 3640, 36400, 364000)
AUTOMATIC = tuple(1_000_000 * s for s in (*_SECONDS, *(86400 * d for d in _DAYS)))
"""Widths to choose from, in microseconds."""

Key: TypeAlias = tuple[str | None, int]
"""A service and the class of a severity."""


def multiples(width: int) -> tuple[int, ...]:
    """Return a given width and its multiples, for when it would make too many steps."""
    return tuple(width * k * 10**n for n in range(9) for k in (1, 5))


class Timeline:
    """How many records there are of each step, service and severity."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        self._widths = widths
        self._place = 0
        self.counts: dict[tuple[int, Key], int] = {}

    @property
    def width(self) -> int:
        """Microseconds of a step; it only grows."""
        return self._widths[self._place]

    def add(self, width: int, counts: Iterable[tuple[int, Key, int]]) -> None:
        """Add (step, key, count) of steps of ``width``, which was this timeline's once."""
        factor = self.width // width
        own = self.counts
        for step, key, count in counts:
            place = step // factor, key
            own[place] = own.get(place, 0) + count
        while len(self.counts) > MOST and self._place + 1 < len(self._widths):
            self._widen(self._place + 1)

    def at_most(self, steps: int) -> Timeline:
        """Return the same counts in wider steps, so that at most ``steps`` hold records.

        In the widest there are more may remain.
        """
        distinct = {step for step, _ in self.counts}

        def count(place: int) -> int:
            factor = self._widths[place] // self.width
            return len({step // factor for step in distinct})

        places = range(self._place, len(self._widths) - 1)
        fewer = bisect_left(places, -steps, key=lambda place: -count(place))
        out = Timeline(self._widths)
        out._place, out.counts = self._place, dict(self.counts)
        out._widen(self._place + fewer)
        return out

    def _widen(self, place: int) -> None:
        factor = self._widths[place] // self.width
        self._place = place
        old, self.counts = self.counts, {}
        for (step, key), count in old.items():
            wider = step // factor, key
            self.counts[wider] = self.counts.get(wider, 0) + count
