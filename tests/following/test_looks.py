"""Looks: what happens to files between two of them, event by event, on a clock the test moves."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from looking import (
    Looks,
    compress,
    copy,
    copy_and_truncate,
    numbers,
    older,
    rename_and_create,
)

from live_run import heads, written
from opslog.following import contents, follow, seen_files
from opslog.inputs.source import Source
from opslog.model.errors import SourceError


def compress_unread(log: Path, looks: Looks, stop: int) -> None:
    """Read two lines of a log; those up to ``stop`` are compressed before the next look."""
    written(log, heads(0, 2))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(2, stop))
    rename_and_create(log)
    compress(Path(f"{log}.1"))


Rotation = Callable[[Path], None]
ROTATIONS: list[Rotation] = [copy_and_truncate, rename_and_create]


@pytest.mark.parametrize("second", ROTATIONS)
@pytest.mark.parametrize("first", ROTATIONS)
@pytest.mark.parametrize("after", [1, 9])
@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_lost_of_two_rotations_between_two_looks(
    first: Rotation, second: Rotation, after: int, packed: bool, log: Path, looks: Looks
) -> None:
    written(log, heads(0, 2))
    older(log, 20)
    looks.wait(1)
    first(log)
    written(log, heads(2, 5))
    older(log, 10)
    second(log)
    written(log, heads(5, 5 + after))
    if packed:
        compress(Path(f"{log}.1"))
    assert looks.bodies() == numbers(5 + after)


@pytest.mark.parametrize("second", ROTATIONS)
@pytest.mark.parametrize("first", ROTATIONS)
@pytest.mark.parametrize("after", [0, 1])
def test_what_was_written_and_rotated_between_two_looks_long_after_the_last_rotation_is_read(
    first: Rotation, second: Rotation, after: int, log: Path, looks: Looks
) -> None:
    written(log, heads(0, 1))
    looks.wait(1)
    first(log)
    looks.wait(24)
    written(log, heads(1, 3))
    second(log)
    written(log, heads(3, 3 + after))
    assert looks.bodies() == numbers(3 + after)


def test_a_short_log_that_is_compressed_while_it_is_looked_after_is_not_read_again(
    log: Path, looks: Looks
) -> None:
    written(log, heads(0, 1))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(1, 2))
    looks.wait(1)
    plain = Path(f"{log}.1")
    size = plain.stat().st_size
    compress(plain)
    assert Path(f"{log}.1.gz").stat().st_size > size
    assert looks.bodies() == numbers(2)


def test_a_log_that_has_the_number_of_a_removed_copy_is_another_one(tmp_path: Path) -> None:
    log, other = tmp_path / "a.log", tmp_path / "b.log"
    looks = Looks(tmp_path / "*.log")
    written(log, heads(0, 9))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(9, 10))
    looks.wait(1)
    compress(Path(f"{log}.1"))
    older(Path(f"{log}.1.gz"), 20)
    looks.wait(1)
    Path(f"{log}.1.gz").rename(other)  # the same number
    other.write_bytes(heads(10, 12))
    assert looks.bodies() == numbers(12)
    assert {body for body, source in looks.sources() if source == str(other)} == {"n10", "n11"}
    looks.close()


@pytest.mark.parametrize("after", [2, 9])
def test_a_line_that_had_begun_when_its_file_came_to_rest_is_found_in_the_copy(
    after: int, log: Path, looks: Looks
) -> None:
    data = heads(0, 4)
    written(log, data[:-9])
    looks.wait(9)
    written(log, data[-9:])
    copy_and_truncate(log)
    written(log, heads(4, 4 + after))
    assert looks.bodies() == numbers(4 + after)


def test_a_copy_that_was_seen_before_all_was_read_is_read_once_the_log_is_truncated(
    log: Path, looks: Looks
) -> None:
    written(log, heads(0, 2))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(2, 4))
    looks.wait(2)
    written(log, heads(4, 7))
    copy(log)
    looks.at_names()
    os.truncate(log, 0)
    written(log, heads(7, 9))
    assert looks.bodies() == numbers(9)


@pytest.mark.parametrize("first", ROTATIONS)
def test_what_is_looked_for_is_looked_for_once_at_least(
    first: Rotation, log: Path, looks: Looks
) -> None:
    written(log, heads(0, 2))
    looks.wait(1)
    first(log)
    written(log, heads(2, 5))
    rename_and_create(log)
    written(log, heads(5, 9))
    looks.at_files()
    looks.now += 20  # a look at very many names may take so long
    assert looks.bodies() == numbers(9)


def test_a_copy_of_a_part_is_no_new_content(log: Path, looks: Looks) -> None:
    written(log, heads(0, 2))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(2, 9))
    looks.wait(1)
    Path(f"{log}.2").write_bytes(heads(2, 5))
    assert looks.bodies() == numbers(9)


def test_a_compressed_file_that_could_not_be_read_at_once_is_read_later(
    log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress_unread(log, looks, 5)
    failures = []

    def fails(self: Source, room: memoryview) -> int:
        failures.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(Source, "read_into", fails)
        looks.wait(5)
    assert failures
    assert looks.bodies() == numbers(5)


def test_a_compressed_file_that_is_renamed_before_it_settled_is_read(
    log: Path, looks: Looks
) -> None:
    compress_unread(log, looks, 5)
    looks.at_files()
    looks.at_names()
    written(log, heads(5, 6))
    rename_and_create(log)  # what was compressed has another name now
    assert looks.bodies() == numbers(6)


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_log_is_truncated_in_the_moment_in_which_it_was_written_first(
    rotation: Rotation, after: int, log: Path, looks: Looks
) -> None:
    """A time of the last change is one of a few milliseconds, or of a second."""
    written(log, heads(0, 2))
    looks.at_names()
    moment = log.stat().st_mtime_ns
    copy_and_truncate(log)
    os.utime(log, ns=(moment, moment))
    looks.at_files()
    rotation(log)
    written(log, heads(2, 2 + after))
    assert looks.bodies() == numbers(2 + after)


EVENTS = st.lists(
    st.sampled_from(
        ["write", "write more", "half", "copy", "truncate", "copy and truncate", "rename",
         "compress", "names", "files", "second", "seconds"]
    ),
    max_size=25,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_each_line_comes_once_whatever_happens_between_looks(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    log = tmp_path_factory.mktemp("logs") / "a.log"
    written(log, heads(0, 1))
    looks = Looks(log)
    looks.wait(1)
    count, half, copied = 1, b"", False
    try:
        for event in events:
            if event in ("write", "write more", "half") and not copied:
                more = 9 if event == "write more" else 1
                data = half + heads(count, count + more)
                count += more
                cut = len(data) - 5 if event == "half" else len(data)
                half = data[cut:]
                written(log, data[:cut])
            elif event in ("copy", "copy and truncate", "rename"):
                if copied:
                    continue
                written(log, half)
                half = b""
                if event == "copy":
                    copied = True
                {"copy": copy, "rename": rename_and_create}.get(event, copy_and_truncate)(log)
            elif event == "truncate" and copied:
                os.truncate(log, 0)
                copied = False
            elif event == "compress" and not copied and Path(f"{log}.1").exists():
                compress(Path(f"{log}.1"))
            elif event == "names":
                looks.at_names()
            elif event == "files":
                looks.at_files()
            elif event in ("second", "seconds"):
                looks.wait(1 if event == "second" else 6)
        written(log, half)
        assert looks.bodies() == numbers(count)
        assert looks.said == []
    finally:
        looks.close()


def cut_to(log: Path) -> None:
    """Truncate a file, and write something else, of which nothing is known yet."""
    os.truncate(log, 0)
    written(log, b"2024")


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "not seen"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("half", [b"", heads(9, 10)[:9]], ids=["whole", "in a line"])
def test_what_left_before_a_stop_does_not_leave_again_though_its_file_is_gone(
    half: bytes, seen: bool, threads: int, log: Path, tmp_path: Path
) -> None:
    """A record is open whose file was copied and truncated: the next run finds the copy."""
    state = tmp_path / "state"
    written(log, heads(0, 3) + half)
    first = Looks(log, state, 3600.0, threads)
    first.at_names()
    first.at_files()
    shutil.copy2(log, f"{log}.1")
    cut_to(log)
    if seen:
        first.at_files()
    first.stop()
    written(tmp_path / "a.log.1", heads(9, 10)[9:] if half else heads(9, 10))
    second = Looks(log, state)
    assert [row["body"] for row in first.rows] == numbers(3)
    assert second.bodies() == ["n9"]
    second.close()


@pytest.mark.parametrize("days", [-20_000, 40])
def test_what_was_read_is_not_forgotten_when_the_clock_is_set(
    days: int, log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(log, heads(0, 3))
    looks.wait(2)
    rename_and_create(log)
    written(log, heads(3, 4))
    looks.wait(700)
    assert len(looks._watchlist.open) == 1
    day = time.time() + days * 86_400
    monkeypatch.setattr(time, "time", lambda: day)
    looks._watchlist.contents.remembered(looks._watchlist.open)
    compress(Path(f"{log}.1"))
    older(log, 10)
    rename_and_create(log)
    assert looks.bodies() == numbers(4)


def test_what_is_remembered_of_files_that_are_gone_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each day's log has a name of its own, and is removed in the end."""
    monkeypatch.setattr(contents, "MOST_READ", 10)
    monkeypatch.setattr(follow, "MOST_READ", 10)
    monkeypatch.setattr(seen_files, "MOST", 10)
    looks = Looks(tmp_path / "*.log", tmp_path / "state")
    with ExitStack() as kept:  # open files: their numbers are not used again
        for number in range(30):
            log, binary = tmp_path / f"{number}.log", tmp_path / f"{number}.bin.log"
            written(log, heads(number, number + 1))
            binary.write_bytes(b"\x7fELF" + bytes(300))
            looks.wait(2)
            for path in (log, binary):
                kept.enter_context(path.open())
                path.unlink()
            looks.wait(8)
        files = looks._watchlist
        looks.stop()
    assert [row["body"] for row in looks.rows] == numbers(30)
    assert len(files.seen) == 10
    assert len(files.seen.binary) <= 10
    remembered = json.loads((tmp_path / "state").read_bytes())["files"]
    assert len(remembered) == 10
    assert {row["source"] for row in remembered} == {row["source"] for row in looks.rows[-10:]}
    assert len(files.contents._of_place) == 10
    assert [text for text in looks.said if "are forgotten" in text] == [
        f"{tmp_path}/state: more than 10 rotated files are remembered; those gone for longest "
        "are forgotten, and read again if they appear once more"
    ]


