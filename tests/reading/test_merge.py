"""Merged, the records of many sources come in the order of time, and each source's in its own."""

from __future__ import annotations

import json
import os
import random
import struct
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import opslog as command
from helpers import plain
from opslog import F
from opslog.model.errors import SinkError
from opslog.reading import merge

START = datetime(2026, 3, 10, tzinfo=UTC)
TIME = st.none() | st.integers(0, 9)
TIMES = st.lists(TIME, max_size=12)
NO_TIME = -(1 << 63)


def add(runs: merge.Runs, number: int, times: list[int | None], sizes: list[int]) -> None:
    """Add a source's rows in batches of these sizes; a row is its source and place."""
    names = pa.array([f"{number}.{place}" for place in range(len(times))], pa.string())
    rows = pa.RecordBatch.from_arrays([names], ["row"])
    at = 0
    for size in [*sizes, len(times)]:
        part = rows.slice(at, size)
        if len(part):
            own = [NO_TIME if time is None else time for time in times[at : at + size]]
            places = pa.array(own, pa.int64())
            runs.add(runs.put(str(number), lambda places=places: places, part))
        at += size


@given(
    st.lists(st.tuples(TIMES, st.lists(st.integers(0, 4), max_size=6)), max_size=5),
    st.sampled_from([1, 100, 1 << 20]),
    st.sampled_from([1, 100, 1 << 20]),
    st.none() | st.integers(0, 60),
    st.integers(1, 2),
)
def test_merged_is_a_stable_sort_of_all(
    sources: list[tuple[list[int | None], list[int]]],
    read_at_once: int,
    taken_at_once: int,
    most: int | None,
    threads: int,
) -> None:
    expected = []
    for number, (times, _) in enumerate(sources):
        latest = -1
        for place, time in enumerate(times):
            latest = max(latest, -1 if time is None else time)
            expected.append((latest, number, place))
    with pytest.MonkeyPatch.context() as patch, merge.Runs(len(sources)) as runs:
        patch.setattr(runs, "_window", read_at_once)
        patch.setattr(merge, "_AHEAD", taken_at_once)
        for number, (times, sizes) in enumerate(sources):
            add(runs, number, times, sizes)
        rows = []
        for count, batch in runs.merged(most, threads):
            assert count == len(batch) > 0
            rows += batch.column("row").to_pylist()
    assert rows == [f"{number}.{place}" for _, number, place in sorted(expected)][:most]


@given(
    st.lists(st.lists(st.lists(st.tuples(TIME, st.binary(max_size=40)))), max_size=5),
    st.integers(1, 100),
    st.sampled_from([1, 100, 1 << 20]),
    st.none() | st.integers(0, 60),
    st.integers(1, 2),
)
def test_merged_lines_are_a_stable_sort_of_all(
    sources: list[list[list[tuple[int | None, bytes]]]],
    read_at_once: int,
    taken_at_once: int,
    most: int | None,
    threads: int,
) -> None:
    expected = []
    with pytest.MonkeyPatch.context() as patch, merge.Runs(len(sources)) as runs:
        patch.setattr(runs, "_window", read_at_once)
        patch.setattr(merge, "_TAKEN", taken_at_once)
        for number, parts in enumerate(sources):
            latest, written = -1, []
            for part in parts:
                written.append(runs.put(str(number), pytest.fail, memoryview(lines(part))))
                for time, line in part:
                    latest = max(latest, -1 if time is None else time)
                    expected.append((latest, number, len(expected), line))
            for done in written:
                runs.add(done)
        merged, total = b"", 0
        for count, view in runs.merged(most, threads):
            merged += view
            total += count
    expected = sorted(expected)[:most]
    assert total == len(expected)
    assert merged == b"".join(line for *_, line in expected)


def lines(rows: list[tuple[int | None, bytes]]) -> bytes:
    """Return lines behind their heads."""
    return b"".join(
        struct.pack("=qq", NO_TIME if time is None else time, len(line)) + line
        for time, line in rows
    )


@pytest.mark.parametrize("window", [1, 100, 1 << 16])
@pytest.mark.parametrize(
    "wrong", [b"\0" * 15, struct.pack("=qq", 1, 2) + b"x", struct.pack("=qq", 1, -1)]
)
def test_a_changed_file_is_told(window: int, wrong: bytes) -> None:
    with merge.Runs(1) as runs:
        runs._window = window
        runs.add(runs.put("a", pytest.fail, memoryview(lines([(0, b"line")]) + wrong)))
        with pytest.raises(SinkError, match="have been changed"):
            list(runs.merged())


