"""What the library shows its users: the names of Logs, and Logs that go to other processes."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import opslog
from helpers import ROOT
from opslog import F, Logs, OpslogError, SourceError
from opslog.stages import Dedup

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
OWN = """\
name = "site.own"
title = "lines of this site"

[[layouts]]
layout = "{timestamp:iso} {severity} <{user_id:token}> {body:rest}"

[[layouts]]
regex = '(?<severity>[A-Z]+) own (?<body>.*)'

[[samples]]
line = "2026-03-10T10:00:00Z WARNING <c0ffee> deleted 3 ports"
expect.user_id = "c0ffee"

[[samples]]
line = "INFO own text"
expect.body = "text"
"""


def test_logs_have_the_verbs_of_people() -> None:
    assert [name for name in dir(Logs) if not name.startswith("_")] == [
        "batches", "filter", "graph", "limit", "parts", "pipe", "reader", "tail", "to_table",
        "with_requests", "with_resources", "write", "write_arrow", "write_jsonl", "write_parquet",
    ]  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Logs:
    """Logs with a format of their own."""
    (tmp_path / "own.toml").write_text(OWN)
    log = tmp_path / "own.log"
    log.write_text("2026-03-10T10:00:00Z INFO <cafe> started\nINFO own text\nraw\n")
    return opslog.read(log, LOG, formats=[tmp_path / "own.toml"])


def any_logs(own: Logs) -> list[Logs]:
    logs = opslog.read(LOG)
    return [
        logs,
        own,
        own.filter(F.severity >= "INFO").filter("body ~ 't'").filter(pc.field("format").is_valid()),
        opslog.read(LOG, own._pass.sources.paths[0], merge=True, root=True, original=True),
        logs.with_requests("severity >= ERROR").limit(3),
        logs.pipe(Dedup(60)),
    ]


def test_pickled_logs_give_the_same_records(own: Logs) -> None:
    for logs in any_logs(own):
        again = pickle.loads(pickle.dumps(logs))
        assert again.to_table().equals(logs.to_table())
        assert again.to_table().num_rows


def test_logs_may_be_read_in_another_process(own: Logs) -> None:
    every = any_logs(own)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for logs, found in zip(every, pool.map(Logs.to_table, every), strict=True):
            assert found.equals(logs.to_table())


def test_arrow_polars_and_duckdb_take_logs_as_they_are(own: Logs) -> None:
    wanted = own.to_table()
    assert pa.table(own).equals(wanted)
    assert pl.DataFrame(own)["body"].to_list() == wanted["body"].to_pylist()
    assert pl.from_arrow(own.reader(["body"])).equals(pl.DataFrame(own)[["body"]])
    assert duckdb.sql("select body from own").fetchall() == [
        (t,) for t in wanted["body"].to_pylist()
    ]
    assert own.reader(["body", "logger"]).schema.names == ["body", "logger"]
    with pytest.raises(OpslogError, match="found nothing"):
        own.reader(["nothing"])


def test_a_reader_reads_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" * 1_000_000)
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for batch in opslog.read(path).reader():
        rows += len(batch)
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 1_000_000
    whole = opslog.read(path).to_table().nbytes
    assert most < whole / 3


def test_a_reader_says_what_could_not_be_read(own: Logs, tmp_path: Path) -> None:
    missing = opslog.read(LOG, tmp_path / "none.log")
    reader = missing.reader()
    assert reader.read_next_batch().num_rows
    with pytest.raises(SourceError, match=r"none.log: No such file"):
        reader.read_next_batch()
    with pytest.raises(duckdb.Error, match=r"none.log: No such file"):
        duckdb.sql("select * from missing").fetchall()
    with pytest.raises(pl.exceptions.PolarsError, match=r"none.log: No such file"):
        pl.DataFrame(missing)
