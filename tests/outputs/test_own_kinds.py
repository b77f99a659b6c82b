"""What opslog wrote is known by its content, and nothing else is taken for it."""

from __future__ import annotations

import importlib
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import opslog
from any_logs import LOGS
from helpers import ROOT
from opslog import cli
from opslog.cli import lists
from opslog.inputs.compression import compressed
from opslog.inputs.text import not_text
from opslog.model.errors import SinkError
from opslog.model.names import SPELLINGS
from opslog.outputs import own_kinds, sinks
from opslog.outputs.own_kinds import NOTHING, OF_RECORDS, OwnKind
from opslog.scanner import catalog

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
KINDS = [
    *OF_RECORDS.values(),
    own_kinds.METRICS,
    own_kinds.CHECKPOINT,
    own_kinds.OTLP,
    own_kinds.LOG,
    own_kinds.page("trace"),
    own_kinds.page("stats"),
]


def is_of(kind: OwnKind, content: bytes) -> bool:
    return kind.wrote(io.BytesIO(content))


def parquet_of_others() -> bytes:
    file = pa.BufferOutputStream()
    pq.write_table(pa.table({"source": ["x"], "source_offset": [1]}), file)
    return bytes(file.getvalue())


def stream_of_others() -> bytes:
    file = pa.BufferOutputStream()
    with pa.ipc.new_stream(file, pa.schema([("source", pa.string())])):
        pass
    return bytes(file.getvalue())


