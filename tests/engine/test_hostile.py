"""Hostile input: a record or a clear error, bounded memory, no Python traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import opslog, table

COMMAND = [sys.executable, "-m", "opslog", "filter"]


def peak(path: Path, *arguments: str) -> tuple[int, int, int]:
    """Run the command on a file; return exit code, lines written and its peak memory in MiB."""
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=sys.stderr)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024\n"
        "print(done.returncode, done.stdout.count(b'\\n'), peak)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, *COMMAND, path.name, *arguments],
        capture_output=True,
        check=True,
        cwd=path.parent,  # every line of output holds the name: its length would be measured
    )
    assert out.stderr == b""
    code, lines, memory = out.stdout.split()
    return int(code), int(lines), int(memory)


HEAD = b"2024-01-01 00:00:00.000 1 INFO a.b [-] "


@pytest.mark.parametrize(
    ("name", "data", "lines"),
    [
        ("random bytes in a log", (HEAD + b"y\n") * 200 + os.urandom(1 << 20) * 20, None),
        ("100 MB without a newline", b"x" * 100_000_000, 96),
        ("100 MB without a newline behind a head", HEAD + b"x" * 100_000_000, 96),
        ("only newlines", b"\n" * 3_000_000, 300),  # of 10,000 lines each
        ("NUL runs", (b"\0" * 65536 + HEAD + b"y\n") * 100, 100),
        ("open tracebacks", b"".join(
            b"2024-01-01 00:00:00.000 %d ERROR a.b [-] head\n"
            b"2024-01-01 00:00:00.000 %d ERROR a.b Traceback (most recent call last):\n" % (i, i)
            for i in range(100_000)), 100_000),
        ("brackets", HEAD[:-4] + b"[" * 5_000_000 + b"\n", 5),
        ("a line of 97 KB", HEAD + b"z" * 97_190 + b"\n", 1),
        ("CRLF", (HEAD + b"y\r\n") * 1000, 1000),
        ("deep JSON", b'{"message": ' + b"[" * 1_000_000 + b"\n", 1),
        ("many follow-on lines", HEAD + b"y\n" + b"z\n" * 1_000_000, None),
    ],
)  # fmt: skip
def test_memory_stays_bounded_and_nothing_is_lost(
    name: str, data: bytes, lines: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.log"
    path.write_bytes(data)
    code, found, memory = peak(path, "--threads", "2")
    assert code == 0
    assert lines is None or found == lines
    assert memory < 300, f"{name}: {memory} MiB"


def test_nul_bytes_before_a_line_do_not_hide_it() -> None:
    [row] = table(b"\0" * 100 + HEAD + b"y\r\n").to_pylist()
    assert (row["body"], row["severity_text"]) == ("y", "INFO")


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    [row] = table(HEAD + b"caf\xe9 \xed\xa0\x80 \xc3\xa9\n").to_pylist()
    assert row["body"] == "caf� ��� é"


def test_an_unreadable_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "locked.log"
    path.write_bytes(HEAD)
    path.chmod(0)
    result = opslog("filter", str(path))
    if os.geteuid() == 0:
        assert result.returncode == 0  # root reads everything
    else:
        assert result.returncode == 2
        assert result.stderr.decode() == f"opslog: {path}: Permission denied\n"


def test_control_characters_are_escaped_in_json() -> None:
    out = opslog("filter", stdin=HEAD + b"\x1b]0;title\x07\n").stdout
    assert b'"body":"\\u001b]0;title\\u0007"' in out
