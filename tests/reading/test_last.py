"""The last records, and the newest."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import opslog
from any_logs import LOGS
from helpers import ROOT
from helpers import opslog as command
from opslog.inputs.compression import compressed
from opslog.inputs.text import not_text
from opslog.model.errors import OpslogError
from opslog.stats import StatsCounter

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
LINE = "2026-03-{:02d} {} 1 INFO nova.x [-] text\n"


@given(logs=st.lists(LOGS, min_size=1, max_size=3), count=st.integers(0, 9))
def test_it_is_the_end_of_all_records(
    tmp_path_factory: pytest.TempPathFactory, logs: list[bytes], count: int
) -> None:
    assume(all(not_text(data) is None and not compressed(data) for data in logs))
    folder = tmp_path_factory.getbasetemp()
    for number, data in enumerate(logs):
        (folder / f"{number}.tail").write_bytes(data)
    paths = [folder / f"{number}.tail" for number in range(len(logs))]
    for logs_read in (opslog.read(*paths), opslog.read(*paths, merge=True)):
        every = logs_read.to_table().to_pylist()
        assert logs_read.tail(count).to_table().to_pylist() == every[max(0, len(every) - count) :]


def test_it_goes_with_filters_counts_and_pipes() -> None:
    def bodies(*arguments: str, stdin: bytes = b"") -> list[bytes]:
        return command("filter", *arguments, stdin=stdin).stdout.splitlines()

    every = bodies("--severity", "INFO", "--columns", "body", str(LOG))
    given = ("--severity", "INFO", "--columns", "body", "--tail", "3")
    assert bodies(*given, str(LOG)) == every[-3:]
    assert bodies(*given, "--dedup", str(LOG)) == every[-3:]
    assert bodies(*given, stdin=LOG.read_bytes()) == every[-3:]
    assert bodies("-c", "--tail", "3", str(LOG)) == [b"3"]
    assert bodies("-c", "--tail", "300", str(LOG)) == [b"14"]


@pytest.mark.parametrize("other", [("-n", "1"), ("-f",)])
def test_what_has_no_end_is_refused(other: tuple[str, ...]) -> None:
    run = command("filter", "--tail", "1", *other, str(LOG))
    assert (run.returncode, run.stdout) == (2, b"")
    assert b"leave out" in run.stderr


def test_the_library_says_so_too() -> None:
    with pytest.raises(OpslogError, match="tail: not of logs with limit"):
        opslog.read(LOG).limit(1).tail(1)
    with pytest.raises(OpslogError, match="expected a number from 0"):
        opslog.read(LOG).tail(-1)


@pytest.mark.parametrize("first", [True, False])
def test_what_cannot_be_read_is_told_and_the_rest_is_there(first: bool, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.log")
    paths = (missing, str(LOG)) if first else (str(LOG), missing)
    run = command("filter", "--tail", "1", "--columns", "process_pid", *paths)
    assert (run.returncode, run.stdout) == (2, b'{"process_pid":2412}\n')
    assert run.stderr.decode() == f"opslog: {missing}: No such file or directory\n"


def test_of_no_records_none_are_there() -> None:
    for stage in ((), ("--mask",), ("--merge",)):
        run = command("filter", "--tail", "0", *stage, str(LOG))
        assert (run.returncode, run.stdout) == (1, b"")


def test_others_see_the_end_alone() -> None:
    counter = StatsCounter()
    counter.read(opslog.read(LOG).tail(3))
    assert counter.report().records == 3
    with pytest.raises(OpslogError, match="limit: not of logs with tail"):
        opslog.read(LOG).tail(3).limit(1)


def said(*arguments: str) -> tuple[str, str]:
    run = command("filter", "-c", *arguments)
    return run.stdout.decode().strip(), run.stderr.decode().strip()


def test_a_time_of_day_is_of_the_day_of_the_newest_record(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "new.log.gz"
    old.write_text(LINE.format(9, "09:00:00.000") + LINE.format(9, "11:00:00.000"))
    new.write_bytes(gzip.compress((LINE.format(10, "09:00:00.000") * 2).encode()))
    counted = "counted back from the newest record"
    for path in (old, new):
        os.utime(path, (2e9, 2e9))  # copied: when they were changed says nothing
    assert said("--since", "08:00", str(old), str(new)) == (
        "2", f"opslog: --since 08:00: 2026-03-10 08:00:00 UTC, {counted}",
    )  # fmt: skip
    # Of the day before, where it has not come yet.
    assert said("--since", "10:00", str(old), str(new)) == (
        "3", f"opslog: --since 10:00: 2026-03-09 10:00:00 UTC, {counted}",
    )  # fmt: skip
    assert said("--since", "23:00", "--until", "01:00", str(old), str(new))[1].splitlines() == [
        f"opslog: --since 23:00: 2026-03-09 23:00:00 UTC, {counted}",
        f"opslog: --until 01:00: 2026-03-10 01:00:00 UTC, {counted}",
    ]
    assert said("--until", "09:30", str(old)) == (
        "1", f"opslog: --until 09:30: 2026-03-09 09:30:00 UTC, {counted}",
    )  # fmt: skip
    assert said("--since", "Mar 10", str(old), str(new))[0] == "2"


def test_standard_input_that_is_a_file_is_read_twice() -> None:
    with open(LOG, "rb") as file:
        run = subprocess.run(
            [sys.executable, "-m", "opslog", "filter", "-c", "--since", "10:00:03"],
            stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    assert run.stdout == b"11\n"


def test_the_end_of_a_long_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    line = LINE.format(9, "09:00:00.000").encode()
    path.write_bytes(line * (20_000_000 // len(line)) + LINE.format(10, "09:00:00.000").encode())
    assert said("--since", "08:00", str(path))[0] == "1"
