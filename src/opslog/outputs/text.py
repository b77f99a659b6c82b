"""Records as text for people: one line a record, what follows it indented.

A line has the time in UTC, the source's word for the severity, the program,
the beginning of the request id and the message.  From the second host on that is
met, the program has its host behind an @.  The id is that of the request
that caused it all where it is known, so that the lines of one cause look alike
in all services.  In a narrow terminal a message that would be wrapped stands
below.  A line that no format recognised stands as it is behind a
question mark.  No character of a log reaches the terminal as a command, and
no line of a message can pass for a record: both are escaped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa

from opslog.model.severity import CRIT, ERROR, INFO, WARNING
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Streaming
from opslog.rows.kept import Kept
from opslog.terminal.cells import cells
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD_RED, CYAN, DIM, GREEN, MAGENTA, RED, YELLOW, Style

_COLUMNS = (
    "format", "timestamp", "severity_number", "severity_text", "service_name", "program",
    "host_name", "request_id", "global_request_id", "body", "exception_type", "exception_message",
    "exception_stacktrace",
)  # fmt: skip

_TIME, _SEVERITY = 24, 8
"""Widths: `2026-03-10 10:00:07.791Z`, `CRITICAL`."""

_LEAST_PROGRAM, _MOST_PROGRAM, _MOST_HOST = 4, 26, 16
"""Widths: grows with the programs seen, `neutron-openvswitch-agent`; more where hosts are shown."""

_REQUEST, _WHOLE_REQUEST = 12, 40
"""Widths: `req-` and eight digits, `req-` and a UUID; grows from nothing likewise."""

_NARROW = 120
"""In a terminal of fewer columns, too few are left for a message that must be wrapped."""

_INDENT = "    "

_SEVERITY_COLORS = ((CRIT, BOLD_RED), (ERROR, RED), (WARNING, YELLOW), (INFO, GREEN))
"""Of what is less no color says anything: the blue of many terminals is too dark to read."""

Cell: TypeAlias = tuple[str, int]
"""A text and how many cells of a terminal it takes."""

Row: TypeAlias = tuple[str, str, str, Cell, str, str] | str
"""What stands before the program; program, host, request, message; what follows.  Or all of it."""


class TextSink(Streaming):
    """Aligned text; ``full`` shows whole tracebacks and request ids.

    ``width`` is that of the terminal it is for, 0 if it is for none; with ``hosts`` the
    first record has its host, too.
    """

    columns: tuple[str, ...] = _COLUMNS

    def __init__(
        self, output: OutputStream, colored: bool, full: bool, width: int, hosts: bool = False
    ) -> None:
        super().__init__(output)
        self._style = Style(colored)
        self._full = full
        self._narrow = width if width < _NARROW else 0
        self._most_request = _WHOLE_REQUEST if full else _REQUEST
        self._program_width, self._request_width = _LEAST_PROGRAM, 0
        self._host = ""
        self._hosts = hosts
        self._severity = lru_cache(maxsize=1024)(self._severity_cell)
        self._program = lru_cache(maxsize=1024)(self._program_cell)

    def encode(self, kept: Kept) -> list[Row]:
        return self._rows(kept.batch())

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self.write(self._rows(rows))

    def of_batch(self, batch: pa.RecordBatch) -> list[Row]:
        return self._rows(batch.select(self.columns))

    def _rows(self, batch: pa.RecordBatch) -> list[Row]:
        columns = map(_values, batch.columns)
        return [self._row(*values) for values in zip(*columns, strict=True)]

    def write(self, encoded: list[Row]) -> None:
        # Widths depend on the records before only, not on how they came in batches.
        parts: list[str] = []
        for row in encoded:
            if isinstance(row, str):
                parts.append(row)
                continue
            before, name, host, request, message, behind = row
            if host and not self._hosts:
                self._host = self._host or host
                self._hosts = host != self._host
            program = self._program(name, host if self._hosts else "")
            most = _MOST_PROGRAM + (_MOST_HOST if self._hosts else 0)
            self._program_width = max(self._program_width, min(program[1], most))
            self._request_width = max(self._request_width, min(request[1], self._most_request))
            head = before + _padded(program, self._program_width)
            if self._request_width:
                head += f"  {_padded(request, self._request_width)}"
            if not message:
                line = head.rstrip()
            elif self._narrow and cells(f"{head}  {message}") > self._narrow:
                line = f"{head.rstrip()}\n{_INDENT}{message}"
            else:
                line = f"{head}  {message}"
            parts += (line, behind)
        self.output.write("".join(parts).encode())

    def _row(
        self,
        recognised: str | None,
        moment: str | None,
        number: int | None,
        severity: str | None,
        service: str | None,
        program: str | None,
        host: str | None,
        request: str | None,
        cause: str | None,
        body: str | None,
        *exception: str | None,
    ) -> Row:
        lines = [escaped(line) for line in (body or "").split("\n")]
        if recognised is None:
            mark = self._style(DIM, "?")
            return "".join(f"{mark} {line}".rstrip() + "\n" for line in lines)
        request = escaped(cause or request or "")
        if not self._full:
            request = request[:_REQUEST]
        if exception[-1] is not None:
            self._add_exception(lines, body or "", *exception)
        message, *below = lines
        return (
            self._style(DIM, f"{moment}Z" if moment else "-".ljust(_TIME))
            + self._severity(severity, number),
            program or service or "",
            host or "",
            (self._style(MAGENTA, request), cells(request)),
            message.rstrip(),
            "\n".join(["", *(line and _INDENT + line for line in below), ""]),
        )

    def _severity_cell(self, word: str | None, number: int | None) -> str:
        colors = (color for least, color in _SEVERITY_COLORS if number and number >= least)
        shown = escaped(word or "")
        return f"  {_padded((self._style(next(colors, DIM), shown), cells(shown)), _SEVERITY)}  "

    def _program_cell(self, name: str, host: str) -> Cell:
        shown = escaped(f"{name}@{host}" if host else name)
        return self._style(CYAN, shown), cells(shown)

    def _add_exception(
        self, lines: list[str], body: str, kind: str | None, message: str | None, trace: str | None
    ) -> None:
        """Add to a record's lines what there is to show of its traceback."""
        told = [escaped(line) for line in (trace or "").split("\n")]
        error = f"{kind}: {message}" if message else kind or ""
        shown = [escaped(line) for line in (error or told[-1].strip()).split("\n")]
        if self._full:
            if told[-len(shown) :] == shown:
                told[-len(shown) :] = [self._style(RED, line) for line in shown]
            lines += told
            return
        if error and body.endswith(error):  # as oslo.log adds it
            lines[-1] = lines[-1].removesuffix(shown[-1]) + self._style(RED, shown[-1])
        else:
            lines.append(self._style(RED, shown[0]))
        if len(told) > 1:
            lines[-1] += "  " + self._style(DIM, f"(+{len(told) - 1} lines)")


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.string())
    elif pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()  # its own values are slow to take out
    values: list[Any] = column.to_pylist()
    return values


def _padded(cell: Cell, width: int) -> str:
    return cell[0] + " " * (width - cell[1])
