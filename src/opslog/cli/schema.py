"""``opslog schema``: the columns of the output, for people or as a JSON Schema."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from opslog.cli import table as tables
from opslog.model import names, schema

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EXAMPLES = """\
examples:
  opslog schema                              # what the columns are called and mean
  opslog schema --names ecs                  # what the Elastic Common Schema calls them
  opslog schema --json > record.schema.json  # to check JSON lines with
"""

_TEXT = {"type": "string"}
_TYPES: dict[schema.Kind, dict[str, Any]] = {
    "timestamp": {"type": "string", "format": "date-time"},
    "uint8": {"type": "integer", "minimum": 0, "maximum": 255},
    "int64": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float64": {"type": "number"},
    "string": _TEXT,
    "dictionary": _TEXT,
    "map": {"type": "object", "additionalProperties": _TEXT},
    "binary": _TEXT,
}
"""What a value of a kind is in JSON."""


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "schema",
        help="show the columns of the output",
        description="Show the columns of the output, in their order.",
        epilog=_EXAMPLES,
    )
    command.add_argument(
        "--names", choices=names.SPELLINGS, default=names.OPSLOG,
        help="whose names of the columns (default: opslog)",
    )  # fmt: skip
    command.add_argument(
        "--json", action="store_true",
        help="as a JSON Schema (draft 2020-12) of one JSON line",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what the options say; return the exit code."""
    if options.json:
        import json  # start-up: no other command needs it

        print(json.dumps(json_schema(options.names), indent=2))
    else:
        print(table(options.names, tables.width()))
    return 0


def json_schema(spelling: str) -> dict[str, Any]:
    """Return the JSON Schema of a JSON line with column names in ``spelling``."""
    spelled = names.spelled(schema.BY_NAME, spelling)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A record of opslog, version {schema.VERSION} of its columns",
        "type": "object",
        "properties": {
            name: _TYPES[column.kind] | {"description": column.meaning}
            for name, column in zip(spelled, schema.COLUMNS, strict=True)
        },
        "required": names.spelled(["source", "source_offset"], spelling),
        "additionalProperties": False,
    }


def table(spelling: str, width: int = 0) -> str:
    """Return the columns as a table, likewise; with opslog's own names if they differ."""
    spelled = names.spelled(schema.BY_NAME, spelling)
    rows: list[tuple[str, ...]] = [("name", "opslog", "kind", "meaning")]
    rows += [
        (name, column.name, column.kind, column.meaning)
        for name, column in zip(spelled, schema.COLUMNS, strict=True)
    ]
    if spelling == names.OPSLOG:
        rows = [row[1:] for row in rows]
        rows[0] = ("name", *rows[0][1:])
    return tables.table(rows, width)
