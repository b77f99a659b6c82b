"""Records of many sources in the order of time, whatever their number and length.

As sort(1) does it: the rows of each source go to a temporary file, one run a
source; then all runs are read side by side, a little of each at a time
(_merge.pyx).  A row in the file is a head, its time and size, and behind it the
line.  Where rows are columns, the heads stand alone and tell the order; the
columns lie beside them, an Arrow stream a block.

Each source gives its records in the order of its file, whose times may go back
a little: a record counts as no earlier than any before it, and one without a time
as late as those.  What is not kept counts, too: a filter changes no order.  So no
source's records change places, and records of the same time come in the order of
the sources.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from threading import Lock
from typing import TypeVar

from opslog.model.arrow import pa
from opslog.model.errors import SinkError
from opslog.outputs.sink import Rows
from opslog.reading._merge import Merge, Taken, heads

T = TypeVar("T")

_AHEAD = 12 << 20
"""Bytes of all runs together that are read at a time."""

_SMALLEST, _LARGEST = 16 << 10, 4 << 20
_WRITTEN = 64 << 10
"""Bytes written at a time: the page cache takes more in larger units, up to thrice as slowly."""

_TAKEN = 2 << 20
"""Bytes of lines that are merged at a time, about."""

_ALL = 1 << 62


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a source in the file: from ``start`` on, and their columns up to ``stop``."""

    source: str
    start: int
    columns: int
    stop: int


@dataclass(slots=True)
class _Run:
    """Where a source's parts lie: start and stop of each."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    columns: array[int] = field(default_factory=lambda: array("q"))


class Runs:
    """Rows of sources, added one source after the other, then taken in the order of time."""

    def __init__(self, sources: int) -> None:
        import tempfile  # not above: it imports much that only a merge needs

        try:
            self._fd, name = tempfile.mkstemp(prefix="opslog-merge-")
            os.unlink(name)
        except OSError as error:
            raise _failed(error) from None
        self._window = max(_SMALLEST, min(_LARGEST, _AHEAD // max(1, sources)))
        self._lock = Lock()
        self._end = 0
        self._source: str | None = None
        self._runs: list[_Run] = []
        self._of_columns = False

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def put(self, source: str, places: Callable[[], pa.Array], rows: Rows) -> Part:
        """Write rows of ``source`` to the file; from any thread.

        Columns need the rows' ``places`` in the order of time (int64).  Raises SinkError if
        the file cannot be written.
        """
        if isinstance(rows, memoryview):
            start, stop = self._write(rows)
            return Part(source, start, stop, stop)
        size = max(1, rows.nbytes // len(rows))
        values = memoryview(places().buffers()[1]).cast("B").cast("q")
        head = heads(values[: len(rows)], size)
        buffer = pa.BufferOutputStream()
        with pa.ipc.new_stream(buffer, rows.schema) as writer:
            count = max(1, self._window // size)
            for at in range(0, len(rows), count):
                writer.write_batch(rows.slice(at, count))
        start, stop = self._write(memoryview(head), memoryview(buffer.getvalue()))
        return Part(source, start, start + len(head), stop)

    def _write(self, *data: memoryview) -> tuple[int, int]:
        with self._lock:
            start = at = self._end
            self._end += sum(map(len, data))
        try:
            for view in data:
                while view:
                    count = os.pwrite(self._fd, view[:_WRITTEN], at)
                    at += count
                    view = view[count:]
        except OSError as error:
            raise _failed(error) from None
        return start, at

    def add(self, part: Part) -> None:
        """Add the next part of a source."""
        if part.source != self._source:
            self._source = part.source
            self._runs.append(_Run())
            # How many sources lie in an archive is not known before.
            self._window = min(self._window, max(_SMALLEST, _AHEAD // len(self._runs)))
        self._runs[-1].rows.extend((part.start, part.columns))
        if part.columns < part.stop:
            self._of_columns = True
            self._runs[-1].columns.extend((part.columns, part.stop))

    def merged(
        self, most: int | None = None, threads: int = 1
    ) -> Generator[tuple[int, Rows], None, None]:
        """Yield how many and the rows, in the order of time: all, or the first ``most``.

        Lines are to be used before the next but one.  With more ``threads`` than
        one the next rows are made while the last ones are used.
        """
        left = _ALL if most is None else most
        rows: Generator[tuple[int, Rows], None, None]
        rows = self._columns(left) if self._of_columns else self._lines(left)
        return rows if threads == 1 else _ahead(rows)

    def _take(self, lines: bool, size: int, left: int) -> Iterator[tuple[int, Taken]]:
        """Yield how many rows were taken, and the rows; ``size`` bytes at a time."""
        spare = cycle([Taken(), Taken(), Taken()])  # being made, handed over, in use
        try:
            parts = [_pairs(run.rows) for run in self._runs]
            merge = Merge(self._fd, parts, lines, self._window)
            while count := merge.take(taken := next(spare), left, size):
                left -= count
                yield count, taken
        except OSError as error:
            raise SinkError(_folder(), f"what was kept cannot be read: {error.strerror}") from None

    def _lines(self, left: int) -> Generator[tuple[int, Rows], None, None]:
        for count, taken in self._take(True, _TAKEN, left):
            yield count, memoryview(taken)

    def _columns(self, left: int) -> Generator[tuple[int, Rows], None, None]:
        columns = [_Columns(self._fd, _pairs(run.columns)) for run in self._runs]
        for count, taken in self._take(False, _AHEAD, left):
            counts, places = taken.order(len(columns))
            each = zip(columns, memoryview(counts).cast("q"), strict=True)
            batches = [batch for own, number in each for batch in own.take(number)]
            table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
            order = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(places)], 0)
            for batch in table.take(order).to_batches():
                yield len(batch), batch


class _Columns:
    """A run's columns, read a little at a time."""

    def __init__(self, fd: int, parts: Iterator[tuple[int, int]]) -> None:
        self._fd = fd
        self._batches = self._read(parts)
        self._batch = pa.RecordBatch.from_arrays([], [])

    def _read(self, parts: Iterator[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
        for start, _ in parts:
            yield from pa.ipc.open_stream(_At(self._fd, start))

    def take(self, count: int) -> Iterator[pa.RecordBatch]:
        """Yield the next ``count`` rows."""
        while count:
            if not len(self._batch):
                self._batch = next(self._batches)
            batch = self._batch.slice(0, count)
            self._batch = self._batch.slice(len(batch))
            count -= len(batch)
            yield batch


class _At:
    """The temporary file from an offset on, with a place of its own."""

    closed = False

    def __init__(self, fd: int, start: int) -> None:
        self._fd = fd
        self._at = start

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, self._at)
        self._at += len(data)
        return data


def _pairs(numbers: array[int]) -> Iterator[tuple[int, int]]:
    each = iter(numbers)
    return zip(each, each, strict=True)


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield ``items``, each made by another thread while the one before is used."""
    from concurrent.futures import ThreadPoolExecutor  # start-up: most runs merge nothing

    with ThreadPoolExecutor(1, "opslog-merge") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _folder() -> str:
    import tempfile

    return tempfile.tempdir or "the temporary folder"


def _failed(error: OSError) -> SinkError:
    return SinkError(
        _folder(),
        f"{error.strerror or error}: to be merged, what is kept must fit there; "
        "TMPDIR names another folder",
    )
