"""What records are, as text: bars and tables that fit the terminal's width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from opslog.model.terminal import harmless
from opslog.stats.report import SEVERITIES, Error, Report, in_words
from opslog.terminal.table import seconds_in_words

_RESET, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_RED, _YELLOW, _CYAN = "\x1b[31m", "\x1b[33m", "\x1b[36m"
_COLORS = {"error": _RED, "critical": _RED, "warning": _YELLOW, "debug": _DIM, "trace": _DIM,
           "unknown": _DIM}  # fmt: skip

_LEVELS = " ▁▂▃▄▅▆▇█"
_PLAIN_LEVELS = " .:-=+*%#"
_PARTS = " ▏▎▍▌▋▊▉█"
_HEIGHT = 5
_LEAST_WIDTH = 60
_UNKNOWN_WIDTH = 100
_NARROW = 24
_ROUTE = 20
"""Columns that a route has at least; others are left out for it, in this order:"""

_LEAST_WANTED = ("p95", "p50", "4xx", "p99", "5xx", "requests")


class Text:
    """Makes the text; ``width`` is that of the terminal, 0 without one.

    Without ``blocks``, what has no ASCII is drawn with signs that have.
    """

    def __init__(self, colored: bool, width: int, blocks: bool = True) -> None:
        self._colored = colored
        self._width = max(width or _UNKNOWN_WIDTH, _LEAST_WIDTH)
        self._levels = _LEVELS if blocks else _PLAIN_LEVELS
        self._parts = _PARTS if blocks else " #"
        self._dots = "…" if blocks else "..."

    def of(self, report: Report) -> str:
        """Return all that is said."""
        parts = [
            self._head(report),
            self._severities(report),
            self._timeline(report),
            self._services(report),
            self._loggers(report),
            self._routes(report),
            self._errors(report),
        ]
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    # -- parts --------------------------------------------------------------------------

    def _head(self, report: Report) -> list[str]:
        text = f"{report.records:,} record{'' if report.records == 1 else 's'}"
        if report.first and report.last:
            text += f"  {_time(report.first)} to {_time(report.last, report.first)}"
        if report.untimed:
            text += f"  {report.untimed:,} without a time"
        wrapped = textwrap.wrap(text, self._width, break_on_hyphens=False)
        return [self._color(_BOLD, line) for line in wrapped]

    def _severities(self, report: Report) -> list[str]:
        counts = report.severities
        if not counts:
            return []
        numbers = [f"{count:,}" for count in counts.values()]
        size = max(map(len, numbers))
        room = self._width - size - 22
        lines = []
        for name in reversed(SEVERITIES):
            if name in counts:
                share = counts[name] / report.records
                shown = f"{100 * share:5.1f}%" if share >= 0.0005 else " <0.1%"
                bar = self._bar(counts[name] / max(counts.values()), room)
                head = f"  {name.upper():8}  {counts[name]:>{size},}  {shown}  "
                lines.append(head + self._color(_COLORS.get(name, _CYAN), bar))
        return lines

    def _timeline(self, report: Report) -> list[str]:
        if len(report.timeline) < 2:
            return []
        totals, joined, gaps = self._columns(report, [one.records for one in report.timeline])
        worse = [
            sum(n for row in one.services.values() for s, n in row.items() if s in _WORSE)
            for one in report.timeline
        ]
        warned = [
            sum(row.get("warning", 0) for row in one.services.values()) for one in report.timeline
        ]
        most = max(totals)
        gutter = max(len(f"{most:,}"), 8)
        length = in_words(report.step * joined)
        title = f"records, each column {length}"
        if gaps:
            title += "; what has none is left out"
        lines = [self._color(_BOLD, title)]
        for row in range(_HEIGHT, 0, -1):
            label = f"{most:,}" if row == _HEIGHT else "0" if row == 1 else ""
            cells = (self._level(8 * _HEIGHT * n / most - 8 * (row - 1), n > 0 and row == 1)
                     for n in totals)  # fmt: skip
            lines.append(f"{label:>{gutter}}  {self._color(_CYAN, ''.join(cells))}".rstrip())
        for name, color, counts in (("warnings", _YELLOW, warned), ("errors", _RED, worse)):
            if any(counts):
                line = self._spark(self._columns(report, counts)[0])
                lines.append(f"{name:>{gutter}}  {self._color(color, line)}".rstrip())
        first, last = report.timeline[0].begin, report.timeline[-1].begin
        under = f"{_time(first)} to {_time(last, first)}"
        lines.append(" " * (gutter + 2) + self._color(_DIM, under))
        return lines

    def _services(self, report: Report) -> list[str]:
        if not report.services:
            return []
        rows = [("service", "records", "warnings", "errors")]
        for one in report.services:
            errors = sum(one.severities.get(name, 0) for name in _WORSE)
            rows.append((
                self._short(one.service, _NARROW), f"{one.records:,}",
                _count(one.severities.get("warning", 0)), _count(errors),
            ))  # fmt: skip
        lines = self._table(rows, right=(1, 2, 3))
        room = self._width - len(lines[0]) - 2
        for place, one in enumerate(report.services if len(report.timeline) > 1 else (), 1):
            columns, _, _ = self._columns(report, one.timeline, room)
            if len(columns) <= room:
                spark = self._spark(columns)
                lines[place] = f"{lines[place]}  {self._color(_CYAN, spark)}".rstrip()
        lines = self._reddened(rows, lines, 3)
        lines[0] = self._color(_BOLD, lines[0])
        return lines

    def _loggers(self, report: Report) -> list[str]:
        if not report.loggers:
            return []
        rows = [("records", "warnings", "errors", "service", "logger")]
        rows += [
            (f"{one.records:,}", _count(one.warnings), _count(one.errors),
             self._short(one.service, 14), self._short(one.logger, self._width - 44))
            for one in report.loggers
        ]  # fmt: skip
        if report.others.loggers:
            rows.append((f"{report.others.loggers:,}", "", "", "", "(others)"))
        lines = self._reddened(rows, self._table(rows, right=(0, 1, 2)), 2)
        lines[0] = self._color(_BOLD, lines[0])
        return lines

    def _routes(self, report: Report) -> list[str]:
        if not report.routes:
            return []
        rows: list[tuple[str, ...]] = [
            ("requests", "4xx", "5xx", "p50", "p95", "p99", "service", "route")
        ]
        for one in report.routes:
            below = sum(n for code, n in one.statuses.items() if code.startswith("4"))
            rows.append((
                f"{one.requests:,}", _count(below), _count(one.errors), seconds_in_words(one.p50),
                seconds_in_words(one.p95), seconds_in_words(one.p99), self._short(one.service, 14),
                f"{harmless(one.method or '-')} {harmless(one.route)}",
            ))  # fmt: skip
        if report.others.requests:
            rows.append((f"{report.others.requests:,}", *[""] * 6, "(others)"))
        while (room := self._width - sum(_widths(rows)[:-1]) - 2 * len(rows[0]) + 2) < _ROUTE:
            least = next(name for name in _LEAST_WANTED if name in rows[0])
            place = rows[0].index(least)
            rows = [row[:place] + row[place + 1 :] for row in rows]
        rows = [(*row[:-1], self._short(row[-1], room)) for row in rows]
        numbers = range(len(rows[0]) - 2)
        lines = self._table(rows, right=numbers)
        if "5xx" in rows[0]:
            lines = self._reddened(rows, lines, rows[0].index("5xx"))
        lines[0] = self._color(_BOLD, lines[0])
        return lines

    def _errors(self, report: Report) -> list[str]:
        if not report.errors:
            return []
        size = max(len(f"{one.records:,}") for one in report.errors)
        lines = [self._color(_BOLD, "errors")]
        for one in report.errors:
            lines += self._error(one, size)
        if report.others.errors:
            lines.append(f"  {report.others.errors:>{size},}  (others)")
        return lines

    def _error(self, one: Error, size: int) -> Iterator[str]:
        indent = " " * (size + 4)
        room = self._width - len(indent)
        said = harmless(one.template or one.exception or "(no message)")
        first, *more = textwrap.wrap(said, room, max_lines=2, placeholder=self._dots) or [""]
        yield f"  {self._color(_RED, f'{one.records:>{size},}')}  {first}"
        yield from (indent + line for line in more)
        # oslo's loggers are those of every service.
        own = one.service and not (one.logger or "").startswith(one.service)
        words = [one.severity.upper(), one.service if own else "", one.logger, one.exception]
        if one.first and one.last:
            words.append(_time(one.first) + (f" to {_time(one.last, one.first)}"
                                             if one.last != one.first else ""))  # fmt: skip
        words.append(one.fingerprint)
        told = "  ".join(harmless(word) for word in words if word)
        for line in textwrap.wrap(told, room, break_on_hyphens=False):
            yield indent + self._color(_DIM, line)

    # -- columns of time ------------------------------------------------------------------

    def _columns(
        self, report: Report, counts: Sequence[int], room: int = 0
    ) -> tuple[list[int], int, bool]:
        """Return counts of steps side by side, how many a column joins, whether gaps are cut."""
        room = max(room or self._width - 12, 10)
        begins = [one.begin.timestamp() for one in report.timeline]
        places = [round((begin - begins[0]) / report.step) for begin in begins]
        gaps = places[-1] >= max(room, 3 * len(places))
        if gaps:
            places = list(range(len(places)))
        joined = -(-(places[-1] + 1) // room)
        out = [0] * (places[-1] // joined + 1)
        for place, count in zip(places, counts, strict=True):
            out[place // joined] += count
        return out, joined, gaps

    def _spark(self, counts: Sequence[int]) -> str:
        most = max(counts)
        return "".join(self._level(8 * n / most if most else 0, n > 0) for n in counts)

    def _level(self, eighths: float, some: bool) -> str:
        return self._levels[min(max(round(eighths), int(some)), 8)]

    def _bar(self, share: float, room: int) -> str:
        steps = len(self._parts) - 1
        filled = max(round(share * room * steps), 1)
        rest = self._parts[filled % steps]
        return (self._parts[-1] * (filled // steps) + rest).rstrip()

    # -- lines ----------------------------------------------------------------------------

    def _table(self, rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
        widths = _widths(rows)
        return [
            "  ".join(
                cell.rjust(size) if n in right else cell.ljust(size)
                for n, (cell, size) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]

    def _reddened(self, rows: Sequence[Sequence[str]], lines: list[str], column: int) -> list[str]:
        """Color the cells of ``column`` that count something."""
        end = sum(max(len(row[n]) for row in rows) + 2 for n in range(column + 1)) - 2
        out = lines[:1]
        for row, line in zip(rows[1:], lines[1:], strict=True):
            begin = end - len(row[column])
            if row[column] not in ("", "-"):
                line = line[:begin] + self._color(_RED, line[begin:end]) + line[end:]
            out.append(line)
        return out

    def _short(self, name: str | None, room: int) -> str:
        text = harmless(name or "-")
        return text if len(text) <= room else text[: max(room, 8) - len(self._dots)] + self._dots

    def _color(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self._colored and color and text else text


_WORSE = ("error", "critical")


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, cells)) for cells in zip(*rows, strict=True)]


def _count(count: int) -> str:
    return f"{count:,}" if count else "-"


def _time(moment: datetime, before: datetime | None = None) -> str:
    """Return a moment in UTC, without the date if that of ``before`` is the same."""
    form = "%H:%M:%SZ" if before and moment.date() == before.date() else "%Y-%m-%d %H:%M:%SZ"
    return moment.strftime(form)
