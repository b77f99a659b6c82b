"""Records of many sources in the order of time, whatever their number and length.

As sort(1) does it: the rows of each source go to a temporary file, one run a
source; then all runs are read side by side, a little of each at a time.

Each source gives its records in the order of its file, whose times may go back
a little: a record counts as no earlier than the one before it, and one without
a time as late as that one.  So no source's records change places, and records
of the same time come in the order of the sources.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.errors import SinkError

KEY = "\0key"
"""The column of a run that is no column of the rows: microseconds, never less than before."""

_AHEAD = 12 << 20
"""Bytes of all runs together that are read at a time."""

_SMALLEST, _LARGEST = 64 << 10, 4 << 20
_BEFORE_ALL = -(1 << 63)


class Runs:
    """Rows of sources, added one source after the other, then taken in the order of time."""

    def __init__(self, sources: int) -> None:
        try:
            self._fd, name = tempfile.mkstemp(prefix="opslog-merge-")
            # Arrow's own file writes what Python's would copy first; nobody else needs the name.
            self._file = pa.OSFile(name, "wb")
            os.unlink(name)
        except OSError as error:
            raise _failed(error) from None
        self._slice = max(_SMALLEST, min(_LARGEST, _AHEAD // max(1, sources)))
        self._source: str | None = None
        self._latest = _BEFORE_ALL
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._starts: list[int] = []

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.close(self._fd)

    def add(self, source: str, times: pa.Array, rows: pa.RecordBatch) -> None:
        """Add the next rows of ``source`` with their times (int64, nullable).

        Raises SinkError if the temporary file cannot be written.
        """
        import pyarrow.compute as pc

        if source != self._source:
            self._end()
            self._source, self._latest = source, _BEFORE_ALL
        since = pc.cumulative_max(times, start=self._latest, skip_nulls=True)
        keys = pc.fill_null(pc.fill_null_forward(since), self._latest)
        self._latest = keys[-1].as_py()
        batch = pa.RecordBatch.from_arrays(
            [keys, *rows.columns],
            schema=pa.schema([pa.field(KEY, pa.int64()), *rows.schema]),
        )
        count = max(1, len(rows) * self._slice // max(1, batch.nbytes))
        try:
            if self._writer is None:
                self._starts.append(self._file.tell())
                self._writer = pa.ipc.new_stream(self._file, batch.schema)
            for start in range(0, len(rows), count):
                self._writer.write_batch(batch.slice(start, count))
        except OSError as error:
            raise _failed(error) from None

    def merged(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in the order of time."""
        self._end()
        runs = [_Run(pa.ipc.open_stream(_Part(self._fd, start))) for start in self._starts]
        while runs:
            for run in runs:
                run.fill()
            runs = [run for run in runs if len(run.keys)]
            yield from _ready(runs)

    def _end(self) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                raise _failed(error) from None
            self._writer = None


def _failed(error: OSError) -> SinkError:
    return SinkError(
        tempfile.tempdir or "the temporary folder",
        f"{error.strerror or error}: to be merged, what is kept must fit there; "
        "TMPDIR names another folder",
    )


class _Part:
    """The temporary file from an offset on, with a place of its own."""

    closed = False

    def __init__(self, fd: int, start: int) -> None:
        self._fd = fd
        self._at = start

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, self._at)
        self._at += len(data)
        return data


@dataclass(slots=True, eq=False)
class _Run:
    """A source's run, and what has been read of it."""

    reader: pa.RecordBatchStreamReader
    keys: pa.Array = field(default_factory=lambda: pa.nulls(0, pa.int64()))
    batches: list[pa.RecordBatch] = field(default_factory=list)
    latest: int = _BEFORE_ALL
    enough: int = 1
    ended: bool = False

    def fill(self) -> None:
        """Read on unless there are rows enough: half of what one reading gives."""
        while not self.ended and len(self.keys) < self.enough:
            try:
                batch = self.reader.read_next_batch()
            except StopIteration:
                self.ended = True
                return
            self.keys = pa.concat_arrays([self.keys, batch.column(KEY)])
            self.batches.append(batch)
            self.latest = self.keys[-1].as_py()
            self.enough = max(1, len(batch) // 2)

    def take(self, count: int) -> list[pa.RecordBatch]:
        """Remove the first ``count`` rows and return them."""
        self.keys = self.keys[count:]
        taken = []
        while count:
            batch = self.batches.pop(0)
            if len(batch) > count:
                self.batches.insert(0, batch.slice(count))
                batch = batch.slice(0, count)
            taken.append(batch)
            count -= len(batch)
        return taken


def _ready(runs: list[_Run]) -> Iterator[pa.RecordBatch]:
    """Yield the rows that none still to be read can come before."""
    import pyarrow.compute as pc

    ends = [(run.latest, number) for number, run in enumerate(runs) if not run.ended]
    limit, first = min(ends, default=(0, -1))
    batches = []
    for number, run in enumerate(runs):
        count = len(run.keys)
        if ends and (run.latest, number) > (limit, first):
            # A row of the limit's own time goes before the rest of it only if its source does.
            before = pc.less_equal if number < first else pc.less
            count = pc.sum(before(run.keys, limit)).as_py()
        batches += run.take(count)
    if batches:
        table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
        order = pc.sort_indices(table.column(KEY))
        yield from table.drop_columns([KEY]).take(order).to_batches()
