"""Patterns: regular expressions that users write, for lines that no layout can describe.

A pattern is one of the ``regex`` package.  Its named groups are columns, ``severity``,
``timestamp`` (of a kind of timestamps.py) or attributes.  It is tried on a line that no layout
takes, must match the whole line, and is stopped at a time limit, since its time need not be
linear in the line (scanner/patterns.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opslog.language import timestamps
from opslog.model.errors import LayoutError

if TYPE_CHECKING:
    import regex

MOST_GROUPS = 64
"""How many named groups a pattern may have: a line keeps no more captures."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern."""

    text: str
    kind: str | None
    """The kind of its timestamp, None if it has none."""
    vocabulary: str
    key: str
    """Where it stands in its file, such as ``layouts[0]``."""
    compiled: regex.Pattern[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The groups' names, in the order of their numbers."""
        return tuple(sorted(self.compiled.groupindex, key=self.compiled.groupindex.__getitem__))


def parse_pattern(text: str, kind: str | None, vocabulary: str, key: str) -> Pattern:
    """Parse a pattern; raises LayoutError pointing at the column that is wrong."""
    import regex  # start-up: most runs have no pattern

    try:
        compiled = regex.compile(text)
    except regex.error as error:
        reason = f"expected a pattern of the regex package, found {error.msg}"
        raise LayoutError(text, error.pos or 0, reason) from None
    except RecursionError:
        raise LayoutError(text, 0, "is nested too deeply") from None
    names = compiled.groupindex
    if not names:
        raise LayoutError(text, 0, "expected named groups such as (?P<body>.*): the columns")
    if len(names) > MOST_GROUPS:
        raise LayoutError(text, 0, f"more than {MOST_GROUPS} named groups")
    if "timestamp" in names and kind is None:
        column = max(text.find("<timestamp>"), 0)
        raise LayoutError(text, column, "expected a key timestamp that says the kind of this group")
    if "timestamp" not in names and kind is not None:
        raise LayoutError(text, len(text), f"expected a group timestamp of the kind {kind!r}")
    if kind is not None:
        try:
            timestamps.kind(kind)
        except ValueError as error:
            raise LayoutError(kind, 0, str(error)) from None
    return Pattern(text, kind, vocabulary, key, compiled)
