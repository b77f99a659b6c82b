"""Tables with a row a request, a resource: sorted, and written for people or programs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from opslog import sinks
from opslog.cli import table
from opslog.errors import OpslogError, SinkError
from opslog.harmless import harmless
from opslog.output import STDOUT, Output
from opslog.severity import CRITICAL, ERROR, INFO, WARNING

_KINDS = ("text", "jsonl", "parquet")


def add(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = command.add_argument_group("output")
    group.add_argument(
        "--sort", metavar="COLUMN", default="start",
        help="a column of the output, such as duration or records: numbers from the greatest on, "
        "times and names in their order (default: start)",
    )  # fmt: skip
    group.add_argument("--reverse", action="store_true", help="the other way round")
    group.add_argument(
        "-o", "--output", metavar="PATH", default=STDOUT,
        help="write to PATH; its suffix (.jsonl, .parquet, .txt) decides the format",
    )  # fmt: skip
    group.add_argument(
        "--to", choices=_KINDS, help="output format (default: text on a terminal, else jsonl)"
    )


def write(rows: pa.Table, options: argparse.Namespace, shown: tuple[str, ...]) -> int:
    """Sort and write rows, in text the columns ``shown``; return the exit code."""
    if options.sort not in rows.schema.names:
        raise OpslogError(
            f"--sort {options.sort}: expected a column: {', '.join(rows.schema.names)}"
        )
    rows = _sorted(rows, options.sort, options.reverse)
    if options.limit is not None:
        rows = rows.slice(0, options.limit)
    kind = options.to or sinks.format_of(options.output)
    if kind is None and options.output == STDOUT:
        kind = "text" if os.isatty(1) else "jsonl"
    if kind not in _KINDS:
        raise SinkError(
            options.output,
            f"expected a suffix .jsonl, .parquet or .txt, or --to {'|'.join(_KINDS)}",
        )
    if kind == "parquet":
        _write_parquet(rows, options.output)
    else:
        output = Output(options.output)
        output.write(_lines(rows) if kind == "jsonl" else _text(rows, shown))
        output.close()
    return 0 if len(rows) else 1


def _sorted(rows: pa.Table, name: str, reverse: bool) -> pa.Table:
    """Sort by a column; what has no value comes last."""
    column = rows[name].to_pylist()
    known = [number for number, value in enumerate(column) if value is not None]
    numbers = pa.types.is_integer(rows.schema.field(name).type) or pa.types.is_floating(
        rows.schema.field(name).type
    )
    known.sort(key=lambda number: _key(column[number]), reverse=numbers != reverse)
    unknown = [number for number, value in enumerate(column) if value is None]
    return rows.take(pa.array(known + unknown, pa.int64()))


def _key(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else value


def _lines(rows: pa.Table) -> bytes:
    import json  # start-up: other commands need none

    def plain(value: Any) -> str:
        return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"

    found = (
        {name: value for name, value in row.items() if value not in (None, [])}
        for row in rows.to_pylist()
    )
    return "".join(
        json.dumps(row, ensure_ascii=False, default=plain) + "\n" for row in found
    ).encode()


def _text(rows: pa.Table, shown: tuple[str, ...]) -> bytes:
    titles = [name.removeprefix("http_").removesuffix("_number") for name in shown]
    cells = [[_cell(name, row[name]) for name in shown] for row in rows.to_pylist()]
    return (table.table([titles, *cells], table.width()) + "\n").encode()


def _cell(name: str, value: Any) -> str:
    from opslog.trace.waterfall import seconds

    if value is None:
        return "-"
    if name == "start":
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    if name in ("duration", "active_after"):
        return seconds(value)
    if name == "severity_number":
        return _severity(value)
    return harmless(",".join(value) if isinstance(value, list) else str(value))


def _severity(number: int) -> str:
    known = ((CRITICAL, "CRITICAL"), (ERROR, "ERROR"), (WARNING, "WARNING"), (INFO, "INFO"))
    return next((word for least, word in known if number >= least), "DEBUG")


def _write_parquet(rows: pa.Table, path: str) -> None:
    import pyarrow.parquet as pq

    if path == STDOUT:
        raise SinkError(path, "Parquet is written at random places and needs a file: -o PATH")
    temporary = Path(f"{path}.tmp")
    try:
        pq.write_table(rows, temporary, compression="zstd")
        temporary.replace(path)
    except OSError as error:
        raise SinkError(path, error.strerror or str(error)) from None
