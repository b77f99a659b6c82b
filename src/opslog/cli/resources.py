"""``opslog resources``: one row for each resource of some logs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from opslog.cli import formats as formats_command
from opslog.cli import keep, reading, rows
from opslog.logs import read
from opslog.model import zones

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EXAMPLES = """\
examples:
  opslog resources /var/log/*/*.log                  # all instances, volumes and ports
  opslog resources --sort active_after /var/log      # what took longest to be usable first
  opslog resources --to jsonl /var/log | jq 'select(.unfinished)'   # what began and never ended
"""

_SHOWN = (
    "start", "duration", "resource_type", "resource_id", "state", "active_after", "severity_number",
    "requests", "unfinished",
)  # fmt: skip


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "resources",
        help="list all instances, volumes and ports: states, what never ended",
        description="List all instances, volumes and ports that the logs name: when, their "
        "states, how long until they were active, operations that began and never ended. "
        "Conditions choose the records that tell of them.",
        epilog=_EXAMPLES,
    )
    reading.add(command)
    keep.add(command)
    formats_command.add_options(command)
    rows.add(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, count and write what the options say; return the exit code."""
    from opslog.trace.resources import SCHEMA, resources

    condition = keep.filter_of(options)
    logs = read(
        *options.paths,
        timezone=zones.stated(options.timezone),
        year=options.year,
        threads=reading.threads(options),
        formats=formats_command.chosen(options),
    )
    return rows.run(
        "resources", lambda unread: resources(logs, condition, unread), SCHEMA, options, _SHOWN
    )
