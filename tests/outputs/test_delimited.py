"""CSV and TSV as others read them, and columns that are chosen."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given

import opslog
from any_logs import LOGS
from helpers import ROOT
from helpers import opslog as command
from opslog.inputs.compression import compressed
from opslog.inputs.text import not_text
from opslog.model.errors import OpslogError

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def rows_of_json(path: Path) -> list[dict[str, str]]:
    """Return the records of JSON lines with every value as text."""
    return [
        {
            key: value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            for key, value in json.loads(line).items()
        }
        for line in path.read_text().splitlines()
    ]


@given(data=LOGS)
def test_csv_says_what_json_lines_say(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    assume(not_text(data) is None and not compressed(data))
    folder = tmp_path_factory.getbasetemp()
    (folder / "any.log").write_bytes(data)
    columns = [name for name in opslog.schema.names() if name != "duration"]  # a float: 0.1, 1e-05
    for kind in ("csv", "jsonl"):
        (folder / f"any.{kind}").unlink(missing_ok=True)
        opslog.read(folder / "any.log").write(folder / f"any.{kind}", kind, columns=columns)
    with open(folder / "any.csv", newline="", encoding="utf-8") as file:
        table = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
    expected = [
        {k: v for k, v in row.items() if v not in ("", "{}")}
        for row in rows_of_json(folder / "any.jsonl")
    ]
    assert table == expected


@given(data=LOGS)
def test_a_line_of_tsv_is_a_record(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assume(not_text(data) is None and not compressed(data))
    folder = tmp_path_factory.getbasetemp()
    (folder / "tabs.log").write_bytes(data)
    for kind in ("tsv", "jsonl"):
        (folder / f"tabs.{kind}").unlink(missing_ok=True)
        opslog.read(folder / "tabs.log").write(folder / f"tabs.{kind}", kind, columns=["body"])
    head, *lines = (folder / "tabs.tsv").read_bytes().decode().split("\n")[:-1]
    bodies = [row.get("body", "") for row in rows_of_json(folder / "tabs.jsonl")]
    assert (head, lines) == ("body", [escaped(body) for body in bodies])


def escaped(text: str) -> str:
    for written, character in UNESCAPED.items():
        text = text.replace(character, written)
    return text


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "arrow", "parquet"])
@pytest.mark.parametrize("merge", [(), ("--merge",)])
@pytest.mark.parametrize("stage", [(), ("--mask",), ("--tail", "3")])
def test_columns_are_written_in_the_order_asked_for(
    kind: str, merge: tuple[str, ...], stage: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / f"out.{kind}"
    given = ("--columns", "process_pid,timestamp", *merge, *stage)
    assert command("filter", *given, "-o", str(path), LOG).returncode == 0
    if kind == "jsonl":
        found = list(json.loads(path.read_text().splitlines()[0]))
    elif kind in ("csv", "tsv"):
        found = path.read_text().splitlines()[0].replace("\t", ",").split(",")
    elif kind == "arrow":
        found = pa.ipc.open_stream(path.read_bytes()).schema.names
    else:
        import pyarrow.parquet as pq

        found = pq.read_schema(path).names
    assert found == ["process_pid", "timestamp"]


def test_names_of_others_head_the_columns(tmp_path: Path) -> None:
    given = ("--to", "csv", "--columns", "timestamp,body", "--names", "ecs")
    assert command("filter", *given, LOG).stdout.startswith(b"@timestamp,message\n")


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(OpslogError, match="did you mean 'body'"):
        opslog.read(LOG).write("-", "csv", columns=["message"])


def test_duckdb_reads_csv(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "out.csv"
    opslog.read(LOG).write(path, "csv")
    (count,) = duckdb.sql(f"select count(*), min(timestamp) from read_csv('{path}')").fetchall()
    assert (count[0], str(count[1])[:19]) == (14, "2026-03-10 10:00:00")


def test_chosen_columns_do_not_pass_for_an_output_that_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("body\nsomething of somebody\n")
    run = command("filter", "--columns", "body", "-o", str(path), LOG)
    assert run.returncode == 2
    assert b"expected CSV of records or no file" in run.stderr
    assert path.read_text() == "body\nsomething of somebody\n"


def test_cut_and_awk_take_tsv() -> None:
    tsv = command("filter", "--to", "tsv", "--columns", "severity_text,exception_stacktrace", LOG)
    run = subprocess.run(["cut", "-f1"], input=tsv.stdout, stdout=subprocess.PIPE, check=True)
    assert run.stdout.split()[1:3] == [b"INFO", b"INFO"]
    assert run.stdout.count(b"\n") == 15
