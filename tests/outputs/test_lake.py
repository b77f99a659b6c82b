"""A table that runs add to: Delta's commits are whole, whatever becomes of who writes or compacts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import deltalake
import pytest

import opslog
from helpers import ROOT

LOG = ROOT / "docs" / "examples" / "nova-compute.log"


def test_logs_are_appended_as_they_are(tmp_path: Path) -> None:
    logs = opslog.read(LOG)
    for count in range(1, 3):
        deltalake.write_deltalake(tmp_path / "lake", logs, mode="append")
        table = deltalake.DeltaTable(tmp_path / "lake")
        assert table.count() == 14 * count
    found = table.to_pyarrow_table(columns=["body", "severity_number", "attributes"]).slice(0, 14)
    wanted = logs.to_table(["body", "severity_number", "attributes"])
    assert found.to_pylist() == wanted.to_pylist()


def test_what_cannot_be_read_to_its_end_adds_nothing(tmp_path: Path) -> None:
    deltalake.write_deltalake(tmp_path / "lake", opslog.read(LOG), mode="append")
    with pytest.raises(Exception, match=r"none\.log"):
        deltalake.write_deltalake(
            tmp_path / "lake", opslog.read(LOG, tmp_path / "none.log"), mode="append"
        )
    assert deltalake.DeltaTable(tmp_path / "lake").count() == 14


def test_a_killed_append_adds_nothing_and_the_next_one_all(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    (tmp_path / "a.log").write_bytes(LOG.read_bytes() * 3000)
    deltalake.write_deltalake(lake, opslog.read(LOG), mode="append")
    code = (
        "import os, sys, deltalake, opslog, pyarrow as pa\n"
        "reader = opslog.read(sys.argv[1]).reader()\n"
        "def batches():\n"
        "    yield from (reader.read_next_batch() for _ in range(3))\n"
        "    os.kill(os.getpid(), 9)\n"
        "rows = pa.RecordBatchReader.from_batches(reader.schema, batches())\n"
        "deltalake.write_deltalake(sys.argv[2], rows, mode='append', target_file_size=100_000)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.log"), str(lake)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert deltalake.DeltaTable(lake).count() == 14
    deltalake.write_deltalake(lake, opslog.read(tmp_path / "a.log"), mode="append")
    assert deltalake.DeltaTable(lake).count() == 14 * 3001


def test_who_reads_while_it_is_compacted_sees_each_record_once(tmp_path: Path) -> None:
    for _ in range(4):
        deltalake.write_deltalake(tmp_path / "lake", opslog.read(LOG), mode="append")
    before = deltalake.DeltaTable(tmp_path / "lake")
    compacted = deltalake.DeltaTable(tmp_path / "lake")
    deltalake.write_deltalake(tmp_path / "lake", opslog.read(LOG), mode="append")  # meanwhile
    assert compacted.optimize.compact()["numFilesRemoved"] == 4
    assert before.to_pyarrow_table().num_rows == 4 * 14
    now = deltalake.DeltaTable(tmp_path / "lake")
    assert (now.to_pyarrow_table().num_rows, len(now.file_uris())) == (5 * 14, 2)
