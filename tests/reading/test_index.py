"""What later readings go past holds nothing of what they look for."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.engine._search import Ids
from opslog.filters.filter import Filter
from opslog.inputs import lines
from opslog.inputs.lines import BLOCK_BYTES
from opslog.kernel._block import Block
from opslog.model.stats import Stats
from opslog.reading.index import Index
from opslog.rows.kept import Kept
from opslog.trace import Story, trace
from opslog.trace.plain import plain
from simulator import ERAS, Deployment

ID = re.compile(rb"(?:req-|tx)[0-9a-f]{8}")
REQUESTS = [f"req-{n}b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90" for n in range(5)]
FILLER = b"2024-01-01 00:00:00.000 1 INFO nova.compute [-] " + b"x" * 150 + b"\n"
SMALL = 1 << 12
"""Bytes of a block small enough that a log of few lines has many."""


def block_of(data: bytes) -> Block:
    block = Block(len(data))
    block.reset(0)
    if data:
        block.room(len(data))[:] = data
    block.filled(len(data))
    return block


def line(request: str, text: str) -> bytes:
    return f"2024-01-01 00:00:01.000 7 DEBUG nova.x [{request} u p - - -] {text}\n".encode()


def chain(number: int) -> bytes:
    """Return the line of a request that names the next one, which it called."""
    called = f"GET call to network for http://n/ used request id {REQUESTS[number + 1]}"
    return line(REQUESTS[number], called)


def held(path: Path, request: str, index: Index | None, threads: int = 1) -> list[int]:
    """Return the offsets of the records of a request."""
    where = Filter.holding(library.F.request_id == request, request)
    logs = library.read(path, threads=threads).filter(where)._changed(index=index)
    batches = logs._results(Kept.batch, ("source_offset",), logs._begun())
    return [offset for batch in batches for offset in batch["source_offset"].to_pylist()]


def read_of(path: Path, request: str, index: Index) -> int:
    """Return how many bytes of a file are read for a request."""
    positions: list[int] = []
    where = Filter.holding(library.F.request_id == request, request)
    logs = library.read(path).filter(where)._changed(index=index)
    list(logs._results(Kept.batch, (), logs._begun(watch=positions.append)))
    return max(positions)


def told(story: Story) -> tuple[object, ...]:
    return plain(story, 1.0), story.table.to_pylist(), story.left_out, str(story.unread)


# -- ids of a block ----------------------------------------------------------------------------


@given(
    st.lists(
        st.sampled_from([b"req-", b"tx", b"re", b"q-", b"-", b"t", b" ", b"\n", b"a", b"0123abcd", b"89abcdef", b"x" * 13])
        | st.binary(max_size=20),
        max_size=60,
    ).map(b"".join)
)  # fmt: skip
def test_no_id_of_a_block_is_missed(data: bytes) -> None:
    ids = Ids(block_of(data))
    for found in ID.findall(data):
        assert ids.may_hold([found])
        assert ids.may_hold([b"tx00000000", found + b"-and-more"])


def test_most_ids_that_are_not_there_are_known_not_to_be() -> None:
    there = [b"req-%08x and tx%08x\n" % (n * 7919, n * 104729) for n in range(700)]
    ids = Ids(block_of(b"".join(there) + FILLER * ((BLOCK_BYTES - (1 << 16)) // len(FILLER))))
    others = [b"req-%08x" % (n * 7919 + 1) for n in range(5000)]
    assert sum(ids.may_hold([one]) for one in others) < 50
    assert not ids.may_hold([b"tx%08x" % 7919])


@pytest.mark.parametrize("text", ["0b8d7f4e-31c5-4f6a", "req-0B8D7F4E", "req-123", "tx12345", "x"])
def test_what_is_no_id_may_be_anywhere(text: str) -> None:
    assert Ids(block_of(FILLER)).may_hold([text.encode()])


@pytest.mark.parametrize(
    "hidden", [rb'{"m": "req\u002d0b8d7f4e"}', b'{"m" : [' + b"114, " * 9 + b"114]}"]
)
def test_what_json_may_hide_may_be_there(hidden: bytes) -> None:
    assert Ids(block_of(FILLER + hidden)).may_hold([REQUESTS[0].encode()])


def test_ids_take_a_five_hundredth_of_their_block_at_most() -> None:
    data = b"".join(b"tx%08x\n" % (n * 2654435761 % (1 << 32)) for n in range(BLOCK_BYTES // 11))
    assert len(Ids(block_of(data))) * 500 <= len(data)
    assert len(Ids(block_of(FILLER * 20_000))) == 8


# -- stories -----------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("era", [e for e in ERAS if e.debug], ids=lambda era: era.name)
def test_a_story_is_the_same_without_the_index(
    era: object,
    threads: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = Deployment(3, era, boots=6).write(tmp_path)  # type: ignore[arg-type]
    for number, path in enumerate(sorted(tmp_path.rglob("*.log"))):
        if number % 2:
            path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    monkeypatch.setattr(lines, "BLOCK_BYTES", SMALL)
    logs = library.read(tmp_path, threads=threads)
    ids = [*sorted(truth.roots)[::9], *sorted(truth.tasks), "no-such-id"]
    stats, all_stats = Stats(), Stats()
    stories = [told(trace(logs, one, stats=stats)) for one in ids]
    monkeypatch.setattr(Index, "of", lambda self, source: None)
    assert stories == [told(trace(logs, one, stats=all_stats)) for one in ids]
    assert stats.bytes == all_stats.bytes
    assert stats.skipped_bytes > all_stats.skipped_bytes


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shift", [0, 60, 90, 130, 197])
def test_ids_are_found_wherever_blocks_end(shift: int, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    data = bytearray(b"2024-01-01 00:00:00.000 1 INFO n [-] " + b"#" * shift + b"\n")
    for number in range(4):
        data += FILLER * ((number * BLOCK_BYTES - len(data)) // len(FILLER)) + chain(number)
    data += line(REQUESTS[4], "the end") + FILLER * 30_000
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    story = trace(library.read(path), REQUESTS[0])
    assert len(story.records) == 5
    assert {one.id for one in story.tree()} == set(REQUESTS)


@given(st.lists(st.integers(0, 6 * SMALL), min_size=5, max_size=5), st.booleans(), st.booleans())
def test_any_log_tells_the_same_without_the_index(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[int],
    packed: bool,
    ended: bool,
) -> None:
    path, data = tmp_path_factory.mktemp("log") / "n.log", bytearray()
    for number, at in enumerate(places):
        data += FILLER * (at // len(FILLER))
        data += chain(number) if number < 4 else line(REQUESTS[4], "the end")
    data = data if ended else data[:-1]
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", SMALL)
        story = trace(library.read(path), REQUESTS[places[0] % 5])
        patch.setattr(Index, "of", lambda self, source: None)
        assert told(story) == told(trace(library.read(path), story.id))


def test_what_could_not_be_read_is_still_told_in_the_end(tmp_path: Path) -> None:
    more = FILLER[:-1] + os.urandom(1 << 20).hex().encode() + b"\n"
    whole = gzip.compress(b"".join(map(chain, range(3))) + more)
    (tmp_path / "n.log.gz").write_bytes(whole[:-9000])
    (tmp_path / "o.log").write_bytes(chain(3))
    story = trace(library.read(tmp_path), REQUESTS[0])
    assert len(story.records) == 4
    assert "ends too early" in str(story.unread)


def test_standard_input_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    path.write_bytes(chain(0) + b"".join(map(chain, range(4))))
    with path.open("rb") as file:
        os.lseek(file.fileno(), len(chain(0)), os.SEEK_SET)
        command = [sys.executable, "-m", "opslog", "trace", REQUESTS[0], "--summary", "-", path]
        result = subprocess.run(command, stdin=file, capture_output=True, check=True)
    assert b"5 requests  9 records" in result.stdout


# -- files that change between two readings ----------------------------------------------------

BEFORE = FILLER * 300 + line(REQUESTS[0], "x") + FILLER * 300 + line(REQUESTS[1], "y")


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(FILLER * 50 + line(REQUESTS[1], "z"))


def go_on(path: Path) -> None:
    """Finish the last line."""
    path.write_bytes(BEFORE[:-30])
    held(path, REQUESTS[0], None)
    path.write_bytes(BEFORE)


def begin_again(path: Path) -> None:
    path.write_bytes(line(REQUESTS[1], "new") + BEFORE + BEFORE)


def shrink(path: Path) -> None:
    path.write_bytes(line(REQUESTS[1], "new"))


def rotate(path: Path) -> None:
    path.rename(path.with_name("rotated"))
    path.write_bytes(FILLER + line(REQUESTS[1], "new"))


def stay(path: Path) -> None:
    pass


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("change", [grow, go_on, begin_again, shrink, rotate, stay])
def test_what_changed_since_is_read_anew(
    change: Callable[[Path], None], threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", SMALL)
    path, index = tmp_path / "n.log", Index()
    path.write_bytes(BEFORE[:-30] if change is go_on else BEFORE)
    for _ in range(2):
        assert held(path, REQUESTS[0], index, threads) == held(path, REQUESTS[0], None)
    for _ in range(2):
        change(path)
        for request in REQUESTS[:3]:
            wanted = held(path, request, None)
            assert held(path, request, index, threads) == wanted
        assert bool(wanted) == (request == REQUESTS[1])


def test_members_of_a_compressed_file_that_grows_are_all_read(tmp_path: Path) -> None:
    path, index = tmp_path / "n.log.gz", Index()
    for _ in range(3):
        with path.open("ab") as file:
            file.write(gzip.compress(BEFORE))
        assert held(path, REQUESTS[1], index) == held(path, REQUESTS[1], None)


def test_a_compressed_file_without_the_id_is_not_unpacked_again(tmp_path: Path) -> None:
    path, index = tmp_path / "n.log.gz", Index()
    path.write_bytes(gzip.compress(BEFORE * (1 + (4 << 20) // len(BEFORE)), 0))
    assert held(path, REQUESTS[0], index)
    # Its beginning may be looked at: it tells whether it is an archive.
    assert read_of(path, REQUESTS[3], index) <= 2 << 20 < read_of(path, REQUESTS[1], index)
