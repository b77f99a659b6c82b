"""Rules on layouts that so little marks that lines of others fit, too: their formats must say so.

Each function returns None where the rules allow it, else the reason and a hint.
"""

from __future__ import annotations

from opslog.language.column_rules import Refusal
from opslog.language.layout import Capture, Colors, Constant, Layout, LayoutPart, Literal

_AROUND_A_TIME = frozenset(" \t()[]{}<>")


def refused_envelope(layout: Layout) -> Refusal:
    """Whether an envelope's lines are told neither by a time nor by what they begin with."""
    for variant in layout.variants:
        parts = [part for part in variant if not isinstance(part, (Constant, Colors))]
        timed = any(isinstance(part, Capture) and "timestamp" in part.names for part in parts)
        if not timed and isinstance(parts[0], Capture) and parts[0].hole.vague:
            return (
                "an envelope that begins with any text, and has no time, may be part of a message",
                "say where it stands: envelope.weak (where no record with a time is open) or "
                "envelope.hollow (around a line of another format)",
            )
    return None


def refused_catch_all(layout: Layout) -> Refusal:
    """Whether a layout takes any text behind a time, and nothing else tells its lines."""
    if any(_takes_any_text(variant) for variant in layout.variants):
        return (
            "takes any text behind a time",
            "say catch_all = true: its records are counted as dated, not as recognised",
        )
    return None


def _takes_any_text(variant: tuple[LayoutPart, ...]) -> bool:
    holes = [part for part in variant if isinstance(part, Capture)]
    if len(holes) != 2 or "timestamp" not in holes[0].names or holes[1].type != "rest":
        return False
    texts = [part.text for part in variant if isinstance(part, Literal)]
    return _AROUND_A_TIME.issuperset("".join(texts))
