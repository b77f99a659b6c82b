"""Parquet: what is read of it is what was written, whoever reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import opslog
from helpers import plain
from opslog.model import names as naming
from opslog.outputs import sinks
from opslog.outputs.parquet import ROWS_PER_GROUP
from opslog.scanner import catalog


def with_polars(path: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(path).to_dicts()


def with_duckdb(path: Path) -> list[dict[str, Any]]:
    found = duckdb.sql(f"select * from '{path}'")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a row, however its reader shows a map."""
    pairs = row["attributes"]
    if isinstance(pairs, dict):
        pairs = list(pairs.items())
    elif pairs and isinstance(pairs[0], dict):
        pairs = [(pair["key"], pair["value"]) for pair in pairs]
    return {**row, "attributes": [tuple(pair) for pair in pairs]}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with the samples of all formats."""
    path = tmp_path_factory.mktemp("samples") / "all.log"
    texts = [sample.text for one in catalog.shipped() for sample in one.samples]
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more records than a row group has: ids that come once, and times that go back."""
    path = tmp_path_factory.mktemp("many") / "nova-api.log"
    with path.open("w") as file:
        for n in range(ROWS_PER_GROUP + 20_000):
            level = ("DEBUG", "INFO", "ERROR")[n // 50_000]
            request = f"req-{n // 3:08x}-0000-4000-8000-{n * 7919 % 65521:012x}"
            file.write(
                f"2026-03-{2 + n // 60_000:02} {n // 3600 % 24:02}:{n // 60 % 60:02}:{n * 37 % 60:02}."
                f"{n * 31 % 1000:03} {1000 + n % 7} {level} nova.osapi_compute.wsgi.server "
                f"[{request if n % 5 else '-'} - - - - -] 10.0.{n % 200}.9 "
                f'"GET /v2.1/servers/{n} HTTP/1.1" status: {200 + n % 4} len: {n * 13} '
                f"time: 0.{n % 9973:07}\n"
            )
    return path


@pytest.mark.parametrize("read", [with_polars, with_duckdb])
def test_other_readers_find_the_same(
    read: Callable[[Path], list[dict[str, Any]]], samples: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    opslog.read(samples, original=True).write_parquet(path)
    expected = pq.read_table(path).to_pylist()
    assert len(expected) > 100
    assert [values(row) for row in read(path)] == [values(row) for row in expected]


def test_what_is_read_is_what_was_written(many: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    logs = opslog.read(many)
    logs.write_parquet(path)
    expected = logs.to_table()
    assert plain(pq.read_table(path)).equals(plain(expected))
    columns = "timestamp, request_id, trace_id, http_target, duration, source_offset"
    assert (
        duckdb.sql(f"select {columns} from '{path}'").fetchall()
        == pl.read_parquet(path).select(columns.split(", ")).rows()
        == list(zip(*(expected[name].to_pylist() for name in columns.split(", ")), strict=True))
    )


def test_row_groups_tell_times_levels_and_what_folders_are_named_by(
    many: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    opslog.read(many).write_parquet(path)
    file = pq.ParquetFile(path)
    assert file.metadata.num_row_groups == 2
    for number in range(2):
        group = file.metadata.row_group(number)
        found = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
        rows = file.read_row_group(number)
        for name in ("timestamp", "severity_number", "service_name", "http_status"):
            extremes = pc.min_max(plain(rows.select([name]))[name])
            told = found[name].statistics
            assert (told.min, told.max) == (extremes["min"].as_py(), extremes["max"].as_py())
        assert not found["request_id"].is_stats_set


def test_names_of_others_have_the_same_encodings(samples: Path, tmp_path: Path) -> None:
    def encodings(names: str) -> list[Any]:
        path = tmp_path / f"{names}.parquet"
        logs = opslog.read(samples)
        logs._write(sinks.Target(str(path), "parquet", names=names))
        group = pq.ParquetFile(path).metadata.row_group(0)
        return [group.column(number).encodings for number in range(group.num_columns)]

    assert len({str(encodings(names)) for names in naming.SPELLINGS}) == 1
