"""An explanation as text for people: what was taken marked, columns with where they are from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opslog.checking.explanation import Explanation, Layer, Line, Value
from opslog.checking.near_misses import Miss
from opslog.model.instants import rfc3339
from opslog.terminal.cells import cells, shortened, wrapped
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD, CYAN, DIM, GREEN, RED, Style
from opslog.terminal.table import table

_DEFAULT, _NARROW = 100, 40
_VALUE = 48
"""Cells of a value in the table of columns."""

_BEFORE = 60
"""Characters before the place where a format stops that are shown."""


class ExplanationText:
    """Makes the text; ``width`` is that of the terminal, 0 without one."""

    def __init__(self, colored: bool, width: int) -> None:
        self._style = Style(colored)
        self._width = max(width or _DEFAULT, _NARROW)

    def render(self, found: Explanation) -> str:
        """Return the text."""
        parts = [[*self._line(number, one)] for number, one in enumerate(found.lines, 1)]
        for number, record in enumerate(found.records, 1):
            name = "record" if len(found.records) == 1 else f"record {number}"
            parts.append([self._style(BOLD, name), *self._columns(record)])
        return "\n\n".join("\n".join(lines) for lines in parts)

    def _line(self, number: int, one: Line) -> Iterator[str]:
        if one.record is None:
            place = "in no record"
        else:
            place = f"{'begins' if one.head else 'further line of'} record {one.record}"
        yield self._style(BOLD, f"line {number}: {place}")
        for layer in one.layers:
            yield from self._layer(layer)
        if not one.layers:
            yield from ("  " + text for text in wrapped(escaped(one.text), self._width - 2, most=4))
            yield "  " + self._style(RED, "no format takes it as the head of a record")
        for miss in one.near:
            yield from self._miss(one.layers[-1].text if one.layers else one.text, miss)

    def _layer(self, layer: Layer) -> Iterator[str]:
        title = shortened(escaped(layer.title), self._width - len(layer.format + layer.kind) - 7)
        yield f"  {self._style(CYAN, layer.format)} ({layer.kind}): {title}"
        yield from self._marked(layer)
        for text in wrapped(escaped(layer.rule), self._width - 4):
            yield "    " + self._style(DIM, text)
        if layer.printed_by:
            said = "oslo.log prints such lines as configured by: " + "; ".join(layer.printed_by)
            yield from ("    " + text for text in wrapped(escaped(said), self._width - 4, most=4))

    def _marked(self, layer: Layer) -> Iterator[str]:
        """Yield the text in pieces of the width, with marks below what columns were filled from."""
        data, shown, marks = layer.text.encode(), "", ""
        taken = bytearray(len(data))
        for number, hole in enumerate(layer.holes):
            taken[hole.begin : hole.end] = bytes([1 + number % 2]) * (hole.end - hole.begin)
        at = 0
        for character in layer.text:
            text = escaped(character)
            shown += text
            marks += " ^~"[taken[at] if at < len(taken) else 0] * max(cells(text), 1)
            at += len(character.encode())
        room = self._width - 4
        for begin in range(0, max(len(shown), 1), room):
            yield "    " + shown[begin : begin + room]
            if marks[begin : begin + room].strip():
                yield "    " + self._style(GREEN, marks[begin : begin + room].rstrip())

    def _miss(self, text: str, miss: Miss) -> Iterator[str]:
        data = text.encode()
        before = escaped(data[: miss.begin].decode("utf-8", "replace"))
        behind = escaped(data[miss.begin :].decode("utf-8", "replace"))
        before = before if len(before) <= _BEFORE else "…" + before[1 - _BEFORE :]
        yield f"  {self._style(CYAN, miss.format)} comes close, up to byte {miss.begin}"
        yield "    " + shortened(before + behind, self._width - 4)
        mark = " " * cells(before) + "^ "
        said = f"expected {miss.expected}"
        if cells(mark) + len(said) + 4 <= self._width:
            yield "    " + self._style(RED, mark + said)
        else:
            yield "    " + self._style(RED, mark.rstrip())
            yield from (
                "    " + self._style(RED, line) for line in wrapped(escaped(said), self._width - 4)
            )

    def _columns(self, record: dict[str, Value]) -> list[str]:
        rows = [
            ("  " + escaped(name), shortened(escaped(_shown(one.value)), _VALUE), escaped(one.rule))
            for name, one in record.items()
        ]
        return table(rows, self._width)


def _shown(value: Any) -> str:
    return rfc3339(value, "microseconds") if hasattr(value, "tzinfo") else str(value)