def test_a_shorter_file_is_told() -> None:
    with merge.Runs(1) as runs:
        runs.add(runs.put("a", pytest.fail, memoryview(lines([(0, b"line")]))))
        os.truncate(runs._fd, 3)
        with pytest.raises(SinkError, match="have been changed"):
            list(runs.merged())


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """Three logs of one hour; lines follow on, some records are WARNING."""
    rng = random.Random(7)
    paths = []
    for name in ("b.log", "a.log", "c.log"):
        time = START
        text = "" if name != "c.log" else "no time\n"
        for number in range(3000):
            time += timedelta(milliseconds=rng.randrange(2400))
            level = rng.choice(["INFO", "INFO", "WARNING"])
            stamp = f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"
            text += f"{stamp} {number % 3} {level} nova [-] {name} {number}\n"
            text += "more\n" * (number % 7 == 0)
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    return paths


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1, 32 << 20])
def test_logs_merge_alike_whatever_is_read_at_once(
    logs: list[Path], threads: int, ahead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ahead == 1:  # one row after the other: slow, and as telling of fewer
        for path in logs:
            path.write_text("".join(path.read_text().splitlines(keepends=True)[:400]))
    monkeypatch.setattr(merge, "_AHEAD", ahead)
    monkeypatch.setattr(merge, "_SMALLEST", 1000)
    merged = opslog.read(*logs, threads=threads, merge=True)
    apart = opslog.read(*logs)
    table = merged.to_table()
    assert table.num_rows == apart.to_table().num_rows
    times = [time for time in table["timestamp"].to_pylist() if time is not None]
    assert times == sorted(times)
    for path in logs:
        own = F.source == str(path)
        expected = plain(table.filter(own))
        assert plain(merged.filter(own).to_table()).equals(expected)
        assert plain(apart.filter(own).to_table()).equals(expected)
    stats = merged.write_jsonl(tmp_path / "merged.jsonl")
    assert stats == apart.write_jsonl(tmp_path / "apart.jsonl")
    assert (tmp_path / "merged.jsonl").read_bytes() == b"".join(
        opslog.to_json_lines(batch) for batch in merged.batches()
    )
    merged.write_parquet(tmp_path / "merged.parquet")
    assert plain(pq.read_table(tmp_path / "merged.parquet")).equals(plain(table))


LINES = (
    b"2024-01-01 00:00:0%d.000 1 INFO a.b [-] kept\n",
    b"2024-01-01 00:00:0%d.000 2 ERROR a.b [-] dropped\n",
    b'{"kept": %d}\n',
    b"kept %d, without a time\n",
    b"Jan  1 00:00:0%d h p[1]: kept\n",
)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(LINES), st.integers(0, 9)), max_size=9), max_size=4
    ),
    st.sampled_from([1, 2]),
)
def test_a_filter_of_merged_logs_keeps_their_order(
    logs: list[list[tuple[bytes, int]]], threads: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.log") for number in range(len(logs))]
        for path, lines in zip(paths, logs, strict=True):
            path.write_bytes(b"".join(line % second for line, second in lines))
        merged = opslog.read(*paths, merge=True, threads=threads, year=2024)
        for where in (F.body.contains("kept"), F.severity >= "ERROR", F.timestamp.is_null()):
            kept = merged.filter(where)
            assert plain(kept.to_table()).equals(plain(merged.to_table().filter(where)))
            kept.write_jsonl(Path(folder, "out"))
            lines = Path(folder, "out").read_bytes().splitlines()
            rows = [json.loads(line)["source_offset"] for line in lines]
            assert rows == kept.to_table()["source_offset"].to_pylist()


def test_a_request_is_found_in_merged_logs(logs: list[Path]) -> None:
    request = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
    for path, second in zip(logs, (7, 3, 5), strict=True):
        with path.open("a") as file:
            file.write(f"2026-03-11 00:00:0{second}.000 1 INFO nova [{request} u p] {path.name}\n")
    result = command("filter", "--merge", "--request", request, *map(str, logs))
    bodies = [line.partition(b'"body":"')[2][:5] for line in result.stdout.splitlines()]
    assert bodies == [b"a.log", b"c.log", b"b.log"]


def test_what_is_missing_is_told_and_the_rest_is_read(logs: list[Path], tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.log")
    result = command("filter", "--merge", "--stats", str(logs[0]), missing)
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 3000
    assert result.stderr.decode().splitlines()[0] == f"opslog: {missing}: No such file or directory"


def test_a_full_disk_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with merge.Runs(1) as runs:
        os.dup2(full := os.open("/dev/full", os.O_WRONLY), runs._fd)
        os.close(full)
        times = pa.array([1], pa.int64())
        with pytest.raises(SinkError) as raised:
            runs.put("a", lambda: times, pa.RecordBatch.from_arrays([times], ["row"]))
    assert str(raised.value).endswith(
        "to be merged, what is kept must fit there; TMPDIR names another folder"
    )
    assert "No space left on device" in str(raised.value)


def test_without_a_temporary_folder_it_is_told(logs: list[Path]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", "/no/such/folder")
        with pytest.raises(SinkError, match=r"/no/such/folder: No such file.*TMPDIR names another"):
            list(opslog.read(*logs, merge=True).batches())
