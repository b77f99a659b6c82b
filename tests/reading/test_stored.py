"""What opslog wrote is read as the records that were written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from opslog.model import names as naming
from opslog.model import schema
from opslog.model.stats import Stats
from opslog.outputs import sinks
from opslog.scanner import catalog

SAMPLES = [sample.text for one in catalog.shipped() for sample in one.samples]
COLUMNS = schema.names(original=True, root=True)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    # What RFC 3339 can say, less a day: a local time is none in every zone.
    "timestamp": st.none() | st.integers(-62135510400000000, 253402214399999999),
    "uint8": st.none() | st.integers(1, 24),
    "int64": st.none() | st.integers(0, 10**18 - 1),
    "float64": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "string": st.none() | TEXTS,
    "dictionary": st.none() | TEXTS,
    "map": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "binary": st.none() | TEXTS.map(str.encode),
}
PLACES = {"source": TEXTS, "source_offset": st.integers(0, 1 << 40)}
RECORDS = st.fixed_dictionaries(
    {one.name: PLACES.get(one.name, VALUES[one.kind]) for one in schema.COLUMNS}
)
KINDS = [("jsonl", names) for names in naming.SPELLINGS] + [("arrow", "opslog"), ("parquet", "ecs")]


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    fields = schema.arrow_schema(original=True, root=True)
    columns = [
        pa.array([list(v.items()) if isinstance(v, dict) else v for v in values], one.type)
        for one in fields
        for values in [[row[one.name] for row in rows]]
    ]
    return pa.RecordBatch.from_arrays(columns, schema=fields)


def write(batch: pa.RecordBatch, path: Path, kind: str, names: str) -> None:
    sink = sinks.open_sink(sinks.Target(str(path), kind, names, overwrite=True), COLUMNS)
    sink.write(sink.of_batch(batch))
    sink.close()


def rows_of(logs: opslog.Logs) -> list[dict[str, Any]]:
    return [row for batch in logs.batches() for row in batch.to_pylist()]


@pytest.mark.parametrize(("kind", "names"), KINDS)
@given(rows=st.lists(RECORDS, min_size=1, max_size=4))
def test_any_records_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, kind: str, names: str, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("stored") / "out"
    batch = batch_of(rows)
    write(batch, path, kind, names)
    found = rows_of(opslog.read(path, original=True, root=False))
    expected = batch.select(schema.names(original=True)).to_pylist()
    for row, read in zip(expected, found, strict=True):
        if row["original"] is None:
            row["original"] = read["original"]  # the line as read
    assert found == expected


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of the samples of all formats."""
    path = tmp_path_factory.mktemp("logs") / "nova-api.log"
    path.write_text("\n".join(SAMPLES) + "\n")
    return path


@pytest.mark.parametrize(("kind", "names"), [*KINDS, ("parquet", "opslog"), ("arrow", "otel")])
def test_samples_of_all_formats_are_read_back(
    logs: Path, tmp_path: Path, kind: str, names: str
) -> None:
    out = tmp_path / "out"
    counted = opslog.read(logs).write(out, kind, names=names)
    again = Stats()
    opslog.read(out).write(tmp_path / "again", "jsonl", stats=again)
    assert rows_of(opslog.read(out)) == rows_of(opslog.read(logs))
    assert again.kept == counted.kept
    assert {name: one[0] for name, one in again.formats.items()} == {
        name: one[0] for name, one in counted.formats.items()
    }


