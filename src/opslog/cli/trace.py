"""``opslog trace``: what happened to one request, or to one instance, volume, port."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from opslog.cli import conditions, counts, flags, output, progress, stages, values, writing
from opslog.cli.parser import Commands
from opslog.model.schema import names
from opslog.model.stats import Stats
from opslog.model.zones import Zone
from opslog.outputs import own_kinds, sinks
from opslog.outputs.output import STDOUT, OutputStream
from opslog.outputs.whole_file import whole_output, write_whole
from opslog.terminal.moments import Moments
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.trace import Story

_EXAMPLES = """\
examples:
  opslog trace req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce /var/log/*/*.log
  opslog trace req-7822cfee /var/log/*/*.log       # as text shows it
  opslog trace 6f9a4d0e-2c1b-4a8f-b7d3-5e6c7a8b9d01 /var/log  # an instance, volume, port, image
  opslog trace req-7822cfee --html boot.html /var/log         # a page to look at, or to hand on
  opslog trace req-7822cfee --json /var/log | jq .first_error
  opslog trace req-7822cfee --otlp boot.json /var/log         # for an OpenTelemetry collector
"""

_PAGE = own_kinds.page("trace")


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "trace",
        help="show what happened to a request or a resource",
        description="Show what happened to a request over all services: what it called, how long "
        "that took, what went wrong first. For an instance or other resource, show all requests.",
        epilog=_EXAMPLES,
    )
    command.add_argument(
        "id", type=values.id_before_paths, metavar="ID",
        help="a request id, global id, Swift transaction or trace id; the UUID of an instance, "
        "volume, port, image or anything else",
    )  # fmt: skip
    flags.add_index(flags.add_reading(command))
    conditions.add(command, limit=None)
    group = command.add_argument_group("output")
    group.add_argument(
        "--gap", type=values.seconds(0, "500ms or 2s"), metavar="TIME", default=1.0,
        help="show where nothing was logged for at least TIME: 500ms, 2s (default: 1s)",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="one JSON object instead of text")
    group.add_argument(
        "--html",
        metavar="FILE",
        help="write a page as one file that needs no network; - is standard output",
    )
    group.add_argument(
        "--otlp",
        metavar="FILE",
        help="write traces and logs as OTLP/JSON, for OpenTelemetry; - is standard output",
    )
    stages.add_mask(group)
    writing.add(group)
    group.add_argument(
        "--summary", action="store_true",
        help="in text: a line for each call of a request, or for each request of a resource, with "
        "its time, status, duration, hosts and worst severity; no records",
    )  # fmt: skip
    group.add_argument(
        "--full",
        action="store_true",
        help="in text: whole tracebacks and request ids, notifications as they were sent",
    )
    flags.add_color(group)
    flags.add_display_timezone(group)
    group.add_argument(
        "--width", type=values.number(60, 10_000), metavar="COLUMNS",
        help="columns of text, at least 60 (default: those of the terminal, else 100)",
    )  # fmt: skip
    flags.add_no_progress(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Find the story, write it as the options say; return the exit code."""
    from opslog.trace import trace

    writing.check(
        options,
        writing.Named("--json", STDOUT if options.json else None, stdout=True),
        writing.Named("--html", options.html, _PAGE, stdout=True),
        writing.Named("--otlp", options.otlp, own_kinds.OTLP, stdout=True),
    )
    others = {"--json": options.json, "--html": options.html, "--otlp": options.otlp}
    zone = flags.display_zone(options, next((name for name, one in others.items() if one), None))
    wanted = conditions.filter_of(options)
    logs = stages.masked(flags.logs(options), options)
    if wanted is not None:
        logs = logs.filter(wanted)
    stats = Stats()
    shown = progress.Progress(tuple(options.paths), stats, progress.wanted(options, apart=True))
    try:
        story = trace(logs, options.id, stats=stats, watch=shown.watch)
    finally:
        shown.close()
    if story.records:
        _write(story, options, zone)
    else:
        print(f"opslog: {options.id}: {_nothing(story, wanted is not None)}", file=sys.stderr)
    counts.tell_forgotten(stats, "what they called may be missing")
    if story.unread is not None:
        raise story.unread
    return 0 if story.records else 1


def _nothing(story: Story, some: bool) -> str:
    """Return why a story has no records; ``some``: only some were wanted."""
    if story.left_behind:
        carry = (
            "1 record carries" if story.left_behind == 1 else f"{story.left_behind:,} records carry"
        )
        return f"{carry} it, but only after the request had ended, as records of other calls"
    return f"no {'record that is wanted' if some else 'record'} names it"


def _write(story: Story, options: argparse.Namespace, zone: Zone | None) -> None:
    if options.html is not None:
        from opslog.trace.page import page

        text = page(story, options.gap, masked=bool(options.mask or options.mask_key))
        write_whole(options.html, text.encode(), _PAGE, options.overwrite)
    if options.otlp is not None:
        from opslog.trace.otlp import otlp_text

        with whole_output(options.otlp, own_kinds.OTLP, options.overwrite) as output:
            for piece in otlp_text(story):
                output.write(piece)
    if options.json:
        from opslog.trace.plain import json_text

        output = OutputStream()
        for piece in json_text(story, options.gap):
            output.write(piece)
        output.write(b"\n")
    elif options.html is None and options.otlp is None:
        _show(story, options, zone)


def _show(story: Story, options: argparse.Namespace, zone: Zone | None) -> None:
    from opslog.trace.waterfall import waterfall

    colored = flags.colored(options)
    width = options.width or terminal_width()
    told = waterfall(story, options.gap, width, colored, options.summary, Moments(zone))
    OutputStream().write(told.encode())
    if options.summary:
        return
    OutputStream().write(b"\n")
    hosts = len({record.host_name for record in story.records} - {None}) > 1
    target = sinks.Target(
        STDOUT,
        "text",
        colored=colored,
        full=options.full,
        width=width,
        hosts=hosts,
        zone=zone,
        words=output.words(options) if os.isatty(1) else None,
    )
    sink = sinks.open_sink(target, names())
    for batch in story.table.to_batches():
        sink.write(sink.of_batch(batch))
    sink.close()
