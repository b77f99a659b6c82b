"""The order in which the shipped formats are tried."""

from __future__ import annotations

from collections.abc import Iterable

from opslog.language.format import Format
from opslog.language.layout import Capture, Colors, Constant, LayoutPart, OptionalParts


def in_order(formats: Iterable[Format]) -> tuple[Format, ...]:
    """Return formats in the order in which they are tried.

    Those of oslo.log come first: most lines have them, and once a layout has taken a line only
    those before it are tried.  Formats that may begin with any word come last, so that they
    take no line from a layout that says more of it.
    """
    return tuple(
        sorted(formats, key=lambda f: (not f.name.startswith("oslo."), _is_vague(f), f.name))
    )


def _is_vague(one: Format) -> bool:
    """Whether a layout of a format may begin with almost any word."""
    return any(_begins_vaguely(item.layout.parts) for item in one.layouts)


def _begins_vaguely(parts: tuple[LayoutPart, ...]) -> bool:
    for part in parts:
        if isinstance(part, OptionalParts):
            if _begins_vaguely(part.parts):
                return True
        elif not isinstance(part, Constant | Colors):
            return isinstance(part, Capture) and part.hole.vague
    return False
