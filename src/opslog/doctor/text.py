"""What the doctor says, as text: a table of the files, findings, advice, a summary.

The worst files come first; the summary stands at the end.  What is alike for
several files is said once, also that nothing is to be said of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from opslog.doctor.clock import zone_option
from opslog.doctor.report import Example, FileReport, FormatShare, LineShare
from opslog.terminal.cells import padded, shortened, wrapped
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD, DIM, GREEN, RED, YELLOW, Style
from opslog.terminal.table import widths
from opslog.terminal.words import count, two_units

_MOST_FORMATS = 4
_MOST_FILES = 5
_MOST_ROWS = 3
"""Files without findings, and empty ones, that have rows of their own; more are one line."""

_LABEL = 14
_BAD = ("unreadable", "damaged")


class DoctorText:
    """Makes the text; ``width`` is that of the terminal, 0 without one."""

    def __init__(self, colored: bool, width: int, least: float) -> None:
        self._style = Style(colored)
        self._width = width
        self._least = least

    def render(self, reports: list[FileReport], full: bool) -> str:
        """Return all that is said of the files."""
        ordered = sorted(reports, key=_badness)
        shown, told = (ordered, []) if full else _folded(ordered)
        lines = self._table(shown) if shown else []
        for text in told:
            lines += self._wrapped(text, 0, hanging=2)
        parts = ["\n".join(lines)]
        parts += ["\n".join(found) for r in ordered if (found := self._findings(r, full))]
        others = (*self._zones(ordered), *self._advice(ordered), *self._sketch(ordered))
        parts += ["\n".join(found) for found in others]
        parts.append(self._summary(reports))
        return "\n\n".join(parts)

    # -- the table --------------------------------------------------------------------

    def _table(self, reports: list[FileReport]) -> list[str]:
        rows = [("recognised", "lines", "file", "formats")]
        rows += [
            (
                "-" if r.recognised is None else percent(r.recognised),
                f"{r.lines:,}" if r.recognised is not None else "-",
                escaped(r.path),
                _formats(r),
            )
            for r in reports
        ]
        colors = ["", *(self._share_color(r) for r in reports)]
        sizes = widths(rows)
        below = 0 < self._width < sum(sizes) + 6
        lines = []
        for color, (share, number, path, formats) in zip(colors, rows, strict=True):
            head = f"{self._style(color, share.rjust(sizes[0]))}  {number.rjust(sizes[1])}  "
            if not below:
                lines.append(f"{head}{padded(path, sizes[2])}  {formats}".rstrip())
                continue
            lines.append(f"{head}{path}")
            if formats != "formats":
                lines += self._wrapped(formats, sizes[0] + sizes[1] + 4)
        return lines

    def _share_color(self, report: FileReport) -> str:
        if report.status in _BAD:
            return RED
        if report.recognised is None:
            return DIM
        share = 100 * report.recognised
        return GREEN if share >= self._least else YELLOW if share >= 90 else RED

    # -- findings -----------------------------------------------------------------------

    def _findings(self, report: FileReport, full: bool) -> list[str]:
        rows = list(_trouble(report))
        if full and report.records:
            rows = [*_facts(report), *rows]
        if not rows:
            return []
        lines = [self._style(BOLD, escaped(report.path))]
        for label, text, shown in rows:
            first, *more = self._wrapped(text, _LABEL + 2)
            lines += [f"  {label.ljust(_LABEL)}{first.strip()}", *more]
            lines += [" " * (_LABEL + 4) + self._style(DIM, self._cut(line)) for line in shown]
        return lines

    def _zones(self, reports: list[FileReport]) -> Iterator[list[str]]:
        """What is said of times without an offset, for all files together."""
        local = [r for r in reports if r.times.local]
        advised = [r for r in local if r.times.guess and r.times.guess.option]
        unknown = [r for r in local if r.times.guess is None and r.times.zone == "UTC"]
        if advised:
            lines = [self._style(BOLD, "times without an offset, of another zone than assumed")]
            told: dict[tuple[str, str, str], list[FileReport]] = {}
            for one in advised:
                assert one.times.guess is not None
                guess = one.times.guess
                told.setdefault((guess.zone, guess.certainty, guess.reason), []).append(one)
            for (zone, certainty, reason), files in told.items():
                text = f"{zone}, {certainty} ({reason}): {_names(files)}"
                lines += self._wrapped(text, 2, hanging=2)
            lines.append("  give")
            lines += [f"    {escaped(one)}" for one in _options(advised, local)]
            if any(r.times.guess and r.times.guess.zone[0] in "+-" for r in advised):
                lines += self._wrapped(
                    "An offset holds until clocks change, a name such as Europe/Berlin longer.",
                    2,
                )
            yield lines
        if unknown:
            yield [
                self._style(BOLD, "times without an offset, read as UTC"),
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
                self._style(BOLD, f"not in {count(len(files), 'file')}: {loses[0]}"),
                *(line for more in loses[1:] for line in self._wrapped(f"nor {more}", 2)),
                *self._wrapped(_names(files), 2),
                *self._wrapped(f"to keep it, in {where}", 2),
                *(f"    {line}" for line in settings),
            ]

    def _sketch(self, reports: list[FileReport]) -> Iterator[list[str]]:
        """Show a format file for what most lines look like that no format reads, of any file."""
        sketched = [report for report in reports if report.sketch]
        if not sketched:
            return
        most = max(sketched, key=lambda report: report.shapes[0].records)
        assert most.sketch is not None
        yield [
            self._style(BOLD, "a format file to begin with"),
            *self._wrapped(
                f"for lines of {escaped(most.path)} that no format reads: name what stands in "
                "them, then opslog formats check FILE, and --formats FILE to read them.",
                2,
            ),
            *(f"    {escaped(line)}".rstrip() for line in most.sketch.splitlines()),
        ]

    def _summary(self, reports: list[FileReport]) -> str:
        lines = sum(r.lines for r in reports)
        known = sum(r.lines - r.unrecognised.lines - r.dated.lines for r in reports)
        dated = sum(r.dated.lines for r in reports)
        text = f"{count(len(reports), 'file')}, {count(lines, 'line')}"
        if lines:
            text += f", {percent(known / lines)} recognised"
        if dated:
            text += f", {percent(dated / lines)} dated"
        below = sum(r.recognised is not None and 100 * r.recognised < self._least for r in reports)
        counts = [(below, f"below {self._least:g}%")]
        counts += [
            (sum(r.status == status for r in reports), status)
            for status in ("unreadable", "damaged", "binary", "empty")
        ]
        return "; ".join([text, *(f"{number:,} {what}" for number, what in counts if number)])

    # -- lines ----------------------------------------------------------------------------

    def _wrapped(self, text: str, indent: int, hanging: int = 0) -> list[str]:
        """Return lines that begin with ``indent`` blanks, from the second on with more."""
        if not self._width:
            return [" " * indent + text]
        room = max(self._width, 40) - indent - hanging
        first, *more = wrapped(text, room, whole_words=True)
        return [" " * indent + first, *(" " * (indent + hanging) + line for line in more)]

    def _cut(self, line: str) -> str:
        room = max(self._width, 40) - _LABEL - 4
        return shortened(line, room, dots="...") if self._width else line


def percent(share: float) -> str:
    """Return a share as text; all and nothing are said only of all and nothing."""
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    value = math.floor(10_000 * share) / 100
    return f"{value:.2f}%" if value else "<0.01%"


def _folded(reports: list[FileReport]) -> tuple[list[FileReport], list[str]]:
    """Return the files that have a row of their own, and what is said of the others together."""
    together: set[str] = set()
    told = []
    groups = {
        "read whole": [r for r in reports if r.recognised == 1 and not any(_trouble(r))],
        "empty": [r for r in reports if r.status == "empty"],
    }
    for what, files in groups.items():
        if len(files) > _MOST_ROWS:
            together.update(r.path for r in files)
            told.append(f"{len(files):,} files are {what}: {_names(files)}")
    return [r for r in reports if r.path not in together], told


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
    return escaped(", ".join(words))


def _name(one: FormatShare) -> str:
    return " > ".join([*one.envelopes, one.format])


Row = tuple[str, str, list[str]]
"""A label, what is said, and lines that show it."""


def _trouble(report: FileReport) -> Iterator[Row]:
    yield from _lines("unrecognised", report.unrecognised, "")
    yield from _lines("dated", report.dated, "; only a time or a name is read there")
    if report.shapes:
        shown = [f"{one.records:>9,} x {escaped(one.text)}" for one in report.shapes]
        if report.more_shapes:
            shown.append(f"and {count(report.more_shapes, 'shape')} more")
        if report.shapes_left_out:
            left_out = count(report.shapes_left_out, "record")
            shown.append(f"{left_out} of rare shapes not counted: there are very many")
        yield "shapes", "what the lines look like that no format reads, most frequent first", shown
    yield from _lines(
        "joined",
        report.joined,
        "; begins with a time, belongs to no format: is it no part of the record before?",
    )
    if report.cut:
        yield "cut", "the last line has no end: it is being written, or the rest is lost", []
    missing = report.times.missing - report.unrecognised.lines
    if report.records and missing > 0:
        yield "no time", f"{count(missing, 'recognised record')}", []
    for what, records in report.incomplete.items():
        yield "incomplete", f"{count(records, 'record')}: {_INCOMPLETE[what]}", []
    for loss in report.losses:
        dropped = "messages" if loss.dropped is None else count(loss.dropped, "message")
        yield "lost", f"{loss.what} dropped {dropped} (said {count(loss.messages, 'time')})", []
    for one in report.copies:
        about = "about " if one.estimated else ""
        told = f"{about}{count(one.records, 'record')} ({percent(one.share)})"
        yield "copies", f"{told} of {escaped(one.path)} stand here, too", []
    if report.gaps:
        longest = [
            f"{_time(g.begin)} to {_time(g.end)}, {two_units(g.seconds)}" for g in report.gaps
        ]
        yield "no records", longest[0], []
        yield from (("", gap, []) for gap in longest[1:3])
        if shorter := len(longest[3:]) + report.more_gaps:
            yield "", f"and {shorter:,} shorter", []


_INCOMPLETE = {
    "head": "tracebacks whose first line is missing",
    "torn": "torn by another writer",
    "line": "longer than 1 MiB",
}


def _lines(label: str, lines: LineShare, more: str) -> Iterator[Row]:
    if lines.lines:
        told = f"{count(lines.lines, 'line')} ({percent(lines.share)}){more}"
        yield label, told, [_example(one) for one in lines.examples]


def _example(one: Example) -> str:
    return f"@{one.offset} {escaped(one.text)}"


def _facts(report: FileReport) -> Iterator[Row]:
    for one in report.formats:
        counts = f"{count(one.records, 'record')}, {count(one.lines, 'line')}"
        yield "format", f"{_name(one)}: {counts}, {percent(one.share)}", []
    times = report.times
    if times.first and times.last:
        yield "time", f"{_time(times.first)} to {_time(times.last)}", []
    if times.local:
        said = f"{count(times.local, 'record')} without an offset, read as {times.zone}"
        if times.guess and times.guess.option is None:
            said += f": {times.guess.certainty} ({times.guess.reason})"
        yield "zone", said, []
    if times.years:
        years = times.years
        span = str(years.first) if years.first == years.last else f"{years.first} to {years.last}"
        origin = {"last change": "the file's last change", "now": "the clock"}.get(
            years.source, years.source
        )
        yield "year", f"{count(years.records, 'record')} without one: {span}, from {origin}", []


def _options(advised: list[FileReport], local: list[FileReport]) -> list[str]:
    """Return the options to give: one for all files where they agree."""
    guesses = [r.times.guess for r in local]
    zones = {guess.zone for guess in guesses if guess}
    if len(zones) == 1 and all(guesses):
        return [zone_option("-", zones.pop())]
    return [r.times.guess.option for r in advised if r.times.guess and r.times.guess.option]


def _names(reports: Iterable[FileReport]) -> str:
    names = [escaped(report.path) for report in reports]
    more = len(names) - _MOST_FILES
    return ", ".join(names[:_MOST_FILES]) + (f" and {more:,} more" if more > 0 else "")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
