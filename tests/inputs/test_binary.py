"""What holds no text is no log: told by content, for all commands alike; a damaged log is one."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import sqlite3
import struct
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import opslog as run
from opslog.doctor import examine
from opslog.inputs.source import Source
from opslog.inputs.text import SAMPLE_BYTES, not_text

LINES = [
    b"2024-01-01 00:00:00.000 1 INFO nova.api [-] one\n",
    b"2024-01-01 00:00:00.000 1 ERROR nova.api [-] \x1b[01;35mcolor\x1b[00m and bytes \x00\x01\x02\n",
    "2024-01-01 00:00:00.000 1 INFO nova.api [-] \u8a9e \u00e9\n".encode(),
    b"2024-01-01 00:00:00.000 1 INFO nova.api [-] \xe9\xe8 in latin-1\n",
    b'{"message": "in JSON", "levelname": "INFO", "created": 1.5}\n',
    b"Jan  1 00:00:00 host nova-api[7]: text\r\n",
    b"\n",
]
LOGIN = struct.pack("<hxxi32s4s32s256s", 7, 812, b"pts/0", b"ts/0", b"stack", b"10.0.0.5")
HOLE = b"\0" * 700


def random_bytes(size: int) -> bytes:
    """Return bytes like those of an image or of encrypted data."""
    packed = zlib.compress(b"".join(struct.pack("<Q", n * n * 2654435761) for n in range(size)))
    return packed[100:]


def binaries(folder: Path) -> dict[str, bytes]:
    """Return files that are found beside logs, and are none."""
    with sqlite3.connect(folder / "x.sqlite") as database:
        database.execute("create table t (c text)")
    table = pa.table({"a": [1]})  # opslog's own is read
    pq.write_table(table, folder / "x.parquet")
    for name, new in (("x.arrow", pa.ipc.new_stream), ("x.feather", pa.ipc.new_file)):
        with pa.OSFile(str(folder / name), "wb") as out, new(out, table.schema) as writer:
            writer.write_table(table)
    names = ("x.sqlite", "x.parquet", "x.arrow", "x.feather")
    found = {name: (folder / name).read_bytes() for name in names}
    for name in names:
        (folder / name).unlink()
    return found | {
        "program": Path(sys.executable).resolve().read_bytes()[:100_000],
        "system.journal": b"LPKSHHRH" + b"\0" * 300,
        "wtmp": LOGIN * 20,
        "faillog": b"\0" * 320 + struct.pack("<hhlll", 3, 0, 1_700_000_000, 0, 0) * 9,
        "random": random_bytes(2000),
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + random_bytes(300),
        "pickle": pickle.dumps(list(range(9000))),
        "zip": b"PK\3\4" + random_bytes(100),
    }


def test_what_is_no_log_is_left_out_of_a_folder_and_counted_by_all(tmp_path: Path) -> None:
    files = binaries(tmp_path)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "a.log").write_bytes(LINES[0])
    assert [one.source for one in opslog.read(tmp_path)] == [str(tmp_path / "a.log")]
    for paths in ([str(tmp_path)], [str(tmp_path / "*")]):
        result = run("filter", "--stats", *paths)
        assert (result.returncode, result.stdout.count(b"\n")) == (0, 1)
        assert result.stderr.decode().splitlines()[-1].split() == [
            "files",
            "without",
            "text",
            str(len(files)),
        ]
    status = {os.path.basename(one.path): one.status for one in examine(tmp_path)}
    assert status == dict.fromkeys(files, "binary") | {"a.log": "read"}
    for command in ("stats", "events", "requests", "resources"):
        result = run(command, str(tmp_path))
        assert result.returncode in (0, 1)
        assert result.stderr == b""
    counted = json.loads(run("stats", "--json", str(tmp_path)).stdout)
    assert counted["records"] == 1
    for flags in (["--merge"], ["--root"], ["--severity", "INFO", "--with-requests"]):
        assert run("filter", "--to", "jsonl", *flags, str(tmp_path)).stdout.count(b"\n") == 1


def test_what_is_no_log_but_asked_for_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINES[0])
    (tmp_path / "wtmp").write_bytes(LOGIN * 20)
    (tmp_path / "system.journal").write_bytes(b"LPKSHHRH" + b"\0" * 300)
    result = run("filter", "--stats", "wtmp", "a.log", "system.journal", cwd=tmp_path)
    assert (result.returncode, result.stdout.count(b"\n")) == (2, 1)
    *_, first, second = result.stderr.decode().splitlines()
    assert first == (
        "opslog: wtmp: is no log, but binary data; through a pipe it is read as text: `cat PATH | opslog ...`"
    )
    assert second == (
        "opslog: system.journal: is no log, but a journal of systemd: read `journalctl -o json --file PATH`"
    )
    assert b"files without text" not in result.stderr
    piped = run("filter", "--original", stdin=LOGIN * 20)
    assert (piped.returncode, piped.stdout.count(b"\n")) == (0, 1)


HOLES = st.lists(st.sampled_from([b"\0", b"\0" * 7, HOLE, b"\0" * 5000]), max_size=4)


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=200).filter(
        lambda some: some != [LINES[-1]]
    ),
    st.lists(st.tuples(st.integers(0, 5000), HOLES), max_size=4),
    st.integers(0, SAMPLE_BYTES),
)
def test_a_log_with_holes_is_a_log(
    lines: list[bytes], holes: list[tuple[int, list[bytes]]], cut: int
) -> None:
    """What a crash, a power cut, a full disk or a careless rotation leaves, wherever it is."""
    data = b"".join(lines)
    for at, zeros in holes:
        data = data[:at] + b"".join(zeros) + data[at:]
    assert len(data) < 200 or not_text(data[:SAMPLE_BYTES]) is None
    assert not_text((HOLE * 9 + b"".join(lines))[:SAMPLE_BYTES]) is None


@given(st.binary())
def test_any_bytes_are_judged(data: bytes) -> None:
    not_text(data)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "data",
    [
        HOLE + LINES[0] * 20,
        HOLE * 20 + LINES[0] * 20,
        LINES[0] * 3 + HOLE * 9 + LINES[0] * 17,
        LINES[0] * 20 + HOLE,
        LINES[1] * 20,
        LINES[0] * 20 + random_bytes(300),
        b"2024-01-01 00:00:00.000 1 INFO nova.api [-] " + b"x" * 9000 + b"\x01\n" + LINES[0] * 19,
    ],
)
def test_all_records_of_a_log_that_is_not_all_text_are_read(
    data: bytes, pack: object, tmp_path: Path
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(pack(data))  # type: ignore[operator]
    found = [one for one in opslog.read(tmp_path) if one.logger == "nova.api"]
    assert len(found) == 20
    assert [one.status for one in examine(tmp_path)] == ["read"]


def test_a_sparse_file_is_told_by_what_is_behind_its_hole(tmp_path: Path) -> None:
    lastlog, log = tmp_path / "lastlog", tmp_path / "a.log"
    for path, data in ((lastlog, LOGIN), (log, LINES[0])):
        with open(path, "wb") as file:
            file.seek(1 << 30)
            file.write(data * 20)
    source = Source(str(log))
    assert source.binary is None
    room = memoryview(bytearray(100))
    assert source.read_into(room) > 0
    assert not any(room)
    source.close()
    source = Source(str(lastlog))
    assert source.binary is not None
    source.close()


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_as_text(encoding: str, pack: object, piped: bool, tmp_path: Path) -> None:
    text = "2024-01-01 00:00:00.000 1 INFO nova.api [-] \u00e9\u8a9e\U0001f600\r\n" * 5000
    mark = "" if encoding == "utf-16" or not piped else "\ufeff"
    if not (mark or encoding == "utf-16"):
        text = text.replace("\u8a9e\U0001f600", "")
    data = pack((mark + text).encode(encoding))  # type: ignore[operator]
    (tmp_path / "a.log").write_bytes(data)
    if piped:
        found = [json.loads(line) for line in run("filter", stdin=data).stdout.splitlines()]
    else:
        found = opslog.read(tmp_path).to_table(["body", "logger", "source_offset"]).to_pylist()
    assert len(found) == 5000
    assert {(row["body"], row["logger"]) for row in found} == {
        (text.split("[-] ")[1].split("\r")[0], "nova.api")
    }


def test_half_a_character_at_the_end_of_utf16_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(LINES[0].decode().encode("utf-16") + b"\x00")
    bodies = opslog.read(path).to_table(["body"])["body"].to_pylist()
    assert bodies == ["one\n\ufffd"]
