"""The keys of a file of settings: the one list from which errors, docs and the schema are made.

No key names a program, an output or a mask, so that no file can run anything, write
anywhere, or show what an option hides.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Key(NamedTuple):
    """A key: what its value is (``text``, ``texts`` or ``table`` of texts), may be, and means."""

    name: str
    kinds: tuple[str, ...]
    accepts: str
    meaning: str
    user_only: bool = False


KEYS = (
    Key(
        "timezone",
        ("text", "table"),
        "a time zone in quotes, or a table [timezone] of PATTERN = ZONE",
        "the zone of times without an offset, as `--timezone` has it: one for all files, or a "
        "table of zones by patterns; `*` is for all others, of several that match the last counts",
    ),
    Key(
        "display-timezone",
        ("text",),
        "a time zone in quotes",
        "the zone in which a terminal shows times, as `--display-timezone` has it; other outputs "
        "have UTC all the same",
    ),
    Key(
        "filters",
        ("table",),
        "a table [filters] of NAME = CONDITION, a text",
        "conditions with a name, for `--where '@NAME and …'`; one may name others",
    ),
    Key(
        "formats",
        ("texts",),
        "a list of paths",
        "format files or folders of them, as `--formats` has them; a path is looked for from the "
        "folder of the file",
    ),
    Key(
        "trusted",
        ("texts",),
        "a list of folders",
        "folders whose own `.opslog.toml` is read where a command is started in one, or below; "
        "a folder in it is none of them",
        user_only=True,
    ),
)

BY_NAME = {key.name: key for key in KEYS}

_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 1},
    "texts": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "table": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
}


def is_text(value: object) -> bool:
    """Return whether a value is a text that is not empty."""
    return isinstance(value, str) and value != ""


def kind_of(value: object) -> str:
    """Return which of the kinds a value is, as far as its outside tells; nothing if none."""
    if isinstance(value, dict):
        return "table"
    if is_text(value):
        return "text"
    return "texts" if isinstance(value, list) and all(map(is_text, value)) else ""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of settings."""
    properties = {}
    for key in KEYS:
        kinds = [_SCHEMAS[kind] for kind in key.kinds]
        one = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        properties[key.name] = {"description": key.meaning, **one}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of opslog: ~/.config/opslog/config.toml, .opslog.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
