"""The last records: parts are read from the end, until there are enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from opslog.model.arrow import pa
from opslog.model.errors import SourceError, SourceErrors


def last(
    parts: Sequence[Callable[[], Iterable[pa.RecordBatch]]], count: int
) -> tuple[list[pa.RecordBatch], list[SourceError]]:
    """Return the last ``count`` rows of all parts, in order, and what could not be read of them.

    A part that is called yields its batches; those before what is needed are not called.
    """
    errors: list[SourceError] = []
    found: deque[pa.RecordBatch] = deque()
    for part in reversed(parts):
        if count <= 0:
            break
        own: deque[pa.RecordBatch] = deque()
        rows = 0
        try:
            for batch in part():
                own.append(batch)
                rows += len(batch)
                while own and rows - len(own[0]) >= count:
                    rows -= len(own.popleft())
        except SourceErrors as group:
            errors += (one for one in group.exceptions if isinstance(one, SourceError))
        except SourceError as error:
            errors.append(error)
        count -= rows
        found.extendleft(reversed(own))
    if count < 0:
        found[0] = found[0].slice(-count)
    return list(found), errors
