"""A story as text: a row a request and a bar for when it was at work, as wide as there is room.

Under the requests stand the first error, the exception it began with, and where nothing
was logged for long.  No character of a log reaches the terminal as a command.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from opslog.model.severity import ERROR, WARNING
from opslog.terminal.cells import padded, shortened
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD, CYAN, DIM, RED, YELLOW, Style
from opslog.terminal.words import clock_duration, count
from opslog.trace.errors import first_error, root_exception
from opslog.trace.spans import ProcessSpan, Request, TraceSpan
from opslog.trace.story import Story, StoryGap

_NARROW, _DEFAULT = 60, 100
_MOST_LABEL = 64
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def waterfall(story: Story, gap: float, width: int = 0, colored: bool = False) -> str:
    """Return a story as lines that fit into ``width`` columns (0: 100)."""
    width = max(_NARROW, width or _DEFAULT)
    lines = []
    if not story.requests:
        lines += [f"{escaped(story.id)}  {count(len(story.records), 'record')} of no request", ""]
    for root in story.requests:
        lines += [*_Tree(story, root, width, colored).lines(), ""]
    lines += _findings(story, gap, width, colored)
    return "\n".join(lines) + "\n"


def utc_text(time: datetime | None) -> str:
    """Return a time in UTC with milliseconds."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z" if time else "no time"


class _Tree:
    """The rows of one tree of requests."""

    def __init__(self, story: Story, root: Request, width: int, colored: bool) -> None:
        self._story, self._root, self._width, self._style = story, root, width, Style(colored)
        self._span = root.span()
        self._label = min(_MOST_LABEL, width * 45 // 100)
        self._bar = width - self._label - 16

    def lines(self) -> Iterator[str]:
        inside = list(self._root.tree())
        records = sum(len(one.records) for one in inside)
        length = (
            clock_duration((self._span[1] - self._span[0]).total_seconds()) if self._span else ""
        )
        facts = [
            utc_text(self._span[0] if self._span else None),
            f"a task, seen for {length}" if self._root.task else length,
            count(len(inside), "request"),
            count(records, "record"),
        ]
        yield self._style(BOLD, _fitted(self._root.id, self._width))
        yield _fitted("  ".join(filter(None, facts)), self._width)
        yield from self._request(self._root, "", "")

    def _request(self, request: Request, head: str, below: str) -> Iterator[str]:
        call = request.call
        what = f"{request.service} {call.method} {call.path}" if call else request.service
        if not request.records:
            what = f"{what if call else ''} {request.id[:12]} (no records)".lstrip()
        status = str(call.status) if call and call.status is not None else ""
        length = None if request.task else request.duration
        yield self._row(head + what, status, length, request, call is not None and call.failed)
        several = request.parts if len(request.parts) > 1 else []
        inner: list[ProcessSpan | Request] = sorted(
            [*several, *request.children], key=lambda one: (one.begin is None, one.begin or 0)
        )
        for number, one in enumerate(inner):
            last = number == len(inner) - 1
            branch, on = ("└ ", "  ") if last else ("├ ", "│ ")
            if isinstance(one, Request):
                yield from self._request(one, below + branch, below + on)
            else:
                yield self._row(below + branch + _process(one), "", one.duration, one, False)

    def _row(
        self, label: str, status: str, length: float | None, span: TraceSpan, failed: bool
    ) -> str:
        color = RED if span.severity >= ERROR else YELLOW if span.severity >= WARNING else CYAN
        shown = self._style(
            DIM if isinstance(span, ProcessSpan) else "", _fitted(label, self._label)
        )
        row = (
            f"{padded(shown, self._label)} {self._style(RED if failed else '', f'{status:>3}')} "
            f"{clock_duration(length):>8}  {self._style(color, self._bar_of(span))}"
        )
        return row.rstrip()

    def _bar_of(self, span: TraceSpan) -> str:
        if not (self._span and span.begin and span.end):
            return ""
        begin, end = self._span
        whole = (end - begin).total_seconds() or 1.0
        first = (span.begin - begin).total_seconds() / whole * self._bar
        size = max((span.end - span.begin).total_seconds() / whole * self._bar, 0.125)
        at = min(int(first), self._bar - 1)
        full, rest = divmod(min(round(8 * size), 8 * (self._bar - at)), 8)
        return " " * at + _EIGHTHS[8] * full + (_EIGHTHS[rest] if rest else "")


def _findings(story: Story, gap: float, width: int, colored: bool) -> Iterator[str]:
    """Yield what is to be known of a story beside its requests."""
    style = Style(colored)
    first = first_error(story)
    if first is not None:
        record = story.records[first]
        head = f"{style(RED, 'first error')}  {utc_text(record.timestamp)}"
        yield f"{head}  {_writer(story, first, width)}"
        yield f"  {_fitted(_line(record.body), width - 2)}"
    cause = root_exception(story, first)
    if cause is not None:
        told = f"{cause.type}: {_line(cause.message)}" if cause.message else cause.type
        yield f"{style(RED, 'root exception')}  {_fitted(told, width - 16)}"
    for one in sorted(story.gaps(gap), key=lambda one: -one.seconds)[:5]:
        yield f"gap {clock_duration(one.seconds)}  {_fitted(_gap(story, one), width - 14)}"
    alone = sum(owner is None for owner in story.owners)
    if alone and story.requests:
        yield f"{count(alone, 'record')} of no request, or of a task that goes on, name the id"
    if story.left_out:
        yield f"{count(story.left_out, 'record')} left out: too many"


def _gap(story: Story, gap: StoryGap) -> str:
    after, before = story.records[gap.after], story.records[gap.before]
    return (
        f"after {after.program or after.service_name or '?'}: {_line(after.body)[:40]} "
        f"| before {before.program or before.service_name or '?'}: {_line(before.body)[:40]}"
    )


def _writer(story: Story, number: int, width: int) -> str:
    record = story.records[number]
    who = record.program or record.service_name or "?"
    return _fitted(f"{who}  {record.source}@{record.source_offset}", max(20, width - 40))


def _process(part: ProcessSpan) -> str:
    host = f"@{part.host}" if part.host else ""
    return f"{part.program}{host}" + (f"[{part.pid}]" if part.pid is not None else "")


def _line(text: str | None) -> str:
    """Return the first line of a text that says something."""
    return next((line.strip() for line in (text or "").split("\n") if line.strip()), "")


def _fitted(text: str, width: int) -> str:
    """Return a text escaped, and cut where there is no room for it."""
    return shortened(escaped(text), width)
