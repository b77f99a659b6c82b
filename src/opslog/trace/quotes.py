"""Records that repeat the exception of another: it was raised elsewhere, and earlier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from opslog.model.record import LogRecord

_QUOTES = re.compile(r"Error from last host|Remote ?[Ee]rror|\[u?'Traceback |\\n', u?'")
"""What stands beside an exception that was raised elsewhere."""

_MOST = 200
"""Exceptions of a story that are looked for in others."""


def too_many(records: list[LogRecord]) -> int:
    """Return how many exceptions are not looked for."""
    return max(0, sum(1 for _ in _raised(records)) - _MOST)


def quoted_by(records: list[LogRecord]) -> Iterator[tuple[int, int]]:
    """Yield (number of a record, number of the record whose exception it repeats)."""
    told = [
        (number, f"{record.exception_type}: {(record.exception_message or '').splitlines()[0]}")
        for number, record in islice(_raised(records), _MOST)
    ]
    for number, record in enumerate(records):
        said = f"{record.body or ''}\n{record.exception_stacktrace or ''}"
        if not told or not _QUOTES.search(said):
            continue
        for other, text in told:
            if other != number and text in said:
                yield number, other
                break


def _raised(records: list[LogRecord]) -> Iterator[tuple[int, LogRecord]]:
    for number, record in enumerate(records):
        if record.exception_type and (record.exception_message or "").strip():
            yield number, record
