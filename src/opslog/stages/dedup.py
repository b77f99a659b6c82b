"""Repeated messages become one record that says how many they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.model.errors import OpslogError
from opslog.model.instants import rfc3339, utc_time
from opslog.model.stats import LetGo
from opslog.stages.held import Held
from opslog.stages.marks import marked
from opslog.stages.rows import moments, sizes
from opslog.stages.template import fingerprints

MOST_WINDOWS = 10_000
"""Messages whose repeats are waited for at a time; the one that came first is ended first."""

MOST_BYTES = 16 << 20
"""Bytes of the records that stand for repeats, likewise."""


@dataclass(slots=True)
class _Window:
    """What is known of one message."""

    begin: int
    repeats: int = 0
    since: int = 0
    """Time of the first repeat."""
    last: int = 0
    """Number of the last repeat's row."""
    size: int = 0
    """Its bytes."""


@dataclass(frozen=True, slots=True)
class Dedup:
    """Passes a message at once and drops its repeats within ``window`` seconds of records' time.

    Repeats are of one fingerprint (template.py).  When the window has ended, the
    last of them passes, too, late, with the attributes ``repeated``, for how many
    it stands, itself included, and ``repeated_since``, the time of the first of
    them.  So of all that passes, 1 or ``repeated`` add up to what came in.
    Windows end when a record is as much earlier or later, at the end of the
    input, or when there are too many: ``let_go`` counts these.  Raises OpslogError for no
    window.
    """

    window: float = 60
    let_go: LetGo = field(default_factory=LetGo, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise OpslogError(f"dedup: expected more than no time, found {self.window:g} s")

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what passes."""
        run = _Run(round(self.window * 1_000_000), self.let_go)
        for batch in batches:
            if len(batch):
                yield from run.feed(batch)
        yield from run.close()


class _Run:
    """One pass over batches."""

    def __init__(self, length: int, let_go: LetGo) -> None:
        self._length = length
        self._let_go = let_go
        self._windows: dict[str, _Window] = {}
        self._bytes = 0
        self._before = 0
        self._held = Held()
        self._passed: list[int] = []
        self._marks: dict[int, dict[str, str]] = {}

    def feed(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield what passes with the next batch."""
        first = self._held.add(batch)
        times = moments(batch, self._before)
        self._before = times[-1]
        each = zip(fingerprints(batch), times, sizes(batch), strict=True)
        windows = self._windows
        oldest = next(iter(windows), None)
        for row, (name, moment, size) in enumerate(each, first):
            while oldest is not None and self._ended(windows[oldest], moment):
                self._end(oldest)
                oldest = next(iter(windows), None)
            window = windows.get(name)
            if window is not None and self._ended(window, moment):
                self._end(name)
                window = None
            if window is None:
                windows[name] = _Window(moment)
                self._passed.append(row)
            else:
                if not window.repeats:
                    window.since = moment
                window.repeats += 1
                window.last = row
                self._bytes += size - window.size
                window.size = size
            while len(windows) > MOST_WINDOWS or self._bytes > MOST_BYTES:
                self._end(next(iter(windows)))
                self._let_go.count += 1
            oldest = next(iter(windows), None)
        yield from self._result()
        waiting = [window for window in windows.values() if window.repeats]
        self._held.hold([window.last for window in waiting])
        for number, window in enumerate(waiting):
            window.last = number

    def close(self) -> Iterator[pa.RecordBatch]:
        """Yield what stands for the repeats not told yet."""
        for name in list(self._windows):
            self._end(name)
        yield from self._result()

    def _ended(self, window: _Window, moment: int) -> bool:
        return not -self._length < moment - window.begin < self._length

    def _end(self, name: str) -> None:
        window = self._windows.pop(name)
        self._bytes -= window.size
        if not window.repeats:
            return
        self._marks[len(self._passed)] = {
            "repeated": str(window.repeats),
            "repeated_since": rfc3339(utc_time(window.since)),
        }
        self._passed.append(window.last)

    def _result(self) -> Iterator[pa.RecordBatch]:
        if self._passed:
            yield marked(self._held.taken(self._passed), self._marks)
        self._passed, self._marks = [], {}
