"""What cannot be read to its end is told, whatever the source and its way; what can be is read."""

from __future__ import annotations

import bz2
import ctypes
import gzip
import lzma
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import opslog
from helpers import opslog as run
from opslog.inputs.source import Source
from opslog.model.errors import OpslogError, SourceError, SourceErrors

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE = b"2024-01-01 00:00:00.000 1 INFO nova.api [req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce - - - - -] number %06d\n"
TEXT = b"".join(LINE % (n * 7919 % 999_983) for n in range(20_000))
ENTRY = b"__CURSOR=s=1\nPRIORITY=6\nMESSAGE=%s\n\n" % (b"x" * 50)
COMMANDS = (
    ("filter", "--to", "jsonl"), ("filter", "--root"), ("filter", "--merge", "--to", "jsonl"),
    ("filter", "--severity", "INFO", "--with-requests"),
    ("filter", "--severity", "INFO", "--with-resources"),
    ("stats",), ("events",), ("requests",), ("resources",), ("doctor",),
    ("trace", "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"),
)  # fmt: skip


def broken(data: bytes) -> socket.socket:
    """Return a socket that gives ``data`` and is then reset by its peer."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, len(data))
    theirs.send(b"never read")
    ours.sendall(data)
    ours.close()
    return theirs


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress, lambda text: ENTRY * 999,
     lambda text: text[:99_999].decode().encode("utf-16")],
    ids=["plain", "gz", "bz2", "xz", "zst", "export", "utf16"],
)  # fmt: skip
def test_a_connection_that_is_reset_is_told(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TEXT)
    for command in (("filter", "-c"), ("stats",)):
        with broken(packed[: min(len(packed) // 2, 100_000)]) as stdin:
            result = subprocess.run(
                [sys.executable, "-m", "opslog", *command],
                stdin=stdin,
                capture_output=True,
                check=False,
            )
        assert result.stderr == b"opslog: -: Connection reset by peer\n"
        assert result.returncode == 2
        assert command[0] == "stats" or int(result.stdout) > 100


def test_a_connection_that_is_reset_is_told_though_files_are_followed() -> None:
    with broken(gzip.compress(TEXT)[:100_000]) as stdin:
        result = subprocess.run(
            [sys.executable, "-m", "opslog", "filter", "-f", "-c"], stdin=stdin,
            capture_output=True, check=False,
        )  # fmt: skip
    assert result.stderr == b"opslog: -: Connection reset by peer\n"
    assert result.returncode == 2
    assert int(result.stdout) > 100


def unprivileged() -> None:
    """Have permissions count for root, too, in what is executed."""
    if os.geteuid() == 0:
        drop = 24
        for capability in (1, 2):  # to override permissions
            assert ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0) == 0


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_reads_what_it_can_and_tells_the_rest(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(LINE % 1)
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "unsearchable").mkdir()
    (tmp_path / "unsearchable" / "b.log").write_bytes(LINE % 2)
    (tmp_path / "unsearchable").chmod(0o444)
    (tmp_path / "secret.log").write_bytes(LINE % 3)
    (tmp_path / "secret.log").chmod(0)
    (tmp_path / "z.log.gz").write_bytes(gzip.compress(LINE)[:-4])
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    arguments = [sys.executable, "-m", "opslog", *command, str(tmp_path), "missing.log"]
    result = subprocess.run(
        arguments, capture_output=True, cwd=tmp_path, preexec_fn=unprivileged, check=False
    )
    said = result.stderr.decode().splitlines()
    assert said[:4] == [
        f"opslog: {tmp_path}/closed: Permission denied",
        f"opslog: {tmp_path}/secret.log: Permission denied",
        f"opslog: {tmp_path}/unsearchable/b.log: Permission denied",
        "opslog: missing.log: No such file or directory",
    ]
    packed = f"opslog: {tmp_path}/z.log.gz: the gzip data ends too early; the lines before that were read"
    assert said[4:] == ([] if command == ("doctor",) else [packed])
    assert result.returncode == 2
    if command[0] not in ("events", "resources"):
        assert any(told in result.stdout for told in (b"req-7822cfee", b"nova", b"a.log"))


def test_what_is_missing_is_said_before_the_reading(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "opslog", "filter", "-c", str(fifo), "missing.log"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == b"opslog: missing.log: No such file or directory\n"
        fifo.write_bytes(LINE % 1)
        assert process.communicate() == (b"1\n", b"")
    assert process.returncode == 2


def test_errors_of_several_sources_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINE % 1)
    logs = opslog.read(tmp_path / "x", tmp_path / "a.log", tmp_path / "y")
    for caught in (OpslogError, SourceError, SourceErrors, ExceptionGroup):
        with pytest.raises(caught):
            logs.to_table()
    with pytest.raises(SourceErrors) as found:
        logs.graph()
    again = pickle.loads(pickle.dumps(found.value))
    for error in (found.value, again):
        assert [one.path for one in error.exceptions] == [str(tmp_path / "x"), str(tmp_path / "y")]
        assert error.path == str(tmp_path / "x")
    left: list[str] = []
    try:
        raise found.value
    except* SourceError as group:
        left += [one.reason for one in group.exceptions]
    assert left == ["No such file or directory"] * 2
    mine, others = found.value.split(lambda one: getattr(one, "path", "") == str(tmp_path / "y"))
    assert isinstance(mine, SourceErrors)
    assert isinstance(others, SourceErrors)


def test_the_name_of_no_file_is_an_error() -> None:
    with pytest.raises(SourceError, match="null byte"):
        opslog.read("a\0b").to_table()


def test_a_damaged_file_is_no_damaged_disk(tmp_path: Path) -> None:
    """bzip2's unpacker raises OSError, as reading does."""
    path = tmp_path / "x"
    path.symlink_to("/proc/self/mem")
    result = run("filter", str(path))
    assert (result.returncode, result.stderr) == (
        2,
        f"opslog: {path}: Input/output error\n".encode(),
    )


