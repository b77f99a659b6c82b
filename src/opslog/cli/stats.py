"""``opslog stats``: count records, errors and requests."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from opslog.cli import formats as formats_command
from opslog.cli import keep, output, progress, reading, table, writing
from opslog.filters import instants as moments
from opslog.logs import read
from opslog.model import zones
from opslog.model.errors import OpslogError
from opslog.model.stats import Stats
from opslog.outputs import own_kinds
from opslog.outputs.output import OutputStream
from opslog.outputs.whole_file import write_whole
from opslog.process.stop import at_signals

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from opslog.stats import Report

_EXAMPLES = """\
examples:
  opslog stats /var/log/nova                          # counts, errors, requests
  opslog stats --since 2h --every 5m /var/log/neutron
  opslog stats --severity ERROR -t 30 '/var/log/**/*.log'   # the most frequent errors
  opslog stats --json /var/log/nova | jq '.routes[] | {route, p99}'
  opslog stats --html stats.html /var/log/nova        # a page to pass on
  opslog stats --prometheus /var/log/nova > /var/lib/node_exporter/opslog-stats.prom
"""


_PAGE = own_kinds.page("stats")


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "stats",
        help="count records, errors and requests",
        description="Count the records kept: by service, severity and time, by logger, by error, "
        "and requests by route with their statuses and durations.",
        epilog=_EXAMPLES,
    )
    keep.add(command)
    shown = command.add_argument_group("output")
    shown.add_argument(
        "--every", type=_length, metavar="TIME",
        help="length of a step of the timeline: 30s, 5m, 1h (default: chosen by the span)",
    )  # fmt: skip
    shown.add_argument(
        "-t", "--top", type=_top, default=10, metavar="N",
        help="loggers, errors and routes to show (default: 10)",
    )  # fmt: skip
    kind = shown.add_mutually_exclusive_group()
    kind.add_argument(
        "--json", action="store_true", help="one JSON object; its keys are documented"
    )
    kind.add_argument(
        "--prometheus", action="store_true", help="the counts in Prometheus' text format"
    )
    shown.add_argument(
        "--html", metavar="FILE", help="write a page to FILE, too, that needs nothing else"
    )
    writing.add(shown)
    shown.add_argument(
        "--color", choices=["auto", "always", "never"], default="auto",
        help="colors in text (default: auto, on a terminal unless NO_COLOR is set)",
    )  # fmt: skip
    reading.add(command)
    formats_command.add_options(command)
    command.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 also when nothing was kept"
    )
    command.add_argument(
        "--no-progress", action="store_true", help="show no progress of a long run on a terminal"
    )
    command.set_defaults(run=run)


def _length(text: str) -> float:
    seconds = moments.length(text)
    if not seconds:
        raise argparse.ArgumentTypeError(
            f"expected a length of time such as 30s, 5m or 1h, found {text!r}"
        )
    return seconds


def _top(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError(f"expected a number from 0, found {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Count and say what the options want; return the exit code."""
    from opslog.stats import Counted  # start-up: no other command needs it

    if options.color == "always" and (options.json or options.prometheus):
        raise OpslogError("--color always: has no effect on --json and --prometheus: leave it out")
    writing.check(options, writing.Named("--html", options.html, _PAGE))
    logs = read(
        *options.paths,
        timezone=zones.stated(options.timezone),
        year=options.year,
        threads=reading.threads(options),
        formats=formats_command.chosen(options),
    )
    wanted = keep.filter_of(options)
    if wanted is not None:
        logs = logs.filter(wanted)
    if options.limit is not None:
        logs = logs.limit(options.limit)
    stats = Stats()
    shown = progress.Progress(tuple(options.paths), stats, progress.wanted(options, apart=True))
    counted = Counted(options.every)
    html = options.html
    try:
        with at_signals() as stop:
            counted.read(logs._changed(stop=stop), stats, shown.watch)
    except KeyboardInterrupt:
        html = None  # no page of a part takes the place of one of all
        raise
    finally:
        # Of what cannot be read, or is interrupted, what is known is said.
        shown.close()
        _tell(counted.report(options.top), options, html)
    return 0 if stats.kept or options.exit_zero else 1


def _tell(report: Report, options: argparse.Namespace, html: str | None) -> None:
    if html is not None:
        from opslog.stats.page import page

        text = page(report, options.paths).encode("utf-8", "replace")
        write_whole(html, text, _PAGE, options.overwrite)
    if options.json:
        import json

        # A name of a file may hold bytes that are no text.
        line = json.dumps(report.as_dict(), ensure_ascii=False)
        OutputStream().write(f"{line}\n".encode("utf-8", "replace"))
    elif options.prometheus:
        from opslog.stats import prometheus

        OutputStream().write(prometheus.text(report).encode("utf-8", "replace"))
    else:
        from opslog.cli.stats_text import Text

        colored = output.colored(options.color, os.isatty(1))
        print(Text(colored, table.width(), _prints(sys.stdout.encoding)).of(report))


def _prints(encoding: str) -> bool:
    try:
        "█…".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
