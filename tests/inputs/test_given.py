"""Bytes and file objects as sources."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import socket
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import opslog
from any_logs import LOGS
from helpers import ROOT
from opslog import sql
from opslog.inputs.given import Given, brought
from opslog.inputs.paths import Sources
from opslog.model.errors import OpslogError, SinkError, SourceError
from opslog.trace import trace

BOOT = ROOT / "docs" / "examples" / "boot"
TEXT = (BOOT / "nova-compute.log").read_bytes()
LINE = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] number %06d\n"


class OnlyRead:
    """What some libraries give: bytes, and nothing else that file objects have."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        """Return some bytes."""
        return self._file.read(min(size, 1000))


class OnlyReadInto:
    """The same, into a buffer."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readinto(self, room: memoryview) -> int:
        """Fill some of a buffer."""
        return self._file.readinto(room[:1000])


def piped(data: bytes) -> Any:
    """Return the end of a pipe with these bytes, which are fewer than it holds."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as file:
        file.write(data)
    return os.fdopen(read, "rb")


def sent(data: bytes) -> Any:
    """Return a socket's file, likewise."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(data)
        return here.makefile("rb")


WAYS: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "BytesIO": io.BytesIO,
    "gzip": lambda data: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data))),
    "read": OnlyRead,
    "readinto": OnlyReadInto,
    "pipe": piped,
    "socket": sent,
}
ONCE = ("read", "readinto", "pipe", "socket")


def same(logs: opslog.Logs, path: Path) -> bool:
    """Whether logs have the records of a file, but for the name of that."""
    ours, theirs = logs.to_table(), opslog.read(path).to_table()
    return [{**row, "source": ""} for row in ours.to_pylist()] == [
        {**row, "source": ""} for row in theirs.to_pylist()
    ]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_given_has_the_records_of_a_file_of_these_bytes(way: str) -> None:
    assert same(opslog.read(WAYS[way](TEXT), name="nova-compute.log"), BOOT / "nova-compute.log")


