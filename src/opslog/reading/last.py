"""The last records: parts are read from the end, until there are enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from opslog.model.arrow import pa


def last(
    parts: Sequence[Callable[[], Iterable[pa.RecordBatch]]], count: int
) -> list[pa.RecordBatch]:
    """Return the last ``count`` rows of all parts, in order.

    A part that is called yields its batches; those before what is needed are not called.
    """
    found: deque[pa.RecordBatch] = deque()
    for part in reversed(parts):
        if count <= 0:
            break
        own: deque[pa.RecordBatch] = deque()
        rows = 0
        for batch in part():
            own.append(batch)
            rows += len(batch)
            while own and rows - len(own[0]) >= count:
                rows -= len(own.popleft())
        count -= rows
        found.extendleft(reversed(own))
    if count < 0:
        found[0] = found[0].slice(-count)
    return list(found)
