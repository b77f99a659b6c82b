"""``opslog requests``: one row for each request of some logs."""

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
  opslog requests /var/log/*/*.log                          # all requests, in the order they began
  opslog requests --sort duration -n 10 /var/log/*/*.log    # the ten that took longest
  opslog requests --severity ERROR --since 2h /var/log      # those in which an error was logged
  opslog requests -o requests.parquet /var/log/*/*.log
"""

_SHOWN = (
    "start", "duration", "severity_number", "http_status", "records", "request_id", "http_method",
    "http_target", "services",
)  # fmt: skip


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "requests",
        help="list all requests: duration, services, call, status",
        description="List all requests, each with what it set off in all services: start, "
        "duration, services, user, project, call, status, worst severity. Conditions choose "
        "requests of which one record fulfils them.",
        epilog=_EXAMPLES,
    )
    reading.add(command)
    keep.add(command)
    formats_command.add_options(command)
    rows.add(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, count and write what the options say; return the exit code."""
    from opslog.trace.requests import SCHEMA, requests

    condition = keep.filter_of(options)
    logs = read(
        *options.paths,
        timezone=zones.stated(options.timezone),
        year=options.year,
        threads=reading.threads(options),
        formats=formats_command.chosen(options),
    )
    return rows.run(
        "requests", lambda unread: requests(logs, condition, unread), SCHEMA, options, _SHOWN
    )
