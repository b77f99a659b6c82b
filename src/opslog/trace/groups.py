"""Rows grouped by their keys, batch by batch, in memory that grows with the groups only."""

from __future__ import annotations

import pyarrow as pa

_LEAST = 1 << 16
"""Rows that may wait to be put together with those of the same keys."""

_AGAIN = {"count": "sum"}
"""What becomes of partial results; what is not named here, of itself."""


class Groups:
    """Sums up rows that have the same ``keys``, each other column in its way.

    ``ways`` says how by column: min, max, first (the first that is known), count (how
    many are known) or list.  Groups come in the order of their first rows; of these
    the first is that with the least in the columns of ``order``, which may have no nulls.
    """

    def __init__(
        self, keys: tuple[str, ...], ways: dict[str, str], order: tuple[str, ...] = ()
    ) -> None:
        self._keys = keys
        self._ways = ways
        self._order = [(name, "ascending") for name in order]
        self._again = {name: _AGAIN.get(way, way) for name, way in ways.items()}
        self._parts: list[pa.Table] = []
        self._waiting = 0
        self._known = 0

    def add(self, rows: pa.Table) -> None:
        """Take rows that have these columns."""
        if not len(rows):
            return
        self._parts.append(grouped(self._sorted(rows), self._keys, self._ways))
        self._waiting += len(self._parts[-1])
        if self._waiting > max(_LEAST, self._known):
            self.table()

    def table(self) -> pa.Table | None:
        """Return a row for each group so far, None without any."""
        if self._parts and (self._waiting or len(self._parts) > 1):
            rows = self._sorted(pa.concat_tables(self._parts))
            self._parts = [grouped(rows, self._keys, self._again)]
            self._known, self._waiting = len(self._parts[0]), 0
        return self._parts[0] if self._parts else None

    def _sorted(self, rows: pa.Table) -> pa.Table:
        return rows.sort_by(self._order) if self._order else rows


def grouped(rows: pa.Table, keys: tuple[str, ...], ways: dict[str, str]) -> pa.Table:
    """Return a row for each group of rows, with the same columns."""
    found = rows.group_by(list(keys), use_threads=False).aggregate(list(ways.items()))
    names = {f"{name}_{way}": name for name, way in ways.items()}
    return found.rename_columns([names.get(name, name) for name in found.schema.names])


def listed(rows: pa.Table, key: str, name: str, of: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each key in ``of`` what is known in a column of its rows, each once, in order."""
    import pyarrow.compute as pc

    known = grouped(rows.filter(pc.is_valid(rows[name])), (key, name), {})
    lists = grouped(known, (key,), {name: "list"})
    found = lists[name].take(pc.index_in(of, lists[key]))
    return pc.if_else(pc.is_valid(found), found, pa.scalar([], found.type))
