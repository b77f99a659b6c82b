"""Killed at any moment, while logs are rotated: no record is lost, and none has two names.

A record may come twice; then it is the same, and so are its source and offset.
"""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice, product
from pathlib import Path

import pytest
from killed_run import rows, start, until
from looking import number_on

from live_run import heads, written

BANNER = b"= begin =\n"


def rename(log: Path) -> None:
    number_on(log)
    log.rename(f"{log}.1")


def copy_and_truncate(log: Path) -> None:
    number_on(log)
    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)


def compress(log: Path) -> None:
    rename(log)
    with open(f"{log}.1", "rb") as plain, gzip.open(f"{log}.1.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    status = os.stat(f"{log}.1")
    os.utime(f"{log}.1.gz", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.unlink(f"{log}.1")


class World:
    """A log that is written and rotated, and all that is made of it."""

    def __init__(
        self, folder: Path, rotate: Callable[[Path], None], banner: bytes, pattern: str, roll: bool
    ) -> None:
        self.folder = folder
        self.log = folder / "logs" / "a.log"
        self.log.parent.mkdir(parents=True)
        self.turned = folder / "turned"
        self.pattern = str(self.log.parent / pattern)
        self.rotate = rotate
        self.banner = banner
        self.roll = roll
        self.number = 0
        self.generations = 0
        self.runs = 0
        self.begin()

    def begin(self) -> None:
        self.generations += 1
        written(self.log, self.banner)

    def write(self, count: int) -> None:
        written(self.log, heads(self.number, self.number + count))
        self.number += count

    def turn(self) -> None:
        """Rotate the log and go on, in the new one."""
        self.rotate(self.log)
        self.begin()
        self.write(2)

    def turn_there(self) -> None:
        """Do so in the process of a run, where the numbers of this one do not change."""
        self.turn()
        self.turned.touch()

    def count_turn(self) -> None:
        if self.turned.exists():
            self.turned.unlink()
            self.generations += 1
            self.number += 2

    def expected(self) -> list[str]:
        lines = [self.banner.decode().strip()] * self.generations if self.banner else []
        return sorted([*lines, *(f"n{number}" for number in range(self.number))])

    def union(self) -> list[str]:
        """Return the messages of all records, each once; a key must not stand for two of them."""
        found: dict[tuple[str, int], str] = {}
        for out in (*self.folder.glob("out*"), *self.folder.glob("lake/*.jsonl")):
            for row in rows(out):
                key, body = (row["source"], row["source_offset"]), row["body"]
                assert found.setdefault(key, body) == body, key
        return sorted(found.values())

    def run(self, kill_at: int = 0, turn_at: int = 0) -> bool:
        """Run until it is killed or has told all; return whether it was not killed."""
        self.runs += 1
        options = ["--threads", "1", "--hold", "0.05s", "--checkpoint", str(self.folder / "state")]
        if self.roll:
            options += ["-o", f"{self.folder}/lake/", "--roll", "1s"]
        arguments = ["filter", "-f", "--to", "jsonl", *options, self.pattern]
        out = self.folder / f"out{self.runs}"
        numbers, quiet = self.number, 0.0

        def enough() -> bool:
            nonlocal quiet
            self.count_turn()
            if not set(self.union()) >= set(self.expected()):
                return False
            if turn_at and self.number == numbers:
                quiet = quiet or time.monotonic()
                return time.monotonic() - quiet > LAST_MOMENT
            return True

        alive = until(start(arguments, out, kill_at, turn_at, self.turn_there), enough)
        self.count_turn()
        return alive


ROTATIONS = (rename, copy_and_truncate, compress)
AT_ONCE = 4
"""Most of its time a run waits."""

LAST_MOMENT = 1.0
"""Seconds after the last record within which the last moment of a run comes."""


def at_each(moments: Iterable[int], survived: Callable[[int], bool]) -> None:
    """Kill at each of these moments, some runs at once, until a run has none that is so late."""
    moments = iter(moments)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while not any(threads.map(survived, islice(moments, AT_ONCE))):
            pass


@pytest.mark.parametrize(
    ("pattern", "roll", "step"),
    [
        ("*.log", False, 7),
        ("*", True, 9),
        *(
            pytest.param(pattern, roll, 1, marks=pytest.mark.thorough)
            for pattern, roll in product(("*.log", "*"), (False, True))
        ),
    ],
)
@pytest.mark.parametrize("banner", [b"", BANNER], ids=["", "alike"])
@pytest.mark.parametrize("rotate", ROTATIONS, ids=lambda rotate: rotate.__name__)
def test_killed_at_any_moment_and_rotated_meanwhile(
    rotate: Callable[[Path], None],
    banner: bytes,
    pattern: str,
    roll: bool,
    step: int,
    tmp_path: Path,
) -> None:
    def survived(moment: int) -> bool:
        world = World(tmp_path / str(moment), rotate, banner, pattern, roll)
        # What was rotated before the first look was not asked for.
        world.write(1)
        assert world.run()
        world.write(2)
        alive = world.run(kill_at=moment)
        world.write(2)
        world.turn()
        world.run(kill_at=moment // 2 + 1)
        world.write(1)
        world.turn()
        assert world.run()
        assert world.union() == world.expected()
        return alive

    at_each(count(2, step), survived)


@pytest.mark.thorough
@pytest.mark.parametrize("rotate", ROTATIONS, ids=lambda rotate: rotate.__name__)
@pytest.mark.parametrize("roll", [False, True], ids=["lines", "files"])
def test_rotated_in_the_middle_and_killed_after(
    rotate: Callable[[Path], None], roll: bool, tmp_path: Path
) -> None:
    def survived(moment: int) -> bool:
        world = World(tmp_path / str(moment), rotate, b"", "*", roll)
        world.write(1)
        assert world.run()
        world.write(2)
        alive = world.run(kill_at=moment + 4, turn_at=moment)
        world.turn()
        assert world.run()
        assert world.union() == world.expected()
        return alive

    at_each(count(1), survived)
