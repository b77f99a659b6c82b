"""Which columns a format may fill, and with what.

Each function returns why not, as (reason, hint), or None.  A name that is no
column is an attribute, which takes any text.
"""

from __future__ import annotations

import difflib
import re
from typing import TypeAlias

from opslog.language.layout import Capture, Constant
from opslog.model import schema

Refusal: TypeAlias = tuple[str, str] | None

_COMPUTED = (
    "severity_number", "trace_id", "exception_type", "exception_message", "exception_stacktrace",
    "attributes", "format", "source", "source_offset", "original", "root_request_id",
)  # fmt: skip
"""Columns opslog fills itself: a value for them would be lost."""

_READ = (
    "timestamp", "severity", "severity_text", "body", "logger", "request_id", "global_request_id",
)  # fmt: skip
"""What opslog reads where it stands in the line, to fill other columns or to join lines."""

_UNITS = ("milliseconds", "microseconds")
_NUMERIC = {
    "int64": (("int", "int?"), re.compile("[0-9]{1,18}")),
    "float64": (("int", "int?", "number", *_UNITS), re.compile(r"[0-9]{1,18}(?:\.[0-9]+)?")),
}
"""Kinds of columns that hold numbers: the types, and the constants, that are some."""


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
    for name in part.names:
        if refusal := refused_name(name):
            return refusal
        if name in _READ and len(part.names) > 1:
            return f"{name} is one of two names", f"expected a hole for {name} alone"
        types, _ = _numeric(name)
        if types and part.type not in types:
            return (
                f"{name} is a column of numbers: expected the type {_any_of(types)}, "
                f"found {part.type}",
                "another name makes it an attribute",
            )
        if part.type in _UNITS and not types:
            return f"{name} is not told in seconds", f"{part.type} are those of duration"
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
    types, numbers = _numeric(part.name)
    if types and not numbers.fullmatch(part.value):
        return (
            f"{part.name} is a column of numbers: expected digits, found {part.value!r}",
            "another name makes it an attribute",
        )
    return None


def _any_of(types: tuple[str, ...]) -> str:
    return f"{', '.join(types[:-1])} or {types[-1]}"


def _numeric(name: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    kind = schema.BY_NAME[name].kind if name in schema.BY_NAME else ""
    return _NUMERIC.get(kind, ((), _NO_NUMBER))


_NO_NUMBER = re.compile("")
