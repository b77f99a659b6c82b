"""A story as text: a row a request and a bar for when it was at work, on one axis of time.

The operations of a resource stand above the requests.  Under them stand the first error, the
exception it began with, and where nothing was logged for long.  No character of a log reaches
the terminal as a command.
"""

from __future__ import annotations

from collections.abc import Iterator

from opslog.terminal.cells import padded
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.style import BOLD, CYAN, DIM, RED, Style
from opslog.terminal.words import clock_duration, count
from opslog.trace.folding import StoryRow, rows_of
from opslog.trace.lifeline import Lifeline, lifeline
from opslog.trace.story import Story
from opslog.trace.story_text import (
    FIXED,
    axis_of,
    color_of,
    facts,
    findings,
    fitted,
    head,
    length_text,
    status_text,
)
from opslog.trace.summary import Summary

_NARROW, _DEFAULT = 60, 100
_MOST_LABEL = 64


def waterfall(
    story: Story, gap: float, width: int = 0, colored: bool = False, summary: bool = False,
    moments: Moments | None = None,
) -> str:  # fmt: skip
    """Return a story as lines that fit into ``width`` columns (0: 100).

    ``moments`` writes its times, UTC without.
    A summary has a row for each call of a request, or for each request of a resource: when it
    began, what it was, status, duration, hosts and the worst severity from WARNING on.
    """
    width = max(_NARROW, width or _DEFAULT)
    style, moments = Style(colored), moments or Moments()
    lines: list[str] = []
    rows = rows_of(story)
    life = lifeline(story)
    if not rows:
        lines += [f"{escaped(story.id)}  {count(len(story.records), 'record')} of no request", ""]
    elif summary:
        lines += Summary(story, rows, life, width, style, moments).lines()
    else:
        lines += _Trees(story, rows, life, width, style, moments).lines()
    lines += findings(story, gap, width, style, moments)
    return "\n".join(lines) + "\n"


class _Trees:
    """All trees of requests, with the processes that worked on each."""

    def __init__(
        self, story: Story, rows: list[StoryRow], life: Lifeline | None, width: int, style: Style,
        moments: Moments,
    ) -> None:  # fmt: skip
        self._story, self._rows, self._life = story, rows, life
        self._width, self._style, self._moments = width, style, moments
        self._label = min(_MOST_LABEL, width * 45 // 100)
        self._axis = axis_of(rows, life, width - self._label - FIXED, moments)

    def lines(self) -> Iterator[str]:
        yield from head(
            self._story, self._rows, self._life, self._width, self._style, self._moments
        )
        yield from self._times()
        yield from self._operations()
        alone = len(self._rows) == 1 and self._life is None
        for row in self._rows:
            if not alone:
                yield ""
            if not alone and row.count == 1:
                yield self._style(BOLD, fitted("  ".join([row.id or "", *facts(row)]), self._width))
            yield from self._tree(row, "", "")
        yield ""

    def _times(self) -> Iterator[str]:
        if self._axis is not None and (times := self._axis.line()):
            yield " " * (self._label + FIXED - 1) + self._style(DIM, times)

    def _operations(self) -> Iterator[str]:
        for one in self._life.operations if self._life else ():
            bar = self._axis.bar([(one.begin, one.end or one.begin)]) if self._axis else ""
            color = RED if one.failed else ""
            label = self._style(color, padded(fitted(one.label, self._label), self._label))
            shown = self._style(color or CYAN, bar)
            yield f"{label} {clock_duration(one.seconds):>12}  {shown}".rstrip()

    def _tree(self, row: StoryRow, head: str, below: str) -> Iterator[str]:
        yield self._row(head + row.name, row)
        if row.count > 1:
            return
        for number, one in enumerate(row.rows):
            last = number == len(row.rows) - 1
            branch, on = ("└ ", "  ") if last else ("├ ", "│ ")
            yield from self._tree(one, below + branch, below + on)

    def _row(self, label: str, row: StoryRow) -> str:
        shown = padded(fitted(label, self._label), self._label)
        if row.process or row.count > 1:
            shown = self._style(DIM, shown)
        bar = self._axis.bar(row.spans) if self._axis else ""
        line = (
            f"{shown} {status_text(row, self._style)} {length_text(row):>8}  "
            f"{self._style(color_of(row.severity, CYAN), bar)}"
        )
        return line.rstrip()
