"""What the library shows its users: the names of Logs, and Logs that go to other processes."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import opslog
from helpers import ROOT
from opslog import F, LogRecord, Logs, OpslogError, SourceError
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
        "batches", "count", "filter", "first", "graph", "head", "limit", "parts", "pipe", "reader",
        "tail", "to_pandas", "to_polars", "to_table", "with_requests", "with_resources", "write",
        "write_arrow", "write_jsonl", "write_parquet",
    ]  # fmt: skip


def test_the_package_shows_what_is_for_people() -> None:
    assert dir(opslog) == sorted(opslog.__all__)


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


def test_count_first_and_head_are_those_of_the_records(own: Logs) -> None:
    for logs in (*any_logs(own), own.tail(2), opslog.read(LOG).filter("severity = CRITICAL")):
        records = list(logs)
        assert logs.count() == len(records)
        assert logs.first() == (records[0] if records else None)
        assert logs.head() == records[:5]
        assert logs.head(0) == []
    for logs in (own, own.tail(2)):
        with pytest.raises(OpslogError, match="head: expected a number from 0, found -1"):
            logs.head(-1)


def test_a_record_has_the_class_of_its_severity() -> None:
    assert {record.severity for record in opslog.read(LOG)} == {
        "DEBUG", "INFO", "WARNING", "ERROR",
    }  # fmt: skip
    numbers = [*range(25), 25, 255, None]
    found = [LogRecord(severity_number=number).severity for number in numbers]
    assert found[0] is found[-1] is found[-2] is found[-3] is None
    assert found[1::4][:6] == ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def test_data_frames_have_the_values_of_the_table(own: Logs) -> None:
    table = own.to_table()
    frame = own.to_pandas()
    assert [*frame.columns] == table.column_names
    for name in ("body", "process_pid", "severity_number", "service_name"):
        values = [None if pd.isna(value) else value for value in frame[name]]
        assert values == table[name].to_pylist()
    assert [list(one.items()) for one in frame.attributes] == table["attributes"].to_pylist()
    assert str(frame.process_pid.dtype) == "Int64"
    polars = own.to_polars(["body", "process_pid", "timestamp"])
    assert polars.to_dicts() == table.select(polars.columns).to_pylist()


def test_a_frame_without_its_library_says_what_to_install(
    own: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(OpslogError, match=f"expected the package {name}, found none: pip"):
            getattr(own, f"to_{name}")()


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
