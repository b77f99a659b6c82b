"""The child as Fluentd's exec_filter starts, feeds, reads and ends it.

What stands for Fluentd here was written from out_exec_filter.rb and its helpers:
chunks go to the children in turn, replies are read eight KiB at a time, and at the
end the input is closed and SIGTERM follows at once.  It has its own msgpack.  Where
there is a real Fluentd, that is asked, too.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from opslog.fluentd import Child, Shape, Streams, Wanted
from opslog.model.zones import TimeDefaults
from opslog.outputs.output import OutputStream
from opslog.scanner.catalog import Catalog

HEAD = "2026-03-10 10:00:07.791 2412 INFO nova.service [-] "


def packed(value: Any) -> bytes:
    """Return a value as msgpack, in its longest spelling."""
    if isinstance(value, dict):
        pairs = b"".join(packed(k) + packed(v) for k, v in value.items())
        return struct.pack(">BI", 0xDF, len(value)) + pairs
    if isinstance(value, str):
        data = value.encode()
        return struct.pack(">BI", 0xDB, len(data)) + data
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    return struct.pack(">Bq", 0xD3, value)


def unpacked(data: bytes) -> Iterator[Any]:
    """Yield the values that follow each other in ``data``."""
    at = 0
    while at < len(data):
        value, at = _unpacked(data, at)
        yield value


def _unpacked(data: bytes, at: int) -> tuple[Any, int]:
    code = data[at]
    sizes = {0xC4: "B", 0xC5: "H", 0xC6: "I", 0xD9: "B", 0xDA: "H", 0xDB: "I", 0xDE: "H", 0xDF: "I"}
    numbers = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q",
               0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}  # fmt: skip
    at += 1
    if code < 0x80 or code >= 0xE0:
        return (code if code < 0x80 else code - 256), at
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    if code in numbers:
        form = ">" + numbers[code]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if code in sizes:
        form = ">" + sizes[code]
        (size,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
    else:
        size = code & (0x0F if code < 0xA0 else 0x1F)
    if code in (0xDE, 0xDF) or 0x80 <= code < 0x90:
        found = {}
        for _ in range(size):
            key, at = _unpacked(data, at)
            found[key], at = _unpacked(data, at)
        return found, at
    assert code in (0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB) or 0xA0 <= code < 0xC0
    text = data[at : at + size]
    return (text if code in (0xC4, 0xC5, 0xC6) else text.decode()), at + size


class ExecFilter:
    """Fluentd's out_exec_filter with ``children``; it kills who does not go in ten seconds.

    The children are running, and log into ``folder``.
    """

    def __init__(
        self, folder: Path, *arguments: str, children: int = 1, kind: str = "json"
    ) -> None:
        self._kind = kind
        self.logs = [folder / f"{number}.log" for number in range(children)]
        self.replies = [b""] * children
        command = [sys.executable, "-m", "opslog", "fluentd", "--from", kind, "--to", kind]
        self.children = [
            subprocess.Popen(
                [*command, *arguments, "--log-file", str(log)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for log in self.logs
        ]  # fmt: skip
        self._turn = cycle(self.children)
        self._readers = [Thread(target=self._read, args=(i,)) for i in range(children)]
        for reader in self._readers:
            reader.start()
        while not all(log.exists() and "started" in log.read_text() for log in self.logs):
            assert all(child.poll() is None for child in self.children)
            time.sleep(0.01)

    def _read(self, number: int) -> None:
        out = self.children[number].stdout
        assert out
        while data := (out.read(8192) if self._kind == "json" else os.read(out.fileno(), 8192)):
            self.replies[number] += data

    def write(self, events: list[dict[str, Any]]) -> None:
        """Give the next child a chunk."""
        into = next(self._turn).stdin
        assert into
        into.write(
            b"".join(map(packed, events))
            if self._kind == "msgpack"
            else b"".join(json.dumps(event).encode() + b"\n" for event in events)
        )
        into.flush()

    def end(self) -> list[list[dict[str, Any]]]:
        """Shut down as Fluentd does and return the replies of each child."""
        for child in self.children:
            assert child.stdin
            child.stdin.close()
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> list[list[dict[str, Any]]]:
        """Wait until the children are gone and return their replies; none said anything."""
        for child, reader in zip(self.children, self._readers, strict=True):
            try:
                assert child.wait(10) == 0
            finally:
                child.kill()
            reader.join()
            assert child.stderr
            assert child.stderr.read() == b""
        return [self._events(data) for data in self.replies]

    def _events(self, data: bytes) -> list[dict[str, Any]]:
        if self._kind == "msgpack":
            return list(unpacked(data))
        return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize("kind", ["json", "msgpack"])
def test_every_event_comes_back_from_the_child_it_went_to(kind: str, tmp_path: Path) -> None:
    plugin = ExecFilter(tmp_path, "--hold", "60", children=3, kind=kind)
    for chunk in range(30):
        plugin.write(
            [
                {"tag": f"t{n}", "time": 1.5, "n": chunk, "message": f"{HEAD}{chunk}.{n}"}
                for n in range(50)
            ]
        )
    replies = plugin.end()
    for number, events in enumerate(replies):
        for tag in range(50):
            bodies = [event["body"] for event in events if event["tag"] == f"t{tag}"]
            assert bodies == [f"{chunk}.{tag}" for chunk in range(number, 30, 3)]
        assert all(event["body"].split(".")[0] == str(event["n"]) for event in events)


def test_a_record_comes_back_while_the_input_stays_open(tmp_path: Path) -> None:
    plugin = ExecFilter(tmp_path, "--hold", "0", kind="msgpack")
    plugin.write([{"tag": "a", "message": HEAD + "one"}])
    deadline = time.monotonic() + 30
    while not plugin.replies[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    (event,) = unpacked(plugin.replies[0])
    assert event["body"] == "one"
    assert len(plugin.end()[0]) == 1


def test_what_comes_behind_the_signal_is_still_read(tmp_path: Path) -> None:
    plugin = ExecFilter(tmp_path)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        plugin.children[0].send_signal(number)
    plugin.write([{"tag": "a", "message": HEAD + "one"}])
    ((event,),) = plugin.end()
    assert event["body"] == "one"
    assert (
        "1 events (1 began a record, 0 continued one, 0 went through marked)"
        in plugin.logs[0].read_text()
    )


def test_a_child_that_is_told_to_go_goes_though_its_input_stays_open(tmp_path: Path) -> None:
    plugin = ExecFilter(tmp_path, "--hold", "60")
    plugin.write([{"tag": "a", "message": HEAD + "one"}])
    plugin.children[0].send_signal(signal.SIGTERM)
    ((event,),) = plugin.ended()
    assert event["body"] == "one"


def test_errors_are_in_the_log_file_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for wrong in (["--severity", "LOUD"], ["--to", "tsv"], ["--follow"]):
        result = subprocess.run(
            [sys.executable, "-m", "opslog", "fluentd", *wrong, "--log-file", str(log)],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        assert result.returncode == 2
        said = result.stderr.decode().removeprefix("opslog: ")
        assert log.read_text().endswith(f": {said}")


def hears(child: subprocess.Popen[bytes]) -> bool:
    """Return whether the process holds SIGTERM back or handles it (proc(5))."""
    status = Path(f"/proc/{child.pid}/status").read_text()
    masks = [line.split() for line in status.splitlines() if line.startswith("Sig")]
    bit = 1 << (signal.SIGTERM - 1)
    return any(int(bits, 16) & bit for name, bits in masks if name in ("SigBlk:", "SigCgt:"))


def test_a_signal_while_it_starts_loses_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "opslog", "fluentd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        child.stdin.write(json.dumps({"message": HEAD + "one"}).encode() + b"\n")
        child.stdin.flush()
        while not hears(child):
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.stdout
        child.stdin.close()
        assert json.loads(child.stdout.read())["body"] == "one"
        assert child.wait(10) == 0


@pytest.mark.parametrize("kind", ["json", "msgpack"])
def test_stages_stand_in_the_way_of_no_record(kind: str, tmp_path: Path) -> None:
    plugin = ExecFilter(
        tmp_path, "--hold", "0", "--severity", "WARNING", "-B", "1", "--dedup", "--mask",
        kind=kind,
    )  # fmt: skip
    for level, n in (("INFO", 1), ("INFO", 2), ("ERROR", 3), ("ERROR", 4)):
        line = HEAD.replace("INFO", level) + f"{level} {n} password='hunter2'"
        plugin.write([{"tag": "a", "n": n, "api_key": "hunter2", "message": line}])
    deadline = time.monotonic() + 30
    while b"ERROR 3" not in plugin.replies[0] and time.monotonic() < deadline:
        if kind == "json":  # read eight KiB at a time, as Fluentd does
            plugin.write([{"tag": "a"}] * 100)
        time.sleep(0.01)
    assert b"ERROR 3" in plugin.replies[0]
    (events,) = plugin.end()
    found = [event for event in events if "body" in event]
    assert [(event["n"], event["api_key"]) for event in found] == [
        (2, "***"),
        (3, "***"),
        (4, "***"),
    ]
    assert found[0]["attributes"]["context"] == "before"
    assert b"hunter2" not in plugin.replies[0]
    said = plugin.logs[0].read_text().splitlines()[-1]
    assert " 4 records (3 kept, 1 filtered out)" in said


def test_the_table_and_metrics_are_to_be_had_at_any_time(tmp_path: Path) -> None:
    metrics = tmp_path / "opslog.prom"
    plugin = ExecFilter(tmp_path, "--metrics", str(metrics), "--hold", "0", kind="msgpack")
    assert "opslog_events_total 0" in metrics.read_text()
    plugin.write([{"tag": "a", "message": HEAD + "one"}])
    deadline = time.monotonic() + 30
    while not plugin.replies[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    plugin.children[0].send_signal(signal.SIGUSR1)
    while "kept " not in plugin.logs[0].read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    said = plugin.logs[0].read_text()
    assert (
        "so far: 1 events (0 began a record, 0 continued one, 0 went through marked, 1 wait)"
        in said
    )
    assert any(line.split() == ["kept", "1"] for line in said.splitlines())
    plugin.end()
    assert "opslog_events_begun_total 1" in metrics.read_text()


def test_who_watches_is_told_the_time_while_nothing_comes() -> None:
    times: list[float] = []
    stop, tell = os.pipe()
    source, into = os.pipe()

    def watch(now: float) -> None:
        times.append(now)
        if len(times) == 2:
            os.close(into)

    streams = Streams(
        Wanted(Catalog.default(), TimeDefaults.of("UTC", 2026)), lambda: datetime.now(UTC)
    )
    shape = Shape("json")
    Child(streams, shape.decoder(), shape.encoder(), OutputStream(), source, watch=watch).run(stop)
    assert len(times) >= 2
    for fd in (stop, tell, source):
        os.close(fd)


CONFIGURATION = """
<source>
  @type exec
  command "printf '%s\\\\n' '{{\\"message\\":\\"{head}one\\"}}'"
  run_interval 1s
  tag raw.nova
  <parse>
    @type json
  </parse>
