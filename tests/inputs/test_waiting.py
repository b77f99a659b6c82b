"""A signal ends every wait for input; who writes late is read all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import wait_until_idle

DEADLINE = 60.0
LINE = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] one\n"
COMMANDS = (
    ("filter",),
    ("filter", "--merge"),
    ("filter", "--root"),
    ("stats",),
    ("events",),
    ("requests",),
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_fifo_without_a_writer_is_left_at_a_signal(
    command: tuple[str, ...], number: signal.Signals, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    arguments = [sys.executable, "-m", "opslog", *command, str(tmp_path / "fifo")]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait_until_idle(process)
        process.send_signal(number)
        assert process.wait(DEADLINE) == 128 + number
        assert process.stderr
        assert process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("start", [b"", b"\x1f", b"BZ", b"_", b"\xff", LINE[:9]])
def test_a_silent_pipe_is_left_at_a_signal(start: bytes, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "opslog", "filter"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        process.stdin.write(start)
        process.stdin.flush()
        wait_until_idle(process)
        process.send_signal(number)
        assert process.wait(DEADLINE) == 128 + number
        assert process.stderr
        assert process.stderr.read() == b""


def test_a_fifo_is_read_whoever_writes_late(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "opslog", "filter", "--to", "jsonl", str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until_idle(process)
        with open(fifo, "wb", buffering=0) as file:
            time.sleep(0.2)  # it is open, and nothing is in it
            file.write(LINE)
            time.sleep(0.2)
            file.write(LINE)
        assert process.stdout
        assert process.stdout.read().count(b"\n") == 2
    assert process.returncode == 0


def test_a_fifo_whose_writer_writes_nothing_is_empty(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "opslog", "filter", str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until_idle(process)
        fifo.write_bytes(b"")
        assert process.communicate()[0] == b""
    assert process.returncode == 1
