"""Rows grouped by their keys, batch by batch, in memory that does not grow with the groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from opslog.model.errors import SourceError
from opslog.reading.sorted_rows import SortedRows

MOST = 8 << 20
"""Bytes of groups that are kept in memory."""

_AGAIN = {"count": "sum"}
"""How partial results are summed up, if not in the same way as the values."""


class Groups:
    """Sums up rows that have the same ``keys``, each other column in its way.

    ``ways`` says how by column: min, max, first (the first that is known) or count (how
    many are known).  Of the rows of a group the first is that with the least in the columns
    of ``order``, which may have no nulls, else the one that came first.  Groups, in no order,
    are put into ``done`` when they take more than ``most`` bytes, so that a group may come
    there in several parts, which ``again`` sums up.
    """

    def __init__(
        self,
        keys: tuple[str, ...],
        ways: dict[str, str],
        done: SortedRows,
        order: tuple[str, ...] = (),
        most: int = MOST,
    ) -> None:
        self._keys = keys
        self._ways = ways
        self._again = {name: _AGAIN.get(way, way) for name, way in ways.items()}
        self._done = done
        self._order = [(name, "ascending") for name in order]
        self._most = most
        self._parts: list[pa.Table] = []
        self._bytes = 0

    def add(self, rows: pa.Table) -> None:
        """Take rows that have these columns."""
        if not len(rows):
            return
        self._put(grouped(self._sorted(rows), self._keys, self._ways))
        if self._bytes > self._most:
            table = self._together()
            # If there is hardly anything to put together, it would be tried again and again.
            self._put(table) if 2 * table.nbytes < self._most else self._done.add(table)

    def finish(self) -> None:
        """Put all groups into ``done``."""
        if self._parts:
            self._done.add(self._together())

    def _put(self, groups: pa.Table) -> None:
        self._parts.append(groups)
        self._bytes += groups.nbytes

    def _together(self) -> pa.Table:
        """Take the groups away and return them, each once."""
        parts, self._parts, self._bytes = self._parts, [], 0
        return self.again(pa.concat_tables(parts))

    def again(self, parts: pa.Table) -> pa.Table:
        """Return the groups of which these are all parts, in the order they were added."""
        return grouped(self._sorted(parts), self._keys, self._again)

    def _sorted(self, rows: pa.Table) -> pa.Table:
        return rows.sort_by(self._order) if self._order else rows


def grouped(rows: pa.Table, keys: tuple[str, ...], ways: dict[str, str]) -> pa.Table:
    """Return a row for each group of rows, with the same columns."""
    found = rows.group_by(list(keys), use_threads=False).aggregate(list(ways.items()))
    names = {f"{name}_{way}": name for name, way in ways.items()}
    return found.rename_columns([names.get(name, name) for name in found.schema.names])


def readable(
    batches: Iterable[pa.RecordBatch], unread: list[Exception] | None
) -> Iterator[pa.RecordBatch]:
    """Yield what can be read; the error of the rest is raised, or added to ``unread`` if given."""
    try:
        yield from batches
    except SourceError as error:
        if unread is None:
            raise
        unread.append(error)


def with_values(rows: pa.Table, name: str) -> pa.Table:
    """Return the rows in which a column has a value."""
    import pyarrow.compute as pc

    return rows.filter(pc.is_valid(rows[name]))


def values_by_key(rows: pa.Table, key: str, name: str, of: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each key in ``of`` the distinct values of a column in its rows, in their order."""
    import pyarrow.compute as pc

    rows = with_values(rows.select([key, name]), name)
    rows = rows.append_column("row", pa.array(range(len(rows)), pa.int32()))
    rows = grouped(rows, (key, name), {"row": "min"}).sort_by("row")
    lists = grouped(rows, (key,), {name: "list"})
    found = lists[name].take(pc.index_in(of, lists[key]))
    return pc.if_else(pc.is_valid(found), found, pa.scalar([], found.type))
