"""``opslog explain``: why lines are read as they are."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys

from opslog.cli import flags
from opslog.cli.parser import Commands
from opslog.model import zones
from opslog.model.errors import OpslogError
from opslog.scanner.catalog import Catalog
from opslog.terminal.style import terminal_width

_MOST_BYTES = 1 << 20
"""Bytes of standard input that are explained."""

_EXAMPLES = """\
examples:
  opslog explain '2026-03-10 10:00:00.000 7 INFO nova.api [-] Started'
  tail -n 1 /var/log/nova/nova-api.log | opslog explain
  opslog explain --near "$(tail -n 1 odd.log)"           # where does each format stop?
  opslog explain --source nova-api.log --json < lines    # as JSON, as if they stood in that file
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "explain",
        help="show why a line is read as it is",
        description="Show which formats take a line, hole by hole, which come close and where "
        "they stop, what each column got and from where, and which configuration of oslo.log "
        "prints such lines. Exits with 1 if no format takes any of the lines.",
        epilog=_EXAMPLES,
    )
    command.add_argument(
        "lines", nargs="*", metavar="LINE",
        help="a line of a log; several are the lines of one (default: those of standard input, "
        "the first MiB)",
    )  # fmt: skip
    command.add_argument(
        "--near", action="store_true",
        help="also of lines that a format takes: which others come close",
    )  # fmt: skip
    command.add_argument(
        "--source", default="-", metavar="PATH",
        help="as if the lines stood in PATH, which may tell the program and the host",
    )  # fmt: skip
    flags.add_times(command)
    flags.add_formats(command)
    shown = command.add_argument_group("output")
    shown.add_argument("--json", action="store_true", help="as one JSON object")
    flags.add_color(shown)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Explain the lines; return the exit code."""
    from opslog.checking.explanation import Explainer
    from opslog.checking.user_formats import user_formats

    own = user_formats(flags.formats(options))
    catalog = Catalog.beside_shipped(own) if own else Catalog.default()
    explainer = Explainer(catalog, options.source, zones.stated(options.timezone), options.year)
    found = explainer.explain(_data(options), options.near)
    if options.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, default=str))
    else:
        from opslog.checking.explanation_text import ExplanationText

        print(ExplanationText(flags.colored(options), terminal_width()).render(found))
    return 0 if any(line.layers for line in found.lines) else 1


def _data(options: argparse.Namespace) -> bytes:
    lines: list[str] = options.lines
    if not options.source:
        raise OpslogError("--source: expected a path, found ''")
    if not lines or lines == ["-"]:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            data = data[: data.rfind(b"\n", 0, _MOST_BYTES) + 1] or data[:_MOST_BYTES]
            print("opslog: explained are the lines of the first MiB", file=sys.stderr)
        return data
    for line in lines:
        if not line:
            raise OpslogError("LINE: expected a line of a log, found ''")
        if "\n" not in line and " " not in line and os.path.isfile(line):
            raise OpslogError(
                f"LINE: expected a line of a log, found the name of a file, {line!r}: "
                f"head -n 1 {shlex.quote(line)} | opslog explain"
            )
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