FOREIGN = {
    "JSON lines": b'{"timestamp": "2026-03-10T10:00:00.000000Z", "body": "x", "source": "x"}\n' * 3,
    "JSON of a few of our keys": b'{"source":"x","source_offset":1,"level":"INFO"}\n',
    "a list": b"[1]\n",
    "deep JSON": b"[" * 100_000,
    "OTLP": b'{"resourceSpans": [{"scopeSpans": [{"scope": {"name": "nova"}}]}]}',
    "two objects on a line": b'{"body":"mine"}{"body":"mine2"}',
    "JSON with a comment": b'{"source": {"a": 1, /* c */ "b": 2}',
    "our key with a bare word": b'{"body":hello}',
    "our key with a broken string": b'{"body":"a\\x',
    "our keys in another order": b'{"body":"x","timestamp":"2026-03-10T10:00:00.000000Z","s',
    "our key, then another one": b'{"timestamp":"2026-03-10T10:00:00.000000Z","lvl":"x","m',
    "our key and an indented value": b'{"attributes":{\n  "a":',
    "a brace": b"{",
    "a PID file": b"4711\n",
    "counts of stats": b"# HELP opslog_stats_records Records kept.\n",
    "metrics": b"# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.5\n",
    "a page": b"<!doctype html>\n<title>opslog trace</title>\n",
    "Parquet": parquet_of_others(),
    "Arrow": stream_of_others(),
    "no stream": b"\xff\xff\xff\xff" + b"\xff\xff\xff\x7f" * 40,
    "half of Parquet": b"PAR1" + bytes(100),
    "a log of Spring": b"2026-03-10 10:00:00.123Z  INFO 1234 --- [main] o.s.Application : up\n",
    "indented": b"    2026-03-10 10:00:00.123Z  INFO      nova\n",
    "a question and an answer": b"? why\nbecause\n",
    "a letter": b"x",
    "an empty line": b"\n",
    "bytes": bytes(range(256)),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(40),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_others_wrote_is_of_no_kind(name: str) -> None:
    assert [kind.name for kind in KINDS if is_of(kind, FOREIGN[name])] == []


def test_no_log_that_opslog_reads_is_of_a_kind() -> None:
    for one in catalog.shipped():
        for sample in [] if one.keyed and one.keyed.stored else one.samples:
            found = [kind.name for kind in KINDS if is_of(kind, f"{sample.text}\n".encode())]
            assert found == [], sample.text


@given(st.binary(max_size=100))
def test_bytes_are_of_no_kind_but_text(content: bytes) -> None:
    found = [kind for kind in KINDS if is_of(kind, content)]
    assert found in ([], [OF_RECORDS["text"]])


@pytest.mark.parametrize(
    "kind", [kind for kind in sinks.FORMATS if OF_RECORDS[kind] is not NOTHING]
)
@given(data=LOGS)
def test_records_of_any_log_are_of_their_kind_only(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: bytes
) -> None:
    assume(not_text(data) is None and not compressed(data))
    folder = tmp_path_factory.getbasetemp()
    (folder / "any.log").write_bytes(data)
    path = folder / f"any.{kind}"
    path.unlink(missing_ok=True)
    for _ in range(2):  # it replaces its own
        opslog.read(folder / "any.log").write(path, kind)
    content = path.read_bytes()
    assert [one.name for one in KINDS if content and is_of(one, content)] == (
        [OF_RECORDS[kind].name] if content else []
    )


@pytest.mark.parametrize("names", SPELLINGS)
@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow", "csv", "tsv", "text"])
def test_records_are_of_their_kind_however_they_are_written(
    kind: str, names: str, tmp_path: Path
) -> None:
    for original, root in ((False, False), (True, False), (False, True)):
        target = sinks.Target(str(tmp_path / kind), kind, names, colored=original, full=root)
        opslog.read(LOG, original=original, root=root)._write(target)
        assert is_of(OF_RECORDS[kind], (tmp_path / kind).read_bytes())


def test_a_torn_first_line_of_text_is_known(tmp_path: Path) -> None:
    opslog.read(LOG).write(tmp_path / "out", "text")
    first = (tmp_path / "out").read_bytes().partition(b"\n")[0]
    for end in (len(first) // 2, len(first) - 1):
        assert is_of(OF_RECORDS["text"], first[:end])


@pytest.mark.parametrize("names", SPELLINGS)
def test_a_first_json_line_is_known_wherever_it_is_torn(names: str, tmp_path: Path) -> None:
    log = tmp_path / "ä.log"
    log.write_bytes(LOG.read_bytes().replace(b"Starting", 'ä "\x01\\'.encode()))
    target = sinks.Target(str(tmp_path / "out"), "jsonl", names)
    opslog.read(log, original=True, root=True)._write(target)
    for line in (tmp_path / "out").read_bytes().splitlines():
        head = line.index(b":") + 1
        for end in range(head, len(line) + 1):
            assert is_of(OF_RECORDS["jsonl"], line[:end]), line[:end]


@pytest.mark.parametrize("command", ["requests", "resources"])
def test_a_first_row_is_known_wherever_it_is_torn(command: str, tmp_path: Path) -> None:
    schema = importlib.import_module(f"opslog.trace.{command}").SCHEMA
    out = tmp_path / "out.jsonl"
    assert cli.main([command, "-o", str(out), str(LOG)]) == 0
    kind = lists._own_kind(command, "jsonl", schema, ())
    for line in out.read_bytes().splitlines():
        for end in range(line.index(b":") + 2, len(line) + 1):
            assert is_of(kind, line[:end]), line[:end]
    for foreign in (b'{"start": hello}', b'{"start": {"a": 1, /* c */ "b": 2}', b'{"start":"x"'):
        assert not is_of(kind, foreign)


def test_the_error_says_what_is_there_and_how_to_insist(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("2026-03-10 10:00:00 precious\n" * 3)
    with pytest.raises(SinkError) as raised:
        opslog.read(LOG).write_jsonl(path)
    assert str(raised.value) == (
        f"{path}: expected JSON lines of records or no file, found 87 bytes that begin with "
        "'2026-03-10 10:00:00 precious\\n2026-03-10 10:00:00 precious\\n20'; write to another "
        "file, or insist with --overwrite (in Python overwrite=True)"
    )
    assert path.read_text() == "2026-03-10 10:00:00 precious\n" * 3
    assert opslog.read(LOG).write_jsonl(path, overwrite=True).kept == 14
    assert json.loads(path.read_bytes().splitlines()[0])["source"] == str(LOG)


@pytest.mark.parametrize("write", ["write_jsonl", "write_parquet", "write_arrow"])
def test_the_library_refuses_as_the_command_does(write: str, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(LOG.read_bytes())
    with pytest.raises(SinkError, match="is also an input"):
        getattr(opslog.read(log), write)(log, overwrite=True)
    os.link(log, tmp_path / "b.log")
    with pytest.raises(SinkError, match=r"expected .* or no file, found"):
        getattr(opslog.read(LOG), write)(tmp_path / "b.log")
    assert log.read_bytes() == LOG.read_bytes()
    with pytest.raises(SinkError, match="null byte"):
        getattr(opslog.read(LOG), write)("a\0b")
    assert len(list(tmp_path.iterdir())) == 2
