"""Rows that outlive their batch: few, and without what else was in it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from opslog.stages.rows import own, taken, together


class Held:
    """The rows held from batches before, numbered from 0, and behind them those of one batch."""

    def __init__(self) -> None:
        self._parts: list[pa.RecordBatch] = []
        self._count = 0

    def add(self, batch: pa.RecordBatch) -> int:
        """Put ``batch`` behind the rows held and return the number of its first row."""
        self._parts = [*self._parts[: self._count > 0], batch]
        return self._count

    def taken(self, rows: Sequence[int]) -> pa.RecordBatch:
        """Return the rows with these numbers, at least one, in this order."""
        if self._count and min(rows) >= self._count:
            return taken(self._parts[1], [row - self._count for row in rows])
        return taken(together(self._parts), rows)

    def hold(self, rows: Sequence[int]) -> None:
        """Forget all rows but these, which are numbered anew in this order."""
        if not rows:
            self._parts = []
        elif len(rows) == self._count and all(a == b for a, b in enumerate(rows)):
            self._parts = self._parts[:1]
        else:
            self._parts = [own(self.taken(rows))]
        self._count = len(rows)
