"""Outputs at URLs: there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import orjson
import pyarrow.parquet as pq
import pytest

import opslog
from helpers import ROOT
from opslog import SinkError, SourceError
from opslog.outputs.rolling import Roll
from opslog.outputs.sinks import Target

LOG = ROOT / "docs" / "examples" / "nova-compute.log"


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A file system, and a folder of temporary files that is empty afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    assert os.listdir(tmp_path) == []


def test_records_are_written_to_urls(memory: Any) -> None:
    logs = opslog.read(LOG)
    table = logs.to_table()
    assert logs.write_parquet("memory://lake/a.parquet").kept == len(table)
    assert pq.read_table(memory.open("/lake/a.parquet"))["body"].equals(table["body"])
    logs.write_jsonl("memory://lake/a.jsonl")
    lines = [orjson.loads(line) for line in memory.cat("/lake/a.jsonl").splitlines()]
    assert [line.get("body") for line in lines] == table["body"].to_pylist()
    for _ in range(2):  # it replaces its own
        logs.write_arrow("memory://lake/a.arrow")


def test_what_is_not_of_opslog_is_not_replaced(memory: Any) -> None:
    memory.pipe("/mine", b"mine\n")
    logs = opslog.read(LOG)
    with pytest.raises(
        SinkError,
        match=r"^memory://mine: expected JSON lines .*found 5 bytes that begin with 'mine",
    ):
        logs.write_jsonl("memory://mine")
    assert memory.cat("/mine") == b"mine\n"
    logs.write_jsonl("memory://mine", overwrite=True)
    assert memory.cat("/mine").startswith(b'{"timestamp"')


@pytest.mark.parametrize("path", ["memory://logs", "memory://logs/*.log", "memory:///logs/a.log"])
def test_what_is_read_is_not_replaced(path: str, memory: Any) -> None:
    memory.pipe("/logs/a.log", LOG.read_bytes())
    with pytest.raises(SinkError, match="is also an input"):
        opslog.read(path).write("memory://logs/a.log", "jsonl", overwrite=True)
    assert memory.cat("/logs/a.log") == LOG.read_bytes()


def test_after_a_failure_all_is_as_it_was(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opslog.read(LOG).limit(1).write_jsonl("memory://a.jsonl")
    before = memory.cat("/a.jsonl")

    def broken(*_: object) -> None:
        raise ConnectionError("the other side has gone")

    monkeypatch.setattr(type(memory), "put_file", broken)
    with pytest.raises(SinkError, match="the other side has gone; nothing was written there"):
        opslog.read(LOG).write_jsonl("memory://a.jsonl")
    with pytest.raises(SourceError, match="No such file"):
        opslog.read("memory://none").write_jsonl("memory://a.jsonl")
    assert memory.cat("/a.jsonl") == before


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target("memory://lake", "parquet", keys=("service",)), "needs a folder of files: -o memory://lake/"),
        (Target("memory://a.jsonl", "jsonl", append=True), "at a URL no file grows: use -o memory://a.jsonl/ --roll"),
        (Target("nothing://lake/", "jsonl"), "Protocol not known"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_written_so_says_how(
    target: Target, message: str, memory: Any
) -> None:
    with pytest.raises(SinkError, match=message):
        opslog.read(LOG)._write(target)


@pytest.mark.parametrize("kind", ["jsonl", "arrow", "parquet"])
def test_a_run_adds_files_to_a_folder_and_harms_none(kind: str, memory: Any) -> None:
    memory.pipe("/lake/service=nova/mine.txt", b"mine\n")
    before = {}
    for count in range(1, 4):
        opslog.read(LOG)._write(Target("memory://lake/", kind, keys=("service", "date")))
        there = {path: memory.cat(path) for path in memory.find("/lake")}
        assert len(there) == 1 + count
        assert there.items() >= before.items()
        before = there
    folders = {path.rpartition("/")[0] for path in before}
    assert folders == {"/lake/service=nova", "/lake/service=nova/date=2026-03-10"}


def test_a_folder_among_the_inputs_is_refused(memory: Any) -> None:
    memory.pipe("/logs/a.log", LOG.read_bytes())
    with pytest.raises(SinkError, match="would be read by the next run"):
        opslog.read("memory://logs")._write(Target("memory://logs/lake/", "jsonl"))


def test_a_file_that_cannot_be_uploaded_harms_none(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, count = type(memory).put_file, 0

    def broken(*given: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise ConnectionError("the other side has gone")
        put(*given, **options)

    monkeypatch.setattr(type(memory), "put_file", broken)
    memory.pipe("/logs/a.log", LOG.read_bytes() * 1500)  # three blocks
    target = Target("memory://lake/", "jsonl", roll=Roll(size=1024))
    with pytest.raises(
        SinkError, match=r"has gone; 1 file of this run is complete, the last is memory://lake/.*"
    ):
        opslog.read("memory://logs/a.log")._write(target)
    assert len(memory.find("/lake")) == 1


def test_an_interrupted_upload_is_done_again(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put, count = type(memory).put_file, 0

    def interrupted(*given: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        if count == 1:
            raise KeyboardInterrupt
        put(*given, **options)

    monkeypatch.setattr(type(memory), "put_file", interrupted)
    memory.pipe("/logs/a.log", LOG.read_bytes() * 1500)  # three blocks
    target = Target("memory://lake/", "jsonl", roll=Roll(size=1024))
    with pytest.raises(KeyboardInterrupt):
        opslog.read("memory://logs/a.log")._write(target)
    assert len(memory.find("/lake")) == 1


@pytest.mark.parametrize("url", ["nosuch://me:s3cret@lake/", "ftp://me:s3cret@127.0.0.1:1/lake/"])
def test_an_error_shows_no_password_of_a_url(url: str) -> None:
    with pytest.raises(SinkError, match=r"://\*\*\*@") as written:
        opslog.read(LOG)._write(Target(url, "jsonl"))
    with pytest.raises(SourceError, match=r"://\*\*\*@") as read:
        list(opslog.read(url + "a.log").batches())
    assert "s3cret" not in f"{written.value} {read.value}"


def test_what_cannot_be_written_says_why(memory: Any) -> None:
    memory.pipe("/folder/a.log", b"")
    for url, reason in (
        ("nothing://x", "Protocol not known"),
        ("abfs://c/x", "Install adlfs"),
        ("memory://folder", "Is a directory"),
    ):
        with pytest.raises(SinkError, match=rf"^{url}: .*{reason}"):
            opslog.read(LOG).write_jsonl(url)
    with pytest.raises(SourceError, match=r"^nothing://x: Protocol not known"):
        opslog.read("nothing://x").write_jsonl("memory://a.jsonl")
