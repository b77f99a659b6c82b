"""The layout language: text to a Layout.

A layout is the line as printed, in which

    {name:type}       captures text of that type under a column's (or attribute's) name
    {name}            captures up to the first occurrence of the literal that follows
    {name:type<8}     is filled up with blanks to 8 characters behind (with >8: before) the value
    {a|b:type}        captures as column a if the text has the shape of an id, else as b
    {:type}           matches without capturing
    {name=value}      captures nothing and sets the column to a constant
    {? ... }          is optional: tried with, then without; optional parts that
                      name the same column exclude each other
    {~}               stands for any number of terminal color codes, also none
    {{ and }}         are braces

Everything else stands for itself.  The types are those of hole_types.py; a timestamp's is a
kind of timestamps.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

from opslog.language import timestamps
from opslog.language.hole_types import HOLE_TYPES, HoleType, hole_type, timestamp_type
from opslog.language.layout import (
    Capture,
    Colors,
    Constant,
    Layout,
    LayoutPart,
    Literal,
    OptionalParts,
    filled_twice,
)
from opslog.model.errors import LayoutError

_MOST_OPTIONALS = 8
"""Each optional part doubles the number of a layout's variants."""

_MOST_KNOWN = 4096
"""Captures, and literals, that are remembered."""

_PADDED = re.compile(r"(.*)([<>])([1-9]\d?)")
_LITERAL = re.compile(r"(?:[^{}]|\{\{|\}\})+")


def parse(text: str, vocabulary: str = "oslo") -> Layout:
    """Parse a layout; raises LayoutError pointing at the column that is wrong."""
    if text.count("{?") > _MOST_OPTIONALS:
        raise LayoutError(text, 0, f"more than {_MOST_OPTIONALS} optional parts")
    parts, end = _parts(text, 0, nested=False)
    if end != len(text):
        raise LayoutError(text, end, "expected the end of the layout, found '}'")
    layout = Layout(text, tuple(parts), vocabulary)
    _check(layout)
    return layout


def _parts(text: str, position: int, nested: bool) -> tuple[list[LayoutPart], int]:
    """Return the parts from a position on up to a closing brace or the end, and where that is."""
    parts: list[LayoutPart] = []
    while position < len(text):
        if literal := _LITERAL.match(text, position):
            parts.append(_literal(literal[0]))
            position = literal.end()
        elif text[position] == "}":
            return parts, position
        else:
            part, position = _hole(text, position)
            parts.append(part)
    if nested:
        raise LayoutError(text, len(text), "expected '}' to end the optional part")
    return parts, position


def _hole(text: str, start: int) -> tuple[LayoutPart, int]:
    """Return the part that the brace at ``start`` opens, and the position behind it."""
    if text.startswith("{?", start):
        inner, end = _parts(text, start + 2, nested=True)
        if not inner:
            raise LayoutError(text, start, "an optional part must not be empty")
        return OptionalParts(tuple(inner)), end + 1
    end = text.find("}", start)
    if end < 0 or "{" in text[start + 1 : end]:
        raise LayoutError(text, start, "expected '}' to close the hole opened here")
    inside = text[start + 1 : end]
    if inside == "~":
        return Colors(), end + 1
    name, equals, value = inside.partition("=")
    if equals and ":" not in name:
        _names(text, name, start + 1)
        return Constant(name, value), end + 1
    return _capture(text, inside, start), end + 1


@lru_cache(_MOST_KNOWN)
def _literal(text: str) -> Literal:
    return Literal(text.replace("{{", "{").replace("}}", "}"))


_KNOWN: dict[str, Capture] = {}
"""Captures by what stands in their braces: most are written in many layouts."""


def _capture(text: str, inside: str, start: int) -> Capture:
    known = _KNOWN.get(inside)
    if known is None:
        known = _new_capture(text, inside, start)
        if len(_KNOWN) < _MOST_KNOWN:
            _KNOWN[inside] = known
    return known


def _new_capture(text: str, inside: str, start: int) -> Capture:
    name, _, type_name = inside.partition(":")
    names = _names(text, name, start + 1) if name else ()
    type_name = type_name or ("severity" if name == "severity" else "text")
    width = 0
    if padded := _PADDED.fullmatch(type_name):
        type_name, width = padded[1], int(padded[3]) * (1 if padded[2] == "<" else -1)
    try:
        hole = _hole_type(names, type_name)
    except ValueError as error:
        raise LayoutError(text, start, str(error)) from None
    if width and not hole.paddable:
        known = ", ".join(one.name for one in HOLE_TYPES.values() if one.paddable)
        reason = f"{type_name} cannot be filled up with blanks: expected one of {known}"
        raise LayoutError(text, start, reason)
    return Capture(names, type_name, width)


def _hole_type(names: tuple[str, ...], type_name: str) -> HoleType:
    """Return the type of a hole; raises ValueError with the reason if it cannot have that."""
    if names == ("timestamp",):
        timestamps.kind(type_name)
        return timestamp_type(type_name)
    if names and type_name not in HOLE_TYPES and "%" not in type_name:
        known = ", ".join(HOLE_TYPES)
        raise ValueError(f"unknown type {type_name!r}: expected one of {known}")
    return hole_type(type_name)


def _names(text: str, name: str, column: int) -> tuple[str, ...]:
    names = tuple(name.split("|"))
    if len(names) > 2 or not all(one.isidentifier() for one in names):
        raise LayoutError(text, column, f"expected a name, found {name!r}")
    return names


def _check(layout: Layout) -> None:
    mandatory = tuple(part for part in layout.parts if not isinstance(part, OptionalParts))
    if twice := filled_twice(mandatory):
        raise LayoutError(layout.text, 0, f"{twice!r} is captured twice")
    for variant in layout.variants:
        if not any(isinstance(part, (Literal, Capture)) for part in variant):
            raise LayoutError(layout.text, 0, "a layout must not match an empty line")
        followed: LayoutPart | None = None
        for part in reversed(variant):
            if isinstance(part, Capture):
                _check_end(layout, part, followed)
            if not isinstance(part, Constant):
                followed = part


def _check_end(layout: Layout, part: Capture, followed: LayoutPart | None) -> None:
    """Refuse a hole if nothing shows where it ends, or if it leaves nothing to what follows."""
    if part.hole.op == "rest" and followed is not None:
        name = "|".join(part.names)
        raise LayoutError(layout.text, 0, f"{name!r} takes the rest, but more follows")
    if part.hole.op == "text" and not isinstance(followed, Literal):
        raise LayoutError(
            layout.text,
            0,
            f"{'|'.join(part.names)!r} has no type, so a literal must follow it; "
            "give it a type such as token, or rest at the end",
        )
