"""Records of many sources in the order of time.

Each source gives its records in the order of its file, whose times may go back
a little: a record counts as no earlier than the one before it, and one without
a time as late as that one.  So no source's records change places, and records
of the same time come in the order of the sources.  Only a few rows of each
source are held, however long it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

Timed: TypeAlias = tuple[pa.Array, pa.RecordBatch]
"""Times in microseconds (int64, nullable) and the rows they belong to."""

Each: TypeAlias = Callable[[Callable[["_Queue"], None], Iterable["_Queue"]], Iterable[None]]

BUDGET = 32 << 20
"""Bytes of input read ahead, of all sources together."""

_SMALLEST = 64 << 10
_BEFORE_ALL = -(1 << 63)


def block_bytes(sources: int, most: int) -> int:
    """Return how many bytes of a source to read at once."""
    return max(_SMALLEST, min(most, BUDGET // max(1, sources)))


@dataclass(slots=True, eq=False)
class _Queue:
    """What has been read of a source and is not written."""

    results: Iterator[Timed]
    keys: pa.Array = field(default_factory=lambda: pa.nulls(0, pa.int64()))
    rows: list[pa.RecordBatch] = field(default_factory=list)
    latest: int = _BEFORE_ALL
    enough: int = 1
    ended: bool = False

    def fill(self) -> None:
        """Read until there are rows enough: half of what one reading gave."""
        while not self.ended and len(self.keys) < self.enough:
            found = next(self.results, None)
            if found is None:
                self.ended = True
            elif len(found[0]):
                self._append(*found)
                self.enough = max(1, len(found[0]) // 2)

    def _append(self, times: pa.Array, rows: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        since = pc.cumulative_max(times, start=self.latest, skip_nulls=True)
        keys = pc.fill_null(pc.fill_null_forward(since), self.latest)
        self.latest = keys[-1].as_py()
        self.keys = pa.concat_arrays([self.keys, keys])
        self.rows.append(rows)

    def take(self, count: int) -> tuple[pa.Array, list[pa.RecordBatch]]:
        """Remove the first ``count`` rows and return them."""
        keys, self.keys = self.keys[:count], self.keys[count:]
        taken = []
        while count:
            rows = self.rows.pop(0)
            if len(rows) > count:
                self.rows.insert(0, rows.slice(count))
                rows = rows.slice(0, count)
            taken.append(rows)
            count -= len(rows)
        return keys, taken


def merged(sources: Iterable[Iterator[Timed]], each: Each = map) -> Iterator[pa.RecordBatch]:
    """Yield the rows of all ``sources`` in the order of time.

    ``each`` is ``map`` or that of a pool: sources are read by it.
    """
    queues = [_Queue(results) for results in sources]
    while queues:
        for _ in each(_Queue.fill, queues):
            pass
        queues = [queue for queue in queues if len(queue.keys)]
        yield from _ready(queues)


def _ready(queues: list[_Queue]) -> Iterator[pa.RecordBatch]:
    """Yield what no row still to be read can come before."""
    import pyarrow.compute as pc

    ends = [(queue.latest, number) for number, queue in enumerate(queues) if not queue.ended]
    keys, rows = [], []
    for number, queue in enumerate(queues):
        count = len(queue.keys)
        if ends and (queue.latest, number) > min(ends):
            # A row of the limit's own time goes first only if its source does.
            limit, first = min(ends)
            before = pc.less_equal if number < first else pc.less
            count = pc.sum(before(queue.keys, limit)).as_py()
        if count:
            own, batches = queue.take(count)
            keys.append(own)
            rows += batches
    if rows:
        order = pc.array_sort_indices(pa.concat_arrays(keys))
        table = pa.Table.from_batches(rows).unify_dictionaries().combine_chunks()
        yield from table.take(order).to_batches()
