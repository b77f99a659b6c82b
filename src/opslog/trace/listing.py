"""Requests and resources as tables for people: sorted, and fitted to a terminal."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from opslog.model.severity import CLASS_OF, CLASSES
from opslog.model.terminal import harmless
from opslog.terminal.cells import cells, shortened
from opslog.terminal.table import table, widths
from opslog.terminal.words import by_the_clock

_SHORT_ID, _SHORT_TARGET, _LAST, _SHORT_LAST = 12, 20, 20, 8
"""Columns that are left of ids, of targets and of what stands last where a terminal is narrow."""

_LEAST_WANTED = ("records", "requests", "http_method")


def title(column: str) -> str:
    """Return what a column is called in text."""
    return column.removeprefix("http_").removesuffix("_number")


def in_order(rows: pa.Table, name: str, reverse: bool) -> pa.Table:
    """Sort by a column; what has no value comes last."""
    column = rows[name].to_pylist()
    known = [number for number, value in enumerate(column) if value is not None]
    numbers = pa.types.is_integer(rows.schema.field(name).type) or pa.types.is_floating(
        rows.schema.field(name).type
    )
    known.sort(key=lambda number: _key(column[number]), reverse=numbers != reverse)
    unknown = [number for number, value in enumerate(column) if value is None]
    return rows.take(pa.array(known + unknown, pa.int64()))


def _key(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else value


def text(rows: pa.Table, shown: tuple[str, ...], width: int = 0) -> str:
    """Return the columns ``shown`` as lines, in ``width`` columns of a terminal (0: any)."""
    if not len(rows):
        return ""
    found = rows.to_pylist()
    columns = {name: [title(name), *(_cell(name, row[name]) for row in found)] for name in shown}
    if width:
        _fit(columns, width)
    return "\n".join(table(list(zip(*columns.values(), strict=True)), width)) + "\n"


def _fit(columns: dict[str, list[str]], width: int) -> None:
    """Shorten ids, then targets, leave out what is wanted least, and cut the last, if need be."""

    def missing() -> int:
        sizes = widths(list(zip(*columns.values(), strict=True)))
        return sum(sizes[:-1]) + min(sizes[-1], _LAST) + 2 * len(sizes) - 2 - width

    def cut(name: str, least: int) -> None:
        if name in columns and missing() > 0:
            room = max(least, max(map(cells, columns[name])) - missing())
            columns[name] = [shortened(cell, room) for cell in columns[name]]

    if missing() > 0 and "request_id" in columns:
        columns["request_id"] = [cell[:_SHORT_ID] for cell in columns["request_id"]]
    cut("http_target", _SHORT_TARGET)
    for name in _LEAST_WANTED:
        if missing() > 0:
            columns.pop(name, None)
    if missing() > 0:
        [*_, last] = columns
        columns[last] = [shortened(cell, _LAST, dots="") for cell in columns[last]]
        cut(last, _SHORT_LAST)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "start":
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    if name in ("duration", "active_after"):
        return by_the_clock(value)
    if name == "severity_number":
        return CLASSES[CLASS_OF[value]].upper()
    return harmless(", ".join(value) if isinstance(value, list) else str(value))
