"""A file that is truncated without a copy loses what was not read: that is told, once a cut."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from looking import Looks, compress, copy, copy_and_truncate, numbers, rename_and_create

from live_run import heads, written
from opslog.following.cuts import EVERY, MOST_PATHS, WAIT, Cuts


def told(log: Path, count: int) -> str:
    """Return what is said when ``count`` lines of a log had been read."""
    size = f"{len(heads(0, count)):,}"
    return (
        f"{log}: was truncated when {size} bytes of it had been read, and no copy of it was found; "
        "lines written behind them, if any, are lost"
    )


def truncate(log: Path) -> None:
    os.truncate(log, 0)


def truncate_and_write(log: Path) -> None:
    os.truncate(log, 0)
    written(log, heads(100, 120))


def copy_elsewhere(log: Path) -> None:
    (log.parent / "elsewhere").mkdir()
    (log.parent / "elsewhere" / log.name).write_bytes(log.read_bytes())
    os.truncate(log, 0)


@pytest.mark.parametrize("cut", [truncate, truncate_and_write, copy_elsewhere])
def test_a_cut_is_told_once(cut: Callable[[Path], None], log: Path, looks: Looks) -> None:
    written(log, heads(0, 3))
    looks.wait(1)
    written(log, heads(3, 5))
    cut(log)
    looks.wait(int(WAIT))
    assert looks.said == []
    looks.wait(40)
    assert looks.said == [told(log, 3)]


def compressed_copy(log: Path) -> None:
    copy_and_truncate(log)
    compress(Path(f"{log}.1"))


@pytest.mark.parametrize("rotation", [copy_and_truncate, rename_and_create, compressed_copy])
def test_what_is_in_another_file_was_not_cut(
    rotation: Callable[[Path], None], log: Path, looks: Looks
) -> None:
    written(log, heads(0, 3))
    looks.wait(1)
    written(log, heads(3, 5))
    rotation(log)
    assert looks.bodies() == numbers(5)
    assert looks.said == []


def test_what_was_read_behind_the_copy_was_not_cut(log: Path, looks: Looks) -> None:
    written(log, heads(0, 5))
    looks.wait(1)
    copy(log)
    written(log, heads(5, 6))
    looks.at_files()
    truncate(log)
    assert looks.bodies() == numbers(6)
    assert looks.said == []


def test_a_removed_file_was_not_cut(log: Path, looks: Looks) -> None:
    written(log, heads(0, 3))
    looks.wait(1)
    log.unlink()
    written(log, heads(3, 5))
    assert looks.bodies() == numbers(5)
    assert looks.said == []


@pytest.mark.parametrize("after", [b"", heads(9, 12)])
def test_a_cut_while_nobody_looked_is_told_by_the_next_run(
    after: bytes, log: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    written(log, heads(0, 3))
    first = Looks(log, state)
    first.wait(1)
    first.stop()
    truncate(log)
    second = Looks(log, state)
    second.wait(2)
    written(log, after)
    second.wait(40)
    assert second.said == ([told(log, 3)] if after else [])
    second.stop()


def test_a_cut_that_was_not_told_is_told_at_the_end(log: Path) -> None:
    looks = Looks(log)
    written(log, heads(0, 3))
    looks.wait(1)
    truncate(log)
    looks.at_files()
    looks.stop()
    assert looks.said == [told(log, 3)]
    assert looks._following.stats.truncated == 1


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_cut_of_just_now_is_left_to_a_run_that_goes_on(goes_on: bool) -> None:
    said: list[str] = []
    cuts = Cuts(said.append)
    cuts.note("a#", "a", 7, now=100)
    cuts.note("b#", "b", 7, now=108)
    cuts.tell_all(110, goes_on)
    assert [text[0] for text in said] == (["a"] if goes_on else ["a", "b"])


def test_many_cuts_of_one_file_are_few_messages_and_all_are_counted() -> None:
    said: list[str] = []
    cuts = Cuts(said.append)
    for second in range(200):
        cuts.note(f"a#{second}", "a", 7, second)
        cuts.tell(second)
    assert len(said) == 3  # at 30, 90 and 150 seconds
    assert [text.partition(" (")[2] for text in said] == [
        "",
        *["59 more time(s) since this was said last)"] * 2,
    ]
    cuts.tell_all(1e9, goes_on=True)
    assert cuts.count == 200
    assert EVERY == 60


def test_paths_that_were_cut_are_forgotten_when_there_are_many() -> None:
    cuts = Cuts(lambda text: None)
    for number in range(MOST_PATHS + 10):
        cuts.note(f"{number}#", f"{number}", 1, 0)
    cuts.tell(WAIT)
    assert len(cuts._said) == MOST_PATHS
