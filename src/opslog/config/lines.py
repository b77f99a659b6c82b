"""On which line of a TOML file a key stands, which the standard library's reader does not tell."""

from __future__ import annotations

import tomllib
from typing import Any


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the number of the line on which the statement begins that sets ``keys``.

    It is found by reading ever more lines, which takes long for a long file: for errors,
    and for what is shown to people.  1 if no statement does.
    """
    lines = text.split("\n")
    first = 1
    for last in range(1, len(lines) + 1):
        try:
            found = tomllib.loads("\n".join(lines[:last]) + "\n")
        except tomllib.TOMLDecodeError:  # within a text or list of several lines
            continue
        if _has(found, keys):
            return first
        first = last + 1
    return 1


def _has(data: Any, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True
