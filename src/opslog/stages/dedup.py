"""Repeated messages become one record that says how many they were."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from opslog.model.arrays import int64, numbers64, text
from opslog.model.errors import OpslogError
from opslog.model.instants import micros_of
from opslog.model.stats import LetGo
from opslog.rows.fingerprint import NAME, fingerprints
from opslog.rows.kept import Kept
from opslog.stages._repeats import Windows
from opslog.stages.held import Held
from opslog.stages.marks import marked
from opslog.stages.rows import codes, moments, sizes

MOST_WINDOWS = 10_000
"""Messages whose repeats are waited for at a time; the one that came first is ended first."""

MOST_BYTES = 16 << 20
"""Bytes of the records that stand for repeats, likewise."""

_ALL = (1 << 64) - 1
_FIRST, _LAST = (micros_of(moment.replace(tzinfo=UTC)) for moment in (datetime.min, datetime.max))


@dataclass(frozen=True, slots=True)
class Dedup:
    """Passes a message at once and drops its repeats within ``window`` seconds of records' time.

    Repeats are of one fingerprint.  When the window has ended, the
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

    def __call__(self, batches: Iterator[pa.RecordBatch | Seen]) -> Iterator[pa.RecordBatch]:
        """Yield what passes."""
        run = _Run(round(self.window * 1_000_000), self.let_go)
        for batch in batches:
            if len(batch):
                yield from run.feed(batch if isinstance(batch, Seen) else _seen(batch))
        yield from run.close()

    def see(self, kept: Kept) -> Seen:
        """Return what the stage must know of records, of which only those that pass are built."""
        column = kept.with_columns((NAME,)).batch().column(0)
        return Seen(kept, *_numbered(column), kept.times(), kept.sizes(), kept.source)


@dataclass(frozen=True, slots=True)
class Seen:
    """Records, and of each its message (int32), time (int64 microseconds) and about its bytes.

    ``names`` has a hash of each message; ``source`` is that of the records.
    """

    records: pa.RecordBatch | Kept
    numbers: memoryview[int]
    names: array[int]
    times: pa.Array
    sizes: memoryview[int]
    source: str = ""

    def __len__(self) -> int:
        return len(self.records)


class _Run:
    """One pass over batches."""

    def __init__(self, length: int, let_go: LetGo) -> None:
        self._windows = Windows(length, MOST_WINDOWS, MOST_BYTES)
        self._let_go = let_go
        self._before = 0
        self._held = Held()

    def feed(self, seen: Seen) -> Iterator[pa.RecordBatch]:
        """Yield what passes with the next records."""
        first = self._held.add(seen.records)
        times = moments(seen.times, self._before)
        self._before = times[-1]
        before = self._windows.let_go
        self._windows.feed(seen.numbers, seen.names, times, seen.sizes, first)
        self._let_go.count += self._windows.let_go - before
        yield from self._result()
        self._held.hold(self._windows.waiting())

    def close(self) -> Iterator[pa.RecordBatch]:
        """Yield what stands for the repeats not told yet."""
        self._windows.close()
        yield from self._result()

    def _result(self) -> Iterator[pa.RecordBatch]:
        passed, places, repeats, since = self._windows.taken()
        if passed:
            added = {
                "repeated": numbers64(repeats).cast(pa.string()),
                "repeated_since": _rfc3339(numbers64(since)),
            }
            yield marked(self._held.taken(passed), places, added)


def _rfc3339(moments: pa.Array) -> pa.Array:
    """Return microseconds since the epoch as text, the first time there is for what has none."""
    import pyarrow.compute as pc

    first, last = int64(_FIRST), int64(_LAST)
    known = pc.and_(pc.greater_equal(moments, first), pc.less_equal(moments, last))
    times = pc.if_else(known, moments, first).view(pa.timestamp("us")).cast(pa.string())
    times = pc.utf8_replace_slice(times, 10, 11, "T")
    return pc.binary_join_element_wise(times, text("Z"), text(""))


def _seen(batch: pa.RecordBatch) -> Seen:
    """Return the same of a batch."""
    column = fingerprints(batch).dictionary_encode()
    return Seen(batch, *_numbered(column), batch.column("timestamp"), sizes(batch))


def _numbered(column: pa.DictionaryArray) -> tuple[memoryview[int], array[int]]:
    """Return the number of each row's fingerprint (int32), and a hash of each fingerprint."""
    numbers, known = codes(column)
    # Of texts, Python's hash is one that nobody outside the process can foresee.
    return numbers, array("Q", (hash(one) & _ALL for one in known.to_pylist()))
