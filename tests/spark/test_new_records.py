"""What is new in files between two offsets: every record once, whatever becomes of the files.

The reader is asked as Spark asks it, without Spark: test_stream.py has the real one.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import opslog
from simulator import ERAS, Deployment

pytestmark = pytest.mark.spark
pytest.importorskip("pyspark")
from opslog.spark import growing, stream  # noqa: E402
from opslog.spark import source as on_spark  # noqa: E402

COLUMNS = ("timestamp", "severity_text", "body", "exception_stacktrace", "source", "source_offset")
LONG_AGO = 1_000_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look as often as asked."""
    monkeypatch.setattr(stream, "_LOOK", 0.0)
    monkeypatch.setattr(stream, "_SHARE", 0)


class Query:
    """A stream of what ``path`` names, and the records that it has given."""

    def __init__(self, path: Path | str, **options: str) -> None:
        self.options = {"path": str(path), "columns": ", ".join(COLUMNS), "settle": "3600"}
        self.options |= options
        self.batches: list[pa.Table] = []
        self.restart()
        self.offset = self.reader.initialOffset()

    def restart(self) -> None:
        """Go on as a new driver does: only the offset is known."""
        self.reader: Any = on_spark.LogSource(self.options).streamReader(SCHEMA)

    def step(self, restarts: bool = False) -> int:
        """Read one batch and return how many records it has; the driver is killed if it ``restarts``.

        It is killed when the batch is planned, and does it again.
        """
        end = json.loads(json.dumps(self.reader.latestOffset(self.offset, None)))
        if restarts:
            self.reader.partitions(self.offset, end)
            self.restart()
        rows = 0
        if end != self.offset:
            for part in pickle.loads(pickle.dumps(self.reader.partitions(self.offset, end))):
                for batch in self.reader.read(part):
                    self.batches.append(pa.Table.from_batches([batch]))
                    rows += len(batch)
        self.offset = end
        return rows

    def end(self) -> None:
        """Read all that is there, open records and unfinished lines, too."""
        self.options |= {"settle": "0", "quiet": "0"}
        self.restart()
        self.step()
        assert self.step() == 0

    def table(self) -> pa.Table:
        order = [("source", "ascending"), ("source_offset", "ascending")]
        return pa.concat_tables(self.batches).sort_by(order).combine_chunks()


SCHEMA = pa.schema(
    [
        pa.field(
            name,
            {"timestamp": pa.timestamp("us", "UTC"), "source_offset": pa.int64()}.get(
                name, pa.string()
            ),
        )
        for name in COLUMNS
    ]
)


def read_at_once(*paths: Path | str) -> pa.Table:
    found = opslog.read(*paths).to_table(COLUMNS).cast(SCHEMA)
    order = [("source", "ascending"), ("source_offset", "ascending")]
    return found.sort_by(order).combine_chunks()


def bodies(table: pa.Table) -> list[tuple[str | None, str | None]]:
    """Return what is the same of a record whatever its file was called."""
    return sorted(
        zip(table["body"].to_pylist(), table["exception_stacktrace"].to_pylist(), strict=True),
        key=str,
    )


def lines(first: int, count: int, size: int = 0) -> bytes:
    return b"".join(
        b"2026-03-10 10:00:%02d.000 7 INFO nova.api [-] number %d%s\n" % (n % 60, n, b"x" * size)
        for n in range(first, first + count)
    )


TRACEBACK = (
    b"2026-03-10 10:00:00.000 7 ERROR nova.api [-] failed\n"
    b"2026-03-10 10:00:00.000 7 ERROR nova.api Traceback (most recent call last):\n"
    b'2026-03-10 10:00:00.000 7 ERROR nova.api   File "a.py", line 1, in a\n'
    b"2026-03-10 10:00:00.000 7 ERROR nova.api ValueError: no\n"
)


