"""What the doctor says, as text: a table of the files, findings, advice, a summary.

The worst files come first; the summary stands at the end.  What is alike for
several files is said once.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime

from opslog.doctor.clock import option
from opslog.doctor.report import Example, FileReport, FormatShare, Lines
from opslog.model.terminal import harmless

_RESET, _BOLD, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_RED, _YELLOW, _GREEN = "\x1b[31m", "\x1b[33m", "\x1b[32m"

_MOST_FORMATS = 4
_MOST_FILES = 5
_LABEL = 14
_BAD = ("unreadable", "damaged")


class Text:
    """Makes the text; ``width`` is that of the terminal, 0 without one."""

    def __init__(self, colored: bool, width: int, least: float) -> None:
        self._colored = colored
        self._width = width
        self._least = least

    def of(self, reports: list[FileReport], full: bool) -> str:
        """Return all that is said of the files."""
        ordered = sorted(reports, key=_badness)
        parts = ["\n".join(self._table(ordered))]
        parts += ["\n".join(found) for r in ordered if (found := self._findings(r, full))]
        parts += ["\n".join(found) for found in (*self._zones(ordered), *self._advice(ordered))]
        parts.append(self._summary(reports))
        return "\n\n".join(parts)

    # -- the table --------------------------------------------------------------------

    def _table(self, reports: list[FileReport]) -> list[str]:
        rows = [("recognised", "lines", "file", "formats")]
        rows += [
            (
                "-" if r.recognised is None else percent(r.recognised),
                f"{r.lines:,}" if r.recognised is not None else "-",
                harmless(r.path),
                _formats(r),
            )
            for r in reports
        ]
        colors = ["", *(self._share_color(r) for r in reports)]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        below = 0 < self._width < sum(widths) + 6
        lines = []
        for color, (share, count, path, formats) in zip(colors, rows, strict=True):
            head = f"{self._color(color, share.rjust(widths[0]))}  {count.rjust(widths[1])}  "
            if not below:
                lines.append(f"{head}{path.ljust(widths[2])}  {formats}".rstrip())
                continue
            lines.append(f"{head}{path}")
            if formats != "formats":
                lines += self._wrapped(formats, widths[0] + widths[1] + 4)
        return lines

    def _share_color(self, report: FileReport) -> str:
        if report.status in _BAD:
            return _RED
        if report.recognised is None:
            return _DIM
        share = 100 * report.recognised
        return _GREEN if share >= self._least else _YELLOW if share >= 90 else _RED

    # -- findings -----------------------------------------------------------------------

    def _findings(self, report: FileReport, full: bool) -> list[str]:
        rows = list(_trouble(report))
        if full and report.records:
            rows = [*_facts(report), *rows]
        if not rows:
            return []
        lines = [self._color(_BOLD, harmless(report.path))]
        for label, text, shown in rows:
            first, *more = self._wrapped(text, _LABEL + 2)
            lines += [f"  {label.ljust(_LABEL)}{first.strip()}", *more]
            lines += [" " * (_LABEL + 4) + self._color(_DIM, self._cut(line)) for line in shown]
        return lines

    def _zones(self, reports: list[FileReport]) -> Iterator[list[str]]:
        """What is said of times without an offset, for all files together."""
        local = [r for r in reports if r.times.local]
        advised = [r for r in local if r.times.guess and r.times.guess.option]
        unknown = [r for r in local if r.times.guess is None and r.times.zone == "UTC"]
        if advised:
            lines = [self._color(_BOLD, "times without an offset, of another zone than assumed")]
            told: dict[tuple[str, str, str], list[FileReport]] = {}
            for one in advised:
                assert one.times.guess is not None
                guess = one.times.guess
                told.setdefault((guess.zone, guess.certainty, guess.reason), []).append(one)
            for (zone, certainty, reason), files in told.items():
                text = f"{zone}, {certainty} ({reason}): {_names(files)}"
                lines += self._wrapped(text, 2, hanging=2)
            lines.append("  give")
            lines += [f"    {harmless(one)}" for one in _options(advised, local)]
            if any(r.times.guess and r.times.guess.zone[0] in "+-" for r in advised):
                lines += self._wrapped(
                    "An offset holds until clocks change, a name such as Europe/Berlin longer.",
                    2,
                )
            yield lines
        if unknown:
            yield [
                self._color(_BOLD, "times without an offset, read as UTC"),
                *self._wrapped(f"{_names(unknown)}: nothing tells of which zone they are. If the "
                               "clocks there show another, give --timezone ZONE.", 2),
            ]  # fmt: skip

    def _advice(self, reports: list[FileReport]) -> Iterator[list[str]]:
        told: dict[tuple[tuple[str, ...], str, tuple[str, ...]], list[FileReport]] = {}
        for report in reports:
            for one in report.advice:
                told.setdefault((one.loses, one.where, one.settings), []).append(report)
        for (loses, where, settings), files in told.items():
            yield [
                self._color(_BOLD, f"not in {_many(len(files), 'file')}: {loses[0]}"),
                *(line for more in loses[1:] for line in self._wrapped(f"nor {more}", 2)),
                *self._wrapped(_names(files), 2),
                *self._wrapped(f"to keep it, in {where}", 2),
                *(f"    {line}" for line in settings),
            ]

    def _summary(self, reports: list[FileReport]) -> str:
        lines = sum(r.lines for r in reports)
        known = sum(r.lines - r.unrecognised.lines for r in reports)
        text = f"{_many(len(reports), 'file')}, {_many(lines, 'line')}"
        if lines:
            text += f", {percent(known / lines)} recognised"
        below = sum(r.recognised is not None and 100 * r.recognised < self._least for r in reports)
        counts = [(below, f"below {self._least:g}%")]
        counts += [
            (sum(r.status == status for r in reports), status)
            for status in ("unreadable", "damaged", "binary", "empty")
        ]
        return "; ".join([text, *(f"{count:,} {what}" for count, what in counts if count)])

    # -- lines ----------------------------------------------------------------------------

    def _wrapped(self, text: str, indent: int, hanging: int = 0) -> list[str]:
        if not self._width:
            return [" " * indent + text]
        return textwrap.wrap(
            text, max(self._width, 40), initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hanging), break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip

    def _cut(self, line: str) -> str:
        room = max(self._width, 40) - _LABEL - 4
        return line if not self._width or len(line) <= room else line[: room - 3] + "..."

    def _color(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self._colored and color else text


def percent(share: float) -> str:
    """Return a share as text; all and nothing are said only of all and nothing."""
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    value = math.floor(10_000 * share) / 100
    return f"{value:.2f}%" if value else "<0.01%"


def _badness(report: FileReport) -> tuple[int, float, str]:
    rank = 0 if report.status in _BAD else 1 if report.recognised is not None else 2
    return rank, report.recognised or 0.0, report.path


def _formats(report: FileReport) -> str:
    words = []
    if report.status != "read":
        words.append(f"{report.status}: {report.problem}" if report.problem else report.status)
    shown, rest = report.formats[:_MOST_FORMATS], report.formats[_MOST_FORMATS:]
    words += [f"{_name(one)} {percent(one.share)}" for one in shown]
    if rest:
        words.append(f"{len(rest)} more {percent(sum(one.share for one in rest))}")
    return harmless(", ".join(words))


def _name(one: FormatShare) -> str:
    return " > ".join([*one.envelopes, one.format])


Row = tuple[str, str, list[str]]
"""A label, what is said, and lines that show it."""


def _trouble(report: FileReport) -> Iterator[Row]:
    yield from _lines("unrecognised", report.unrecognised, "")
    yield from _lines("time only", report.time_only, "; no level, no program is read there")
    yield from _lines(
        "joined",
        report.joined,
        "; begins with a time, belongs to no format: is it no part of the record before?",
    )
    if report.cut:
        yield "cut", "the last line has no end: it is being written, or the rest is lost", []
    missing = report.times.missing - report.unrecognised.lines
    if report.records and missing > 0:
        yield "no time", f"{_many(missing, 'recognised record')}", []
    for what, count in report.incomplete.items():
        yield "incomplete", f"{_many(count, 'record')}: {_INCOMPLETE[what]}", []
    for loss in report.losses:
        dropped = "messages" if loss.dropped is None else _many(loss.dropped, "message")
        yield "lost", f"{loss.what} dropped {dropped} (said {_many(loss.messages, 'time')})", []
    if report.gaps:
        longest = [f"{_time(g.begin)} to {_time(g.end)}, {_length(g.seconds)}" for g in report.gaps]
        yield "no records", longest[0], []
        yield from (("", gap, []) for gap in longest[1:3])


_INCOMPLETE = {
    "head": "tracebacks whose first line is missing",
    "torn": "torn by another writer",
    "line": "longer than 1 MiB",
}


def _lines(label: str, lines: Lines, more: str) -> Iterator[Row]:
    if lines.lines:
        count = f"{_many(lines.lines, 'line')} ({percent(lines.share)}){more}"
        yield label, count, [_example(one) for one in lines.examples]


def _example(one: Example) -> str:
    return f"@{one.offset} {harmless(one.text)}"


def _facts(report: FileReport) -> Iterator[Row]:
    for one in report.formats:
        counts = f"{_many(one.records, 'record')}, {_many(one.lines, 'line')}"
        yield "format", f"{_name(one)}: {counts}, {percent(one.share)}", []
    times = report.times
    if times.first and times.last:
        yield "time", f"{_time(times.first)} to {_time(times.last)}", []
    if times.local:
        said = f"{_many(times.local, 'record')} without an offset, read as {times.zone}"
        if times.guess and times.guess.option is None:
            said += f": {times.guess.certainty} ({times.guess.reason})"
        yield "zone", said, []
    if times.years:
        years = times.years
        span = str(years.first) if years.first == years.last else f"{years.first} to {years.last}"
        origin = {"last change": "the file's last change", "now": "the clock"}.get(
            years.source, years.source
        )
        yield "year", f"{_many(years.records, 'record')} without one: {span}, from {origin}", []


def _options(advised: list[FileReport], local: list[FileReport]) -> list[str]:
    """Return the options to give: one for all files where they agree."""
    guesses = [r.times.guess for r in local]
    zones = {guess.zone for guess in guesses if guess}
    if len(zones) == 1 and all(guesses):
        return [option("-", zones.pop())]
    return [r.times.guess.option for r in advised if r.times.guess and r.times.guess.option]


def _names(reports: Iterable[FileReport]) -> str:
    names = [harmless(report.path) for report in reports]
    more = len(names) - _MOST_FILES
    return ", ".join(names[:_MOST_FILES]) + (f" and {more:,} more" if more > 0 else "")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _length(seconds: float) -> str:
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{rest} min"]
    return " ".join([part for part in parts if part][:2])
