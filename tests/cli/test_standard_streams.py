"""Standard output and standard error that take nothing: trouble stays trouble, and is told once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a shell's line in which $opslog is the command."""
    return subprocess.run(
        ["sh", "-c", command.replace("$opslog", f"{sys.executable} -m opslog")],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip


@FULL
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("filter no.log", 2),
        ("filter --no-such-flag", 2),
        (f"filter --stats no.log {LOG}", 2),
        (f"filter --stats {LOG}", 0),
        (f"filter --severity CRITICAL {LOG}", 1),
    ],
)
@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_what_cannot_be_said_changes_no_exit_code(
    command: str, code: int, stream: str, tmp_path: Path
) -> None:
    assert shell(f"$opslog {command} {stream}", tmp_path).returncode == code


@FULL
@pytest.mark.parametrize(
    "command", ["--help", "--version", "filter --help", f"stats {LOG}", f"doctor {LOG}"]
)
def test_an_output_that_is_full_is_told_once(command: str, tmp_path: Path) -> None:
    result = shell(f"$opslog {command} > /dev/full", tmp_path)
    assert (result.returncode, result.stderr) == (2, b"opslog: -: No space left on device\n")


@FULL
def test_of_two_troubles_both_are_told(tmp_path: Path) -> None:
    result = shell("$opslog stats no.log > /dev/full", tmp_path)
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [
        "opslog: no.log: No such file or directory",
        "opslog: -: No space left on device",
    ]


def test_an_error_is_told_as_what_it_is_and_not_as_that_of_the_output(tmp_path: Path) -> None:
    program = (
        "import os, resource; from opslog.cli import main; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (os.dup(0), 4096)); "
        "raise SystemExit(main(['filter']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, b"")
    # That of a format file, here.
    assert re.fullmatch(rb"opslog: /.*: Too many open files\n", result.stderr)


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        (f"filter -c {LOG}", 0, "14\n", ""),
        (f"filter -c -o {{}}/count {LOG}; cat {{}}/count", 0, "14\n", ""),
        ("filter -c a.log", 2, "0\n", "opslog: a.log: No such file or directory\n"),
        (f"filter -o out.jsonl {LOG}", 2, "", "opslog: out.jsonl: No such file or directory\n"),
        (f"filter --metrics m {LOG}", 2, "", "opslog: m: No such file or directory\n"),
        (f"filter -f --checkpoint c {LOG}", 2, "",
         "opslog: c: the checkpoint cannot be kept there: No such file or directory\n"),
        (f"requests --to jsonl -n 1 {LOG} | wc -l", 0, "1\n", ""),
    ],
)  # fmt: skip
def test_in_a_folder_that_was_removed_whole_paths_work(
    command: str, code: int, out: str, err: str, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    result = shell(f"rmdir ../gone && $opslog {command.replace('{}', str(tmp_path))}", gone)
    assert (result.returncode, result.stdout.decode(), result.stderr.decode()) == (code, out, err)
