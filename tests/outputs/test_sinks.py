"""Outputs: never an input, never in place of a device, complete or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import opslog
from helpers import ROOT
from helpers import opslog as run
from opslog.model import schema
from opslog.model.errors import SinkError

LOG = ROOT / "docs" / "examples" / "nova-compute.log"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = f'opslog() {{ "$0" -m opslog "$@"; }}; {command}'
    shell = ["sh", "-c", command, sys.executable]
    return subprocess.run(shell, cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        "opslog filter a.log >> a.log",
        "opslog filter -o a.log --to jsonl < a.log",
        "opslog filter . -o ./a.log --to jsonl",
        "opslog filter -o link.jsonl a.log",
    ],
)
def test_an_input_is_no_output(command: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG.read_bytes())
    (tmp_path / "link.jsonl").symlink_to("a.log")
    result = shell(command, tmp_path)
    assert result.returncode == 2
    assert b"is also an input" in result.stderr
    assert (tmp_path / "a.log").read_bytes() == LOG.read_bytes()


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet", "out.arrow"])
def test_an_output_in_a_folder_that_is_read_is_not_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG.read_bytes() * 3000)
    result = run("filter", str(tmp_path), "-o", str(tmp_path / name), "--stats")
    assert result.returncode == 0
    assert b"kept        42,000" in result.stderr
    assert not list(tmp_path.glob("*.tmp"))


def test_parquet_goes_where_a_link_leads_and_not_in_place_of_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link.parquet").symlink_to("there.parquet")
    opslog.read(LOG).write_parquet(tmp_path / "link.parquet")
    assert (tmp_path / "link.parquet").is_symlink()
    assert pq.read_table(tmp_path / "there.parquet").num_rows == 14
    os.mkfifo(tmp_path / "pipe.parquet")
    with pytest.raises(SinkError) as raised:
        opslog.read(LOG).write_parquet(tmp_path / "pipe.parquet")
    assert (
        str(raised.value) == f"{tmp_path / 'pipe.parquet'}: is no regular file, which Parquet needs"
    )


def test_a_name_may_be_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.parquet")
    assert run("filter", "-o", name, str(LOG)).returncode == 0
    assert os.path.getsize(name) > 1000


def test_a_closed_standard_output_is_told(tmp_path: Path) -> None:
    result = shell(f"opslog filter {LOG} >&-", tmp_path)
    assert (result.returncode, result.stderr) == (2, b"opslog: -: Bad file descriptor\n")


@pytest.mark.parametrize(("name", "there"), [("out.jsonl", True), ("out.parquet", False)])
def test_terminated_it_writes_whole_records_and_no_part_of_a_parquet_file(
    name: str, there: bool, tmp_path: Path
) -> None:
    line = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] whole\n"
    path = tmp_path / name
    command = [sys.executable, "-m", "opslog", "filter", "-o", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(3 * line + line[:-10])
        process.stdin.flush()
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    assert path.exists() == there
    assert not list(tmp_path.glob("*.tmp"))
    if there:
        assert path.read_bytes().count(b'"body":"whole"') == 3
        assert path.read_bytes().count(b"\n") == 3


def changed(column: str, values: pa.Array) -> pa.RecordBatch:
    [batch] = opslog.read(LOG).batches()
    return batch.set_column(batch.schema.get_field_index(column), column, values)


@pytest.mark.parametrize(
    "column", [c.name for c in schema.COLUMNS if c.kind in ("string", "dictionary")]
)
@pytest.mark.parametrize(
    "other",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)  # fmt: skip
def test_json_lines_of_other_text_types_are_the_same(column: str, other: pa.DataType) -> None:
    [batch] = opslog.read(LOG).batches()
    if column not in batch.schema.names:
        return
    values = batch.column(column).cast(pa.string())
    if pa.types.is_dictionary(other):
        values = values.dictionary_encode()
        values = pa.DictionaryArray.from_arrays(values.indices.cast(pa.int8()), values.dictionary)
    else:
        values = values.cast(other)
    assert opslog.to_json_lines(changed(column, values)) == opslog.to_json_lines(batch)


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("process_pid", pa.int32()), ("process_pid", pa.float64()), ("severity_number", pa.int64()),
        ("timestamp", pa.timestamp("ns", "UTC")), ("http_status", pa.int16()),
    ],
)  # fmt: skip
def test_json_lines_of_other_numbers_are_the_same(column: str, other: pa.DataType) -> None:
    [batch] = opslog.read(LOG).batches()
    values = batch.column(column).cast(other)
    assert opslog.to_json_lines(changed(column, values)) == opslog.to_json_lines(batch)


def test_json_lines_of_slices_are_the_same() -> None:
    [batch] = opslog.read(LOG).batches()
    maps = batch.column("attributes")
    twice = pa.concat_arrays([maps, maps])
    sliced = pa.MapArray.from_arrays(
        pa.concat_arrays([maps.offsets]),
        twice.keys[len(maps.keys) :],
        twice.items[len(maps.keys) :],
    )
    whole = opslog.to_json_lines(batch)
    assert opslog.to_json_lines(changed("attributes", sliced)) == whole
    assert opslog.to_json_lines(batch.slice(3, 7)) == b"".join(whole.splitlines(True)[3:10])
    with pytest.raises(ValueError, match="x"):
        opslog.to_json_lines(changed("process_pid", pa.array(["x"] * 14)))


@pytest.mark.parametrize("command", ["schema", "schema --json", "formats", "completion bash"])
def test_every_command_tells_that_the_disk_is_full(command: str, tmp_path: Path) -> None:
    result = shell(f"opslog {command} > /dev/full", tmp_path)
    assert (result.returncode, result.stderr) == (2, b"opslog: -: No space left on device\n")


def test_a_file_name_reaches_the_terminal_escaped(tmp_path: Path) -> None:
    result = run("filter", str(tmp_path / "a\x1b]0;b\x07.log"))
    assert (result.returncode, b"\x1b" in result.stderr) == (2, False)
    assert b"a\\x1b]0;b\\x07.log: No such file or directory" in result.stderr


@pytest.mark.parametrize("name", ["file:///srv/lake/", "file:///srv/records.jsonl"])
def test_a_url_of_this_machine_makes_no_folder_called_file(name: str, tmp_path: Path) -> None:
    done = shell(f"opslog filter --to jsonl -o {name} '{LOG}'", tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().endswith(f"is named by its path: {name[7:]}\n")
    assert not list(tmp_path.iterdir())
