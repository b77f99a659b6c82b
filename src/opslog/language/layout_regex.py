"""Layouts as regular expressions of the ``regex`` package.

A layout's expression accepts the lines that the scanner accepts, with the same captures:
people read it, and the tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opslog.language.hole_types import COLORS, NO_NAME, escaped
from opslog.language.layout import (
    Capture,
    Colors,
    Layout,
    LayoutPart,
    Literal,
    literals_behind,
)
from opslog.model.severity import continuing_characters, longest_first, vocabulary

if TYPE_CHECKING:
    import regex


def regex_of(layout: Layout) -> str:
    """Return the regular expression of a whole line; its groups are named as the columns.

    A group for two columns is called ``a_or_b``.
    """
    alternatives = ["".join(_variant(layout, variant)) for variant in layout.variants]
    lines = alternatives[0] if len(alternatives) == 1 else f"(?:{'|'.join(alternatives)})"
    return rf"(?s:\x00*+{lines})\Z"


def compiled(layout: Layout) -> regex.Pattern[bytes]:
    """Return ``regex_of`` the layout, compiled for the bytes of a line."""
    import regex  # start-up: the scanner does not need it

    return regex.compile(regex_of(layout).encode())


def _variant(layout: Layout, variant: tuple[LayoutPart, ...]) -> Iterator[str]:
    """Yield the expressions of a variant's parts."""
    for part, after in zip(variant, literals_behind(variant), strict=True):
        if isinstance(part, Literal):
            yield escaped(part.text)
        elif isinstance(part, Colors):
            yield COLORS.regex
        elif isinstance(part, Capture):
            yield _capture(part, after, layout.vocabulary)


def _capture(part: Capture, after: str, words: str) -> str:
    group = f"?P<{'_or_'.join(part.names)}>" if part.names else "?:"
    hole = part.hole
    if hole.op == "severity":
        refused = _but_no_name(_level_word("?:", part.width, words)) if part.naming else ""
        return refused + _level_word(group, part.width, words)
    text = hole.regex_before(after)
    value = f"{_but_no_name(text) if part.naming else ''}({group}{text})"
    return _padded(value, part.width, hole.member_before(after)) if part.width else value


def _but_no_name(text: str) -> str:
    """Return a look-ahead that refuses a level word where ``text``, an expression, takes one.

    Both end at the same place if what is behind them is the same.
    """
    return rf"(?!(?={text}(?P<_behind>.*+)){NO_NAME}(?P=_behind)\Z)"


def _level_word(group: str, width: int, words: str) -> str:
    """Return the expression of a word of a vocabulary, filled up with blanks to a width."""
    options = []
    for word in longest_first(vocabulary(words)):
        value = f"({group}{re.escape(word)})(?!{continuing_characters(word)})"
        blanks = f" {{{max(0, abs(width) - len(word))}}}"
        options.append(f"{blanks}{value}" if width < 0 else f"{value}{blanks}")
    return f"(?>{'|'.join(options)})"


def _padded(value: str, width: int, member: str) -> str:
    """Return the expression of a run of ``member`` characters, filled up with blanks to a width."""
    options = []
    for size in range(1, abs(width)):
        blanks = f" {{{abs(width) - size}}}"
        before, behind = ("", blanks) if width > 0 else (blanks, "")
        options.append(f"(?={before}{member}{{{size}}}(?!{member})){before}{value}{behind}")
    options.append(f"(?={member}{{{abs(width)}}}){value}")
    return f"(?>{'|'.join(options)})"
