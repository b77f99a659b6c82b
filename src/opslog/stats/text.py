"""What records are, as text: bars and tables that fit the terminal's width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opslog.model.severity import CLASSES
from opslog.stats.report import Error, StatsReport
from opslog.terminal.cells import cells, shortened, wrapped
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.style import BOLD, CYAN, DIM, RED, YELLOW, Style
from opslog.terminal.table import table, widths
from opslog.terminal.words import count, three_digits, whole_unit

_COLORS = {"error": RED, "critical": RED, "warning": YELLOW, "debug": DIM, "trace": DIM,
           "unknown": DIM}  # fmt: skip

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


class StatsText:
    """Makes the text; ``width`` is that of the terminal, 0 without one.

    Without ``blocks``, what has no ASCII is drawn with signs that have.  ``moments`` writes times.
    """

    def __init__(
        self, colored: bool, width: int, blocks: bool = True, moments: Moments | None = None
    ) -> None:
        self._moments = moments or Moments()
        self._style = Style(colored)
        self._width = max(width or _UNKNOWN_WIDTH, _LEAST_WIDTH)
        self._levels = _LEVELS if blocks else _PLAIN_LEVELS
        self._parts = _PARTS if blocks else " #"
        self._dots = "…" if blocks else "..."

    def render(self, report: StatsReport) -> str:
        """Return the whole text."""
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

    def _head(self, report: StatsReport) -> list[str]:
        text = count(report.records, "record")
        if report.first and report.last:
            text += f"  {self._moments.span(report.first, report.last)}"
        if report.untimed:
            text += f"  {report.untimed:,} without a time"
        return [self._style(BOLD, line) for line in wrapped(text, self._width)]

    def _severities(self, report: StatsReport) -> list[str]:
        counts = report.severities
        if not counts:
            return []
        numbers = [f"{count:,}" for count in counts.values()]
        size = max(map(len, numbers))
        room = self._width - size - 22
        lines = []
        for name in reversed(CLASSES):
            if name in counts:
                share = counts[name] / report.records
                shown = f"{100 * share:5.1f}%" if share >= 0.0005 else " <0.1%"
                bar = self._bar(counts[name] / max(counts.values()), room)
                head = f"  {name.upper():8}  {counts[name]:>{size},}  {shown}  "
                lines.append(head + self._style(_COLORS.get(name, CYAN), bar))
        return lines

    def _timeline(self, report: StatsReport) -> list[str]:
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
        length = whole_unit(report.step * joined)
        title = f"records, each column {length}"
        if gaps:
            title += "; what has none is left out"
        lines = [self._style(BOLD, title)]
        for row in range(_HEIGHT, 0, -1):
            label = f"{most:,}" if row == _HEIGHT else "0" if row == 1 else ""
            cells = (self._level(8 * _HEIGHT * n / most - 8 * (row - 1), n > 0 and row == 1)
                     for n in totals)  # fmt: skip
            lines.append(f"{label:>{gutter}}  {self._style(CYAN, ''.join(cells))}".rstrip())
        for name, color, counts in (("warnings", YELLOW, warned), ("errors", RED, worse)):
            if any(counts):
                line = self._spark(self._columns(report, counts)[0])
                lines.append(f"{name:>{gutter}}  {self._style(color, line)}".rstrip())
        first, last = report.timeline[0].begin, report.timeline[-1].begin
        under = self._moments.span(first, last)
        room = self._width - gutter - 2
        lines += [" " * (gutter + 2) + self._style(DIM, one) for one in wrapped(under, room)]
        return lines

    def _services(self, report: StatsReport) -> list[str]:
        if not report.services:
            return []
        rows = [("service", "records", "warnings", "errors")]
        for one in report.services:
            errors = sum(one.severities.get(name, 0) for name in _WORSE)
            rows.append((
                self._short(one.service, _NARROW), f"{one.records:,}",
                _some(one.severities.get("warning", 0)), self._bad(errors),
            ))  # fmt: skip
        lines = table(rows, right=(1, 2, 3))
        room = self._width - cells(lines[0]) - 2
        for place, one in enumerate(report.services if len(report.timeline) > 1 else (), 1):
            columns, _, _ = self._columns(report, one.timeline, room)
            if len(columns) <= room:
                spark = self._spark(columns)
                lines[place] = f"{lines[place]}  {self._style(CYAN, spark)}".rstrip()
        return self._headed(lines)

    def _loggers(self, report: StatsReport) -> list[str]:
        if not report.loggers:
            return []
        rows = [("records", "warnings", "errors", "service", "logger")]
        rows += [
            (f"{one.records:,}", _some(one.warnings), self._bad(one.errors),
             self._short(one.service, 14), self._short(one.logger, self._width - 44))
            for one in report.loggers
        ]  # fmt: skip
        if report.others.loggers:
            rows.append((f"{report.others.loggers:,}", "", "", "", "(others)"))
        return self._headed(table(rows, right=(0, 1, 2)))

    def _routes(self, report: StatsReport) -> list[str]:
        if not report.routes:
            return []
        rows: list[tuple[str, ...]] = [
            ("requests", "4xx", "5xx", "p50", "p95", "p99", "service", "route")
        ]
        for one in report.routes:
            below = sum(n for code, n in one.statuses.items() if code.startswith("4"))
            rows.append((
                f"{one.requests:,}", _some(below), self._bad(one.errors), three_digits(one.p50),
                three_digits(one.p95), three_digits(one.p99), self._short(one.service, 14),
                f"{escaped(one.method or '-')} {escaped(one.route)}",
            ))  # fmt: skip
        if report.others.requests:
            rows.append((f"{report.others.requests:,}", *[""] * 6, "(others)"))
        while (room := self._width - sum(widths(rows)[:-1]) - 2 * len(rows[0]) + 2) < _ROUTE:
            least = next(name for name in _LEAST_WANTED if name in rows[0])
            place = rows[0].index(least)
            rows = [row[:place] + row[place + 1 :] for row in rows]
        rows = [(*row[:-1], self._short(row[-1], room)) for row in rows]
        return self._headed(table(rows, right=range(len(rows[0]) - 2)))

    def _errors(self, report: StatsReport) -> list[str]:
        if not report.errors:
            return []
        size = max(len(f"{one.records:,}") for one in report.errors)
        lines = [self._style(BOLD, "errors")]
        for one in report.errors:
            lines += self._error(one, size)
        if report.others.errors:
            lines.append(f"  {report.others.errors:>{size},}  (others)")
        return lines

    def _error(self, one: Error, size: int) -> Iterator[str]:
        indent = " " * (size + 4)
        room = self._width - len(indent)
        said = escaped(one.template or one.exception or "(no message)")
        first, *more = wrapped(said, room, most=2, dots=self._dots)
        yield f"  {self._style(RED, f'{one.records:>{size},}')}  {first}"
        yield from (indent + line for line in more)
        # oslo's loggers are those of every service.
        own = one.service and not (one.logger or "").startswith(one.service)
        words = [one.severity.upper(), one.service if own else "", one.logger, one.exception]
        if one.first and one.last:
            once, span = self._moments.text(one.first), self._moments.span(one.first, one.last)
            words.append(once if one.first == one.last else span)
        words.append(one.fingerprint)
        told = "  ".join(escaped(word) for word in words if word)
        for line in wrapped(told, room):
            yield indent + self._style(DIM, line)

    # -- columns of time ------------------------------------------------------------------

    def _columns(
        self, report: StatsReport, counts: Sequence[int], room: int = 0
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
        for place, records in zip(places, counts, strict=True):
            out[place // joined] += records
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

    def _headed(self, lines: list[str]) -> list[str]:
        """Return a table whose first line is a head."""
        return [self._style(BOLD, lines[0]), *lines[1:]]

    def _bad(self, number: int) -> str:
        return self._style(RED, _some(number)) if number else _some(number)

    def _short(self, name: str | None, room: int) -> str:
        return shortened(escaped(name or "-"), max(room, 8), self._dots)


_WORSE = ("error", "critical")


def _some(number: int) -> str:
    return f"{number:,}" if number else "-"
