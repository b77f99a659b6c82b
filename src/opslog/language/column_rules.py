"""Rules on the columns that a format may fill, and on the values it may fill them with.

Each function returns None where the rules allow it, else the reason and a hint.  A name that
is no column is an attribute, which takes any text.
"""

from __future__ import annotations

import difflib
import re
from typing import TypeAlias

from opslog.language.hole_types import HOLE_TYPES
from opslog.language.layout import Capture, Constant
from opslog.model import schema

Refusal: TypeAlias = tuple[str, str] | None

_COMPUTED = (
    "severity_number", "trace_id", "exception_type", "exception_message", "exception_stacktrace",
    "attributes", "format", "source", "source_offset", "original", "root_request_id",
    "fingerprint",
)  # fmt: skip
"""Columns opslog fills itself: a value for them would be lost."""

_READ = (
    "timestamp", "severity", "severity_text", "body", "logger", "request_id", "global_request_id",
)  # fmt: skip
"""What opslog reads where it stands in the line, to fill other columns or to join lines."""

_NUMBERS = {
    "int64": re.compile("[0-9]{1,18}"),
    "float64": re.compile(r"[0-9]{1,18}(?:\.[0-9]+)?"),
}
"""Kinds of columns that hold numbers, and the constants that are such numbers."""


def refused_name(name: str) -> Refusal:
    """Whether a value found under this name would be lost."""
    if name in _COMPUTED:
        return f"{name} is filled by opslog itself", "capture under another name"
    return None


def refused_key(name: str) -> Refusal:
    """Whether a key of JSON objects cannot fill the column."""
    if name == "timestamp":
        return "the time is not a column like others", "say its key as epoch or iso"
    if name == "severity":
        return "there is no such column", "the level's word is severity_text"
    return None if name == "exception_stacktrace" else refused_name(name)


def refused_capture(part: Capture) -> Refusal:
    """Whether the text of a hole would be lost."""
    hole = part.hole
    for name in part.names:
        if refusal := refused_name(name):
            return refusal
        if name in _READ and len(part.names) > 1:
            return f"{name} is one of two names", f"expected a hole for {name} alone"
        kind = _kind(name)
        if kind in _NUMBERS and kind not in hole.fills:
            types = [one.name for one in HOLE_TYPES.values() if kind in one.fills]
            return (
                f"{name} is a column of numbers: expected the type {', '.join(types[:-1])} "
                f"or {types[-1]}, found {part.type}",
                "another name makes it an attribute",
            )
        if hole.change in ("milliseconds", "microseconds") and kind not in _NUMBERS:
            return (
                f"{part.type} are kept in seconds, found {name}: expected the column duration",
                "with the type number an attribute is kept as written",
            )
    return None


def refused_constant(part: Constant) -> Refusal:
    """Whether a constant is no value of its column."""
    if refusal := refused_name(part.name):
        return refusal
    if part.name in _READ and part.name != "logger":
        return f"{part.name} is a constant", f"expected a hole, {{{part.name}:...}}"
    if part.name not in schema.BY_NAME:
        near = difflib.get_close_matches(part.name, schema.BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "a constant is the value of a column"
        return f"there is no column {part.name!r}", hint
    if not part.value:
        return f"{part.name} is an empty constant", f"expected {{{part.name}=VALUE}}"
    numbers = _NUMBERS.get(_kind(part.name))
    if numbers and not numbers.fullmatch(part.value):
        return (
            f"{part.name} is a column of numbers: expected digits, found {part.value!r}",
            "another name makes it an attribute",
        )
    return None


def _kind(name: str) -> str:
    """Return the kind of a column, empty for an attribute."""
    return schema.BY_NAME[name].kind if name in schema.BY_NAME else ""