@pytest.mark.parametrize("suffix", ["jsonl.gz", "jsonl.zst", "arrow.gz"])
def test_compressed_records_are_read_back(logs: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    opslog.read(logs).write(out, suffix.split(".")[0])
    assert rows_of(opslog.read(out)) == rows_of(opslog.read(logs))


def test_a_lake_is_read_back(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    opslog_run("filter", "-o", f"{lake}/", "--to=parquet", "--partition-by=service,date", str(logs))

    assert in_order(opslog.read(lake)) == in_order(opslog.read(logs))
    for condition in (opslog.F.severity_number >= 17, opslog.F.service_name == "nova"):
        kept = opslog.read(lake).filter(condition)
        assert in_order(kept) == in_order(opslog.read(logs).filter(condition))


def in_order(logs: opslog.Logs) -> list[str]:
    """All records, in an order that is the same for any order of the sources."""
    return sorted(map(repr, rows_of(logs)))


def opslog_run(*arguments: str, given: bytes = b"") -> bytes:
    command = [sys.executable, "-m", "opslog", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=100)
    assert not done.returncode, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("to", [["--to=arrow"], ["--names=otel"], ["--names=kolla"], []])
def test_a_pipe_from_opslog_to_opslog_changes_nothing(logs: Path, to: list[str]) -> None:
    written = opslog_run("filter", *to, str(logs))
    assert opslog_run("filter", given=written) == opslog_run("filter", str(logs))
    assert opslog_run("stats", given=written) == opslog_run("stats", str(logs))


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow"])
def test_requests_are_those_of_the_logs_of_several_hosts(tmp_path: Path, kind: str) -> None:
    for host in ("ctl1", "ctl2"):
        (tmp_path / "logs" / host).mkdir(parents=True)
        (tmp_path / "logs" / host / "nova-api.log").write_text("\n".join(SAMPLES) + "\n")
    opslog.read(tmp_path / "logs").write(tmp_path / "out", kind)
    found = opslog_run("requests", str(tmp_path / "out"))
    assert found.count(b"\n") > 10
    assert found == opslog_run("requests", str(tmp_path / "logs"))


def test_parquet_is_read_at_standard_input_if_it_is_a_file(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    opslog.read(logs).write_parquet(out)
    with out.open("rb") as file:
        command = [sys.executable, "-m", "opslog", "filter"]
        done = subprocess.run(command, stdin=file, capture_output=True, timeout=100)
    assert done.stdout == opslog_run("filter", str(logs))


def test_parquet_through_a_pipe_is_refused(logs: Path, tmp_path: Path) -> None:
    opslog.read(logs).write_parquet(tmp_path / "out.parquet")
    command = [sys.executable, "-m", "opslog", "filter"]
    content = (tmp_path / "out.parquet").read_bytes()
    done = subprocess.run(command, input=content, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"give the file itself" in done.stderr


def test_records_and_logs_are_read_in_one_run(logs: Path, tmp_path: Path) -> None:
    opslog.read(logs).write_jsonl(tmp_path / "a.jsonl")
    opslog.read(logs).write_parquet(tmp_path / "b.parquet")
    paths = [tmp_path / "a.jsonl", logs, tmp_path / "b.parquet"]
    assert rows_of(opslog.read(*paths)) == 3 * rows_of(opslog.read(logs))
    merged = opslog.read(*paths, merge=True)
    assert len(rows_of(merged)) == 3 * len(rows_of(opslog.read(logs)))


LINE = '{"body":"x","format":"oslo.text","source":"a.log","source_offset":7}'


def test_damaged_lines_among_records_are_records_that_nothing_recognised(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    damaged = [LINE[:-9], LINE + "}", "noise", LINE.replace(":7", ":{}"), '{"body":"x"}']
    path.write_text("".join(f"{LINE}\n{line}\n" for line in damaged))
    stats = Stats()
    opslog.read(path).write(tmp_path / "again", "jsonl", stats=stats)
    found = rows_of(opslog.read(path))
    assert [row["body"] for row in found if row["source"] == "a.log"] == ["x"] * len(damaged)
    assert [row["body"] for row in found if row["source"] == str(path)] == damaged
    assert (stats.unrecognised, stats.kept) == (len(damaged), 2 * len(damaged))
    assert stats.bytes == path.stat().st_size


@pytest.mark.parametrize(
    "line",
    [
        '{"timestamp":"2026-03-10T10:00:00Z","body":"x","source":"a","source_offset":1,"level":"a"}',
        '{"timestamp":"2026-03-10T10:00:00Z","body":"x","source":"a"}',
        '{"timestamp":"soon","body":"x","source":"a","source_offset":1}',
        '{"body":["x",1],"source":"a","source_offset":1}',
        '{"body":"x","attributes":"y","source":"a","source_offset":1}',
        '{"Body":"x","source":"a","source_offset":1}',
        '{"body":"x","body":"y","source":"a","source_offset":1}',
    ],
)
def test_objects_of_others_are_no_records_of_opslog(tmp_path: Path, line: str) -> None:
    path = tmp_path / "foreign.log"
    path.write_text(f"{line}\n")
    [row] = rows_of(opslog.read(path))
    assert (row["source"], row["source_offset"]) == (str(path), 0)


def test_what_a_record_says_is_not_told_again(tmp_path: Path) -> None:
    path = tmp_path / "cmp1" / "nova-compute.log"
    path.parent.mkdir()
    said = "req-0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5 GET /v2.1/servers status: 200"
    path.write_text(json.dumps({"body": said, "source": "a.log", "source_offset": 0}) + "\n")
    [row] = rows_of(opslog.read(path))
    told = {name for name, value in row.items() if value not in (None, [])}
    assert told == {"body", "source", "source_offset"}


def test_lines_of_parquet_that_a_filter_leaves_out_are_not_read(tmp_path: Path) -> None:
    rows = [
        dict.fromkeys(COLUMNS) | {"timestamp": i, "severity_number": 9 + 8 * (i > 900),
                                  "attributes": {}, "source": "a", "source_offset": i,
                                  "request_id": f"req-{i}"}
        for i in range(1000)
    ]  # fmt: skip
    out = tmp_path / "out.parquet"
    table = pa.Table.from_batches([batch_of(rows)])
    pq.write_table(table, out, row_group_size=100)
    for condition, kept in (
        (opslog.F.severity_number >= 17, 99),
        ("severity >= ERROR and timestamp < 1970-01-01T00:00:00.000950Z", 49),
        (opslog.F.request_id == "req-7", 1),
    ):
        stats = Stats()
        opslog.read(out).filter(condition).write(tmp_path / "again", "jsonl", stats=stats)
        assert (stats.kept, stats.records) == (kept, kept)


def damaged(data: bytes) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    yield data[:-4]
    step = max(1, len(data) // 97)
    for at in range(4, len(data), step):
        yield data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_damaged_table_is_an_error_and_no_crash(logs: Path, tmp_path: Path, kind: str) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    opslog.read(logs).limit(50).write(whole, kind)
    failed: list[opslog.SourceError] = []
    for data in damaged(whole.read_bytes()):
        out.write_bytes(data)
        try:
            rows_of(opslog.read(out))
        except opslog.SourceError as error:
            failed.append(error)
    assert {error.path for error in failed} == {str(out)}
    assert all("\n" not in error.reason for error in failed)


def test_a_table_of_other_columns_is_said_to_be_one(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    for columns in ({"a": [1]}, {"body": ["x"]}, {"source": ["x"], "source_offset": [0], "a": [1]}):
        pq.write_table(pa.table(columns), out)
        with pytest.raises(opslog.SourceError, match="of other records than opslog writes"):
            rows_of(opslog.read(out))


def test_a_table_rewritten_by_another_program_is_read(logs: Path, tmp_path: Path) -> None:
    opslog.read(logs).write_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    plain = [
        one.cast(pa.large_string()) if pa.types.is_dictionary(one.type) else one
        for one in table.columns
    ]
    plain[0] = plain[0].cast(pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table(plain, table.column_names), tmp_path / "b.parquet")
    assert rows_of(opslog.read(tmp_path / "b.parquet")) == rows_of(opslog.read(logs))


def test_columns_without_places_are_of_the_rows_of_their_table(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    opslog.read(logs).write(out, "parquet", columns=["timestamp", "body"])
    found = rows_of(opslog.read(out))
    whole = rows_of(opslog.read(logs))
    assert [(row["timestamp"], row["body"]) for row in found] == [
        (row["timestamp"], row["body"]) for row in whole
    ]
    assert {row["source"] for row in found} == {str(out)}
    assert [row["source_offset"] for row in found] == list(range(len(whole)))
