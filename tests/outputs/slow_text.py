"""Text for people, one record after the other in Python: what the kernels must say, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from opslog.model.severity import CRIT, ERROR, INFO, WARNING
from opslog.terminal.cells import cells, padded
from opslog.terminal.escape import escaped
from opslog.terminal.style import BOLD_RED, CYAN, DIM, GREEN, MAGENTA, RED, YELLOW, Style


class SlowText:
    """Lines of records, in order."""

    def __init__(self, colored: bool, full: bool, narrow: int, hosts: bool) -> None:
        self._style, self._full, self._narrow = Style(colored), full, narrow
        self._hosts, self._host = hosts, ""
        self._program_width, self._request_width = 4, 0

    def of_batches(self, batches: Iterable[pa.RecordBatch]) -> str:
        lines = []
        for batch in batches:
            place = batch.schema.get_field_index("timestamp")
            moments = batch.column(place).cast(pa.timestamp("ms"), safe=False).cast(pa.string())
            rows = batch.set_column(place, "timestamp", moments).to_pylist()
            lines += [self._record(row) for row in rows]
        return "".join(lines)

    def _record(self, row: Mapping[str, Any]) -> str:
        lines = [escaped(line) for line in (row["body"] or "").split("\n")]
        if row["format"] is None:
            mark = self._style(DIM, "?")
            return "".join(f"{mark} {line}".rstrip() + "\n" for line in lines)
        request = escaped(row["global_request_id"] or row["request_id"] or "")
        request = request if self._full else request[:12]
        if row["exception_stacktrace"] is not None:
            self._add_exception(lines, row)
        host = row["host_name"] or ""
        if host and not self._hosts:
            self._host = self._host or host
            self._hosts = host != self._host
        program = row["program"] or row["service_name"] or ""
        program = escaped(f"{program}@{host}" if host and self._hosts else program)
        most = 26 + (16 if self._hosts else 0)
        self._program_width = max(self._program_width, min(cells(program), most))
        self._request_width = max(
            self._request_width, min(cells(request), 40 if self._full else 12)
        )
        moment = row["timestamp"]
        head = self._style(DIM, f"{moment}Z" if moment else "-".ljust(24)) + "  "
        head += padded(self._severity(row["severity_text"], row["severity_number"]), 8) + "  "
        head += padded(self._style(CYAN, program), self._program_width)
        if self._request_width:
            head += "  " + padded(self._style(MAGENTA, request), self._request_width)
        message, *below = lines
        message = message.rstrip()
        if not message:
            line = head.rstrip()
        elif self._narrow and cells(f"{head}  {message}") > self._narrow:
            line = f"{head.rstrip()}\n    {message}"
        else:
            line = f"{head}  {message}"
        return "\n".join([line, *(line and "    " + line for line in below), ""])

    def _severity(self, word: str | None, number: int | None) -> str:
        colors = ((CRIT, BOLD_RED), (ERROR, RED), (WARNING, YELLOW), (INFO, GREEN))
        color = next((color for least, color in colors if number and number >= least), DIM)
        return self._style(color, escaped(word or ""))

    def _add_exception(self, lines: list[str], row: Mapping[str, Any]) -> None:
        kind, message = row["exception_type"], row["exception_message"]
        told = [escaped(line) for line in row["exception_stacktrace"].split("\n")]
        error = f"{kind}: {message}" if message else kind or ""
        shown = [escaped(line) for line in (error or told[-1].strip()).split("\n")]
        if self._full:
            if told[-len(shown) :] == shown:
                told[-len(shown) :] = [self._style(RED, line) for line in shown]
            lines += told
            return
        if error and (row["body"] or "").endswith(error):
            lines[-1] = lines[-1].removesuffix(shown[-1]) + self._style(RED, shown[-1])
        else:
            lines.append(self._style(RED, shown[0]))
        if len(told) > 1:
            lines[-1] += "  " + self._style(DIM, f"(+{len(told) - 1} lines)")
