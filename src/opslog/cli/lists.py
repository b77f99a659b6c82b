"""``opslog requests`` and ``opslog resources``: a row for each, sorted, for people or programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opslog.cli import conditions, counts, flags, stages, writing
from opslog.cli.parser import Commands
from opslog.cli.records_of import RecordsOf, Way, show
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.errors import OpslogError, SinkError
from opslog.model.stats import Stats
from opslog.model.version import __version__
from opslog.outputs import own_kinds, sinks
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import STDOUT, OutputStream
from opslog.outputs.own_kinds import OwnKind
from opslog.outputs.whole_file import whole_output
from opslog.reading.sorted_rows import Order, SortedRows
from opslog.terminal.moments import Moments
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.stages import Mask, Share

_REQUESTS = """\
examples:
  opslog requests /var/log/*/*.log                          # all requests, in the order they began
  opslog requests --sort duration -n 10 /var/log/*/*.log    # the ten that took longest
  opslog requests --severity ERROR --since 2h /var/log      # those in which an error was logged
  opslog requests -o requests.parquet /var/log/*/*.log
"""
_RESOURCES = """\
examples:
  opslog resources /var/log/*/*.log                  # all instances, volumes, ports, ...
  opslog resources --sort active_after /var/log      # what took longest to be usable first
  opslog resources --to jsonl /var/log | jq 'select(.unfinished)'   # what began and never ended
