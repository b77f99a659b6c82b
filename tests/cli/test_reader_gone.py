"""A run that waits for input ends when nobody reads its output any more, as tail -f does."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from live_run import DEADLINE, heads

COMMAND = [sys.executable, "-m", "opslog", "filter"]

QUIET = {
    "a followed file": ["-f", "{log}"],
    "a followed file of which no record is kept": ["-f", "--severity", "CRITICAL", "{log}"],
    "a followed file that does not exist yet": ["-f", "{log}.new"],
    "files with a checkpoint": ["-f", "--checkpoint", "{log}.state", "{log}"],
    "standard input": ["-"],
    "standard input among followed files": ["-f", "-", "{log}"],
    "stages": ["-f", "--dedup", "{log}"],
    "several threads": ["-f", "--threads", "2", "{log}"],
    "an Arrow stream": ["-f", "--to", "arrow", "{log}"],
}


def _arguments(case: str, folder: Path) -> list[str]:
    log = folder / "a.log"
    log.write_bytes(heads(0, 2))
    return [argument.format(log=log) for argument in QUIET[case]]


@pytest.mark.parametrize("case", QUIET)
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_live_run_ends_with_its_reader(kind: str, case: str, tmp_path: Path) -> None:
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (one.detach() for one in socket.socketpair())
    with subprocess.Popen(
        [*COMMAND, *_arguments(case, tmp_path)],
        stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.PIPE,
    ) as run:  # fmt: skip
        os.close(writer)
        if case == "standard input":
            assert run.stdin
            run.stdin.write(heads(0, 2))
            run.stdin.flush()
        if not {"CRITICAL", "{log}.new"} & set(QUIET[case]):
            os.read(reader, 1)
        os.close(reader)
        assert run.wait(DEADLINE) == 0
        assert run.stderr
        said = run.stderr.read().decode()
        assert [line for line in said.splitlines() if "No such file" not in line] == []


def test_standard_input_that_never_says_anything(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout
        run.stdout.close()
        assert run.wait(DEADLINE) == 0
        assert run.stderr
        assert run.stderr.read() == b""


def test_a_named_pipe_ends_with_its_reader(tmp_path: Path) -> None:
    pipe = tmp_path / "out.jsonl"
    os.mkfifo(pipe)
    arguments = [*_arguments("a followed file", tmp_path), "-o", str(pipe)]
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE) as run:
        assert select.select([reader], [], [], DEADLINE)[0]
        assert b"n0" in os.read(reader, 4096)
        os.close(reader)
        assert run.wait(DEADLINE) == 0
        assert run.stderr
        assert run.stderr.read() == b""


def test_what_was_done_before_the_reader_went_is_not_done_again(tmp_path: Path) -> None:
    arguments = _arguments("files with a checkpoint", tmp_path)
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE) as run:
        assert run.stdout
        assert b"n0" in run.stdout.readline()
        assert b"n1" in run.stdout.readline()
        checkpoint = tmp_path / "a.log.state"
        size = (tmp_path / "a.log").stat().st_size
        while not checkpoint.exists() or f'"offset": {size}' not in checkpoint.read_text():
            assert run.poll() is None
        run.stdout.close()
        assert run.wait(DEADLINE) == 0
    with open(tmp_path / "a.log", "ab") as log:
        log.write(heads(2, 3))
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE) as run:
        assert run.stdout
        assert b"n2" in run.stdout.readline()
        run.stdout.close()
        assert run.wait(DEADLINE) == 0
