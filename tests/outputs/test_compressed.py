"""Outputs that are compressed: read by the programs that everybody has."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import opslog
from helpers import ROOT
from helpers import opslog as command

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "arrow", "txt"])
@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_it_holds_what_the_plain_file_holds(kind: str, suffix: str, tmp_path: Path) -> None:
    plain, packed = tmp_path / f"out.{kind}", tmp_path / f"out.{kind}{suffix}"
    for path in (plain, packed, packed):  # it replaces its own
        assert command("filter", "-o", str(path), LOG).stderr == b""
    with pa.CompressedInputStream(str(packed), {".gz": "gzip", ".zst": "zstd"}[suffix]) as stream:
        assert stream.read() == plain.read_bytes()


def test_a_foreign_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "nova.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    run = command("filter", "-o", str(path), LOG)
    assert (run.returncode, gzip.decompress(path.read_bytes())) == (2, b'{"a": 1}\n')
    assert b"expected JSON lines of records, compressed by gzip or no file" in run.stderr


def test_parquet_and_lines_to_be_added_are_refused(tmp_path: Path) -> None:
    run = command("filter", "-o", str(tmp_path / "x.parquet.gz"), LOG)
    assert b"parquet is not compressed as a whole: leave .gz out" in run.stderr
    with pytest.raises(opslog.SinkError, match="nothing can be appended"):
        opslog.read(LOG).write(tmp_path / "x.jsonl.gz", "jsonl", append=True)


def test_a_run_that_is_stopped_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.gz"
    run = subprocess.Popen(
        [sys.executable, "-m", "opslog", "filter", "-o", str(path), "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdin
    assert run.stderr
    run.stdin.write(Path(LOG).read_bytes())
    run.stdin.flush()
    while not any(tmp_path.iterdir()):
        pass
    run.send_signal(signal.SIGINT)
    said = run.stderr.read()
    run.stdin.close()
    run.stderr.close()
    assert run.wait() == 130
    assert b"not written, because it would not be complete" in said
    assert list(tmp_path.iterdir()) == []
