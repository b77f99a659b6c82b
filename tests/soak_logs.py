"""Logs of tests/soak.py: many files that are written and rotated in every way at once.

Each line tells its log, its number there, its generation (the content it was
written to) and its offset in that: what comes out is checked without remembering it.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

LINE = re.compile(r"log(\d+) n(\d+) g(\d+) o(\d+) end( x*)?")
"""The body of a record: numbers of log, line and generation, offset in it."""

_KEEP = 3
"""Older files of a log that stay; what nobody has read yet stays longer."""

_LATE = 2.0
"""Seconds for which the writer goes on in a file that was renamed."""


Seen = Callable[[int, int], bool]
"""Whether all lines of a log before this number were read by everybody."""


class Log:
    """One log, its current file and those before it."""

    def __init__(self, folder: Path, number: int, chance: random.Random, seen: Seen) -> None:
        self.path = folder / f"service-{number:02}.log"
        self.number = number
        self.lines = 0
        self._chance = chance
        self._seen = seen
        self.generation = 0
        self._size = 0
        self._half = b""
        self.history: list[str] = []
        self._late: tuple[float, Path, int, int] | None = None
        self._last: dict[Path, int] = {}
        """Of each older file the number of lines there were when it ended."""
        self.inodes: set[int] = set()
        self.did: Counter[str] = Counter()
        self._create()

    def _create(self) -> None:
        self.path.touch()
        inode = self.path.stat().st_ino
        if inode in self.inodes:
            self.did["inode reused"] += 1
        self.inodes.add(inode)
        self._size = 0

    def _line(self, generation: int, offset: int) -> bytes:
        padding = " " + "x" * self._chance.randrange(300) if self._chance.random() < 0.1 else ""
        line = (
            f"2026-03-10 10:00:00.{self.lines % 1000:03} 1 INFO a.b [-] "
            f"log{self.number} n{self.lines} g{generation} o{offset} end{padding}\n"
        )
        self.lines += 1
        return line.encode()

    def write(self) -> None:
        """Write some lines, or the first half of one, or its second."""
        data, self._half = self._half, b""
        for _ in range(self._chance.randrange(1, 6)):
            line = self._line(self.generation, self._size)
            self._size += len(line)
            data += line
        if self._chance.random() < 0.1:
            cut = self._chance.randrange(1, 40)
            data, self._half = data[:-cut], data[-cut:]
            self.did["line written in two parts"] += 1
        _append(self.path, data)

    def whole(self) -> None:
        """Write what is missing of a line."""
        _append(self.path, self._half)
        self._half = b""

    def settle(self) -> None:
        """Write what is missing of a line, and nothing late."""
        self.whole()
        self._late = None

    def rotate(self) -> None:
        """End the current file in one of the ways that there are, and begin another."""
        if self._late:
            return
        now = time.monotonic()
        self.whole()
        self._number_on()
        older = Path(f"{self.path}.1")
        self._last[older] = self.lines
        if self._chance.random() < 0.3:
            shutil.copy2(self.path, older)
            os.truncate(self.path, 0)
            self._size = 0
            self.history.append(f"{now:.2f} generation {self.generation} copied until {self.lines}")
            self.did["copied and truncated"] += 1
        else:
            self.path.rename(older)
            if self._chance.random() < 0.3:
                size = older.stat().st_size
                self._late = (time.monotonic() + _LATE, older, self.generation, size)
                self.did["written after it was renamed"] += 1
            late = " and written late" if self._late else ""
            self.history.append(
                f"{now:.2f} generation {self.generation} renamed{late} at {self.lines}"
            )
            self._create()
            self.did["renamed"] += 1
        self.generation += 1
        if not self._late and self._chance.random() < 0.4:
            self._compress(older)

    def tend(self) -> None:
        """Write late lines, and remove what is old and was read."""
        if self._late:
            until, path, generation, size = self._late
            line = self._line(generation, size)
            _append(path, line)
            self._last[path] = self.lines
            late = (until, path, generation, size + len(line))
            self._late = late if time.monotonic() < until else None
        for path, lines in list(self._last.items()):
            if _age(path) > _KEEP and self._seen(self.number, lines):
                path.unlink()
                del self._last[path]
                self.did["removed"] += 1

    def _number_on(self) -> None:
        moved: dict[Path, int] = {}
        for path in sorted(self._last, key=_age, reverse=True):
            packed = ".gz" if path.suffix == ".gz" else ""
            path.rename(newer := Path(f"{self.path}.{_age(path) + 1}{packed}"))
            moved[newer] = self._last[path]
        self._last = moved

    def _compress(self, path: Path) -> None:
        packed, status = Path(f"{path}.gz"), path.stat()
        with path.open("rb") as plain, gzip.open(packed, "wb") as file:
            shutil.copyfileobj(plain, file)
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        path.unlink()
        self.history.append(f"{time.monotonic():.2f} {packed.name}")
        self._last[packed] = self._last.pop(path)
        self.did["compressed"] += 1


class Writer(threading.Thread):
    """Writes and rotates until it is stopped; ``pause`` is held by who wants that it rests.

    ``rotating`` is how likely a log is rotated when it may be, 50 times a second.
    """

    def __init__(self, folder: Path, count: int, seed: int, seen: Seen, rotating: float) -> None:
        super().__init__(daemon=True)
        self._rotating = rotating
        self._chance = random.Random(seed)
        self.logs = [Log(folder, number, self._chance, seen) for number in range(count)]
        self.pause = threading.Lock()
        self._ended = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._ended.wait(0.02):
                with self.pause:
                    for log in self._chance.sample(self.logs, max(1, len(self.logs) // 8)):
                        log.write()
                    for log in self.logs:
                        if self._chance.random() < self._rotating:
                            log.rotate()
                        log.tend()
            for log in self.logs:
                log.whole()
        except BaseException as error:
            self.error = error
            raise

    def end(self) -> None:
        """Write what is missing, and stop."""
        self._ended.set()
        self.join()

    def did(self) -> Counter[str]:
        """Return how often what was done."""
        return sum((log.did for log in self.logs), Counter())


def _append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(data)


def _age(path: Path) -> int:
    return int(path.name.removesuffix(".gz").rpartition(".")[2])
