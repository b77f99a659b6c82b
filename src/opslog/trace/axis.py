"""An axis of time: where a time stands in some columns of text, and which times are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from opslog.terminal.cells import padded
from opslog.terminal.moments import Moments

_STEPS = (
    *(number * unit for unit in (1e-3, 1e-2, 1e-1) for number in (1, 2, 5)),
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 84 * 86400, 364 * 86400,
)  # fmt: skip
"""Seconds between two times that are named."""

_FORMATS = ((86400, "%m-%d"), (60, "%H:%M"), (1, "%H:%M:%S"), (0, "%H:%M:%S.%f"))
"""How times are written, by the seconds between them from which on that is enough."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


class TimeAxis:
    """The time from ``begin`` to ``end`` on some columns.

    Times are written in UTC, or as ``moments`` writes the first one: with its offset, which
    stays to the end, as clocks that change would leave out an hour.
    """

    def __init__(
        self, begin: datetime, end: datetime, columns: int, moments: Moments | None = None
    ) -> None:
        ahead = (moments or Moments()).local(begin).utcoffset()
        zone = timezone(ahead or timedelta())
        self.begin, self.end = begin.astimezone(zone), end.astimezone(zone)
        self.columns = columns
        self._whole = (end - begin).total_seconds() or 1.0

    @classmethod
    def of(
        cls,
        spans: Iterable[tuple[datetime, datetime]],
        columns: int,
        moments: Moments | None = None,
    ) -> TimeAxis | None:
        """Return the axis on which all ``spans`` lie, None without spans."""
        known = list(spans)
        if not known:
            return None
        return cls(min(begin for begin, _ in known), max(end for _, end in known), columns, moments)

    def bar(self, spans: Iterable[tuple[datetime, datetime]]) -> str:
        """Return a bar for some spans; what lies outside of the axis is cut off."""
        bar = [0] * self.columns
        for begin, end in spans:
            left, right = self._place(begin), self._place(end)
            if right < 0 or left > self.columns:
                continue
            left, right = max(left, 0.0), min(right, float(self.columns))
            first = min(int(left), self.columns - 1)
            eighths = max(round(8 * (right - left)), 1)
            for column in range(first, self.columns):
                bar[column] = max(bar[column], min(eighths, 8))
                eighths -= 8
                if eighths <= 0:
                    break
        return "".join(_EIGHTHS[eighths] for eighths in bar).rstrip()

    def line(self) -> str:
        """Return the line that names times, each behind a mark at its place."""
        line = ""
        for column, text in self._named():
            if column + len(text) + 1 <= self.columns and (not line or column > len(line) + 1):
                line = f"{padded(line, column)}╷{text}"
        return line

    def _place(self, time: datetime) -> float:
        return (time - self.begin).total_seconds() / self._whole * self.columns

    def _named(self) -> Iterator[tuple[int, str]]:
        """Yield the columns of round times, and the times."""
        step, form = self._step()
        midnight = self.begin.replace(hour=0, minute=0, second=0, microsecond=0)
        number = -(-(self.begin - midnight).total_seconds() // step)
        while (time := midnight + timedelta(seconds=number * step)) <= self.end:
            yield int(self._place(time)), _text(time, form)
            number += 1

    def _step(self) -> tuple[float, str]:
        """Return the seconds between two times that are named, and how these are written."""
        for step in _STEPS:
            form = next(form for size, form in _FORMATS if step >= size)
            if step / self._whole * self.columns >= len(_text(self.begin, form)) + 3:
                return step, form
        return _STEPS[-1], _FORMATS[0][1]


def _text(time: datetime, form: str) -> str:
    text = f"{time:{form}}"
    return text[:-3] if form.endswith("%f") else text