@pytest.mark.parametrize("seed", range(4))
def test_files_that_grow_give_the_records_of_the_whole(seed: int, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    Deployment(seed, ERAS[seed % len(ERAS)], boots=4).write(tmp_path / "all")
    choose = random.Random(seed)
    data = {p: p.read_bytes() for p in sorted((tmp_path / "all").rglob("*")) if p.is_file()}
    logs = tmp_path / "logs"
    logs.mkdir()
    query = Query(logs)
    given = dict.fromkeys(data, 0)
    while any(given[p] < len(text) for p, text in data.items()):
        for path, text in data.items():
            name = str(path.relative_to(tmp_path / "all")).replace("/", "-")
            count = choose.choice([0, 1, 50, 3000, 40_000])
            with (logs / name).open("ab") as file:
                file.write(text[given[path] : given[path] + count])
            given[path] += count
        query.step(restarts=choose.random() < 0.3)
        if choose.random() < 0.3:
            query.restart()
    query.end()
    assert query.table().equals(read_at_once(logs))
    assert len(query.batches) > 20


def test_a_record_waits_for_the_next_or_until_it_has_settled(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 3) + TRACEBACK[:100])
    query = Query(tmp_path)
    assert query.step() == 3
    assert query.step() == 0
    with log.open("ab") as file:
        file.write(TRACEBACK[100:])
    assert query.step() == 0  # more of the traceback may come
    with log.open("ab") as file:
        file.write(lines(3, 1) + b"2026-03-10 10:00:00.000 7 INFO no")
    assert query.step() == 1
    query.options["settle"] = "0"
    query.restart()
    assert query.step() == 1
    os.utime(log, (LONG_AGO, LONG_AGO))
    assert query.step() == 1  # a line without an end
    assert query.table().equals(read_at_once(log))
    assert query.table()["exception_stacktrace"].null_count == 5


def test_what_comes_behind_a_record_that_was_ended_is_not_lost(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    place = TRACEBACK.index(b"\n") + 1
    log.write_bytes(lines(0, 1) + TRACEBACK[:place])
    query = Query(log, settle="0")
    assert query.step() == 2
    with log.open("ab") as file:
        file.write(TRACEBACK[place:] + lines(1, 2))
    query.restart()
    assert query.step() == 3
    offsets = query.table()["source_offset"].to_pylist()
    assert offsets[2] == len(lines(0, 1)) + place


@pytest.mark.parametrize("pattern", ["*", "*.log", ""])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_file_that_is_renamed_goes_on(pattern: str, restarts: bool, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "a.log"
    query = Query(logs / pattern)
    for number in range(5):
        with log.open("ab") as file:
            file.write(lines(100 * number, 50))
        query.step(restarts)
        with log.open("ab") as file:
            file.write(lines(100 * number + 50, 50))
        for old in range(number, 0, -1):
            os.rename(f"{log}.{old}", f"{log}.{old + 1}")
        os.rename(log, f"{log}.1")
        if number != 2:  # between two looks it may be rotated twice
            log.write_bytes(lines(1000 + number, 1))
            query.step(restarts)
        if restarts:
            query.restart()
    query.end()
    assert bodies(query.table()) == bodies(read_at_once(logs))
    assert set(query.table()["source"].to_pylist()) == {str(log)}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("pattern", ["*", "a.log"])
def test_a_file_that_is_copied_and_truncated_goes_on(
    pattern: str, restarts: bool, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    query = Query(tmp_path / pattern)
    for number in range(4):
        with log.open("ab") as file:
            file.write(lines(100 * number, 50))
        query.step(restarts)
        with log.open("ab") as file:
            file.write(lines(100 * number + 50, 50))
        if number:
            os.rename(f"{log}.1", f"{log}.{number + 1}")
        shutil.copyfile(log, f"{log}.1")
        if number == 1:
            assert query.step(restarts) == 50  # before it is truncated
        os.truncate(log, 0)
        if number == 2:
            query.step(restarts)  # before anything is in it
        if restarts:
            query.restart()
    query.end()
    assert bodies(query.table()) == bodies(read_at_once(tmp_path))


@pytest.mark.parametrize("stopped", [False, True])
def test_a_rotated_file_that_is_compressed_is_not_read_again(stopped: bool, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 100))
    query = Query(tmp_path / "*", settle="0")
    wanted = lines(0, 100)
    query.step()
    with log.open("ab") as file:
        file.write(lines(100, 100))
    wanted += lines(100, 100)
    if not stopped:
        query.step()
    with gzip.open(tmp_path / "a.log.1.gz", "wb") as packed:
        packed.write(log.read_bytes())
    log.unlink()
    log.write_bytes(lines(200, 10))
    query.restart()
    query.step(restarts=stopped)
    os.rename(tmp_path / "a.log.1.gz", tmp_path / "a.log.2.gz")
    query.restart()
    query.end()
    (tmp_path / "whole").write_bytes(wanted + lines(200, 10))
    assert bodies(query.table()) == bodies(read_at_once(tmp_path / "whole"))


def test_a_batch_that_is_done_again_finds_its_lines_in_a_compressed_file(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 100))
    query = Query(tmp_path / "*")
    query.step()
    with log.open("ab") as file:
        file.write(lines(100, 100, size=300))
    end = query.reader.latestOffset(query.offset, None)
    with gzip.open(tmp_path / "a.log.1.gz", "wb") as packed:
        packed.write(log.read_bytes() + lines(200, 10))
    log.unlink()
    query.restart()
    [part] = query.reader.partitions(query.offset, end)
    found = [body for batch in query.reader.read(part) for body in batch["body"].to_pylist()]
    assert found[0] == "number 99"
    assert len(found) == 100
    query.offset = end
    query.batches.clear()
    query.end()
    assert query.table().num_rows == 11


def test_compressed_files_are_read_whole_when_they_are_settled(tmp_path: Path) -> None:
    data = gzip.compress(lines(0, 1000))
    (tmp_path / "a.log.gz").write_bytes(data[:-20])
    query = Query(tmp_path, settle="0.2")
    assert query.step() == 0
    (tmp_path / "a.log.gz").write_bytes(data)
    assert query.step() == 0
    time.sleep(0.3)
    assert query.step() == 1000
    os.rename(tmp_path / "a.log.gz", tmp_path / "b.log.gz")
    query.restart()
    assert query.step() == 0


def test_a_new_file_that_takes_the_place_of_another_is_read(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 100))
    query = Query(log, settle="0")
    assert query.step() == 100
    log.unlink()
    query.step()
    log.write_bytes(lines(500, 20))
    assert query.step() == 20
    assert query.step() == 0


