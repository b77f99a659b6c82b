"""``opslog sql``: a question in SQL."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from opslog.cli import conditions, flags
from opslog.cli.complaints import complain
from opslog.cli.parser import Commands
from opslog.model.instants import rfc3339
from opslog.outputs.output import OutputStream
from opslog.process.stop import at_signals
from opslog.terminal.escape import escaped
from opslog.terminal.style import terminal_width
from opslog.terminal.table import table

_EXAMPLES = """\
examples:
  opslog sql 'SELECT service_name, count(*) FROM records GROUP BY ALL' /var/log/*/*.log
  opslog sql 'SELECT http_target, max(duration) FROM requests GROUP BY ALL' /var/log
  opslog sql "SELECT * FROM records WHERE severity_text = 'ERROR' LIMIT 5" --to jsonl /var/log/nova
  opslog sql 'DESCRIBE records' /dev/null            # the columns there are
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "sql",
        help="ask in SQL: records, requests, resources, events",
        description="Answer a question in DuckDB's SQL about the tables records, requests, "
        "resources and events. Only what it needs is read. Needs opslog[sql].",
        epilog=_EXAMPLES,
    )
    command.add_argument("query", metavar="QUERY", help="the question")
    conditions.add(command, limit="rows")
    shown = command.add_argument_group("output")
    shown.add_argument(
        "--to", choices=[*_WRITERS], help="output format (default: text on a terminal, else jsonl)"
    )
    flags.add_index(flags.add_reading(command))
    flags.add_exit_zero(command, "the answer has no rows")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the answer; return the exit code."""
    from opslog.sql import query  # start-up: no other command needs it

    logs = flags.logs(options)
    if (wanted := conditions.filter_of(options)) is not None:
        logs = logs.filter(wanted)
    unread: list[Exception] = []
    kind = options.to or ("text" if os.isatty(1) else "jsonl")
    with at_signals() as stop:
        answer = query(logs._changed(stop=stop), options.query, unread)
        counted = _Counted(answer, options.limit)
        for data in _WRITERS[kind](answer.schema, counted.batches()):
            OutputStream().write(data)
    for error in unread:
        complain(error)
    if unread:
        return 2
    return 0 if counted.rows or options.exit_zero else 1


class _Counted:
    """The first ``limit`` rows of an answer, all if None, and how many these were."""

    def __init__(self, answer: pa.RecordBatchReader, limit: int | None) -> None:
        self._answer, self._limit = answer, limit
        self.rows = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield them."""
        for batch in self._answer:
            if self._limit is not None:
                batch = batch.slice(0, self._limit - self.rows)
            self.rows += len(batch)
            yield batch
            if self.rows == self._limit:
                return


def _text(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    head = [[*map(escaped, schema.names)]]
    right = [number for number, field in enumerate(schema) if _is_number(field.type)]
    for batch in batches:
        rows = [*head, *([escaped(_shown(value)) for value in row] for row in _rows(batch))]
        yield "".join(f"{line}\n" for line in table(rows, terminal_width(), right)).encode()
        head = []


def _is_number(kind: pa.DataType) -> bool:
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(one(kind) for one in numbers)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3] + ("Z" if value.tzinfo else "")
    return value if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(_json(value), ensure_ascii=False)


def _json(value: Any) -> Any:
    """Return a value as JSON has it; what it knows no other way for is text."""
    if isinstance(value, datetime):
        return rfc3339(value) if value.tzinfo else value.isoformat(timespec="microseconds")
    if isinstance(value, list):
        return [*map(_json, value)]
    if isinstance(value, dict):
        return {str(key): _json(one) for key, one in value.items()}
    if isinstance(value, Decimal):  # sums of whole numbers are that
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row; columns may have the same name."""
    return zip(*(one.to_pylist(maps_as_pydicts="strict") for one in batch.columns), strict=True)


def _lines(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    for batch in batches:
        rows = (dict(zip(schema.names, row, strict=True)) for row in _rows(batch))
        yield "".join(f"{_plain(row)}\n" for row in rows).encode("utf-8", "replace")


def _csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(schema.names)
    for batch in batches:
        for row in _rows(batch):
            cells = map(_json, row)
            writer.writerow(
                [_plain(cell) if isinstance(cell, list | dict) else cell for cell in cells]
            )
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _arrow(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    made = io.BytesIO()
    with pa.ipc.new_stream(made, schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
            yield made.getvalue()
            made.seek(0)
            made.truncate()
    yield made.getvalue()


_WRITERS = {"text": _text, "jsonl": _lines, "csv": _csv, "arrow": _arrow}
"""What makes bytes of an answer's batches, by the kind of output."""
