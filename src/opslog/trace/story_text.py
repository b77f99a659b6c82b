"""What the texts of a story have in common: its head, its findings, the cells of a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from opslog.model.severity import ERROR, WARNING
from opslog.terminal.cells import shortened
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.style import BOLD, RED, YELLOW, Style
from opslog.terminal.words import clock_duration, count
from opslog.trace.axis import TimeAxis
from opslog.trace.errors import first_error, root_exception
from opslog.trace.folding import StoryRow
from opslog.trace.lifeline import Lifeline
from opslog.trace.reasons import reason, refused
from opslog.trace.story import Story, StoryGap

FIXED = 16
"""Columns of status, duration and blanks in a row, beside its label and bar."""


def time_text(time: datetime | None, moments: Moments) -> str:
    """Return a time with milliseconds."""
    return moments.text(time, milliseconds=True) if time else "no time"


def axis_of(
    rows: list[StoryRow], life: Lifeline | None, columns: int, moments: Moments
) -> TimeAxis | None:
    """Return the axis of all rows; what goes on for weeks beside them does not stretch it."""
    inside = [one for row in rows if not row.task for one in row.tree()]
    inside = inside or [one for row in rows for one in row.tree()]
    spans = [span for one in inside for span in one.spans]
    spans += [one.span for one in life.operations] if life else []
    return TimeAxis.of(spans, columns, moments)


def head(
    story: Story, rows: list[StoryRow], life: Lifeline | None, width: int, style: Style,
    moments: Moments,
) -> Iterator[str]:  # fmt: skip
    """Yield what a story is of, when it was, and how much."""
    begins = [begin for begin, _ in map(span_of, rows) if begin]
    ends = [end for _, end in map(span_of, rows) if end]
    if len(rows) == 1 and life is None:
        yield style(BOLD, fitted(rows[0].id or story.id, width))
        told = [time_text(min(begins, default=None), moments), *facts(rows[0])]
    else:
        what = f"  {life.kind}{f', {life.state}' if life.state else ''}" if life else ""
        yield style(BOLD, fitted(story.id + what, width))
        length = (max(ends) - min(begins)).total_seconds() if begins and ends else None
        told = [
            time_text(min(begins, default=None), moments),
            clock_duration(length),
            count(sum(1 for _ in story.tree()), "request"),
            count(len(story.records), "record"),
        ]
    yield fitted("  ".join(filter(None, told)), width)


def span_of(row: StoryRow) -> tuple[datetime | None, datetime | None]:
    """Return when the first began and the last ended of a row and those below."""
    spans = [span for one in row.tree() for span in one.spans]
    begins, ends = [begin for begin, _ in spans], [end for _, end in spans]
    return min(begins, default=None), max(ends, default=None)


def facts(row: StoryRow) -> list[str]:
    """Return how long a tree took, of how many requests and records it is."""
    begin, end = span_of(row)
    length = clock_duration((end - begin).total_seconds()) if begin and end else ""
    inside = [one for one in row.tree() if not one.process and one.count == 1]
    records = sum(len(one.records) for one in inside)
    told = [f"a task, seen for {length}" if row.task else length, count(len(inside), "request")]
    return [fact for fact in (*told, count(records, "record")) if fact]


def status_text(row: StoryRow, style: Style) -> str:
    """Return the status of a row in its color, in three columns."""
    text = f"{'' if row.status is None else row.status:>3}"
    return style(color_of(row.status_severity, ""), text)


def length_text(row: StoryRow) -> str:
    """Return how long a row took; of folded ones, how long at most."""
    return ("≤" if row.count > 1 and row.seconds else "") + clock_duration(row.seconds)


def hosts_text(row: StoryRow) -> str:
    """Return the hosts of a row that its name does not tell."""
    return " ".join(map(escaped, row.hosts)) if len(row.hosts) > 1 else ""


def color_of(severity: int, otherwise: str) -> str:
    """Return the color of a severity number, ``otherwise`` below WARNING."""
    return RED if severity >= ERROR else YELLOW if severity >= WARNING else otherwise


def findings(story: Story, gap: float, width: int, style: Style, moments: Moments) -> Iterator[str]:
    """Yield what is to be known of a story beside its requests."""
    first = first_error(story)
    if first is not None:
        record = story.records[first]
        head = f"{style(RED, 'first error')}  {time_text(record.timestamp, moments)}"
        yield f"{head}  {_writer(story, first, width)}"
        yield f"  {fitted(_line(record.body), width - 2)}"
    cause = root_exception(story, first)
    if cause is not None:
        told = f"{cause.type}: {_line(cause.message)}" if cause.message else cause.type
        yield f"{style(RED, 'root exception')}  {fitted(told, width - 16)}"
    request = refused(story)
    why = None if request is None else reason(story, request)
    if why is not None and why != first:
        yield f"{style(YELLOW, 'reason')}  {fitted(_line(story.records[why].body), width - 8)}"
    for note in story.notes:
        yield f"{style(YELLOW, note.kind)}  {fitted(note.text, width - len(note.kind) - 2)}"
    for host, ahead in sorted(story.clocks.items()):
        seconds = ahead.total_seconds()
        side = "ahead" if seconds > 0 else "behind"
        yield f"clock of {escaped(host)}  {clock_duration(abs(seconds))} {side}: corrected"
    for one in sorted(story.gaps(gap), key=lambda one: -one.seconds)[:5]:
        yield f"gap {clock_duration(one.seconds):<8}  {_gap(story, one, width - 14)}"
    alone = sum(owner is None for owner in story.owners)
    if alone and story.requests:
        yield f"{count(alone, 'record')} of no request, or of a task that goes on, name the id"
    if story.left_behind:
        yield f"{count(story.left_behind, 'record')} with the id, but of later calls, left out"
    if story.left_out:
        yield f"{count(story.left_out, 'record')} left out: too many"


def _gap(story: Story, gap: StoryGap, width: int) -> str:
    """Return what was logged before and after a gap, each in a half of the width."""
    half = (width - len(" | ")) // 2
    sides = []
    for word, number in (("after", gap.after), ("before", gap.before)):
        record = story.records[number]
        who = record.program or record.service_name or "?"
        sides.append(fitted(f"{word} {who}: {_line(record.body)}", half))
    return " | ".join(sides)


def _writer(story: Story, number: int, width: int) -> str:
    record = story.records[number]
    who = record.program or record.service_name or "?"
    who += f"@{record.host_name}" if record.host_name else ""
    return fitted(f"{who}  {record.source}@{record.source_offset}", max(20, width - 40))


def _line(text: str | None) -> str:
    """Return the first line of a text that says something."""
    return next((line.strip() for line in (text or "").split("\n") if line.strip()), "")


def fitted(text: str, width: int) -> str:
    """Return a text escaped, and cut where there is no room for it."""
    return shortened(escaped(text), width)
