"""The lines as they were read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given

import opslog
from any_logs import LOGS
from helpers import ROOT
from helpers import opslog as command
from opslog.inputs.compression import compressed
from opslog.inputs.text import not_text

LOG = ROOT / "docs" / "examples" / "nova-compute.log"


def test_all_lines_of_all_records_are_the_log() -> None:
    assert command("filter", "--to", "original", str(LOG)).stdout == LOG.read_bytes()


@given(data=LOGS)
def test_no_byte_is_lost_or_made(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assume(not_text(data) is None and not compressed(data))
    folder = tmp_path_factory.getbasetemp()
    (folder / "lines.log").write_bytes(data)
    batches = opslog.read(folder / "lines.log", original=True).batches(["original"])
    expected = [row.as_py() or b"" for batch in batches for row in batch.column(0)]
    opslog.read(folder / "lines.log").write(folder / "lines", "original", overwrite=True)
    found = (folder / "lines").read_bytes()
    assert found == b"".join(
        one if one.endswith(b"\n") else one + b"\n" * bool(one) for one in expected
    )


def test_a_filter_keeps_whole_records() -> None:
    found = command("filter", "--to", "original", "--severity", "ERROR", str(LOG)).stdout
    assert found in LOG.read_bytes()
    assert Counter(line.split()[3] for line in found.splitlines()) == {b"ERROR": 16}


def test_secrets_are_masked_if_asked() -> None:
    line = b"2026-03-10 10:00:00.000 1 INFO nova.x [-] password=hunter2 ok\n"
    found = command("filter", "--to", "original", "--mask", stdin=line).stdout
    assert b"hunter2" not in found
    assert found.startswith(line[:50])
    assert found.endswith(b"ok\n")


def test_a_log_is_never_replaced(tmp_path: Path) -> None:
    other = tmp_path / "other.log"
    other.write_text("a line of a log\n")
    run = command("filter", "--to", "original", "-o", str(other), str(LOG))
    assert (run.returncode, other.read_text()) == (2, "a line of a log\n")
