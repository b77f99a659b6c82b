"""Sources that are still being written: what leaves when, and that nothing is lost."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any_logs import LOGS
from helpers import records, table
from live_run import bodies, heads
from opslog import Normalizer
from opslog.engine.job import Job
from opslog.engine.live import LiveStream
from opslog.engine.run import in_this_thread
from opslog.engine.stream import Item, Stream
from opslog.kernel._block import Block
from opslog.model import schema
from opslog.model.stats import Stats
from opslog.model.zones import Zones
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

HOLD = 100
ALL = schema.names(original=True)


class Clocked:
    """A live source whose clock the test moves."""

    def __init__(self, hold: float = HOLD) -> None:
        job: Job[pa.RecordBatch] = Job(Catalog.default(), ALL, None, Kept.batch)
        self.spare: deque[Block] = deque()
        self.stats = Stats()
        stream = Stream(job, "-", Zones("UTC").default, self.stats, live=True)
        self.live = LiveStream(stream, self.spare, hold)
        self.now = 0.0
        self.batches: list[pa.RecordBatch] = []

    def use(self, item: Item[pa.RecordBatch]) -> None:
        self.batches += [batch for _, batch in in_this_thread(item, self.spare)]

    def arrive(self, data: bytes) -> None:
        for item in self.live.feed(data, self.now):
            self.use(item)

    def wait(self, seconds: float) -> None:
        """Let time pass as a reader does: it wakes when something is due."""
        until = self.now + seconds
        while (due := self.live.due()) is not None and due < until:
            assert due >= self.now, "a reader would turn round and round"
            self.now = due
            for item in self.live.flush(self.now):
                self.use(item)
            again = self.live.due()
            assert again is None or again > due
        self.now = until

    def rows(self) -> list[dict[str, object]]:
        return [row for batch in self.batches for row in batch.to_pylist()]


CUTS = st.lists(st.integers(0, 2000), max_size=30)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in pairwise(places)]


@given(LOGS, CUTS, st.data())
def test_without_a_pause_longer_than_the_hold_the_records_are_those_of_the_file(
    data: bytes, cuts: list[int], draw: st.DataObject
) -> None:
    source = Clocked()
    parts = pieces(data, cuts)
    between = HOLD / (len(parts) + 1)
    for part in parts:
        source.arrive(part)
        # Inside a line any number of pauses may be made, each shorter than the hold.
        longest = between if part.endswith(b"\n") else HOLD - 1
        source.wait(draw.draw(st.floats(0, longest, exclude_max=True)))
    source.use(source.live.end())
    assert source.rows() == table(data, original=True).to_pylist()


@given(
    LOGS,
    CUTS,
    st.lists(st.floats(0, 3 * HOLD), min_size=31, max_size=31),
    st.sampled_from([0, HOLD]),
)
def test_whatever_the_pauses_every_byte_is_in_one_record(
    data: bytes, cuts: list[int], pauses: list[float], hold: float
) -> None:
    source = Clocked(hold)
    for part, pause in zip(pieces(data, cuts), pauses, strict=False):
        source.arrive(part)
        source.wait(pause)
        # Before the cut all is in records that left, of which none reaches behind it.
        cut = source.live.cut
        before = [row["original"] for row in source.rows() if row["source_offset"] < cut]
        assert sum(map(len, before)) == cut
        assert sorted(b"".join(before)) == sorted(data[:cut])
    source.use(source.live.end())
    rows = source.rows()
    assert sum(len(row["original"]) for row in rows) == len(data) == source.stats.bytes
    offsets = [row["source_offset"] for row in rows]
    assert offsets == sorted(set(offsets))


def head(number: int, pid: int = 1) -> bytes:
    return b"2024-01-01 00:00:00.%03d %d INFO a.b [-] n%d\n" % (number, pid, number)


def shown(source: Clocked) -> list[str]:
    return [f"{r['body']}{dict(r['attributes']).get('closed', '')}" for r in source.rows()]


def test_a_record_leaves_with_the_next_head_of_its_worker_or_after_the_hold() -> None:
    source = Clocked()
    source.arrive(head(1))
    source.wait(HOLD / 2)
    assert shown(source) == []
    source.arrive(head(2))
    assert shown(source) == ["n1"]
    source.wait(HOLD - 1)
    assert shown(source) == ["n1"]
    source.wait(2)
    assert shown(source) == ["n1", "n2hold"]


def test_a_busy_worker_does_not_keep_the_record_of_an_idle_one_open() -> None:
    source = Clocked()
    source.arrive(head(0, pid=2))
    for number in range(1, 12):
        source.arrive(head(number))
        source.wait(HOLD / 10)
    assert shown(source)[:2] == ["n0hold", "n1"]


def test_what_comes_after_the_hold_is_a_record_of_its_own() -> None:
    source = Clocked()
    source.arrive(head(1))
    source.wait(2 * HOLD)
    source.arrive(b"more\n")
    source.use(source.live.end())
    assert shown(source) == ["n1hold", "more"]


def test_with_no_hold_records_leave_at_once() -> None:
    source = Clocked(hold=0)
    source.arrive(head(1) + b"more\n" + head(2)[:20])
    source.wait(0.001)
    assert shown(source) == ["n1\nmorehold"]
    source.arrive(head(2)[20:])
    source.wait(0.001)
    assert shown(source) == ["n1\nmorehold", "n2hold"]


def test_a_normalizer_gives_what_is_complete_when_asked() -> None:
    normalizer = Normalizer()
    assert normalizer.feed(head(1) + head(2) + b"mor") == []
    assert [b["body"].to_pylist() for b in normalizer.flush()] == [["n1"]]
    assert [b["body"].to_pylist() for b in normalizer.flush(close=True)] == [["n2"]]
    assert normalizer.feed(b"e\n") == []
    (batch,) = normalizer.close()
    assert batch.to_pylist()[0]["body"] == "more"
    assert batch.to_pylist()[0]["format"] is None
    assert normalizer.flush() == []


# -- through the real command -------------------------------------------------


@contextmanager
def command(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "opslog", "filter", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)


def received(process: subprocess.Popen[bytes]) -> dict[str, object]:
    """Return the next record, as soon as its line is there."""
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(process.stdout.fileno(), 1)
        assert part, "the output has ended"
        line += part
    record: dict[str, object] = json.loads(line)
    return record


@pytest.mark.parametrize("threads", ["1", "3"])
def test_a_pipe_gives_each_record_while_it_stays_open(threads: str) -> None:
    with command("--threads", threads) as process:
        for number in range(3):
            send(process, head(number))
            if number:
                assert received(process)["body"] == f"n{number - 1}"
        assert received(process)["attributes"] == {"closed": "hold"}


def test_a_record_waits_for_its_lines_as_long_as_is_said() -> None:
    with command("--hold", "1000s") as process:
        send(process, head(1))
        send(process, head(2, pid=2))
        for byte in b"more\n":
            send(process, bytes([byte]))
        assert process.stdin is not None
        process.stdin.close()
        assert [received(process)["body"] for _ in "12"] == ["n1", "n2\nmore"]


def test_half_a_character_is_waited_for() -> None:
    line = "2024-01-01 00:00:00.000 1 INFO a.b [-] \u00e9\n".encode()
    with command("--hold", "0") as process:
        send(process, head(1))
        assert received(process)["body"] == "n1"
        send(process, line[:-2])
        send(process, line[-2:])
        assert received(process)["body"] == "\u00e9"


def test_a_stopped_process_goes_on_where_it_was() -> None:
    with command() as process:
        send(process, head(1))
        assert received(process)["body"] == "n1"
        process.send_signal(signal.SIGSTOP)
        send(process, head(2) + b"more\n")
        process.send_signal(signal.SIGCONT)
        assert received(process)["body"] == "n2\nmore"


def test_of_half_a_compressed_member_what_is_there_leaves() -> None:
    lines = [head(n) + b"%x\n" % hash((n, "x")) for n in range(1000)]
    packed = gzip.compress(b"".join(lines), 1)
    with command() as process:
        send(process, packed[: len(packed) // 2])
        assert str(received(process)["body"]).startswith("n0")
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout is not None
        assert process.stdout.read().endswith(b"}\n")
        assert process.wait() == 2
        assert process.stderr is not None
        assert b"the gzip data ends too early" in process.stderr.read()


def test_an_interrupt_ends_with_what_is_complete() -> None:
    with command("--hold", "1000s") as process:
        send(process, head(1) + head(2) + b"unfinish")
        assert received(process)["body"] == "n1"
        process.send_signal(signal.SIGTERM)
        assert received(process)["body"] == "n2"
        assert process.wait() == 128 + signal.SIGTERM


def test_records_of_a_pipe_are_those_of_the_file() -> None:
    data = b"".join(head(n % 1000, pid=n % 3) + b"x" * (n % 100) + b"\n" for n in range(5000))
    with command("--hold", "5") as process:
        assert process.stdin is not None
        out, _ = process.communicate(data)
    assert [r["body"] for r in map(json.loads, out.splitlines())] == [
        r["body"] for r in records(data)
    ]


def test_files_of_a_live_stream_roll_while_nothing_comes(tmp_path: Path) -> None:
    with command("--to", "parquet", "-o", f"{tmp_path}/", "--roll", "1s") as process:
        send(process, head(1))
        while not (found := list(tmp_path.glob("*.parquet"))):
            assert process.poll() is None
            time.sleep(0.01)
        assert pq.read_table(found[0])["body"].to_pylist() == ["n1"]


def filled(into: int) -> bool:
    """Return whether a pipe takes no more."""
    (held,) = struct.unpack("i", fcntl.ioctl(into, termios.FIONREAD, b"\0" * 4))
    return bool(held == fcntl.fcntl(into, fcntl.F_GETPIPE_SZ))


@pytest.mark.parametrize("reads_on", [False, True])
def test_a_run_that_is_told_to_end_waits_for_its_reader_but_not_for_ever(
    reads_on: bool, tmp_path: Path
) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state"
    log.write_bytes(heads(0, 2000))
    follow = [sys.executable, "-m", "opslog", "filter", "-f", "--checkpoint", str(state), str(log)]
    out, into = os.pipe()
    with subprocess.Popen(follow, stdout=into, stderr=subprocess.PIPE) as process:
        while not filled(into):
            assert process.poll() is None
            time.sleep(0.01)
        os.close(into)
        process.send_signal(signal.SIGTERM)
        if not reads_on:
            process.wait()
        with os.fdopen(out, "rb") as reader:
            data = reader.read()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    found = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    if reads_on:
        assert (process.returncode, said) == (128 + signal.SIGTERM, "")
        assert bodies(found) == [f"n{n}" for n in range(1999)], "the last may have more lines"
        return
    assert process.returncode == 2
    assert said == (
        "opslog: -: asked to end, but for 8 seconds nobody has read on; the first "
        f"{len(data)} bytes are written, up to the last newline they are valid\n"
    )
    assert 0 < len(found) < 2000
    # What the reader never got is not said to be read.
    with subprocess.Popen(follow, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while "n1999" not in bodies(found):
            found.append(json.loads(next(process.stdout)))
        process.terminate()
    assert {*bodies(found)} == {f"n{n}" for n in range(2000)}
