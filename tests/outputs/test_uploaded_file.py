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
    "target",
    [
        Target("memory://lake/", "parquet"),
        Target("memory://lake", "parquet", keys=("service_name",)),
        Target("memory://a.jsonl", "jsonl", append=True),
    ],
)
def test_a_url_is_one_file(target: Target, memory: Any) -> None:
    with pytest.raises(SinkError, match="at a URL, one file is written as a whole"):
        opslog.read(LOG)._write(target)


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
