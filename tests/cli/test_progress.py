"""The bar of a long run, seen through a terminal."""

from __future__ import annotations

import bz2
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers import ROOT

LINE = b"2024-01-01 00:00:00.000 %d INFO nova.api [-] %s\n"
SHORT = str(ROOT / "docs" / "examples" / "nova-compute.log")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file that takes a second to unpack, whatever the machine."""
    lines = (LINE % (number, str(number**9).encode()) for number in range(100_000))
    path = tmp_path_factory.mktemp("long") / "nova-api.log.bz2"
    path.write_bytes(bz2.compress(b"".join(lines)) * 10)
    return str(path)


def shown(*arguments: str, stdin: bytes = b"", command: str = "filter") -> str:
    """Run the command with standard error on a terminal and return what it shows."""
    ours, theirs = pty.openpty()
    parts: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:
            pass  # Linux says so when the other side is closed.

    reader = threading.Thread(target=read)
    reader.start()
    try:
        subprocess.run(
            [sys.executable, "-m", "opslog", command, *arguments], check=True, input=stdin,
            stdout=subprocess.DEVNULL, stderr=theirs, env=os.environ | {"TERM": "xterm"},
        )  # fmt: skip
    finally:
        os.close(theirs)
    reader.join()
    return b"".join(parts).decode()


def test_a_long_run_shows_how_far_it_is(long: str) -> None:
    text = shown(long)
    size = os.path.getsize(long) / 1e6
    assert re.search(rf"\d+%.*/{size:.1f}M \[00:\d\d<.*B/s, [1-9][\d,]+ records/s\]", text)
    percents = [int(number) for number in re.findall(r"(\d+)%", text)]
    assert percents == sorted(percents)
    assert 0 <= percents[0] <= percents[-1] <= 100
    # It leaves nothing behind.
    assert text.endswith("\r")
    assert "\n" not in text


@pytest.mark.thorough
def test_the_doctor_shows_it_too(long: str) -> None:
    assert re.search(r"\d+%.*, [1-9][\d,]+ records/s\]", shown(long, command="doctor"))


@pytest.mark.thorough
def test_a_story_shows_it_in_each_reading(long: str) -> None:
    text = shown(str(99_999**9), long, command="trace")
    assert re.search(r"\d+%.*/\d.*records/s\]", text)
    assert text.endswith("\r")


def test_the_end_of_a_pipe_is_not_known(long: str) -> None:
    text = shown("-c", "-", stdin=bz2.decompress(Path(long).read_bytes()))
    assert "%" not in text


@pytest.mark.thorough
def test_no_progress_shows_nothing(long: str) -> None:
    assert shown("--no-progress", long) == ""


def test_a_short_run_shows_nothing() -> None:
    assert shown(SHORT) == ""


def test_statistics_stand_alone_behind_the_bar(long: str) -> None:
    text = shown("--stats", "-c", long).replace("\r\n", "\n")
    assert re.search(r"\r +\rformat .*\nkept +1,000,000\n$", text, re.DOTALL)
