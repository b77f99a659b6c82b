"""The summary of a story as text: a row for each call, or for each request of a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from opslog.model.severity import CLASS_OF, CLASSES, WARNING
from opslog.terminal.cells import cells, padded
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.style import BOLD, CYAN, DIM, RED, Style
from opslog.terminal.words import clock_duration
from opslog.trace.folding import StoryRow
from opslog.trace.lifeline import Lifeline
from opslog.trace.story import Story
from opslog.trace.story_text import (
    axis_of,
    color_of,
    fitted,
    head,
    hosts_text,
    length_text,
    status_text,
)

_FIXED = 17
"""Columns of status, duration and the blanks around them."""

_LEAST_BAR, _LEAST_LABEL = 16, 32
"""Columns of a bar, and of a label beside it, that still tell something."""

_MOST_HOSTS = 24


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a line, with their colors."""

    time: str = ""
    label: str = ""
    status: str = ""
    length: str = ""
    hosts: str = ""
    severity: str = ""
    bar: str = ""


class Summary:
    """A row for each call; of several trees, one for each tree."""

    def __init__(
        self, story: Story, rows: list[StoryRow], life: Lifeline | None, width: int, style: Style,
        moments: Moments,
    ) -> None:  # fmt: skip
        self._story, self._top, self._life = story, rows, life
        self._width, self._style, self._moments = width, style, moments
        self._several = len(rows) > 1
        self._rows = [*self._chosen()]
        days = {moments.local(row.begin).date() for row, _ in self._rows if row.begin}
        self._form = "%m-%d %H:%M:%S" if len(days) > 1 else "%H:%M:%S.%f"
        self._clock_width = len("11-27 18:01:45" if len(days) > 1 else "18:01:45.120")
        hosts = max((cells(hosts_text(row)) for row, _ in self._rows), default=0)
        self._hosts = min(hosts, _MOST_HOSTS)
        worst = (_worst(row) if self._several else row.severity for row, _ in self._rows)
        self._severity = max(map(len, map(_severity, worst)), default=0)
        left = width - self._clock_width - _FIXED
        left -= sum(size + 2 for size in (self._hosts, self._severity) if size)
        wanted = max((cells(escaped(label)) for _, label in self._rows), default=0)
        beside_bar = left - _LEAST_BAR
        self._label = min(wanted, beside_bar if beside_bar >= _LEAST_LABEL else left)
        bar = left - self._label if self._label <= beside_bar else 0
        self._axis = axis_of(rows, life, bar, moments) if bar else None

    def lines(self) -> Iterator[str]:
        """Yield the lines."""
        yield from head(self._story, self._top, self._life, self._width, self._style, self._moments)
        if self._axis is not None and (times := self._axis.line()):
            yield self._line(_Cells(bar=self._style(DIM, times)))
        for one in self._life.operations if self._life else ():
            color = RED if one.failed else ""
            yield self._line(_Cells(
                self._clock(one.begin),
                self._style(color or BOLD, self._padded(one.label)),
                length=clock_duration(one.seconds),
                bar=self._style(color or CYAN, self._axis.bar([one.span]) if self._axis else ""),
            ))  # fmt: skip
        if self._life is not None and self._life.operations:
            yield ""
        for row, label in self._rows:
            worst = _worst(row) if self._several else row.severity
            of_label = DIM if row.process or row.count > 1 else ""
            yield self._line(_Cells(
                self._clock(row.begin),
                self._style(of_label, self._padded(label)),
                status_text(row, self._style),
                length_text(row),
                fitted(hosts_text(row), self._hosts),
                self._style(color_of(worst, ""), _severity(worst)),
                self._style(color_of(worst, CYAN), self._axis.bar(row.spans) if self._axis else ""),
            ))  # fmt: skip
        yield ""

    def _line(self, row: _Cells) -> str:
        label = row.label or " " * self._label
        parts = [
            f"{row.time:{self._clock_width}}",
            f"{label} {row.status or '   '} {row.length:>8}",
        ]
        if self._hosts:
            parts.append(padded(row.hosts, self._hosts))
        if self._severity:
            parts.append(padded(row.severity, self._severity))
        return "  ".join([*parts, row.bar]).rstrip()

    def _padded(self, label: str) -> str:
        return padded(fitted(label, self._label), self._label)

    def _clock(self, time: datetime | None) -> str:
        if time is None:
            return ""
        return f"{self._moments.local(time):{self._form}}"[: self._clock_width]

    def _chosen(self) -> Iterator[tuple[StoryRow, str]]:
        """Yield the rows and their labels: of one tree all, of several what each began with."""
        if self._several:
            for row in self._top:
                shown = row
                while not shown.records and len(shown.rows) == 1:  # an id that others only name
                    shown = shown.rows[0]
                yield shown, shown.short_name
            return
        yield from self._below(self._top[0], 0)

    def _below(self, row: StoryRow, depth: int) -> Iterator[tuple[StoryRow, str]]:
        yield row, "  " * depth + row.short_name
        if row.count == 1:
            for one in row.rows:
                yield from self._below(one, depth + 1)


def _worst(row: StoryRow) -> int:
    return max(one.severity for one in row.tree())


def _severity(number: int) -> str:
    return CLASSES[CLASS_OF[number]].upper() if number >= WARNING else ""
