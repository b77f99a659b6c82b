"""Texts that a record must hold for an expression to be true, read from what pyarrow shows of it.

Of comparisons of ids, joined by *and* and *or*, these are the ids.  Of anything else there are
none, nor of an expression that may be read in two ways: pyarrow does not escape patterns.
"""

from __future__ import annotations

import re

Needles = tuple[frozenset[bytes], ...]
"""Sets of texts, of each of which at least one must occur."""

COLUMNS = ("request_id", "global_request_id", "resource_id", "project_id", "user_id")
"""Columns whose values stand in a record's bytes as they are."""

AS_IT_IS = re.compile(r"[0-9A-Za-z_.:-]+")
"""Text that stands in every source byte by byte, but for JSON's \\u escapes."""

_COLUMN = "|".join(COLUMNS)
_EQUAL = re.compile(rf'\((?:{_COLUMN}) == "({AS_IT_IS.pattern})"\)')
_ITEM = rf'"(?!\.\.\.){AS_IT_IS.pattern}"'
_IS_IN = re.compile(
    rf"is_in\((?:{_COLUMN}), \{{value_set=string:\[\n  ({_ITEM}(?:,\n  {_ITEM})*)\n\]"
    r", null_matching_behavior=MATCH\}\)"
)
_OR_FALSE = re.compile(r"coalesce\(")
_FALSE = ", false)"
_JOINED = {" and ": True, " or ": False}
_WORD = re.compile(r"\w+")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPTION = re.compile(r'"[^"(){}\\]*"')
_PLAIN = re.compile(r'[^"(){}]+')
_OPENING = {"(": ")", "{": "}"}


class _AmbiguousError(Exception):
    """The text may be that of several expressions."""


def needles_of(shown: str) -> Needles:
    """Return the needles of the expression that pyarrow shows so."""
    try:
        found, end = _expression(shown, 0)
    except (_AmbiguousError, RecursionError):
        return ()
    return found if end == len(shown) else ()


def _expression(text: str, at: int) -> tuple[Needles, int]:
    """Return the needles of the expression at a place, and where it ends."""
    if equal := _EQUAL.match(text, at):
        return (frozenset([equal[1].encode()]),), equal.end()
    if is_in := _IS_IN.match(text, at):
        items = re.findall(AS_IT_IS, is_in[1])
        return (frozenset(item.encode() for item in items),), is_in.end()
    if or_false := _OR_FALSE.match(text, at):
        inner, end = _expression(text, or_false.end())
        if text.startswith(_FALSE, end):
            return inner, end + len(_FALSE)
    elif text.startswith("(", at):
        first, end = _expression(text, at + 1)
        for word, both in _JOINED.items():
            if text.startswith(word, end):
                second, end = _expression(text, end + len(word))
                if text.startswith(")", end):
                    return _joined(first, second, both), end + 1
    return (), _end(text, at)


def _joined(first: Needles, second: Needles, both: bool) -> Needles:
    if both:
        return first + second
    return (first[0] | second[0],) if first and second else ()


def _end(text: str, at: int) -> int:
    """Return where a call, a word or what is in parentheses ends."""
    if word := _WORD.match(text, at):
        at = word.end()
    open_: list[str] = []
    while at < len(text):
        if text[at] == '"':
            literal = (_OPTION if "}" in open_ else _LITERAL).match(text, at)
            if literal is None:
                raise _AmbiguousError
            at = literal.end()
        elif text[at] in _OPENING:
            open_.append(_OPENING[text[at]])
            at += 1
        elif open_ and text[at] == open_[-1]:
            open_.pop()
            at += 1
        elif open_ and (plain := _PLAIN.match(text, at)):
            at = plain.end()
        else:
            break
        if not open_:
            break
    if open_:
        raise _AmbiguousError
    return at
