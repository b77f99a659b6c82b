"""Rows are sorted whatever their number: those in files are given back like those in memory."""

from __future__ import annotations

import resource
import tempfile
from itertools import chain, groupby
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.model.errors import OpslogError, SinkError
from opslog.reading import sorted_rows
from opslog.reading.sorted_rows import SortedRows, whole_keys

SCHEMA = pa.schema([
    ("key", pa.string()), ("number", pa.int64()), ("words", pa.list_(pa.string())),
    ("place", pa.int64()),
])  # fmt: skip
KEY = st.sampled_from(["a", "b", "c", "\u00e9", "ab"])
ROW = st.tuples(KEY, st.none() | st.integers(0, 5), st.lists(st.sampled_from("xy"), max_size=2))
BOUNDS = st.sampled_from([0, 200, 1 << 20])


def table(rows: list[tuple[object, ...]], first: int) -> pa.Table:
    """Return rows, each with its place among all that are added."""
    placed = [(*row, first + number) for number, row in enumerate(rows)]
    return pa.Table.from_pylist(
        [dict(zip(SCHEMA.names, row, strict=True)) for row in placed], SCHEMA
    )


def added(batches: list[list[tuple[object, ...]]], rows: SortedRows) -> pa.Table:
    """Add batches of rows and return them all as they come."""
    tables = [SCHEMA.empty_table()]
    for batch in batches:
        tables.append(table(batch, sum(map(len, tables))))
        rows.add(tables[-1])
    return pa.concat_tables(tables)


@given(
    st.lists(st.lists(ROW, max_size=9), max_size=12),
    BOUNDS,
    st.sampled_from([1, 300, 1 << 18]),
    st.integers(2, 5),
    st.booleans(),
)
def test_rows_are_sorted_stably_wherever_they_lie(
    batches: list[list[tuple[object, ...]]], most: int, window: int, runs: int, down: bool
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        SortedRows(SCHEMA, [("number", "descending" if down else "ascending")], most) as rows,
    ):
        patch.setattr(sorted_rows, "_WINDOW", window)
        patch.setattr(sorted_rows, "_RUNS", runs)
        everything = added(batches, rows).to_pylist()
        known = [row for row in everything if row["number"] is not None]
        wanted = sorted(known, key=lambda row: -row["number"] if down else row["number"])
        wanted += [row for row in everything if row["number"] is None]
        assert rows.table().to_pylist() == wanted
        assert rows.table().to_pylist() == wanted  # again
        assert len(rows) == len(wanted)


@given(st.lists(st.lists(ROW, max_size=9), max_size=9), BOUNDS, st.integers(1, 20))
def test_all_rows_of_a_key_come_together(
    batches: list[list[tuple[object, ...]]], most: int, least: int
) -> None:
    with SortedRows(SCHEMA, [("key", "ascending")], most) as rows:
        everything = added(batches, rows).to_pylist()
        tables = [some.to_pylist() for some in whole_keys(rows.tables(), "key", least)]
        keys = [[key for key, _ in groupby(some, lambda row: row["key"])] for some in tables]
        assert [*chain(*keys)] == sorted({row["key"] for row in everything})
        assert sum(map(len, tables)) == len(everything)
        assert all(map(len, tables))


@given(st.lists(st.lists(ROW, max_size=9), max_size=9), BOUNDS)
def test_lists_are_sorted_as_texts(batches: list[list[tuple[object, ...]]], most: int) -> None:
    with SortedRows(SCHEMA, [("words", "ascending"), ("place", "descending")], most) as rows:
        everything = added(batches, rows).to_pylist()
        wanted = sorted(everything, key=lambda row: (row["words"], -row["place"]))
        assert rows.table().to_pylist() == wanted


def test_of_columns_that_rows_have_not_the_values_are_null() -> None:
    with SortedRows(SCHEMA, [("key", "ascending")], 0) as rows:
        rows.add(pa.table({"number": [1], "key": ["b"]}))
        rows.add(pa.table({"key": ["a"], "place": [2]}))
        assert [list(row.values()) for row in rows.table().to_pylist()] == [
            ["a", None, None, 2],
            ["b", 1, None, None],
        ]


@pytest.mark.parametrize("order", [("size", "ascending"), ("key", "down")])
def test_an_order_that_cannot_be_is_an_error(order: tuple[str, str]) -> None:
    with pytest.raises(OpslogError, match="order: expected 'ascending' or 'descending' beside one"):
        SortedRows(SCHEMA, [order])


def test_a_folder_that_takes_no_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with SortedRows(SCHEMA, [("key", "ascending")], 0) as rows, pytest.raises(SinkError) as raised:
        rows.add(table([("a", 1, [])], 0))
    assert str(raised.value) == (
        f"{tmp_path}/missing: No such file or directory: rows that do not fit into memory are "
        "kept there meanwhile; TMPDIR names another folder"
    )


def test_a_full_folder_is_told() -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = table([(f"{number}", number, []) for number in range(9999)], 0)
    with SortedRows(SCHEMA, [("key", "ascending")], 0) as kept:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, old[1]))
        try:
            with pytest.raises(SinkError, match="File too large: rows that do not fit"):
                kept.add(rows)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
