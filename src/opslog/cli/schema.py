"""``opslog schema``: the columns of the output, for people or as a JSON Schema."""

from __future__ import annotations

import argparse

from opslog.cli import flags
from opslog.cli.parser import Commands
from opslog.model import names, schema
from opslog.terminal.style import terminal_width
from opslog.terminal.table import table

_EXAMPLES = """\
examples:
  opslog schema                              # what the columns are called and mean
  opslog schema --names ecs                  # what the Elastic Common Schema calls them
  opslog schema --json > record.schema.json  # to check JSON lines with
"""


def add(commands: Commands) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "schema",
        help="show the columns of the output",
        description="Show the columns of the output, in their order.",
        epilog=_EXAMPLES,
    )
    flags.add_names(command)
    command.add_argument(
        "--json", action="store_true",
        help="as a JSON Schema (draft 2020-12) of one JSON line",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what the options say; return the exit code."""
    if options.json:
        import json  # start-up: no other command needs it

        from opslog.model.json_schema import json_schema

        print(json.dumps(json_schema(options.names), indent=2))
    else:
        print("\n".join(_table(options.names, terminal_width())))
    return 0


def _table(spelling: str, width: int) -> list[str]:
    """Return the columns as lines, with opslog's own names too if they differ."""
    spelled = names.spelled(schema.BY_NAME, spelling)
    rows: list[tuple[str, ...]] = [("name", "opslog", "kind", "meaning")]
    rows += [
        (name, column.name, column.kind, column.meaning)
        for name, column in zip(spelled, schema.COLUMNS, strict=True)
    ]
    if spelling == names.OPSLOG:
        rows = [row[1:] for row in rows]
        rows[0] = ("name", *rows[0][1:])
    return table(rows, width)
