"""Events as text: a table by type, then failures and what has no end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from opslog.events import EventSummary, Pair
from opslog.model.instants import utc_time
from opslog.terminal.cells import shortened, wrapped
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.style import BOLD, DIM, RED, YELLOW, Style
from opslog.terminal.table import table, widths
from opslog.terminal.words import three_digits

_UNKNOWN_WIDTH = 100
_EVENT = 24
"""Columns that a type has at least; others are left out for it, in this order:"""

_LEAST_WANTED = (8, 7, 4, 3, 6, 9, 1)


class EventsText:
    """Makes the text; ``width`` is that of the terminal, 0 without one.

    It is given the pairs as they come and keeps the last ``most`` that need a look.
    ``moments`` writes times.
    """

    def __init__(self, colored: bool, width: int, most: int, moments: Moments) -> None:
        self._style, self._moments = Style(colored), moments
        self._width = max(width or _UNKNOWN_WIDTH, 60)
        self._looked: deque[Pair] = deque(maxlen=most)
        self._others = 0

    def add(self, pair: Pair) -> None:
        """Take note of a pair."""
        if pair.status != "ended":
            self._others += len(self._looked) == self._looked.maxlen
            self._looked.append(pair)

    @property
    def looked(self) -> Sequence[Pair]:
        """Those that are shown."""
        return tuple(self._looked)

    def render(self, rows: Sequence[EventSummary]) -> str:
        """Return the whole text."""
        if not rows:
            return "no events"
        timed = [row for row in rows if row.requests]
        parts = [self._events(rows), self._requests(timed) if timed else [], self._failures()]
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    def _events(self, rows: Sequence[EventSummary]) -> list[str]:
        heads = ("events", "ended", "failed", "retried", "overlap", "no end", "no start", "p50",
                 "p95", "p99", "event")  # fmt: skip
        cells: list[tuple[str, ...]] = [heads]
        for row in rows:
            counts = (row.ended, row.failed, row.retried, row.overlapping, row.no_end, row.no_start)
            cells.append((
                f"{row.notifications:,}", *(f"{n:,}" if n else "-" for n in counts),
                *(three_digits(n) for n in (row.p50, row.p95, row.p99)), escaped(row.event),
            ))  # fmt: skip
        empty = {n for n in range(1, 10) if all(row[n] == "-" for row in cells[1:])}
        sizes = [size + 2 for size in widths(cells)]
        for place in _LEAST_WANTED:
            if sum(sizes[n] for n in range(10) if n not in empty) + _EVENT > self._width:
                empty.add(place)
        kept = [[cell for n, cell in enumerate(row) if n not in empty] for row in cells]
        bad = {place for place, head in enumerate(kept[0]) if head in ("failed", "no end")}
        return self._table(kept, bad)

    def _requests(self, rows: Sequence[EventSummary]) -> list[str]:
        title = self._style(BOLD, "from the first record of the API to the last end")
        cells = [["requests", "p50", "p95", "p99", "last event"]]
        for row in rows:
            times = (row.request_p50, row.request_p95, row.request_p99)
            cells.append([f"{row.requests:,}", *map(three_digits, times), escaped(row.event)])
        return [title, *self._table(cells, set())]

    def _failures(self) -> list[str]:
        if not self._looked:
            return []
        lines = [self._style(BOLD, "failed, or without end or start")]
        for pair in self._looked:
            time = pair.end if pair.start is None else pair.start
            when = "-" if time is None else self._moments.text(utc_time(time))
            what = " ".join(filter(None, (pair.resource_type, pair.resource_id)))
            told = f"{when}  {pair.status:8}  {escaped(pair.event)}"
            color = YELLOW if pair.status == "no start" else RED
            lines.append(f"  {self._style(color, self._cut(told, 2))}")
            more = [what, f"on {pair.host_name}" if pair.host_name else "", pair.request_id]
            if (pair.attempt or 1) > 1:
                more.append(f"attempt {pair.attempt}")
            said = "  ".join(escaped(word) for word in more if word)
            parts = wrapped(said, self._width - 4)
            lines += ["    " + self._style(DIM, line) for line in parts]
            if pair.reason:
                lines.append("    " + self._cut(escaped(pair.reason), 4))
        if self._others:
            lines.append(f"  and {self._others:,} before these")
        return lines

    def _table(self, rows: Sequence[Sequence[str]], bad: set[int]) -> list[str]:
        """Return a table whose first row is a head; counts in the columns ``bad`` are red."""
        sizes = widths(rows)
        room = max(self._width - sum(sizes[:-1]) - 2 * len(sizes[:-1]), 12)
        colored = [
            [
                *(
                    self._style(RED if number and place in bad and cell != "-" else "", cell)
                    for place, cell in enumerate(row[:-1])
                ),
                shortened(row[-1], room, dots="..."),
            ]
            for number, row in enumerate(rows)
        ]
        head, *lines = table(colored, right=range(len(sizes) - 1))
        return [self._style(BOLD, head), *lines]

    def _cut(self, text: str, indent: int) -> str:
        return shortened(text, self._width - indent, dots="...")
