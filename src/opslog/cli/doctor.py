"""``opslog doctor``: what is in logs, file by file, and what they lose."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opslog.cli import flags, progress, stages, values
from opslog.cli.parser import Commands
from opslog.cli.records_of import RecordsOf, Way, quoted, show
from opslog.model.errors import OpslogError
from opslog.model.stats import Stats
from opslog.terminal.escape import escaped_lines
from opslog.terminal.style import terminal_width

if TYPE_CHECKING:
    from opslog.doctor.report import FileReport
    from opslog.stages import Mask, Share

LEAST = 99.5
"""Percent of a file's lines that are recognised where all is well."""

_EXAMPLES = """\
examples:
  opslog doctor /var/log                            # all there is, the worst files first
  opslog doctor --full /var/log/nova/nova-api.log   # everything about a file
  opslog doctor --json /var/log | jq -r 'select(.recognised < 0.995) | .path'
  opslog doctor --min-recognised 95 /var/log/nova /var/log/neutron > /dev/null || echo look
  journalctl -o json -u 'devstack@*' | opslog doctor
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "doctor",
        help="show what is in logs and what they lose",
        description="Show for each file which formats its lines have, which lines no format "
        "recognises, which zone its times seem to be of, what is missing, and which change of "
        "the configuration would keep it. Exits with 1 if too little of a file is recognised, "
        "with 2 if one cannot be read.",
        epilog=_EXAMPLES,
    )
    flags.add_reading(command)
    shown = command.add_argument_group("output")
    shown.add_argument(
        "--json", action="store_true",
        help="one JSON object a file, in the order of the files; its keys are documented",
    )  # fmt: skip
    shown.add_argument(
        "--full",
        action="store_true",
        help="in text: show everything, also of files without findings, which are one line else",
    )
    shown.add_argument(
        "--examples", type=values.number(0, 1_000_000), default=3, metavar="N",
        help="how many unrecognised lines to show (default: 3)",
    )  # fmt: skip
    shown.add_argument(
        "--min-recognised", type=values.percent, default=LEAST, metavar="PERCENT",
        help=f"how many lines of a file must be recognised (default: {LEAST})",
    )  # fmt: skip
    stages.add_mask(shown)
    flags.add_color(shown)
    flags.add_no_progress(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Examine and say what the options want; return the exit code."""
    _refuse_wrong(options)
    stats = Stats()
    shown = progress.Progress(
        tuple(options.paths), stats, progress.wanted(options, not options.json)
    )
    seen: list[FileReport] = []
    mask = stages.mask_of(options)
    try:
        for report in _reports(options, stats, shown):
            seen.append(report)
            if options.json:
                _print_json(report, mask)
    finally:
        # An interrupted run prints what it found.
        shown.close()
        if seen and not options.json:
            from opslog.doctor.text import DoctorText

            text = DoctorText(flags.colored(options), terminal_width(), options.min_recognised)
            rendered = text.render(seen, options.full)
            print(rendered if mask is None else mask.text(rendered))
            print(show(_commands(seen, options), mask), end="")
    if not seen:
        print(f"opslog: no files in {escaped_lines(' '.join(options.paths))}", file=sys.stderr)
    return _code(seen, options.min_recognised)


def _refuse_wrong(options: argparse.Namespace) -> None:
    for flag, given in (("--full", options.full), ("--color always", options.color == "always")):
        if given and options.json:
            raise OpslogError(f"{flag}: has no effect on --json: leave one of them out")


def _reports(
    options: argparse.Namespace, stats: Stats, shown: progress.Progress
) -> Iterator[FileReport]:
    from opslog.doctor import examine  # start-up: no other command needs it
    from opslog.doctor.clock import host_zone

    return examine(
        *options.paths,
        **flags.reading(options),
        examples=options.examples,
        host_zone=host_zone(),
        stats=stats,
        watch=shown.watch,
    )


def of_format(name: str | None) -> Way:
    """Return what chooses the records of a format, or those that none recognises."""
    return "--where", "format is null" if name is None else f"format = {quoted(name)}"


def _commands(seen: list[FileReport], options: argparse.Namespace) -> Iterator[str]:
    """Yield what shows the records that a file's line counts, as an example of all."""
    least = min(seen, key=lambda one: 1 if one.recognised is None else one.recognised)
    records = RecordsOf(argparse.Namespace(**{**vars(options), "paths": [least.path]}))
    if least.unrecognised.lines:
        yield records.any(*of_format(None))
    yield from (records.any(*of_format(one.format)) for one in least.formats[:1])


def _print_json(report: FileReport, mask: Mask | Share | None) -> None:
    import json  # start-up: no other command needs it

    # A name of a file may hold bytes that are no text.
    found = report.as_dict() if mask is None else mask.plain(report.as_dict())
    line = json.dumps(found, ensure_ascii=False)
    sys.stdout.write(line.encode("utf-8", "replace").decode() + "\n")


def _code(seen: list[FileReport], least: float) -> int:
    if any(report.status in ("unreadable", "damaged") for report in seen):
        return 2
    shares = (report.recognised for report in seen)
    return int(any(share is not None and 100 * share < least for share in shares))