"""
_KINDS = ("text", "jsonl", "parquet")
_METADATA = "opslog.rows"

_AT_ONCE, _GROUP = 1 << 12, 1 << 17
"""Rows that are made text at a time; rows of a group in Parquet, at least."""

Read = Callable[[Logs, Filter | None, Order, list[Exception], Stats], SortedRows]
"""Makes the rows of logs and a condition, in order; what cannot be read is added to the list."""


def add(commands: Commands) -> None:
    """Add both commands and their options."""
    command = commands.add_parser(
        "requests",
        help="list all requests: duration, services, call, status",
        description="List all requests, each with what it set off in all services: start, "
        "duration, services, user, project, call, status, worst severity. A request is listed if "
        "one of its records fulfils the conditions.",
        epilog=_REQUESTS,
    )
    _add_options(command).add_argument(
        "--likely", action="store_true",
        help="tell likely callers, too, where none can be proven: by times, services and "
        "resources; about one in six is wrong",
    )  # fmt: skip
    command.set_defaults(run=_requests)
    command = commands.add_parser(
        "resources",
        help="list all instances, volumes, ports and others: states, what never ended",
        description="List all instances, volumes, snapshots, backups, ports, images, load "
        "balancers, stacks, nodes and shares that the logs name: when, their states, how long "
        "until they were active, operations that began and never ended. Only records that fulfil "
        "the conditions count.",
        epilog=_RESOURCES,
    )
    _add_options(command)
    command.set_defaults(run=_resources)


def _add_options(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    flags.add_index(flags.add_reading(command))
    conditions.add(command, limit="rows")
    group = command.add_argument_group("output")
    group.add_argument(
        "--sort", metavar="COLUMN", default="start",
        help="sort by this column of the output, such as duration or records: numbers from the "
        "greatest down, times and names upwards (default: start)",
    )  # fmt: skip
    group.add_argument("--reverse", action="store_true", help="sort the other way round")
    group.add_argument(
        "-o", "--output", metavar="PATH", default=STDOUT,
        help="write to PATH; its suffix (.jsonl, .parquet, .txt) decides the format",
    )  # fmt: skip
    group.add_argument(
        "--to", choices=_KINDS, help="output format (default: text on a terminal, else jsonl)"
    )
    flags.add_display_timezone(group)
    stages.add_mask(group)
    writing.add(group)
    return group


def _requests(options: argparse.Namespace) -> int:
    from opslog.trace.request_rows import LIKELY, SCHEMA
    from opslog.trace.requests import sorted_requests

    shown: tuple[str, ...] = (
        "start", "duration", "severity_number", "http_status", "records", "request_id",
        "http_method", "http_target", "services",
    )  # fmt: skip
    if options.likely:
        shown = (*shown[:6], "likely_caller", *shown[6:])
        return _run("requests", partial(sorted_requests, guess=True), LIKELY, options, shown)
    return _run("requests", sorted_requests, SCHEMA, options, shown)


def _resources(options: argparse.Namespace) -> int:
    from opslog.trace.resources import SCHEMA, sorted_resources

    shown = ("start", "duration", "resource_type", "resource_id", "state", "active_after",
             "severity_number", "requests", "unfinished")  # fmt: skip
    return _run("resources", sorted_resources, SCHEMA, options, shown)


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

    order = [listing.sort_key(_column(options.sort, schema), schema, options.reverse)]
    kind = _kind(options)
    on_screen = options.output == STDOUT and os.isatty(1)
    other = None if kind == "text" else kind
    moments = Moments(flags.display_zone(options, other, on_screen))
    own = _own_kind(name, kind, schema, shown)
    writing.check(options, writing.Named("-o", options.output, own, stdout=True))
    unread: list[Exception] = []
    stats = Stats()
    condition = conditions.filter_of(options)
    mask = stages.mask_of(options)
    with (
        read(flags.logs(options), condition, order, unread, stats) as rows,
        whole_output(options.output, own, options.overwrite) as output,
    ):
        if unread and not stats.bytes and options.output != STDOUT:
            raise unread[0]  # nothing was read: what an earlier run wrote stays
        count = len(rows) if options.limit is None else min(len(rows), options.limit)
        if kind == "parquet":
            metadata = {"opslog.version": __version__, _METADATA: name}
            _write_parquet(
                _first(rows, count, _GROUP, mask), schema.with_metadata(metadata), output
            )
        elif kind == "jsonl":
            for some in _first(rows, count, mask=mask):
                output.write(_lines(some))
        else:
            width = terminal_width() if options.output == STDOUT else 0
            pieces = partial(_first, rows, count, mask=mask)
            for lines in listing.text(pieces, shown, width, moments):
                output.write(lines.encode())
            if options.output == STDOUT:
                told = show(_commands(name, rows, count, mask, options), mask)
                output.write(told.encode("utf-8", "replace"))
    counts.tell_forgotten(stats, "what they called may be a row of its own")
    for error in unread:
        raise error
    return 0 if count else 1


def _commands(
    name: str, rows: SortedRows, count: int, mask: Mask | Share | None, options: argparse.Namespace
) -> Iterator[str]:
    """Yield what shows the records of the first row, as an example of all."""
    records = RecordsOf(options, limits=False)
    for some in _first(rows, min(count, 1), mask=mask):
        for row in some.to_pylist():
            if name == "requests":
                # One of its records fulfils the conditions, all count.
                yield records.any(*of_request(row["request_id"]))
            else:
                yield records.filter("--resource", row["resource_id"])


def of_request(number: str) -> Way:
    """Return what chooses the records of a request, and of those it set off."""
    return "--with-requests", "--request", number


def _first(
    rows: SortedRows, count: int, size: int = _AT_ONCE, mask: Mask | Share | None = None
) -> Iterator[pa.Table]:
    """Yield the first ``count`` rows, masked, at most ``size`` at a time."""
    for some in rows.tables():
        if mask is not None:
            some = mask.table(some)
        for start in range(0, min(len(some), count), size):
            yield some.slice(start, min(size, count - start))
        count -= len(some)
        if count <= 0:
            return


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


def _write_parquet(pieces: Iterable[pa.Table], schema: pa.Schema, output: OutputStream) -> None:
    import pyarrow.parquet as pq  # start-up: other outputs need not pay for it

    with pq.ParquetWriter(arrow_file(output), schema, compression="zstd") as file:
        for some in _together(pieces):
            file.write_table(some.replace_schema_metadata(schema.metadata))


def _together(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in tables of _GROUP at least, but for the last one."""
    waiting: list[pa.Table] = []
    for some in pieces:
        waiting.append(some)
        if sum(map(len, waiting)) >= _GROUP:
            yield pa.concat_tables(waiting)
            waiting.clear()
    if waiting:
        yield pa.concat_tables(waiting)
