"""What is read of a window of time: every record of it, and little else of a large log."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.filters.filter import Filter
from opslog.inputs import lines
from opslog.model.stats import Stats
from opslog.reading.index import Index
from opslog.reading.window import TimeWindow
from opslog.rows.kept import Kept

DAY = datetime(2026, 3, 10, tzinfo=UTC)
SMALL = 1 << 12
NEVER = Filter.holding(library.F.request_id == "req-0", "req-0")


def log(minutes: list[int]) -> bytes:
    """Return a log with six records a minute."""
    filler = "x" * 300
    times = [DAY + timedelta(minutes=one, seconds=10 * n) for one in minutes for n in range(6)]
    return b"".join(
        f"{time:%Y-%m-%d %H:%M:%S}.000 7 INFO nova.x [-] {filler}\n".encode() for time in times
    )


def read(path: Path, window: TimeWindow, index: Index | None) -> tuple[list[int], int]:
    """Return where the records of a window begin, and how many bytes were parsed."""
    f = library.F
    near = Filter.of((f.timestamp >= window.begin) & (f.timestamp <= window.end))
    stats = Stats()
    logs = library.read(path).filter(near)
    logs = logs._changed(index=index, window=None if index is None else window)
    batches: Iterator[list[int]] = (
        batch["source_offset"].to_pylist()
        for batch in logs._begun(stats).results(Kept.batch, ("source_offset",))
    )
    return [place for batch in batches for place in batch], stats.lines


def known(path: Path) -> Index:
    """Return an index that knows a file."""
    index = Index()
    logs = library.read(path).filter(NEVER)._changed(index=index)
    assert not list(logs._begun().results(Kept.batch, ("source_offset",)))
    return index


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(30, 200)), max_size=3, unique_by=itemgetter(0)
    ),
    st.integers(-20, 1200),
    st.integers(0, 60),
    st.booleans(),
)
def test_every_record_of_the_time_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[int, int]],
    begin: int,
    length: int,
    packed: bool,
) -> None:
    """Of a log in order, or of several such logs one after the other."""
    path = tmp_path_factory.mktemp("log") / "n.log"
    data = b"".join(log(list(range(300 * part, 300 * part + count))) for part, count in parts)
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    start = DAY + timedelta(minutes=begin)
    window = TimeWindow(start, start + timedelta(minutes=length))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", SMALL)
        assert read(path, window, known(path))[0] == read(path, window, None)[0]


def test_little_else_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", SMALL)
    path = tmp_path / "n.log"
    path.write_bytes(log(list(range(1000))))
    start = DAY + timedelta(minutes=400)
    places, parsed = read(path, TimeWindow(start, start + timedelta(minutes=5)), known(path))
    assert len(places) == 31
    assert parsed < 6000 // 20


def test_a_file_that_was_not_written_since_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    path.write_bytes(log([0, 1]))
    window = TimeWindow(DAY, DAY + timedelta(hours=1))
    assert len(read(path, window, known(path))[0]) == 12
    os.utime(path, times=(0, (DAY - timedelta(days=3)).timestamp()))
    assert read(path, window, known(path)) == ([], 0)
