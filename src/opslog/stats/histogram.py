"""Durations in classes of equal ratio: quantiles whose error is bounded, in bounded memory.

The classes of DDSketch (Masson, Rim, Lee: VLDB 2019): class k holds durations
above g^(k-1) and up to g^k, where g is made so that the middle of a class is
at most ``ERROR`` away from each of them.  Classes of several parts add up
exactly, whatever the order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pyarrow as pa

ERROR = 0.01
"""The largest relative error of a quantile."""

LEAST, MOST = 1e-6, 1e6
"""Seconds; what is less or more counts as that much."""

_RATIO = (1 + ERROR) / (1 - ERROR)


def classes(seconds: pa.Array) -> pa.Array:
    """Return the class (int32) of each duration; null stays null."""
    import pyarrow.compute as pc

    limited = pc.max_element_wise(seconds, LEAST, skip_nulls=False)
    limited = pc.min_element_wise(limited, MOST, skip_nulls=False)
    return pc.ceil(pc.divide(pc.ln(limited), math.log(_RATIO))).cast(pa.int32())


class Histogram:
    """How many durations there are of each class."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.count = 0

    def add(self, classes: Iterable[tuple[int, int]]) -> None:
        """Add (class, count) pairs."""
        for number, count in classes:
            self.counts[number] = self.counts.get(number, 0) + count
            self.count += count

    def quantile(self, share: float) -> float | None:
        """Return the duration that ``share`` (0 to 1) of all are at most, None without any.

        It is at most ``ERROR`` away from the one with that rank, if that lies
        between ``LEAST`` and ``MOST``.
        """
        rank = math.ceil(share * self.count)
        for number, count in sorted(self.counts.items()):
            rank -= count
            if rank <= 0:
                return 2 * math.exp(math.log(_RATIO) * number) / (_RATIO + 1)
        return None
