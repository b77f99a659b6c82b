"""Records as text for people: one line a record, what follows it indented.

A line has the time in UTC, the source's word for the severity, the program,
the beginning of the request id and the message.  The id is that of the request
that caused it all where it is known, so that the lines of one cause look alike
in all services.  A line that no format recognised stands as it is behind a
question mark.  No character of a log reaches the terminal as a command, and
no line of a message can pass for a record: both are shown, but harmless.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa

from opslog.harmless import harmless
from opslog.normalize import Kept
from opslog.output import Output
from opslog.severity import CRITICAL, DEBUG, ERROR, INFO, WARNING

_COLUMNS = (
    "format", "timestamp", "severity_number", "severity_text", "service_name", "program",
    "request_id", "global_request_id", "body", "exception_type", "exception_message",
    "exception_stacktrace",
)  # fmt: skip

_TIME, _SEVERITY, _REQUEST = 24, 8, 12
"""Widths: `2026-03-10 10:00:07.791Z`, `CRITICAL`, `req-` and eight digits."""

_LEAST_PROGRAM, _MOST_PROGRAM = 12, 26
"""Widths: grows from one to the other with the programs seen, `neutron-openvswitch-agent`."""

_INDENT = "    "

_RESET = "\x1b[0m"
_DIM, _RED, _CYAN, _MAGENTA = "\x1b[2m", "\x1b[31m", "\x1b[36m", "\x1b[35m"
_SEVERITY_COLORS = (
    (CRITICAL, "\x1b[1;31m"), (ERROR, _RED), (WARNING, "\x1b[33m"), (INFO, "\x1b[32m"),
    (DEBUG, "\x1b[34m"),
)  # fmt: skip

Cells: TypeAlias = list[tuple[str, str, int, str]]
"""What stands before the program, the program, its width, what stands behind it.

The width is _UNKNOWN where there are no columns.
"""

_UNKNOWN = -1


class TextSink:
    """Aligned text; ``full`` shows whole tracebacks and request ids."""

    columns: tuple[str, ...] = _COLUMNS

    def __init__(self, path: str, colored: bool, full: bool) -> None:
        self._output = Output(path)
        self._colored = colored
        self._full = full
        self._width = _LEAST_PROGRAM
        self._severity = lru_cache(maxsize=1024)(self._severity_cell)
        self._program = lru_cache(maxsize=1024)(self._program_cell)

    def encode(self, kept: Kept) -> Cells:
        return self._cells(kept.batch())

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self.write(self._cells(rows))

    def _cells(self, batch: pa.RecordBatch) -> Cells:
        columns = map(_values, batch.columns)
        return [self._record(*values) for values in zip(*columns, strict=True)]

    def write(self, encoded: Cells) -> None:
        # The width depends on the records before only, not on how they came in batches.
        width, parts = self._width, list[str]()
        for before, program, size, behind in encoded:
            if size == _UNKNOWN:
                parts += (before, behind)
                continue
            if size > width:
                width = min(size, _MOST_PROGRAM)
            parts += (before, program, " " * (width - size), behind)
        self._width = width
        self._output.write("".join(parts).encode())

    def close(self, complete: bool = True) -> None:
        self._output.close()

    def abort(self) -> None:
        self._output.close()

    def _record(
        self,
        recognised: str | None,
        moment: str | None,
        number: int | None,
        severity: str | None,
        service: str | None,
        program: str | None,
        request: str | None,
        cause: str | None,
        body: str | None,
        *exception: str | None,
    ) -> tuple[str, str, int, str]:
        lines = [harmless(line) for line in (body or "").split("\n")]
        if recognised is None:
            mark = self._color(_DIM, "?")
            return "", "", _UNKNOWN, "".join(f"{mark} {line}".rstrip() + "\n" for line in lines)
        shown, size = self._program(program or service or "")
        request = harmless(cause or request or "")
        if not self._full:
            request = request[:_REQUEST]
        if lines[0]:
            request = _padded(request, _REQUEST)
        first = f"  {self._color(_MAGENTA, request)}  {lines[0]}".rstrip()
        below = lines[1:] + self._exception(*exception)
        return (
            self._color(_DIM, f"{moment}Z" if moment else "-".ljust(_TIME))
            + self._severity(severity, number),
            shown,
            size,
            "\n".join([first, *(line and _INDENT + line for line in below), ""]),
        )

    def _severity_cell(self, word: str | None, number: int | None) -> str:
        colors = (color for least, color in _SEVERITY_COLORS if number and number >= least)
        padded = _padded(harmless(word or ""), _SEVERITY)
        return f"  {self._color(next(colors, _DIM), padded)}  "

    def _program_cell(self, name: str) -> tuple[str, int]:
        shown = harmless(name)
        return self._color(_CYAN, shown), _width(shown)

    def _exception(
        self, kind: str | None = None, message: str | None = None, trace: str | None = None
    ) -> list[str]:
        if trace is None:
            return []
        lines = [harmless(line) for line in trace.split("\n")]
        if self._full:
            return lines
        if kind is None:
            last = lines[-1].strip()
        else:
            last = harmless(f"{kind}: {message}".split("\n")[0] if message else kind)
        more = f"(+{len(lines) - 1} lines)" if len(lines) > 1 else ""
        return [f"{self._color(_RED, last)}  {self._color(_DIM, more)}".rstrip()]

    def _color(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self._colored and text else text


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.string())
    elif pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()  # its own values are slow to take out
    values: list[Any] = column.to_pylist()
    return values


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Return how many cells of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    import unicodedata  # hardly any program has such a name

    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char)
        for char in text
    )
