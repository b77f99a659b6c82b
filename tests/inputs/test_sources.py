"""Files, globs, folders, pipes and compressed data."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import opslog
from helpers import opslog as run
from opslog.model.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINE = b"2024-01-01 00:00:00.000 1 INFO nova.api [-] number %06d\n"
TEXT = b"".join(LINE % i for i in range(60_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "bz2": bz2.compress, "zst": zstd.compress,
    "xz": partial(lzma.compress, preset=0),
}  # fmt: skip


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_data_is_recognised_by_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "nova-api.log.1"
    path.write_bytes(PACKERS[kind](TEXT))
    assert opslog.read(path).to_table().num_rows == 60_000
    result = run("filter", "--stats", "-o", "-", stdin=path.read_bytes())
    assert result.stdout.count(b"\n") == 60_000


@pytest.mark.parametrize("kind", PACKERS)
def test_concatenated_members_are_read_as_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    pack = PACKERS[kind]
    half = len(TEXT) // 2 + 11
    path.write_bytes(pack(TEXT[:half]) + pack(b"") + pack(TEXT[half:]) + b"\0" * 100)
    assert opslog.read(path).to_table().num_rows == 60_000


@pytest.mark.parametrize("kind", PACKERS)
def test_the_lines_before_the_end_of_a_truncated_file_are_read_and_then_it_is_an_error(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    packed = PACKERS[kind](b"".join(LINE % (i * 7919 % 999_983) for i in range(120_000)))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    result = run("filter", str(path))
    assert result.returncode == 2
    assert result.stdout.count(b"\n") > 50_000
    assert b"ends too early; the lines before that were read" in result.stderr
    assert str(path).encode() in result.stderr
    batches = opslog.read(path).batches()
    rows: list[int] = []
    with pytest.raises(SourceError, match="ends too early"):
        rows.extend(batch.num_rows for batch in batches)
    assert sum(rows) == result.stdout.count(b"\n")


def test_what_follows_compressed_data_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(TEXT) + b"not gzip")
    with pytest.raises(SourceError, match="something other than gzip follows"):
        opslog.read(path).to_table()
    path.write_bytes(gzip.compress(TEXT)[:-9] + b"\xff" * 20)
    with pytest.raises(SourceError, match="damaged gzip data"):
        opslog.read(path).to_table()


def test_several_sources_globs_and_folders_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "sub/c.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LINE % 1)
    found = [r.source for r in opslog.read(tmp_path / "*.log", tmp_path / "sub")]
    assert found == [str(tmp_path / n) for n in ("a.log", "b.log", "sub/c.log")]
    assert [r.source for r in opslog.read(tmp_path)] == found


def test_a_file_that_cannot_be_read_does_not_keep_others_from_it(tmp_path: Path) -> None:
    good = tmp_path / "good.log"
    good.write_bytes(LINE % 1)
    missing, none = tmp_path / "missing.log", tmp_path / "no*.log"
    result = run("filter", str(missing), str(good), str(none))
    assert result.returncode == 2
    assert result.stdout.count(b"\n") == 1
    assert result.stderr.decode().splitlines() == [
        f"opslog: {missing}: No such file or directory",
        f"opslog: {none}: no file matches this pattern",
    ]
    with pytest.raises(ExceptionGroup):
        opslog.read(missing, good, none).to_table()


def test_a_file_name_that_is_no_text_is_no_trouble(tmp_path: Path) -> None:
    path = str(tmp_path).encode() + b"/caf\xe9.log"
    with open(path, "wb") as file:
        file.write(LINE % 1)
    assert run("filter", str(tmp_path)).stdout.decode().count("caf?.log") == 1
    result = run("filter", str(tmp_path), "-o", str(tmp_path / "out.parquet"))
    assert (result.returncode, result.stderr) == (0, b"")


def test_an_output_that_is_also_an_input_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(LINE % 1)
    result = run("filter", str(tmp_path), "-o", str(path))
    assert result.returncode == 2
    assert result.stderr.decode() == f"opslog: {path}: is also an input; write to another file\n"
    assert path.read_bytes() == LINE % 1


def test_services_are_named_by_logger_then_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "neutron"
    folder.mkdir()
    path = folder / "l3-agent.log.1"
    path.write_bytes(
        b"2024-01-01 00:00:00.000 1 INFO oslo_messaging.x [-] shared library\n"
        b"2024-01-01 00:00:00.000 1 INFO cinder.x [-] its own\n"
    )
    found = [(r.service_name, r.program) for r in opslog.read(path)]
    assert found == [("neutron", "neutron-l3-agent"), ("cinder", "neutron-l3-agent")]


@pytest.mark.parametrize("kind", PACKERS)
def test_damaged_data_is_an_error_and_what_was_whole_comes_out(kind: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.log", tmp_path / "bad"
    good.write_bytes(TEXT[: 10 * len(LINE % 0)])
    packed = PACKERS[kind](TEXT)
    for at in range(0, len(packed), max(1, len(packed) // 40)):
        bad.write_bytes(packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :])
        batches = opslog.read(good, bad).batches()
        assert next(batches).num_rows == 10
        with contextlib.suppress(SourceError):
            list(batches)


def test_zstd_may_begin_with_a_frame_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(TEXT))
    assert opslog.read(path).to_table().num_rows == 60_000


def test_a_descriptor_that_does_not_wait_is_waited_for() -> None:
    script = (
        "import os, subprocess, sys, time\n"
        "read, write = os.pipe(); os.set_blocking(read, False)\n"
        "child = subprocess.Popen([sys.executable, '-m', 'opslog', 'filter'], stdin=read)\n"
        "os.close(read); time.sleep(0.5); os.write(write, b'2024-01-01 00:00:00 1 INFO a [-] b\\n')\n"
        "time.sleep(0.2); os.close(write); sys.exit(child.wait())\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert result.stdout.count(b'"body":"b"') == 1


def test_only_files_of_a_folder_are_read_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINE % 1)
    os.mkfifo(tmp_path / "fifo")
    assert run("filter", str(tmp_path)).stdout.count(b"\n") == 1
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0)
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    result = run("filter", str(tmp_path))
    assert (result.returncode, result.stdout.count(b"\n")) == (2, 1)
    assert result.stderr == f"opslog: {hidden}: Permission denied\n".encode()


def exported(*entries: dict[str, bytes]) -> bytes:
    """Return entries as journalctl -o export writes them."""
    out = b""
    for entry in entries:
        for name, value in entry.items():
            if b"\n" in value or not value.isascii():
                out += name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
            else:
                out += name.encode() + b"=" + value + b"\n"
        out += b"\n"
    return out


ENTRY = {"__CURSOR": b"s=1;i=2", "__REALTIME_TIMESTAMP": b"1772359200123456", "PRIORITY": b"4",
         "_HOSTNAME": b"ctl1", "SYSLOG_IDENTIFIER": b"nova-api", "_PID": b"7"}  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_an_export_of_the_journal_is_read_as_its_json(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    path.write_bytes(
        pack(
            exported(
                ENTRY | {"MESSAGE": b"=1\n\nMESSAGE=2"},
                ENTRY | {"MESSAGE": b"\xff\x1b"},
                ENTRY | {"MESSAGE": "é".encode() * 60_000},
                ENTRY | {"COREDUMP": b"\xff" * 300_000, "MESSAGE": b"dumped"},
                ENTRY | {"MESSAGE": b"2026-03-01 10:00:00.000 7 INFO nova.x [-] inside"},
            )[:-1]
        )
    )
    rows = opslog.read(path).to_table().to_pylist()
    assert [row["body"] for row in rows] == [
        "=1\n\nMESSAGE=2", "�\x1b", "é" * 32_768, "dumped", "inside",
    ]  # fmt: skip
    assert [row["format"] for row in rows] == ["journal.json"] * 4 + ["oslo.text"]
    assert {(row["host_name"], row["program"], row["process_pid"]) for row in rows} == {
        ("ctl1", "nova-api", 7)
    }
    assert rows[0]["severity_number"] == 13
    piped = run("filter", "--to", "jsonl", stdin=path.read_bytes())
    assert piped.stdout.count(b"\n") == len(rows)


@pytest.mark.parametrize(
    "damaged",
    [
        b"__CURSOR=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffcut short",
        b"__CURSOR=1\nMESSAGE\n\x01",
        b"__CURSOR=1\nno field\n\n__CURSOR=2\nMESSAGE=x\n",
        b"__CURSOR=1\nMESSAGE=" + b"x" * 3_000_000,
        b"__CURSOR=",
        b"__CUR",
        b"",
    ],
)
def test_a_damaged_export_of_the_journal_is_read_as_far_as_it_goes(damaged: bytes) -> None:
    result = run("filter", "--stats", "--exit-zero", stdin=damaged)
    assert (result.returncode, bool(result.stdout)) == (0, bool(damaged))
    assert b"Traceback" not in result.stderr


def requested(*records: Any) -> dict[str, Any]:
    """Return the object of a request that exports log records of one resource."""
    attributes = [{"key": "service.name", "value": {"stringValue": "shop"}}]
    scopes = [{"scope": {"name": "shop.cart"}, "logRecords": list(records)}]
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": scopes}]}


def exported_record(body: Any, **more: Any) -> dict[str, Any]:
    return {"timeUnixNano": "1772359200123456789", "body": body, **more}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_each_log_record_of_a_line_of_otlp_is_a_record(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    attributes = [
        {"key": "body", "value": {"intValue": "3"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": True}]}}},
    ]
    lines = [
        requested(
            exported_record({"stringValue": "one\ntwo"}, severityNumber=17, traceId="5b8e"),
            exported_record({"stringValue": "three"}, severityNumber=0, attributes=attributes),
        ),
        requested(exported_record({"kvlistValue": {"values": attributes[:1]}})),
        {"resourceSpans": []},
    ]
    path = tmp_path / "otlp"
    path.write_bytes(
        pack("\n".join(json.dumps(one, separators=(",", ":")) for one in lines).encode())
    )
    rows = opslog.read(path).to_table().to_pylist()
    assert [row["body"] for row in rows] == [
        "one\ntwo", "three", '{"body":"3"}', '{"resourceSpans":[]}',
    ]  # fmt: skip
    assert [row["severity_number"] for row in rows] == [17, None, None, None]
    assert [row["format"] for row in rows] == ["otlp.json"] * 3 + [None]
    assert {(row["service_name"], row["logger"]) for row in rows[:3]} == {("shop", "shop.cart")}
    assert dict(rows[0]["attributes"])["traceId"] == "5b8e"
    assert dict(rows[1]["attributes"]) == {"body": "3", "list": "[true]"}
    assert len({row["source_offset"] for row in rows}) == len(rows)
    piped = run("filter", "--to", "jsonl", stdin=path.read_bytes())
    assert [json.loads(line)["body"] for line in piped.stdout.splitlines()] == [
        row["body"] for row in rows
    ]


@pytest.mark.parametrize(
    "odd",
    [
        b'{"resourceLogs":[{"scopeLogs":["x"]}]}',
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"x"},7]}]}]}',
        b'{"resourceLogs":[{"resource":null}]}',
        b'{"resourceLogs":[{"resource":7,"scopeLogs":[{"logRecords":[{"attributes":{}}]}]}]}',
        b'{"resourceLogs":[]}',
        b'{"resourceLogs":[{"scopeLogs":[',
        b'{"resourceLogs":' + b"[" * 3_000_000,
        b'{"resourceLogs":' + b" " * 17_000_000 + b"[]}",
        b'{"reso',
    ],
    ids=range(9),
)
def test_a_line_of_otlp_that_holds_no_log_records_passes_as_it_is(
    odd: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "odd"
    path.write_bytes(odd + b"\n" + odd + b"\n")
    assert b"".join(opslog.read(path, original=True).to_table()["original"].to_pylist()) == (
        path.read_bytes()
    )
