"""Tables for people: aligned, the last column wrapped where a terminal is too narrow for it."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence

_LEAST = 20
"""Columns for the last cell, below which it is not wrapped."""


def width() -> int:
    """Return the columns of the terminal that standard output is, 0 if it is none."""
    return os.get_terminal_size(1).columns if os.isatty(1) else 0


def table(rows: Sequence[Sequence[str]], width: int = 0) -> str:
    """Return rows of cells as lines; the last cell is wrapped to fit ``width`` if that is not 0."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)][:-1]
    room = width - sum(widths) - 2 * len(widths)
    lines = []
    for *cells, last in rows:
        head = "".join(f"{cell:{size}}  " for cell, size in zip(cells, widths, strict=True))
        parts = textwrap.wrap(last, room) if room >= _LEAST else [last]
        lines += [f"{head}{parts[0] if parts else ''}".rstrip()]
        lines += [" " * len(head) + part for part in parts[1:]]
    return "\n".join(lines)


def seconds_in_words(seconds: float | None) -> str:
    """Return a duration with three digits in the unit that fits it, ``-`` for none."""
    if seconds is None:
        return "-"
    factor, unit = (1, "s") if seconds >= 1 else (1e3, "ms") if seconds >= 1e-3 else (1e6, "us")
    return f"{float(f'{seconds * factor:.3g}'):,g} {unit}"