def test_lines_that_are_gone_before_they_are_read_are_told(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 100))
    query = Query(log)
    end = query.reader.latestOffset(query.offset, None)
    log.unlink()
    with pytest.raises(opslog.SourceError, match="the file is gone"):
        query.reader.partitions(query.offset, end)


def test_how_much_of_a_file_was_not_read_when_it_was_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "_TOLD", 0.0)
    log = tmp_path / "a.log"
    log.write_bytes(lines(0, 100))
    query = Query(log)
    assert query.step() == 99
    left = len(lines(0, 100)) - len(lines(0, 99))
    log.unlink()
    with pytest.warns(RuntimeWarning, match=f"a.log: is gone.* its last {left} bytes are lost"):
        assert query.step() == 0


def test_a_large_file_is_read_in_parts(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    some = lines(0, 100, size=2000) + TRACEBACK
    log.write_bytes(lines(0, 3) + some * ((40 << 20) // len(some)))
    query = Query(log, splitBytes=str(16 << 20))
    end = query.reader.latestOffset(query.offset, None)
    assert len(query.reader.partitions(query.offset, end)) == 3
    assert query.reader.latestOffset(query.offset, None) == end
    query.step()
    with log.open("ab") as file:
        file.write(some * ((20 << 20) // len(some)))
    end = query.reader.latestOffset(query.offset, None)
    assert len(query.reader.partitions(query.offset, end)) == 2
    query.step()
    query.end()
    assert query.table().equals(read_at_once(log))


def test_an_offset_of_many_files_is_small_and_forgets_those_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        (tmp_path / f"service-{number:04}.log").write_bytes(lines(number, 3))
    query = Query(tmp_path, settle="0")
    assert query.step() == 1500
    assert len(json.dumps(query.offset)) < 500 * 50
    for path in list(tmp_path.iterdir())[10:]:
        path.unlink()
    from opslog.spark import growing

    monkeypatch.setattr(growing, "_FORGET", 0.0)
    query.step()
    query.step()
    assert len(json.dumps(query.offset)) < 1000


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("settle", "soon", "settle: expected a number of seconds from 0, found 'soon'"),
        ("quiet", "-1", "quiet: expected a number of seconds from 0"),
        ("wait", "1", "options: expected some of .*quiet.*settle"),
        ("path", "s3://logs/a", "expected files that all tasks see"),
    ],
)
def test_wrong_options_are_told(option: str, value: str, said: str, tmp_path: Path) -> None:
    def ask() -> None:
        query = Query(tmp_path)
        query.options[option] = value
        query.restart()
        query.step()

    with pytest.raises(opslog.OpslogError, match=said):
        ask()


def test_an_offset_of_another_version_is_refused(tmp_path: Path) -> None:
    query = Query(tmp_path)
    query.offset = {**query.offset, "version": 7}
    with pytest.raises(opslog.OpslogError, match="expected an offset of version 1, found 7"):
        query.step()


@pytest.mark.parametrize(
    "damage", [{"files": "x"}, {"files": "eJyLjtYx1DGKjQUACbICXQ=="}, {"files": 1}]
)
def test_a_damaged_offset_is_told(damage: dict[str, object], tmp_path: Path) -> None:
    query = Query(tmp_path)
    query.offset = {**query.offset, **damage}
    with pytest.raises(opslog.OpslogError, match="expected an offset that opslog wrote"):
        query.step()
