"""Tables for people: aligned, the last column wrapped where a terminal is too narrow for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from opslog.terminal.cells import cells, padded, wrapped

_LEAST = 20
"""Cells for the last column, below which it is not wrapped."""


def widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how many cells the widest of each column takes; ``rows`` are equally long."""
    return [max(map(cells, column)) for column in zip(*rows, strict=True)]


def table(rows: Sequence[Sequence[str]], width: int = 0, right: Collection[int] = ()) -> list[str]:
    """Return rows, which may be colored, as lines; columns of the numbers ``right`` end aligned.

    The last column, without colors, is wrapped to fit into ``width`` cells if that is not 0.
    """
    sizes = widths(rows)
    room = width - sum(sizes[:-1]) - 2 * len(sizes[:-1])
    lines = []
    for *before, last in rows:
        aligned = [
            padded(cell, size, number in right)
            for number, (cell, size) in enumerate(zip(before, sizes, strict=False))
        ]
        if len(before) in right:
            last = padded(last, sizes[-1], right=True)
        whole = room < _LEAST or cells(last) <= room
        first, *more = [last] if whole else wrapped(last, room)
        lines.append("  ".join([*aligned, first]).rstrip())
        lines += [" " * (sum(sizes[:-1]) + 2 * len(before)) + part for part in more]
    return lines
