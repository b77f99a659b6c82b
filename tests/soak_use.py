"""What the steady run of tests/soak.py uses: it does not grow with what is past."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import NamedTuple

from soak_logs import Log

_RECENT = 10.0
"""Seconds for which a rotated file may be open though it is removed: more may be written to it."""

_OTHERS = 30
"""Descriptors of what is no log: outputs, the checkpoint, files that are looked into."""

_GROWTH = 32 << 10
"""KiB by which memory may grow between two quarters, whatever happened: the first one warms up."""

_EACH = 3
"""KiB for each file that a checkpoint remembers, of which there are at most 10,000."""

_LATE = 90.0
"""Seconds after which each line has come out."""


class _Sample(NamedTuple):
    memory: int
    descriptors: int
    expected: int


class Use:
    """Memory (KiB) and descriptors of a run, as time (seconds) goes on."""

    def __init__(self) -> None:
        self._samples: list[_Sample] = []
        self._rotated: deque[tuple[float, int]] = deque()

    def add(self, now: float, memory: int, descriptors: int, files: int, rotated: int) -> None:
        """Take a sample: ``files`` are in the folder of the logs, ``rotated`` were so far."""
        self._rotated.append((now, rotated))
        while self._rotated[0][0] < now - _RECENT:
            self._rotated.popleft()
        expected = _OTHERS + files + rotated - self._rotated[0][1]
        self._samples.append(_Sample(memory, descriptors, expected))

    def report(self, remembered: int) -> list[str]:
        """Print what was used and return what is wrong; ``remembered`` files are in a checkpoint."""
        quarter = -(-len(self._samples) // 4)
        first, last = (
            _Sample(*(int(median(column)) for column in zip(*part, strict=True)))
            for part in (self._samples[:quarter], self._samples[-quarter:])
        )
        for name, index in (("RSS in KiB", 0), ("descriptors", 1), ("descriptors expected", 2)):
            print(f"{f'steady: {name}, first quarter':<40}{first[index]:>10,}")
            print(f"{f'steady: {name}, last quarter':<40}{last[index]:>10,}")
        wrong = []
        if last.descriptors > last.expected:
            wrong.append(f"steady: {last.descriptors} descriptors, expected {last.expected}")
        most = first.memory + _GROWTH + _EACH * remembered
        if last.memory > most:
            wrong.append(f"steady: {last.memory:,} KiB, at most {most:,} expected")
        return wrong


class Late:
    """Finds the logs of which a line did not come out for long."""

    def __init__(self, logs: list[Log]) -> None:
        self._logs = logs
        self._written: deque[tuple[float, list[int]]] = deque()

    def due(self, now: float) -> list[tuple[Log, int]]:
        """Return the logs, each with a number of lines all of which have come out by now."""
        if not self._written or now - self._written[-1][0] >= 1:
            self._written.append((now, [log.lines for log in self._logs]))
        if now - self._written[0][0] < _LATE:
            return []
        return list(zip(self._logs, self._written.popleft()[1], strict=True))
