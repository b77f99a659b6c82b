"""Counting records, and stopping after the first ones: grep -c and head."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet
import pytest

import opslog as library
from helpers import ROOT, opslog
from opslog.model.errors import OpslogError, SourceError

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
LINE = "2024-01-01 00:00:00.%03d %d INFO nova.api [-] " + 160 * "x" + "\n"
COUNT = 40_000
TEXT = "".join(LINE % (number % 1000, number) for number in range(COUNT))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two logs of two blocks each."""
    folder = tmp_path_factory.mktemp("logs")
    paths = [folder / "a.log", folder / "b.log"]
    for path in paths:
        path.write_text(TEXT)
    return list(map(str, paths))


@pytest.mark.parametrize("keep", [[], ["--severity", "WARNING"], ["--severity", "CRITICAL"]])
def test_the_count_is_the_number_of_lines(keep: list[str], logs: list[str]) -> None:
    lines = opslog("filter", *keep, LOG, *logs)
    count = opslog("filter", *keep, "-c", LOG, *logs)
    assert count.stdout == b"%d\n" % lines.stdout.count(b"\n")
    assert count.returncode == lines.returncode


@pytest.fixture(scope="module")
def every(logs: list[str]) -> list[bytes]:
    """All lines that there are."""
    return opslog("filter", LOG, *logs).stdout.splitlines(keepends=True)


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("number", [1, 14, 15, COUNT + 14, COUNT + 15, 999_999])
def test_a_limit_is_head(number: int, threads: str, logs: list[str], every: list[bytes]) -> None:
    arguments = ["--threads", threads, "-n", str(number), LOG, *logs]
    assert opslog("filter", *arguments).stdout == b"".join(every[:number])


@pytest.mark.parametrize("number", [14, 25_000, 999_999])
def test_a_limit_limits_the_count(number: int, logs: list[str]) -> None:
    count = opslog("filter", "-c", "-n", str(number), LOG, *logs)
    assert count.stdout == b"%d\n" % min(number, 2 * COUNT + 14)


def test_a_limit_counts_kept_records_in_every_format(tmp_path: Path) -> None:
    keep = ["--severity", "WARNING", "-n", "1", LOG]
    opslog("filter", "-o", str(tmp_path / "x.parquet"), *keep)
    assert pyarrow.parquet.read_table(tmp_path / "x.parquet")["severity_text"].to_pylist() == [
        "WARNING"
    ]
    stream = pyarrow.ipc.open_stream(io.BytesIO(opslog("filter", "--to", "arrow", *keep).stdout))
    assert stream.read_all().num_rows == 1
    assert opslog("filter", "--to", "text", *keep).stdout.count(b"\n") == 1


@pytest.mark.parametrize("number", [14, 27_000, 999_999])
def test_merged_records_are_limited_and_counted_too(number: int, logs: list[str]) -> None:
    arguments = ["--merge", LOG, *logs]
    for output in ([], ["--to", "text"]):
        every = opslog("filter", *output, *arguments).stdout.splitlines(keepends=True)
        first = opslog("filter", *output, "-n", str(number), "--stats", *arguments)
        # The traceback of the only error is folded to a line of its own.
        records = [line for line in every if not line.startswith(b" ")]
        wanted = b"".join(every) if number > len(records) else b"".join(records[:number])
        assert first.stdout == wanted
        assert first.stderr.split()[-1] == f"{min(number, len(records)):,}".encode()
    count = opslog("filter", "-c", "-n", str(number), *arguments)
    assert count.stdout == b"%d\n" % min(number, 2 * COUNT + 14)


def test_no_record_is_a_limit_too_and_nothing_is_read() -> None:
    result = opslog("filter", "-n", "0", "--stats", "/no/such/file")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode().splitlines()[1].split() == ["total", "0", "0", "0"]


def test_stats_say_what_was_read_though_more_was_there(logs: list[str]) -> None:
    result = opslog("filter", "-n", "3", "--stats", "--threads", "1", *logs)
    counts = {line.split()[0]: line.split()[1:] for line in result.stderr.decode().splitlines()}
    records, _, size = (int(number.replace(",", "")) for number in counts["total"])
    assert 3 < records < COUNT
    assert 3_000_000 < size <= 4 * 1024 * 1024
    assert counts["kept"] == ["3"]


@pytest.mark.parametrize("threads", ["1", "4"])
def test_sources_behind_the_last_record_are_not_complained_about(
    threads: str, logs: list[str], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(TEXT.encode())[:-9])
    arguments = ["--threads", threads, "-c"]
    assert opslog("filter", *arguments, "-n", "9", LOG, "/no/such").returncode == 0
    assert opslog("filter", *arguments, "-n", "9", str(damaged), "/no/such").returncode == 0
    found = opslog("filter", *arguments, "-n", "9", "/no/such", LOG)
    assert (found.returncode, found.stdout) == (2, b"9\n")
    assert found.stderr == b"opslog: /no/such: No such file or directory\n"


def test_the_library_limits_what_it_is_asked_for() -> None:
    assert len(list(library.read(LOG).limit(3))) == 3
    assert library.read(LOG).limit(3).limit(5).to_table().num_rows == 3
    assert library.read(LOG).limit(99).to_table().num_rows == 14
    assert library.read("/no/such").limit(0).to_table().num_rows == 0
    with pytest.raises(SourceError):
        library.read("/no/such").limit(1).to_table()
    with pytest.raises(OpslogError, match="limit: expected a number from 0, found -1"):
        library.read(LOG).limit(-1)


@pytest.mark.parametrize("number", ["x", "-1", "1.5", ""])
def test_a_limit_that_is_no_number_is_an_error(number: str) -> None:
    result = opslog("filter", f"--limit={number}", LOG)
    assert result.returncode == 2
    assert result.stderr.decode() == (
        f"opslog: -n/--limit: expected a number from 0, found {number!r}; "
        "`opslog filter --help` says more\n"
    )