def written_anew(path: Path) -> None:
    os.truncate(path, 0)
    path.write_bytes(b"other line\n" * 900)


CUTS: dict[str, Callable[[Path], None]] = {
    "to nothing": lambda path: os.truncate(path, 0),
    "before what was read": lambda path: os.truncate(path, 300),
    "where it was read to": lambda path: os.truncate(path, 1000),
    "behind what was read": lambda path: os.truncate(path, 2000),
    "and written anew": written_anew,
}


class Reading:
    """A source of which 1000 bytes are read, and the rest when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._source = Source(str(path))
        self.found = b""
        while len(self.found) < 1000 and self._read(1000 - len(self.found)):
            pass

    def _read(self, most: int) -> int:
        room = memoryview(bytearray(most))
        count = self._source.read_into(room)
        self.found += room[:count]
        return count

    def rest(self) -> None:
        """Read to the end."""
        try:
            while self._read(700):
                pass
        finally:
            self._source.close()


@pytest.mark.parametrize("cut", CUTS)
def test_a_file_that_is_truncated_while_it_is_read_is_told(cut: str, tmp_path: Path) -> None:
    """What comes out is what stood there, up to some byte."""
    path = tmp_path / "a.log"
    data = b"".join(b"line %d\n" % n for n in range(500))
    path.write_bytes(data)
    reading = Reading(path)
    CUTS[cut](path)
    with pytest.raises(SourceError, match=r"of [\d,]+ bytes [\d,]+ had been read"):
        reading.rest()
    assert data.startswith(reading.found)
    assert len(reading.found) >= 1000


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    data = b"".join(b"line %d\n" % n for n in range(500))
    path.write_bytes(data)
    reading = Reading(path)
    with path.open("ab") as file:
        file.write(data)
    reading.rest()
    assert reading.found == 2 * data
