"""Tables with a row a request, a resource: sorted, and written for people or programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from opslog.cli import table, writing
from opslog.model.errors import OpslogError, SinkError
from opslog.model.severity import CRITICAL, ERROR, INFO, WARNING
from opslog.model.terminal import harmless
from opslog.model.version import __version__
from opslog.outputs import own_kinds, sinks
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import STDOUT
from opslog.outputs.own_kinds import OwnKind
from opslog.outputs.whole_file import whole_output

_KINDS = ("text", "jsonl", "parquet")
_SHORT_ID, _SHORT_TARGET, _LAST, _SHORT_LAST = 12, 20, 20, 8
"""Columns that are left of ids, of targets and of what stands last where a terminal is narrow."""

_METADATA = "opslog.rows"
_LEAST_WANTED = ("records", "requests", "http_method")


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
    writing.add(group)


def run(
    name: str,
    read: Callable[[list[Exception]], pa.Table],
    schema: pa.Schema,
    options: argparse.Namespace,
    shown: tuple[str, ...],
) -> int:
    """Read rows of ``schema``, sort and write them, in text the columns ``shown``.

    ``name`` is what they are called, ``requests`` or ``resources``.

    ``read`` is given a list for what could not be read, which is raised when the
    rest is written.  Returns the exit code.
    """
    sort = _column(options.sort, schema)
    kind = _kind(options)
    own = _own_kind(name, kind, schema, shown)
    writing.check(options, writing.Named("-o", options.output, own, stdout=True))
    unread: list[Exception] = []
    rows = _sorted(read(unread), sort, options.reverse)
    if options.limit is not None:
        rows = rows.slice(0, options.limit)
    with whole_output(options.output, own, options.overwrite) as output:
        if kind == "parquet":
            import pyarrow.parquet as pq  # start-up: other outputs need not pay for it

            metadata = {"opslog.version": __version__, _METADATA: name}
            described = rows.replace_schema_metadata(metadata)
            pq.write_table(described, arrow_file(output), compression="zstd")
        else:
            output.write(_lines(rows) if kind == "jsonl" else _text(rows, shown, options.output))
    for error in unread:
        raise error
    return 0 if len(rows) else 1


def _own_kind(name: str, kind: str, schema: pa.Schema, shown: tuple[str, ...]) -> OwnKind:
    if kind == "parquet":
        return own_kinds.parquet(f"Parquet of {name}", _METADATA, name)
    if kind == "jsonl":
        never_null = (f"{name.removesuffix('s')}_id", "records")
        return own_kinds.json_lines(f"JSON lines of {name}", (schema.names, never_null))
    return own_kinds.beginning(f"a table of {name}", " +".join(map(_title, shown)) + " *\n")


def _column(name: str, schema: pa.Schema) -> str:
    """Return the column of a name, which may be that at the head of the text."""
    for column in schema.names:
        if name in (column, _title(column)):
            return str(column)
    raise OpslogError(f"--sort {name}: expected a column: {', '.join(schema.names)}")


def _title(column: str) -> str:
    return column.removeprefix("http_").removesuffix("_number")


def _kind(options: argparse.Namespace) -> str:
    """Return the output format; raises SinkError."""
    kind: str | None = options.to or sinks.format_of(options.output)
    if kind is None and options.output == STDOUT:
        kind = "text" if os.isatty(1) else "jsonl"
    if kind not in _KINDS:
        raise SinkError(
            options.output,
            f"expected a suffix .jsonl, .parquet or .txt, or --to {'|'.join(_KINDS)}",
        )
    if kind == "parquet" and options.output == STDOUT:
        raise SinkError(STDOUT, "Parquet is written at random places and needs a file: -o PATH")
    return kind


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


def _text(rows: pa.Table, shown: tuple[str, ...], path: str) -> bytes:
    if not len(rows):
        return b""
    width = table.width() if path == STDOUT else 0
    found = rows.to_pylist()
    columns = {name: [_title(name), *(_cell(name, row[name]) for row in found)] for name in shown}
    if width:
        _fit(columns, width)
    return (table.table(list(zip(*columns.values(), strict=True)), width) + "\n").encode()


def _fit(columns: dict[str, list[str]], width: int) -> None:
    """Shorten ids, then targets, leave out what is wanted least, and cut the last, if need be."""

    def missing() -> int:
        sizes = [max(map(len, cells)) for cells in columns.values()]
        return sum(sizes[:-1]) + min(sizes[-1], _LAST) + 2 * len(sizes) - 2 - width

    def cut(name: str, least: int, dots: str) -> None:
        if name in columns and missing() > 0:
            room = max(least, max(map(len, columns[name])) - missing())
            columns[name] = [
                cell if len(cell) <= room else cell[: room - len(dots)] + dots
                for cell in columns[name]
            ]

    if missing() > 0 and "request_id" in columns:
        columns["request_id"] = [cell[:_SHORT_ID] for cell in columns["request_id"]]
    cut("http_target", _SHORT_TARGET, "…")
    for name in _LEAST_WANTED:
        if missing() > 0:
            columns.pop(name, None)
    if missing() > 0:
        [*_, last] = columns
        columns[last] = [cell[:_LAST] for cell in columns[last]]
        cut(last, _SHORT_LAST, "…")


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
    return harmless(", ".join(value) if isinstance(value, list) else str(value))


def _severity(number: int) -> str:
    known = ((CRITICAL, "CRITICAL"), (ERROR, "ERROR"), (WARNING, "WARNING"), (INFO, "INFO"))
    return next((word for least, word in known if number >= least), "DEBUG")
