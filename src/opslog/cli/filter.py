"""``opslog filter``: read logs, keep some records, write them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from opslog import filters, sinks
from opslog.cli import formats as formats_command
from opslog.engine import Stats
from opslog.errors import SinkError
from opslog.logs import read

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EXAMPLES = """\
examples:
  opslog filter /var/log/nova/*.log                      all records as JSON lines
  zcat nova-api.log.1.gz | opslog filter                 from a pipe; files may be compressed, too
  opslog filter --severity WARNING /var/log/neutron      warnings and above of a folder's logs
  opslog filter --request req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce /var/log/*/*.log
  opslog filter -o nova.parquet --timezone Europe/Berlin nova-compute.log
"""


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "filter",
        help="read logs, keep some records, write them",
        description="Read logs, keep the records asked for and write them as JSON lines, "
        "Parquet or an Arrow stream.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "paths", nargs="*", metavar="PATH", default=["-"],
        help="files, folders or globs; - is standard input (default); "
        "gzip, bzip2, xz and zstd are recognised by content",
    )  # fmt: skip
    keep = command.add_argument_group("what to keep (all conditions must hold)")
    keep.add_argument("--severity", metavar="LEVEL", help="records of LEVEL and above")
    keep.add_argument(
        "--request", metavar="ID", help="records whose request id or global request id is ID"
    )
    output = command.add_argument_group("output")
    output.add_argument(
        "-o", "--output", metavar="PATH", default="-",
        help="write to PATH; its suffix (.jsonl, .parquet, .arrow) decides the format",
    )  # fmt: skip
    output.add_argument("--to", choices=sinks.FORMATS, help="output format (default: jsonl)")
    output.add_argument(
        "--original", action="store_true", help="add the column of the lines as read"
    )
    reading = command.add_argument_group("reading")
    reading.add_argument(
        "--timezone", metavar="ZONE", default="UTC",
        help="zone of times without an offset: an IANA name or +HH:MM (default: UTC)",
    )  # fmt: skip
    reading.add_argument(
        "--threads", type=int, default=0, metavar="N",
        help="threads to use (default: the processors there are, at most 4)",
    )  # fmt: skip
    formats_command.add_options(command)
    command.add_argument(
        "--stats", action="store_true", help="say on standard error what was read and kept"
    )
    command.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 also when nothing was kept"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, keep and write what the options say; return the exit code."""
    logs = read(
        *options.paths,
        timezone=options.timezone,
        original=options.original,
        threads=options.threads or min(4, len(os.sched_getaffinity(0))),
        skip=not options.stats,
        formats=formats_command.chosen(options),
    )
    if options.severity:
        logs = logs.filter(filters.at_least(options.severity))
    if options.request:
        logs = logs.filter(filters.of_request(options.request))
    kind = options.to or sinks.format_of(options.output)
    if kind is None and options.output != sinks.STDOUT:
        raise SinkError(
            options.output,
            "cannot tell the output format from this name: "
            "use a suffix .jsonl, .parquet or .arrow, or --to",
        )
    stats = Stats()
    try:
        logs.write(options.output, kind or "jsonl", stats)
    finally:
        if options.stats:
            print(_table(stats), file=sys.stderr)
        for name, count in sorted(stats.timeouts.items()):
            print(
                f"opslog: {name}: a regex of this format ran out of time on {count:,} line(s), "
                "which count as lines it does not match",
                file=sys.stderr,
            )
    return 0 if stats.kept or options.exit_zero else 1


def _table(stats: Stats) -> str:
    """Return what was counted as an aligned table."""
    rows: list[tuple[str, ...]] = [("format", "records", "lines", "bytes")]
    for name in sorted(stats.formats, key=lambda name: (name is None, name)):
        counts = stats.formats[name]
        rows.append((name or "(unrecognised)", *(f"{count:,}" for count in counts)))
    rows.append(("total", f"{stats.records:,}", f"{stats.lines:,}", f"{stats.bytes:,}"))
    rows.append(("kept", f"{stats.kept:,}", "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = []
    for name, *cells in rows:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *aligned]).rstrip())
    return "\n".join(lines)
