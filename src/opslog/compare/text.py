"""A comparison as text for people: the findings, what came of each, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from opslog.compare.finding import Comparison, Extent, Finding
from opslog.terminal.cells import shortened, wrapped
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD, CYAN, DIM, RED, YELLOW, Style
from opslog.terminal.words import count

_DEFAULT, _NARROW = 80, 40
_QUOTE, _SHOWN = 3, 4
"""Lines of a quote, and consequences, that are shown."""

_COLORS = {"error": RED, "failing": RED, "missing": RED, "unfinished": RED, "silent": RED,
           "slower": YELLOW, "more": YELLOW}  # fmt: skip


class CompareText:
    """Makes the text; ``width`` is that of the terminal, 0 without one."""

    def __init__(self, colored: bool, width: int) -> None:
        self._style = Style(colored)
        self._width = max(width or _DEFAULT, _NARROW)

    def render(self, found: Comparison, top: int) -> str:
        """Return the text, with the first ``top`` findings."""
        parts = [[*self._head(found)]]
        parts += ([*self._finding(one)] for one in found.findings[:top])
        if not found.findings:
            parts.append(["no failure" if found.good is None else "no difference"])
        if (more := len(found.findings) - top) > 0:
            parts.append([f"and {count(more, 'other')}: -t says how many are shown"])
        if found.left_out:
            parts.append([line for text in found.left_out for line in wrapped(text, self._width)])
        return "\n\n".join("\n".join(lines) for lines in parts)

    def _head(self, found: Comparison) -> Iterator[str]:
        sides = [("bad", found.bad)] + ([("good", found.good)] if found.good else [])
        for name, extent in sides:
            assert extent is not None
            for line in wrapped(f"{name:4} {extent_text(extent)}", self._width):
                yield self._style(BOLD, line)

    def _finding(self, one: Finding) -> Iterator[str]:
        room = self._width - 4
        first, *more = wrapped(escaped(f"{one.kind}  {one.text}"), room)
        number = f"{one.rank:<3} "
        yield number + self._style(_COLORS.get(one.kind, CYAN), first)
        for line in more:
            yield "    " + self._style(_COLORS.get(one.kind, CYAN), line)
        # A message is told in the sentence, if it is short.
        said = (one.quote or "").split("\n")[0]
        if one.quote and said[:60] not in one.text:
            for line in wrapped(escaped(one.quote), room, most=_QUOTE):
                yield "    " + line
        where = [time_text(one.first) if one.first else "", one.host or ""]
        if one.source is not None:
            where.append(f"{escaped(one.source)}:{one.source_offset}")
        for line in wrapped("  ".join(filter(None, where)), room):
            yield "    " + self._style(DIM, line)
        for other in one.consequences[:_SHOWN]:
            yield "    " + shortened(escaped(f"then {other.kind}: {other.text}"), room)
        if one.following > _SHOWN:
            yield f"    and {count(one.following - _SHOWN, 'other')} after it"
        if one.next:
            # It is typed, so it is not broken.
            yield "    $ " + escaped(one.next)


def extent_text(extent: Extent) -> str:
    """Return how much was read of a side."""
    text = count(extent.records, "record")
    if extent.runs > 1:
        text += f" of {count(extent.runs, 'run')}"
    if extent.first and extent.last:
        text += f"  {time_text(extent.first)} to {time_text(extent.last)}"
    return text


def time_text(time: datetime) -> str:
    """Return a time as text."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z"
