"""``opslog stats``: count records, errors and requests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opslog.cli import conditions, flags, progress, stages, values, writing
from opslog.cli.parser import Commands
from opslog.cli.records_of import RecordsOf, Way, column, show
from opslog.model.errors import OpslogError, SourceError
from opslog.model.stats import Stats
from opslog.outputs import own_kinds
from opslog.outputs.output import OutputStream
from opslog.outputs.whole_file import write_whole
from opslog.process.stop import at_signals
from opslog.terminal.moments import Moments
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.stats import StatsReport
    from opslog.stats.report import Error, Logger

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


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "stats",
        help="count records, errors and requests",
        description="Count the records kept: by service, severity and time, by logger, by error, "
        "and requests by route with their statuses and durations.",
        epilog=_EXAMPLES,
    )
    conditions.add(command)
    shown = command.add_argument_group("output")
    shown.add_argument(
        "--every", type=values.seconds(0.001, "30s, 5m or 1h"), metavar="TIME",
        help="length of a step of the timeline: 30s, 5m, 1h (default: fits the span)",
    )  # fmt: skip
    flags.add_top(shown, "loggers, errors and routes to show")
    kind = shown.add_mutually_exclusive_group()
    kind.add_argument(
        "--json", action="store_true", help="one JSON object; its keys are documented"
    )
    kind.add_argument(
        "--prometheus", action="store_true", help="the counts in Prometheus' text format"
    )
    shown.add_argument(
        "--html", metavar="FILE", help="also write a page as one file that needs no network"
    )
    stages.add_mask(shown)
    writing.add(shown)
    flags.add_color(shown)
    flags.add_display_timezone(shown)
    flags.add_index(flags.add_reading(command))
    flags.add_exit_zero(command)
    flags.add_no_progress(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Count and say what the options want; return the exit code."""
    from opslog.stats import StatsCounter  # start-up: no other command needs it

    if options.color == "always" and (options.json or options.prometheus):
        raise OpslogError("--color always: has no effect on --json and --prometheus: leave it out")
    other = "--json" if options.json else "--prometheus" if options.prometheus else None
    moments = Moments(flags.display_zone(options, other))
    writing.check(options, writing.Named("--html", options.html, _PAGE))
    logs = stages.masked(conditions.kept(flags.logs(options), options), options)
    stats = Stats()
    shown = progress.Progress(tuple(options.paths), stats, progress.wanted(options, apart=True))
    counted = StatsCounter(options.every)
    html = options.html
    try:
        with at_signals() as stop:
            counted.read(logs._changed(stop=stop), stats, shown.watch)
    except KeyboardInterrupt:
        html = None  # no page of a part takes the place of one of all
        raise
    except SourceError:
        if not stats.bytes:
            html = None  # nothing was read: what an earlier run wrote stays
        raise
    finally:
        # Where a source cannot be read, or the run is interrupted, print what was found.
        shown.close()
        _print_report(counted.report(options.top), options, html, moments)
    return 0 if stats.kept or options.exit_zero else 1


def of_severity(name: str) -> Way:
    """Return what chooses the records of a class of severities."""
    return "--where", "severity_number is null" if name == "unknown" else f"severity = {name}"


def of_service(name: str | None) -> Way:
    """Return what chooses the records of a service."""
    return column("--service", "service_name", name)


def of_logger(one: Logger) -> Way:
    """Return what chooses the records of a logger of a service."""
    return *of_service(one.service), *column("--logger", "logger", one.logger)


def of_error(one: Error) -> Way:
    """Return what chooses the records of an error."""
    return "--fingerprint", one.fingerprint


def _commands(report: StatsReport, options: argparse.Namespace) -> Iterator[str]:
    """Yield what shows the records of the first row of each table, as an example of all."""
    records = RecordsOf(options)
    yield from (records.filter(*of_error(one)) for one in report.errors[:1])
    yield from (records.filter(*of_service(one.service)) for one in report.services[:1])
    yield from (records.filter(*of_logger(one)) for one in report.loggers[:1])
    yield from (records.filter(*of_severity(name)) for name in [*report.severities][-1:])


def _print_report(
    report: StatsReport, options: argparse.Namespace, html: str | None, moments: Moments
) -> None:
    mask = stages.mask_of(options)
    commands = [one if mask is None else mask.text(one) for one in _commands(report, options)]
    if html is not None:
        from opslog.stats.page import page

        paths = options.paths if mask is None else [*map(mask.text, options.paths)]
        text = page(report, paths, mask is not None, commands).encode("utf-8", "replace")
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
        from opslog.stats.text import StatsText

        print(
            StatsText(
                flags.colored(options), terminal_width(), _prints(sys.stdout.encoding), moments
            ).render(report)
        )
        print(show(commands), end="")


def _prints(encoding: str) -> bool:
    try:
        "█…".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
