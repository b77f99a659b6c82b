"""``opslog requests`` and ``opslog resources``: a row for each, sorted, for people or programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from opslog.cli import conditions, flags, writing
from opslog.cli.parser import Commands
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.errors import OpslogError, SinkError
from opslog.model.version import __version__
from opslog.outputs import own_kinds, sinks
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import STDOUT
from opslog.outputs.own_kinds import OwnKind
from opslog.outputs.whole_file import whole_output
from opslog.terminal.style import terminal_width

_REQUESTS = """\
examples:
  opslog requests /var/log/*/*.log                          # all requests, in the order they began
  opslog requests --sort duration -n 10 /var/log/*/*.log    # the ten that took longest
  opslog requests --severity ERROR --since 2h /var/log      # those in which an error was logged
  opslog requests -o requests.parquet /var/log/*/*.log
"""
_RESOURCES = """\
examples:
  opslog resources /var/log/*/*.log                  # all instances, volumes and ports
  opslog resources --sort active_after /var/log      # what took longest to be usable first
  opslog resources --to jsonl /var/log | jq 'select(.unfinished)'   # what began and never ended
"""
_KINDS = ("text", "jsonl", "parquet")
_METADATA = "opslog.rows"

Read = Callable[[Logs, Filter | None, list[Exception]], pa.Table]
"""Makes the rows of logs and a condition; what cannot be read is added to the list."""


def add(commands: Commands) -> None:
    """Add both commands and their options."""
    command = commands.add_parser(
        "requests",
        help="list all requests: duration, services, call, status",
        description="List all requests, each with what it set off in all services: start, "
        "duration, services, user, project, call, status, worst severity. Conditions choose "
        "requests of which one record fulfils them.",
        epilog=_REQUESTS,
    )
    _add_options(command)
    command.set_defaults(run=_requests)
    command = commands.add_parser(
        "resources",
        help="list all instances, volumes and ports: states, what never ended",
        description="List all instances, volumes and ports that the logs name: when, their "
        "states, how long until they were active, operations that began and never ended. "
        "Conditions choose the records that tell of them.",
        epilog=_RESOURCES,
    )
    _add_options(command)
    command.set_defaults(run=_resources)


def _add_options(command: argparse.ArgumentParser) -> None:
    flags.add_reading(command)
    conditions.add(command, limit="rows")
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


def _requests(options: argparse.Namespace) -> int:
    from opslog.trace.requests import SCHEMA, requests

    shown = ("start", "duration", "severity_number", "http_status", "records", "request_id",
             "http_method", "http_target", "services")  # fmt: skip
    return _run("requests", requests, SCHEMA, options, shown)


def _resources(options: argparse.Namespace) -> int:
    from opslog.trace.resources import SCHEMA, resources

    shown = ("start", "duration", "resource_type", "resource_id", "state", "active_after",
             "severity_number", "requests", "unfinished")  # fmt: skip
    return _run("resources", resources, SCHEMA, options, shown)


def _run(
    name: str,
    read: Read,
    schema: pa.Schema,
    options: argparse.Namespace,
    shown: tuple[str, ...],
) -> int:
    """Read rows of ``schema``, sort and write them, in text the columns ``shown``.

    ``name`` is what they are called, ``requests`` or ``resources``.
    """
    from opslog.trace import listing

    sort = _column(options.sort, schema)
    kind = _kind(options)
    own = _own_kind(name, kind, schema, shown)
    writing.check(options, writing.Named("-o", options.output, own, stdout=True))
    unread: list[Exception] = []
    found = read(flags.logs(options), conditions.filter_of(options), unread)
    rows = listing.in_order(found, sort, options.reverse)
    if options.limit is not None:
        rows = rows.slice(0, options.limit)
    with whole_output(options.output, own, options.overwrite) as output:
        if kind == "parquet":
            import pyarrow.parquet as pq  # start-up: other outputs need not pay for it

            metadata = {"opslog.version": __version__, _METADATA: name}
            described = rows.replace_schema_metadata(metadata)
            pq.write_table(described, arrow_file(output), compression="zstd")
        elif kind == "jsonl":
            output.write(_lines(rows))
        else:
            width = terminal_width() if options.output == STDOUT else 0
            output.write(listing.text(rows, shown, width).encode())
    for error in unread:
        raise error
    return 0 if len(rows) else 1


def _own_kind(name: str, kind: str, schema: pa.Schema, shown: tuple[str, ...]) -> OwnKind:
    if kind == "parquet":
        return own_kinds.parquet(f"Parquet of {name}", _METADATA, name)
    if kind == "jsonl":
        never_null = (f"{name.removesuffix('s')}_id", "records")
        return own_kinds.json_lines(f"JSON lines of {name}", (schema.names, never_null))
    from opslog.trace import listing

    head = " +".join(map(listing.title, shown)) + " *\n"
    return own_kinds.beginning(f"a table of {name}", head)


def _column(name: str, schema: pa.Schema) -> str:
    """Return the column of a name, which may be that at the head of the text."""
    from opslog.trace import listing

    for column in schema.names:
        if name in (column, listing.title(column)):
            return str(column)
    raise OpslogError(f"--sort: expected one of {', '.join(schema.names)}; found {name!r}")


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
