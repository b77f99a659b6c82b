"""Rows in the order of their keys, however many: what is too much for memory lies in files.

As sort(1) does it: rows that are too many are sorted and written to a temporary file,
a run; at the end all runs are read side by side, a little of each at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import accumulate, islice

import pyarrow as pa

from opslog.model.errors import OpslogError, SinkError

MOST = 8 << 20
"""Bytes of rows that are kept in memory."""

_WINDOW = 256 << 10
"""Bytes of a run that are read at a time, before compression."""

_LEAST = 1 << 15
"""Rows that are worked on at a time: Arrow is slow with few."""

_RUNS = 64
"""Runs of one size; so many are merged into one of the next size."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")

Order = Sequence[tuple[str, str]]
"""Columns, and of each ``ascending`` or ``descending``; nulls come last either way."""


class SortedRows:
    """Rows of a schema, added in any order, given back in the order of their keys.

    Lists are compared as texts.  Rows with equal keys stay in the order in which they were
    added.  About ``most`` bytes are kept in memory, the rest in temporary files, which
    ``close`` removes.  Raises OpslogError for an order of other columns.
    """

    def __init__(self, schema: pa.Schema, order: Order, most: int = MOST) -> None:
        for name, way in order:
            if name not in schema.names or way not in ("ascending", "descending"):
                raise OpslogError(
                    f"order: expected 'ascending' or 'descending' beside one of "
                    f"{', '.join(schema.names)}; found {way!r} beside {name!r}"
                )
        self.schema = schema
        self._lists = {name: f"{name} as text" for name, _ in order if _is_list(schema, name)}
        texts = [pa.field(name, pa.string()) for name in self._lists.values()]
        self._stored = pa.schema([*schema, *texts])
        self._order = [(self._lists.get(name, name), way) for name, way in order]
        self._most = most
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._count = 0
        self._runs: list[list[_Run]] = [[]]
        """The runs by size, the smallest first: those of a size are older than all smaller ones."""
        self._files = ExitStack()

    @classmethod
    def of(
        cls, tables: Iterable[pa.Table], schema: pa.Schema, order: Order, most: int = MOST
    ) -> SortedRows:
        """Return the rows of some tables."""
        with ExitStack() as failing:
            rows = failing.enter_context(cls(schema, order, most))
            for table in tables:
                rows.add(table)
            failing.pop_all()
        return rows

    def __enter__(self) -> SortedRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many rows there are."""
        return self._count

    def close(self) -> None:
        """Remove the temporary files."""
        self._files.close()

    def add(self, rows: pa.Table) -> None:
        """Take rows that have columns of the schema; of those they have not the values are null.

        Raises SinkError if a temporary file cannot be written.
        """
        if not len(rows):
            return
        for name, key in self._lists.items():
            texts = ["\0".join(map(str, values or ())) for values in rows[name].to_pylist()]
            rows = rows.append_column(key, pa.array(texts, pa.string()))
        empty = self._stored.empty_table()
        rows = pa.concat_tables([empty, rows], promote_options="default").select(empty.column_names)
        self._waiting.append(rows)
        self._bytes += rows.nbytes
        self._count += len(rows)
        if self._bytes > self._most:
            self._write(iter([self._sorted()]))
            self._waiting, self._bytes = [], 0

    def tables(self) -> Iterator[pa.Table]:
        """Yield all rows that were added so far, in order; it may be called again."""
        if self._waiting:
            self._waiting = [self._sorted()]
        runs: list[Iterator[pa.Table]] = [iter(run) for size in self._runs[::-1] for run in size]
        for rows in _merged([*runs, iter(self._waiting)], self._order):
            yield rows.select(self.schema.names)

    def table(self) -> pa.Table:
        """Return all rows, in order, as one table; it must fit into memory."""
        return pa.concat_tables([self.schema.empty_table(), *self.tables()])

    def _sorted(self) -> pa.Table:
        return pa.concat_tables(self._waiting).combine_chunks().sort_by(self._order)

    def _write(self, tables: Iterator[pa.Table], size: int = 0) -> None:
        """Write rows, which are sorted, as a run behind those of a size."""
        if size == len(self._runs):
            self._runs.append([])
        runs = self._runs[size]
        runs.append(self._files.enter_context(_Run(self._stored, tables)))
        if len(runs) == _RUNS:
            self._write(_merged([iter(run) for run in runs], self._order), size + 1)
            for run in runs:
                run.close()
            runs.clear()


def _is_list(schema: pa.Schema, name: str) -> bool:
    return bool(pa.types.is_list(schema.field(name).type))


class _Run:
    """Sorted rows in a temporary file, which has no name."""

    def __init__(self, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        try:
            with ExitStack() as failing:
                self._file = failing.enter_context(tempfile.TemporaryFile())
                with pa.ipc.new_stream(self._file, schema, options=_OPTIONS) as writer:
                    for table in tables:
                        rows = max(1, len(table) * _WINDOW // max(1, table.nbytes))
                        writer.write_table(table, rows)
                failing.pop_all()
        except OSError as error:
            raise SinkError(
                tempfile.gettempdir(),
                f"{error.strerror or error}: rows that do not fit into memory are kept there "
                "meanwhile; TMPDIR names another folder",
            ) from None

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[pa.Table]:
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as batches:
            for batch in batches:
                if len(batch):  # a table's chunk may be empty
                    yield pa.Table.from_batches([batch])


def _merged(runs: Iterable[Iterator[pa.Table]], order: Order) -> Iterator[pa.Table]:
    """Yield the rows of sorted runs in order; of equal keys those of the earlier run first."""
    import pyarrow.compute as pc  # start-up: most runs sort nothing

    ahead = [(rows, run) for run in runs if (rows := next(run, None)) is not None]
    while ahead:
        tables = [rows for rows, _ in ahead]
        rows = pa.concat_tables(tables)
        taken = {0: len(rows)}
        if len(tables) > 1:
            places = pc.sort_indices(rows, sort_keys=order)
            # Behind the last row read of a run another of the same run may come first.
            lasts = pa.array([end - 1 for end in accumulate(map(len, tables))], pa.uint64())
            places = places[: pc.min(pc.index_in(lasts, places)).as_py() + 1]
            owners = pa.concat_arrays([pa.repeat(n, len(one)) for n, one in enumerate(tables)])
            counts = pc.value_counts(owners.take(places)).to_pylist()
            taken = {count["values"]: count["counts"] for count in counts}
            rows = rows.combine_chunks().take(places)
        yield rows
        left = (_more(rows.slice(taken.get(n, 0)), run) for n, (rows, run) in enumerate(ahead))
        ahead = [(rows, run) for rows, run in left if len(rows)]


def _more(rows: pa.Table, run: Iterator[pa.Table]) -> tuple[pa.Table, Iterator[pa.Table]]:
    """Return the rows and, if they are few, the next ones of their run."""
    if not len(rows) or 2 * rows.nbytes < _WINDOW:
        rows = pa.concat_tables([rows, *islice(run, 1)])
    return rows, run


def whole_keys(tables: Iterable[pa.Table], key: str, least: int = _LEAST) -> Iterator[pa.Table]:
    """Yield rows in the order of ``key`` again, all those with one key in one table.

    A table has about ``least`` rows or more.
    """
    import pyarrow.compute as pc

    waiting: list[pa.Table] = []
    for rows in tables:
        waiting.append(rows)
        if sum(map(len, waiting)) >= least:
            rows = pa.concat_tables(waiting)
            start = pc.index(rows[key], rows[key][-1]).as_py()
            if start:
                yield rows.slice(0, start)
            waiting = [rows.slice(start)]
    if waiting:
        yield pa.concat_tables(waiting)
