"""Requests and resources as tables for people: sorted, and fitted to a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from opslog.model.severity import CLASS_OF, CLASSES
from opslog.terminal.cells import cells, padded, shortened
from opslog.terminal.escape import escaped
from opslog.terminal.moments import Moments
from opslog.terminal.table import table
from opslog.terminal.words import clock_duration

_SHORT_ID, _SHORT_TARGET, _LAST, _SHORT_LAST = 12, 20, 20, 8
"""Columns that are left of ids, of targets and of what stands last where a terminal is narrow."""

_LEAST_WANTED = ("records", "requests", "http_method", "severity_number", "active_after")
_DAY = len("2026-03-10 ")


def title(column: str) -> str:
    """Return what a column is called in text."""
    return column.removeprefix("http_").removesuffix("_number")


def sort_key(name: str, schema: pa.Schema, reverse: bool) -> tuple[str, str]:
    """Return how rows are sorted by a column: numbers from the greatest on, or the other way."""
    kind = schema.field(name).type
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return name, "ascending" if numbers == reverse else "descending"


def text(
    rows: Callable[[], Iterable[pa.Table]], shown: tuple[str, ...], width: int, moments: Moments
) -> Iterator[str]:
    """Yield the columns ``shown`` as lines, in ``width`` columns of a terminal (0: any).

    ``rows`` is asked twice for the same rows: how wide columns are must be known first.
    ``moments`` writes their times.
    """
    sizes = {name: cells(title(name)) for name in shown}
    days: set[str] = set()
    for some in rows():
        for name, size in sizes.items():
            texts = _texts(some, name, moments)
            sizes[name] = max(size, *map(cells, texts))
            if name == "start":
                days.update(start[:_DAY] for start in texts)
    rooms = _fit(sizes, width, len(days) == 1) if width else {}
    titles = True
    for some in rows():
        columns = {name: _texts(some, name, moments) for name in sizes}
        if "start" in rooms:
            columns["start"] = [start[_DAY:] for start in columns["start"]]
        if titles:
            columns = {name: [title(name), *columns[name]] for name in sizes}
            titles = False
        for name, (room, dots) in rooms.items():
            columns[name] = [shortened(cell, room, dots) for cell in columns[name]]
        for name in list(sizes)[:-1]:
            columns[name] = [padded(cell, sizes[name]) for cell in columns[name]]
        yield "\n".join(table(list(zip(*columns.values(), strict=True)), width)) + "\n"


def _fit(sizes: dict[str, int], width: int, one_day: bool) -> dict[str, tuple[int, str]]:
    """Return by column the cells its texts are cut to, and what stands behind one that is cut.

    Ids are cut, then the day if it is that of all, then targets; then columns that are wanted
    least are taken out of ``sizes``; then the last one is cut; each only if need be.
    """
    rooms: dict[str, tuple[int, str]] = {}

    def missing() -> int:
        *before, last = sizes.values()
        return sum(before) + min(last, _LAST) + 2 * len(before) - width

    def cut(name: str, room: int, dots: str = "…") -> None:
        rooms[name] = room, dots
        sizes[name] = min(sizes[name], room)

    for name in ("request_id", "resource_id"):
        if missing() > 0 and name in sizes:
            cut(name, _SHORT_ID, dots="")
    if missing() > 0 and one_day:
        cut("start", sizes["start"] - _DAY)
    if missing() > 0 and "http_target" in sizes:
        cut("http_target", max(_SHORT_TARGET, sizes["http_target"] - missing()))
    for name in _LEAST_WANTED:
        if missing() > 0:
            sizes.pop(name, None)
    if missing() > 0:
        [*_, last] = sizes
        cut(last, max(_SHORT_LAST, min(sizes[last], _LAST) - missing()))
    return rooms


def _texts(rows: pa.Table, name: str, moments: Moments) -> list[str]:
    return [_text(name, value, moments) for value in rows[name].to_pylist()]


def _text(name: str, value: Any, moments: Moments) -> str:
    if value is None:
        return "-"
    if name == "start":
        return moments.text(value, milliseconds=True)
    if name in ("duration", "active_after"):
        return clock_duration(value)
    if name == "severity_number":
        return CLASSES[CLASS_OF[value]].upper()
    return escaped(", ".join(value) if isinstance(value, list) else str(value))
