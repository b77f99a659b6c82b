"""A record in JSON lines, as a JSON Schema."""

from __future__ import annotations

from typing import Any

from opslog.model import names, schema

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
