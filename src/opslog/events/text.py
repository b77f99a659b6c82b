"""What happened, as text: events by type, and what needs a look."""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Sequence

from opslog.events import EventSummary, Pair, moment
from opslog.model.terminal import harmless
from opslog.terminal.table import seconds_in_words

_RESET, _BOLD, _DIM, _RED, _YELLOW = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"
_UNKNOWN_WIDTH = 100
_EVENT = 24
"""Columns that a type has at least; others are left out for it, in this order:"""

_LEAST_WANTED = (8, 7, 4, 3, 6, 9, 1)


class Text:
    """Makes the text; ``width`` is that of the terminal, 0 without one.

    It is given the pairs as they come and keeps the last ``most`` that need a look.
    """

    def __init__(self, colored: bool, width: int, most: int) -> None:
        self._colored = colored
        self._width = max(width or _UNKNOWN_WIDTH, 60)
        self._looked: deque[Pair] = deque(maxlen=most)
        self._others = 0

    def see(self, pair: Pair) -> None:
        """Take note of a pair."""
        if pair.status != "ended":
            self._others += len(self._looked) == self._looked.maxlen
            self._looked.append(pair)

    def of(self, rows: Sequence[EventSummary]) -> str:
        """Return all that is said."""
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
                *(seconds_in_words(n) for n in (row.p50, row.p95, row.p99)), harmless(row.event),
            ))  # fmt: skip
        empty = {n for n in range(1, 10) if all(row[n] == "-" for row in cells[1:])}
        sizes = [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]
        for place in _LEAST_WANTED:
            if sum(sizes[n] for n in range(10) if n not in empty) + _EVENT > self._width:
                empty.add(place)
        kept = [[cell for n, cell in enumerate(row) if n not in empty] for row in cells]
        bad = {place for place, head in enumerate(kept[0]) if head in ("failed", "no end")}
        return self._table(kept, bad)

    def _requests(self, rows: Sequence[EventSummary]) -> list[str]:
        title = self._color(_BOLD, "from the first record of the API to the last end")
        cells = [["requests", "p50", "p95", "p99", "last event"]]
        for row in rows:
            times = (row.request_p50, row.request_p95, row.request_p99)
            cells.append([f"{row.requests:,}", *map(seconds_in_words, times), harmless(row.event)])
        return [title, *self._table(cells, set())]

    def _failures(self) -> list[str]:
        if not self._looked:
            return []
        lines = [self._color(_BOLD, "failed, or without end or start")]
        for pair in self._looked:
            time = pair.end if pair.start is None else pair.start
            when = "-" if time is None else f"{moment(time):%Y-%m-%d %H:%M:%SZ}"
            what = " ".join(filter(None, (pair.resource_type, pair.resource_id)))
            told = f"{when}  {pair.status:8}  {harmless(pair.event)}"
            color = _YELLOW if pair.status == "no start" else _RED
            lines.append(f"  {self._color(color, self._cut(told, 2))}")
            more = [what, f"on {pair.host_name}" if pair.host_name else "", pair.request_id]
            if (pair.attempt or 1) > 1:
                more.append(f"attempt {pair.attempt}")
            said = "  ".join(harmless(word) for word in more if word)
            wrapped = textwrap.wrap(said, self._width - 4, break_on_hyphens=False)
            lines += ["    " + self._color(_DIM, line) for line in wrapped]
            if pair.reason:
                lines.append("    " + self._cut(harmless(pair.reason), 4))
        if self._others:
            lines.append(f"  and {self._others:,} before these")
        return lines

    def _table(self, rows: Sequence[Sequence[str]], bad: set[int]) -> list[str]:
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        room = self._width - sum(widths[:-1]) - 2 * len(widths[:-1])
        lines = []
        for number, row in enumerate(rows):
            cells = [cell.rjust(size) for cell, size in zip(row[:-1], widths, strict=False)]
            cells.append(row[-1] if len(row[-1]) <= room else row[-1][: max(room, 12) - 3] + "...")
            if not number:
                lines.append(self._color(_BOLD, "  ".join(cells)))
                continue
            for place in bad:
                if cells[place].strip() != "-":
                    cells[place] = self._color(_RED, cells[place])
            lines.append("  ".join(cells))
        return lines

    def _cut(self, text: str, indent: int) -> str:
        room = self._width - indent
        return text if len(text) <= room else text[: room - 3] + "..."

    def _color(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self._colored and text else text