@given(data=LOGS)
def test_bytes_have_the_records_of_a_file_of_them(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(data)
    found: list[Any] = []
    for source in (path, data, OnlyRead(data)):
        named = {} if source is path else {"name": str(path)}
        try:
            found.append(opslog.read(source, year=2026, **named).to_table().to_pylist())
        except SourceError as error:
            found.append(error.reason)
    assert found[0] == found[1]
    assert found[2] == found[1] or "is no log" in found[1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_content_is_recognised(way: str, pack: Callable[[bytes], bytes]) -> None:
    path = BOOT / "nova-compute.log"
    assert same(opslog.read(WAYS[way](pack(TEXT)), name="nova-compute.log"), path)


@pytest.mark.parametrize("way", WAYS)
def test_the_members_of_an_archive_are_sources(way: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(BOOT, "var/log/nova")
    logs = opslog.read(WAYS[way](packed.getvalue()), name="cmp1.tar.gz")
    table = logs.to_table(["source", "host_name"])
    assert len(table) == 8
    sources = {"nova-api", "nova-compute", "neutron-server"}
    assert set(table["source"].to_pylist()) == {
        f"cmp1.tar.gz!/var/log/nova/{name}.log" for name in sources
    }
    assert set(table["host_name"].to_pylist()) == {"cmp1"}


def test_the_name_tells_program_host_and_zone() -> None:
    logs = opslog.read(
        TEXT, name="cmp1/nova/nova-compute.log", timezone={"*/nova/*": "Europe/Berlin"}
    )
    record = logs.first()
    assert record is not None
    assert record.timestamp is not None
    assert (record.program, record.timestamp.hour) == ("nova-compute", 9)
    assert record.source == "cmp1/nova/nova-compute.log"


def test_without_a_name_a_source_is_called_as_the_object_calls_itself() -> None:
    with (BOOT / "nova-api.log").open("rb") as file:
        assert {one.source for one in opslog.read(file)} == {str(BOOT / "nova-api.log")}
    assert {one.source for one in opslog.read(TEXT)} == {"<bytes>"}
    assert {one.source for one in opslog.read(io.BytesIO(TEXT))} == {"<BytesIO>"}


@pytest.mark.parametrize("name", ["-", "/etc", "s3://bucket/x.log", "*.log", "a!/b", "https://x/y"])
def test_a_name_is_only_a_name(name: str) -> None:
    logs = opslog.read(TEXT, name=name)
    assert {one.source for one in logs} == {name}
    assert sum(part.count() for part in logs.parts()) == logs.count() == 3
    assert len(logs.tail(2).to_table()) == 2


@pytest.mark.parametrize("way", WAYS)
def test_only_what_can_seek_is_read_twice(way: str) -> None:
    logs = opslog.read(WAYS[way](TEXT))
    assert logs.count() == 3
    if way not in ONCE:
        assert logs.count() == 3
        assert logs.with_requests("severity >= ERROR").count() == 3
        return
    with pytest.raises(SourceError, match=r"was read before, and can be read only once"):
        logs.count()
    with pytest.raises(SourceError, match="must be read twice"):
        opslog.read(WAYS[way](TEXT)).with_requests("severity >= ERROR").count()


def test_the_object_stays_open_and_is_read_from_where_it_stood() -> None:
    begin = TEXT.index(b"\n") + 1
    file = io.BytesIO(TEXT)
    file.seek(begin)
    logs = opslog.read(file)
    file.seek(7)
    assert [logs.count(), logs.count()] == [2, 2]
    assert not file.closed
    assert file.seek(0) == 0


def test_several_at_once() -> None:
    files = []
    for path in sorted(BOOT.iterdir()):
        file = io.BytesIO(path.read_bytes())
        file.name = path.name  # type: ignore[attr-defined]
        files.append(file)
    logs = opslog.read(*files, merge=True)
    times = logs.to_table(["timestamp"])["timestamp"].to_pylist()
    assert times == sorted(times)
    assert len(times) == 8
    request = "req-0b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90"
    ours, theirs = (trace(one, request).records for one in (logs, opslog.read(BOOT)))
    assert [one.body for one in ours] == [one.body for one in theirs]
    assert opslog.read(TEXT, BOOT / "nova-api.log").count() == 5
    with pytest.raises(OpslogError, match=r"two sources are called '<bytes>'"):
        opslog.read(TEXT, TEXT)


def test_a_record_tells_of_which_source_it_is() -> None:
    whole = brought(TEXT, "cmp1.tar")
    sources = Sources((whole, "b"), (whole, "b"))
    for name in ("cmp1.tar", "cmp1.tar!/nova/nova-api.log"):
        (alone,) = sources.alone(name).names
        assert isinstance(alone, Given)
        assert (alone, alone.content) == (name, whole.content)
    assert not isinstance(sources.alone("b").names[0], Given)


def test_a_parquet_file_is_a_source_too(tmp_path: Path) -> None:
    opslog.read(BOOT).write_parquet(tmp_path / "boot.parquet")
    data = (tmp_path / "boot.parquet").read_bytes()
    assert same(opslog.read(data), tmp_path / "boot.parquet")
    assert same(opslog.read(io.BytesIO(data)), tmp_path / "boot.parquet")


def test_a_member_of_a_zip_file() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nova-compute.log", TEXT)
    with zipfile.ZipFile(packed) as archive, archive.open("nova-compute.log") as file:
        assert same(opslog.read(file), BOOT / "nova-compute.log")


def test_what_comes_through_a_pipe_leaves_before_its_end() -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as file, os.fdopen(write, "wb", buffering=0) as into:
        into.write(TEXT)
        batches = opslog.read(file, hold=0.05).batches()
        assert sum(len(next(batches)) for _ in range(1)) > 0
        into.close()
        list(batches)


@pytest.mark.parametrize("file", [io.StringIO("x"), io.TextIOWrapper(io.BytesIO(b"x"))])
def test_a_text_file_is_an_error_that_says_what_to_do(file: Any) -> None:
    with pytest.raises(OpslogError, match="open it with 'rb', or give its buffer"):
        opslog.read(file)


def test_what_cannot_be_read_is_an_error_at_once(tmp_path: Path) -> None:
    with (
        (tmp_path / "nova.log").open("wb") as file,
        pytest.raises(OpslogError, match=r"nova\.log', which was not: open it with 'rb'"),
    ):
        opslog.read(file)
    with pytest.raises(OpslogError, match="cannot be read: I/O operation on closed file"):
        opslog.read(file)
    assert opslog.read(b"").count() == 0


def test_an_object_that_is_closed_meanwhile_is_an_error() -> None:
    file = io.BytesIO(TEXT)
    logs = opslog.read(file)
    file.close()
    with pytest.raises(SourceError, match="closed file") as raised:
        logs.count()
    assert type(raised.value.path) is str  # the error does not hold what was read


def test_questions_in_sql_are_asked_of_bytes_and_once_of_a_pipe() -> None:
    question = "SELECT count(*) AS n FROM records"
    assert sql.query(opslog.read(TEXT), question).read_all().to_pylist() == [{"n": 3}]
    assert sql.query(opslog.read(piped(TEXT)), question).read_all().to_pylist() == [{"n": 3}]
    with pytest.raises(OpslogError, match="can be read only once"):
        sql.query(opslog.read(piped(TEXT)), f"{question} UNION ALL {question}").read_all()


@pytest.mark.parametrize("thing", [1, None, object(), ["a.log"]])
def test_what_is_no_source_is_an_error(thing: Any) -> None:
    with pytest.raises(OpslogError, match=f"found {type(thing).__name__}"):
        opslog.read(thing)


def test_a_name_is_for_one_object() -> None:
    with pytest.raises(OpslogError, match="name: expected bytes or a file object"):
        opslog.read(BOOT, name="x")
    with pytest.raises(OpslogError, match="name: expected bytes or a file object"):
        opslog.read(TEXT, TEXT, name="x")
    with pytest.raises(OpslogError, match="follow: expected files of this machine"):
        opslog.read(TEXT, follow=True)


class Failing(OnlyRead):
    """Gives some bytes and then raises, or gives what is no bytes."""

    def __init__(self, then: Any) -> None:
        super().__init__(TEXT[:300])
        self._then = then

    def read(self, size: int) -> Any:
        """Return what there is, then fail."""
        if data := super().read(size):
            return data
        if isinstance(self._then, Exception):
            raise self._then
        return self._then


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer"),
        (ValueError("of its own"), "of its own"),
        (RuntimeError(), "RuntimeError"),
        ("text", "gives text, expected bytes"),
        (None, "expected a file object that waits"),
        (b"x" * (5 << 20), "more than it was asked for"),
    ],
)
def test_what_cannot_be_read_on_is_told_behind_what_could(then: Any, told: str) -> None:
    batches = opslog.read(Failing(then)).batches()
    assert len(next(batches)) > 0
    with pytest.raises(SourceError, match=told):
        list(batches)


def test_a_truncated_gzip_file_object_is_an_error() -> None:
    file = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(TEXT)[:-30]))
    with pytest.raises(SourceError, match="end-of-stream"):
        opslog.read(file).to_table()


def test_an_output_that_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nova.jsonl"
    opslog.read(TEXT).write_jsonl(path)
    with path.open("rb") as file, pytest.raises(SinkError, match="is also an input"):
        opslog.read(file).write_jsonl(path)
    # A name alone is no file.
    assert opslog.read(path.read_bytes(), name=str(path)).write_jsonl(path).kept == 3


def test_logs_of_bytes_are_pickled() -> None:
    logs = pickle.loads(pickle.dumps(opslog.read(TEXT, name="nova-compute.log")))
    assert logs.count() == 3


class Endless:
    """A file object of many lines, made as they are read."""

    def __init__(self, lines: int) -> None:
        self._left = lines
        self._made = b""

    def read(self, size: int) -> bytes:
        """Return what there is of some lines."""
        if not self._made:
            count = min(self._left, 1000)
            self._left -= count
            self._made = b"".join(LINE % number for number in range(count))
        data, self._made = self._made[:size], self._made[size:]
        return data


def test_memory_does_not_grow_with_what_is_read() -> None:
    peaks = []
    for lines in (200_000, 800_000):
        tracemalloc.start()
        assert opslog.read(Endless(lines)).count() == lines
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + (1 << 20)
