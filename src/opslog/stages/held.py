"""Rows that outlive their batch: few, and without what else was in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa

from opslog.rows.kept import Kept
from opslog.stages.rows import indices, own, taken, together

Part: TypeAlias = pa.RecordBatch | Kept
"""Rows that come together, as columns or not built yet."""


class Held:
    """The rows held from parts before, numbered from 0, and behind them those of one part."""

    def __init__(self) -> None:
        self._before: pa.RecordBatch | None = None
        self._part: Part | None = None
        self._count = 0

    def add(self, part: Part) -> int:
        """Put ``part`` behind the rows held and return the number of its first row."""
        self._part = part
        return self._count

    def taken(self, rows: Sequence[int]) -> pa.RecordBatch:
        """Return the rows with these numbers, at least one, in this order."""
        new = [row - self._count for row in rows if row >= self._count]
        if self._before is None or len(new) == len(rows):
            return _of(self._part, new)
        if not new:
            return taken(self._before, rows)
        found = together([self._before, _of(self._part, new)])
        behind = iter(range(self._count, self._count + len(new)))
        return taken(found, [row if row < self._count else next(behind) for row in rows])

    def hold(self, rows: Sequence[int]) -> None:
        """Forget all rows but these, which are numbered anew in this order."""
        if not rows:
            self._before = None
        elif len(rows) != self._count or any(a != b for a, b in enumerate(rows)):
            self._before = own(self.taken(rows))
        self._part = None
        self._count = len(rows)


def _of(part: Part | None, rows: Sequence[int]) -> pa.RecordBatch:
    """Return the rows of ``part`` with these numbers, in this order."""
    assert part is not None
    if isinstance(part, pa.RecordBatch):
        return taken(part, rows)
    if len(rows) < len(part) or any(a != b for a, b in enumerate(rows)):
        part = part.among(indices(rows))
    return part.batch()