</source>
<match raw.**>
  @type exec_filter
  @label @RECORDS
  command {python} -m opslog fluentd --from msgpack --to msgpack
  tag opslog.unread
  <inject>
    tag_key tag
    time_key time
    time_type float
  </inject>
  <format>
    @type msgpack
  </format>
  <parse>
    @type msgpack
  </parse>
  <extract>
    tag_key tag
    time_key time
    time_type float
  </extract>
  <buffer>
    flush_mode immediate
  </buffer>
</match>
<label @RECORDS>
  <match raw.nova>
    @type stdout
    <format>
      @type json
    </format>
  </match>
</label>
"""


@pytest.mark.skipif(shutil.which("fluentd") is None, reason="needs fluentd")
def test_a_real_fluentd_gets_records(tmp_path: Path) -> None:
    conf = tmp_path / "fluent.conf"
    conf.write_text(CONFIGURATION.format(head=HEAD, python=sys.executable))
    with subprocess.Popen(
        ["fluentd", "--no-supervisor", "-c", str(conf)], stdout=subprocess.PIPE, text=True
    ) as fluentd:
        assert fluentd.stdout
        event = next(json.loads(line) for line in fluentd.stdout if line.startswith('{"'))
        fluentd.terminate()
        fluentd.stdout.read()
    assert (event["body"], event["format"]) == ("one", "oslo.text")


def test_a_closed_standard_input_is_told() -> None:
    command = [sys.executable, "-m", "opslog", "fluentd"]
    result = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *command], capture_output=True, check=False, timeout=60
    )
    assert (result.returncode, result.stderr) == (2, b"opslog: -: Bad file descriptor\n")


def test_a_log_file_on_a_full_disk_is_told_once_and_harms_no_event(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"2026-03-10 10:00:00+00:00 opslog[1]: started\n" * 20)

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 10,) * 2)

    done = subprocess.run(
        [sys.executable, "-m", "opslog", "fluentd", "--from", "text", "--log-file", str(log)],
        input=b"2026-03-10 10:00:07.791 2412 INFO nova.service [-] a\n",
        capture_output=True, preexec_fn=fill, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["body"] == "a"
    told = done.stderr.decode()
    assert (
        told
        == f"opslog: {log}: No space left on device; what is said there is lost, events go on\n"
    )


def test_tags_beyond_those_that_are_remembered_are_told(tmp_path: Path) -> None:
    head = "2026-03-10 10:00:07.791 2412 INFO nova.service [-] a"
    lines = (json.dumps({"tag": f"t{n}", "message": head}) + "\n" for n in range(1200))
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-m", "opslog", "fluentd", "--log-file", str(log)],
        input="".join(lines).encode(), capture_output=True, check=True,
    )  # fmt: skip
    tags = [json.loads(line)["tag"] for line in done.stdout.splitlines()]
    assert sorted(tags) == sorted(f"t{n}" for n in range(1200))
    assert "more than 1,000 tags at a time: 200 times" in log.read_text()
