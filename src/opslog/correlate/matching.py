"""Which lines of servers tell of which requests, put in order: those that fit one another alone.

First the requests that tell path and status themselves take their lines; the others share
the rest.  What several lines that fit say alike is true of the request, whichever is its line.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Literal

import pyarrow as pa

from opslog.correlate import _servers
from opslog.correlate.memory import numbers_of
from opslog.model import arrays

PLACES = ("source", "source_offset")
"""The columns by which lines are known."""

LINE, SURE, TOLD, PASSED = 1, 2, 4, 8
"""Kinds of rows, as _servers.pyx calls them."""

STATUS, METHOD, PATH, DURATION = 1, 2, 4, 8
"""What a line tells of a request (``known``), as _servers.pyx calls it: the status always, the
duration where no other line fits.
"""

ROWS = pa.schema([
    ("group", pa.int64()),
    ("time", pa.int64()),
    ("end", pa.int64()),
    ("path", pa.int64()),
    ("method", pa.int32()),
    ("status", pa.int32()),
    ("kind", pa.uint8()),
    ("source", pa.int32()),
    ("source_offset", pa.int64()),
    ("request_id", pa.string()),
    ("service", pa.string()),
])  # fmt: skip
"""Requests and lines in groups: those of one process, or of one path for proxies."""


_COMPARED = ("group", "time", "end", "path", "method", "status")
_NUMBERS = ("line", "request")
_PAIRED = (*_NUMBERS, "known")

_FORMS: dict[pa.DataType, Literal["q", "i", "B"]] = {
    pa.int64(): "q", pa.int32(): "i", pa.uint8(): "B",
}  # fmt: skip


PAIRS = pa.schema([
    ("source", pa.int32()), ("source_offset", pa.int64()), ("request_id", pa.string()),
    ("service", pa.string()), ("known", pa.uint8()),
])  # fmt: skip


class _Matching:
    """Rows (ROWS) in their order, and which lines of them tell of which requests."""

    def __init__(self) -> None:
        self._lines = _servers.Lines()
        self._begin = 0
        self._kept: list[pa.Table] = []

    def add(self, rows: pa.Table | None, kinds: pa.Array | None = None) -> pa.Table:
        """Take rows, None for the last, of other ``kinds`` than theirs; return pairs (_PAIRED).

        Their numbers are places in ``rows``, which has the rows that were not ``passed``.
        """
        last = rows is None
        rows = ROWS.empty_table() if rows is None else rows.combine_chunks()
        self._kept.append(rows)
        room = len(rows) + self._lines.most
        numbers = [array("q", bytes(8 * room)) for _ in range(2)]
        known = array("B", bytes(room))
        columns = [rows[name].combine_chunks() for name in _COMPARED]
        columns.append(rows["kind"].combine_chunks() if kinds is None else kinds)
        memory = [numbers_of(column, _FORMS[column.type]) for column in columns]
        told = [memoryview(some) for some in (*numbers, known)]
        count = self._lines.match(last, *told, *memory)
        found = [pa.array([n - self._begin for n in some[:count]], pa.int64()) for some in numbers]
        return pa.table([*found, pa.array(known[:count], pa.uint8())], _PAIRED)

    @property
    def rows(self) -> pa.Table:
        return pa.concat_tables(self._kept)

    def passed(self) -> int:
        """Forget tables of which no row can be told of any more; return how many."""
        gone = 0
        while gone < len(self._kept) and self._begin + len(self._kept[gone]) <= self._lines.oldest:
            self._begin += len(self._kept[gone])
            gone += 1
        del self._kept[:gone]
        return gone


def _without_told(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield rows again; the lines of requests that tell path and status themselves are passed."""
    import pyarrow.compute as pc

    matching, waiting, marks = _Matching(), deque[pa.Table](), bytearray()
    for rows in chain(tables, (None,)):
        kinds = None
        if rows is not None:
            kind = rows["kind"].combine_chunks()
            own = pc.equal(pc.bit_wise_and(kind, arrays.uint8(TOLD | SURE)), TOLD | SURE)
            taking = pc.or_(own, pc.equal(pc.bit_wise_and(kind, arrays.uint8(LINE)), LINE))
            kinds = pc.bit_wise_and(kind, arrays.uint8(LINE | SURE))
            kinds = pc.if_else(taking, kinds, arrays.uint8(PASSED))
            waiting.append(rows)
            marks += bytes(len(rows))
        pairs = matching.add(rows, kinds)
        alone = pairs.filter(pc.greater_equal(pairs["known"], DURATION))
        for name in _NUMBERS:
            _servers.mark(numbers_of(alone[name].combine_chunks()), memoryview(marks))
        for _ in range(min(matching.passed(), len(waiting))):
            rows = waiting.popleft()
            yield _passing(rows, bytes(marks[: len(rows)]))
            del marks[: len(rows)]


def _passing(rows: pa.Table, marks: bytes) -> pa.Table:
    """Return rows of which the marked ones are passed over."""
    import pyarrow.compute as pc

    marked = pa.Array.from_buffers(pa.uint8(), len(rows), [None, pa.py_buffer(marks)])
    kind = pc.if_else(pc.equal(marked, 1), arrays.uint8(PASSED), rows["kind"].combine_chunks())
    return rows.set_column(rows.schema.get_field_index("kind"), "kind", kind)


def matched(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the places of lines and their requests (PAIRS), of rows (ROWS) in order."""
    matching = _Matching()
    for rows in chain(_without_told(tables), (None,)):
        pairs = matching.add(rows)
        if len(pairs):
            line, request = (matching.rows.take(pairs[name]) for name in _NUMBERS)
            columns = [line[name] for name in PLACES]
            columns += [request["request_id"], request["service"], pairs["known"]]
            yield pa.table(columns, PAIRS)
        matching.passed()