class Piecewise:
    """Reads of compressed files give 100 bytes each; at some numbers they fail instead."""

    def __init__(self, patch: pytest.MonkeyPatch, failing: Callable[[int], bool]) -> None:
        self.count = self.failed = 0
        read = Source.read_into

        def read_into(source: Source, room: memoryview) -> int:
            self.count += 1
            if failing(self.count):
                self.failed += 1
                raise SourceError(source.name, os.strerror(errno.EIO))
            return read(source, room[:100])

        patch.setattr(Source, "read_into", read_into)


@pytest.mark.parametrize("failing", range(1, 10))
def test_a_compressed_file_of_which_a_read_failed_is_read_on(
    failing: int, log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress_unread(log, looks, 10)
    reads = Piecewise(monkeypatch, lambda count: count == failing)
    assert looks.bodies() == numbers(10)
    assert reads.failed == 1
    assert [text for text in looks.said if "it is tried again" in text]


def test_a_damaged_compressed_file_is_tried_a_few_times_and_again_when_it_changes(
    log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compressor that rests looks like a damaged file."""
    written(log, heads(0, 1))
    looks.wait(1)
    rename_and_create(log)
    written(log, heads(1, 100))
    rename_and_create(log)
    whole = gzip.compress(Path(f"{log}.1").read_bytes(), 0)  # stored as it is
    cut = whole.index(b"n50\n") + 4
    Path(f"{log}.1").unlink()
    (packed := Path(f"{log}.1.gz")).write_bytes(whole[:cut])
    reads = Piecewise(monkeypatch, lambda count: False)
    looks.wait(60)
    before = reads.count
    assert len(looks.rows) == 51
    looks.wait(60)
    assert reads.count == before
    assert len(looks.said) == 1
    packed.write_bytes(whole)
    rename_and_create(log)  # what has been given up is looked for again when the log is rotated
    assert looks.bodies() == numbers(100)


def test_a_line_that_had_begun_is_not_torn_while_its_rest_is_looked_for(
    log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(log, heads(0, 3) + heads(3, 4)[:9])
    looks.wait(1)
    written(log, heads(3, 4)[9:])
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))
    with monkeypatch.context() as patch:
        reads = Piecewise(patch, lambda count: True)
        looks.wait(10)
    assert reads.failed
    assert looks.bodies() == numbers(4)


def test_an_empty_log_that_was_compressed_stands_for_no_other(log: Path, looks: Looks) -> None:
    written(log, heads(0, 2))
    looks.wait(2)
    rename_and_create(log)
    compress(Path(f"{log}.1"))
    looks.wait(8)
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))
    looks.wait(4)
    written(log, heads(2, 4))
    looks.wait(2)
    rename_and_create(log)
    written(log, heads(4, 6))
    assert looks.bodies() == numbers(6)


def test_a_log_is_not_taken_for_an_empty_one_that_was_compressed(log: Path, looks: Looks) -> None:
    """It was found, and copied before a line of it was read."""
    written(log, heads(0, 2))
    looks.wait(2)
    copy_and_truncate(log)
    looks.at_files()
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))
    written(log, heads(2, 4))
    looks.at_names()
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))
    written(log, heads(4, 6))
    assert looks.bodies() == numbers(6)


def test_what_came_before_a_new_file_is_looked_for_after_a_kill(log: Path, tmp_path: Path) -> None:
    """The new file is in the checkpoint at once, what came before it was not read yet."""
    state = tmp_path / "state"
    written(log, heads(0, 2))
    older(log, 20)
    first = Looks(log, state)
    first.wait(2)
    first.save()
    rename_and_create(log)
    written(log, heads(2, 4))
    older(log, 10)
    rename_and_create(log)
    compress(Path(f"{log}.1"))
    os.utime(f"{log}.1.gz")  # not settled yet
    written(log, heads(4, 6))
    first.at_files()
    first.at_names()
    first.close()
    os.utime(f"{log}.1.gz", (time.time() - 10,) * 2)
    second = Looks(log, state)
    assert second.bodies() == numbers(6)[2:]
    second.close()


def test_a_size_that_goes_back_for_a_moment_is_no_truncation(
    log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network's file system tells the size of a moment ago."""
    written(log, heads(0, 3))
    looks.wait(1)
    written(log, heads(3, 5))
    true = os.stat

    def older_size(path: str) -> os.stat_result:
        status = true(path)
        times = {"st_mtime_ns": status.st_mtime_ns + 1}
        return os.stat_result((*status[:6], 42, *status[7:]), times)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", older_size)
        looks.at_files()
        looks.at_files()
    assert looks.bodies() == numbers(5)
    assert len({row["source"] for row in looks.rows}) == 1


@pytest.mark.parametrize("renamed", [False, True])
def test_a_file_whose_descriptor_went_stale_is_opened_again(
    renamed: bool, log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(log, heads(0, 3))
    looks.wait(1)
    (file,) = looks._watchlist.open.values()
    stale, read, close = file.fd, os.preadv, os.close
    refused = []

    def preadv(fd: int, buffers: list[memoryview], offset: int) -> int:
        if fd == stale:
            refused.append(fd)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return read(fd, buffers, offset)

    def close_and_keep_number(fd: int) -> None:
        close(fd)
        if fd == stale:
            assert os.open(os.devnull, os.O_RDONLY) == stale

    monkeypatch.setattr(os, "close", close_and_keep_number)
    written(log, heads(3, 5))
    if renamed:
        rename_and_create(log)
        written(log, heads(5, 6))
    monkeypatch.setattr(os, "preadv", preadv)
    assert looks.bodies() == numbers(6 if renamed else 5)
    assert refused
    assert looks.said == [f"{log}: Stale file handle; it is tried again"]
    assert stale is not None
    close(stale)


@pytest.mark.parametrize("grown", [False, True], ids=["as long", "longer"])
def test_a_content_goes_on_in_a_file_that_took_the_place_of_its_own(
    grown: bool, log: Path, looks: Looks
) -> None:
    """An editor writes a new file; a file of a lower layer is copied up when it is written to."""
    written(log, heads(0, 20))
    looks.wait(1)
    new = log.with_suffix(".new")
    shutil.copy2(log, new)
    if grown:
        written(new, heads(20, 25))
    new.replace(log)
    looks.wait(2)
    written(log, heads(25 if grown else 20, 30))
    assert looks.bodies() == numbers(30)
    assert len({row["source"] for row in looks.rows}) == 1


def test_a_line_that_had_begun_when_its_file_came_to_rest_is_found_in_a_compressed_copy(
    log: Path, looks: Looks
) -> None:
    written(log, heads(0, 3) + heads(3, 4)[:9])
    looks.wait(10)
    written(log, heads(3, 4)[9:])
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))
    assert looks.bodies() == numbers(4)


class Unreliable:
    """Reads that fail now and then while it is on."""

    def __init__(self, patch: pytest.MonkeyPatch, chance: random.Random) -> None:
        self.on = False
        self._chance = chance
        for name in ("pread", "preadv"):
            patch.setattr(os, name, self._instead(getattr(os, name)))

    def _instead(self, call: Callable[..., object]) -> Callable[..., object]:
        def may_fail(*arguments: object) -> object:
            if self.on and self._chance.random() < 0.08:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return call(*arguments)

        return may_fail


@pytest.mark.parametrize("seed", [37, 43, 57, 266, *range(1000, 1010)])
def test_each_line_comes_once_though_reads_fail_between_rotations(
    seed: int, log: Path, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    reads = Unreliable(monkeypatch, random.Random(seed + 7))
    written(log, heads(0, 2))
    looks.wait(2)
    count, half = 2, b""
    for _ in range(25):
        event = chance.randrange(8)
        reads.on = event in (4, 5, 6)
        if event in (1, 2, 3):
            written(log, half)
            half = b""
            (rename_and_create if event == 3 else copy_and_truncate)(log)
            if event == 2:
                compress(Path(f"{log}.1"))
        elif event == 4:
            looks.at_names()
            looks.now += 1
        elif event == 5:
            looks.at_files()
            looks.now += 0.1
        elif event == 6:
            looks.wait(chance.choice([1, 3, 8]))
        else:
            data = half + heads(count, count + 2)
            cut = chance.randrange(1, 40) if event == 7 else 0
            count += 2
            data, half = data[: len(data) - cut], data[len(data) - cut :]
            written(log, data)
    reads.on = False
    written(log, half + heads(count, count + 2))
    assert looks.bodies() == numbers(count + 2)
