"""``opslog events``: what happened, as services tell it in notifications."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from opslog.cli import conditions, flags, progress, stages, writing
from opslog.cli.parser import Commands
from opslog.cli.records_of import RecordsOf, Way, quoted, show
from opslog.model.errors import OpslogError
from opslog.model.stats import Stats
from opslog.outputs.output import STDOUT
from opslog.process.stop import at_signals
from opslog.terminal.moments import Moments
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.events import EventCollector, EventSummary, Pair

_EXAMPLES = """\
examples:
  opslog events /var/log/nova                           # what took how long, what never ended
  opslog events --resource 3f7b1c52-8d4e-4a1f-b6c9-5e2d7a9f0b13 --rows events /var/log
  opslog events --rows pairs /var/log/nova | jq 'select(.duration > 60)'
  opslog events --rows orphans -o orphans.parquet '/var/log/**/*.log'
  opslog events --rows requests --since yesterday /var/log > waited.jsonl
"""

_ROWS = {
    "events": "each notification",
    "pairs": "what began and ended, or lacks one of both",
    "orphans": "only what lacks one of both",
    "requests": "from the API's first record to the last end",
    "summary": "counts and durations of each type",
}


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "events",
        help="show what happened and how long it took, from notifications",
        description="Read notifications (of oslo.messaging's log driver, or as JSON lines), put "
        "starts and ends together, and show what took how long, failed, or never ended. The "
        "records of several files are sorted by time.",
        epilog=_EXAMPLES,
    )
    conditions.add(command)
    shown = command.add_argument_group("output")
    shown.add_argument(
        "--rows", choices=list(_ROWS),
        help="write rows instead of text, as JSON lines or to -o: "
        + "; ".join(f"{name}: {meaning}" for name, meaning in _ROWS.items()),
    )  # fmt: skip
    shown.add_argument(
        "-o", "--output", metavar="PATH", default=STDOUT,
        help="write the rows to PATH; its suffix (.jsonl, .parquet) decides the format",
    )  # fmt: skip
    stages.add_mask(shown)
    writing.add(shown)
    flags.add_top(shown, "in text: show the last N that failed or never ended")
    flags.add_color(shown)
    flags.add_display_timezone(shown)
    flags.add_index(flags.add_reading(command))
    flags.add_exit_zero(command, "there were no events")
    flags.add_no_progress(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read and say what the options want; return the exit code."""
    from opslog.events import EventCollector, EventSummary, Pair, event_rows
    from opslog.events.text import EventsText
    from opslog.events.write import writer

    wanted = _kind(options)
    other = None if options.rows is None else f"--rows {options.rows}"
    moments = Moments(flags.display_zone(options, other))
    writing.check(options, writing.Named("-o", options.output, stdout=True))
    logs = conditions.kept(flags.logs(options), options)
    mask = stages.mask_of(options)
    stats, collector = Stats(), EventCollector()
    shown = progress.Progress(
        tuple(options.paths), stats, progress.wanted(options, apart=wanted is None)
    )
    text = EventsText(flags.colored(options), terminal_width(), options.top, moments)
    calls = options.rows in (None, "summary", "requests", "pairs")
    seen = False
    with ExitStack() as stack:
        write = None
        if wanted:
            write = stack.enter_context(writer(options.output, wanted, stats, options.overwrite))
        try:
            with at_signals() as stop:
                for row in event_rows(
                    logs._changed(stop=stop), collector, stats, shown.watch, calls
                ):
                    seen = True
                    if mask is not None:
                        row = mask.plain(row)
                    if isinstance(row, Pair):
                        text.add(row)
                    if write is None or not isinstance(row, wanted or object):
                        continue
                    if options.rows != "orphans" or _orphan(row):
                        write(row)
        finally:
            # Where a source cannot be read, or the run is interrupted, print what was found.
            shown.close()
            if write is None:
                summary = collector.summary.rows()
                shown_rows = summary if mask is None else [*map(mask.plain, summary)]
                print(text.render(shown_rows))
                print(show(_commands(shown_rows, text.looked, options), mask), end="")
            elif wanted is EventSummary:
                for one in collector.summary.rows():
                    write(one if mask is None else mask.plain(one))
            _warn(collector)
    return 0 if seen or options.exit_zero else 1


def of_event(event: str) -> Way:
    """Return what chooses the notifications that a row of the table counts."""
    from opslog.events.notification import pattern_of

    return "--where", f"attributes.event_type ~ {quoted(pattern_of(event))}"


def _commands(
    rows: Sequence[EventSummary], looked: Sequence[Pair], options: argparse.Namespace
) -> Iterator[str]:
    """Yield what shows the records of a row, as an example of all, and the last failure's story."""
    records = RecordsOf(options)
    yield from (records.filter(*of_event(one.event)) for one in rows[:1])
    requests = [one.request_id for one in looked if one.request_id]
    yield from (records.trace(one) for one in requests[-1:])


def _warn(collector: EventCollector) -> None:
    """Say what was given up because it was too much to remember."""
    pairs, requests = collector.pairs, collector.requests
    if pairs.given_up:
        print(
            f"opslog: {pairs.given_up:,} starts had no end when {pairs.most:,} later ones waited: "
            "they are told as 'no end', and an end that came later as 'no start'",
            file=sys.stderr,
        )
    if requests.given_up:
        print(
            f"opslog: {requests.given_up:,} requests were followed no further when "
            f"{requests.most:,} later ones were: what ended later is not counted in their time",
            file=sys.stderr,
        )


def _kind(options: argparse.Namespace) -> type | None:
    """Return what rows are of; raises OpslogError for options that have no effect together."""
    from opslog.events import EventRequest, EventSummary, Notification, Pair

    if options.rows is None and options.output != STDOUT:
        raise OpslogError(f"-o: expected --rows {'|'.join(_ROWS)} beside: which rows to write")
    if options.rows is not None and options.color == "always":
        raise OpslogError(f"--color always: has no effect on --rows {options.rows}: leave it out")
    kinds: dict[str, type] = {
        "events": Notification, "pairs": Pair, "orphans": Pair, "requests": EventRequest,
        "summary": EventSummary,
    }  # fmt: skip
    return kinds.get(options.rows or "")


def _orphan(row: object) -> bool:
    return getattr(row, "status", None) in ("no end", "no start")
