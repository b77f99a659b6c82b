"""A sample of a file's records by which files are compared: of any two the same records are in it.

In the sample is what has a small hash of time and text.  The more there is, the smaller the
hash must be: memory does not grow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from opslog.doctor._survey import hash_texts
from opslog.rows.kept import Kept

WHOLE = 1 << 64
"""The limit of a sample that every record with a time is in."""

MOST = 2048
"""Hashes in a sample, at most."""


@dataclass(slots=True)
class Seen:
    """The records of one time and text: who logged them first, and how many there are."""

    host: str | None
    records: int


@dataclass(slots=True)
class Sample:
    """Some of the records of a file."""

    limit: int = WHOLE
    """Hashes are below it."""
    seen: dict[int, Seen] = field(default_factory=dict)
    """By the hash of time and text."""

    def add(self, more: Sample) -> None:
        """Add what stands behind."""
        self.cut(more.limit)
        for key, one in more.seen.items():
            if key >= self.limit:
                continue
            if known := self.seen.get(key):
                known.records += one.records
            else:
                self.seen[key] = one
        self.cut(self.limit)

    def cut(self, limit: int) -> None:
        """Keep what is below the limit, and no more than MOST."""
        if limit < self.limit:
            self.limit = limit
            self.seen = {key: one for key, one in self.seen.items() if key < limit}
        if len(self.seen) > MOST:
            self.cut(sorted(self.seen)[MOST // 2])


def sample_of(kept: Kept, bodies: pa.StringArray, moments: pa.Array, limit: int) -> Sample:
    """Return a sample of a block's records, with their UTC times (int64 microseconds).

    ``limit`` is that of the sample it will be added to.
    """
    hashes = _hashes(bodies, moments)
    wanted = pc.is_valid(moments)
    if limit < WHOLE:
        wanted = pc.and_(wanted, pc.less(hashes, pa.scalar(limit, pa.uint64())))
    rows = pc.indices_nonzero(wanted)
    if not len(rows):
        return Sample(limit)
    table = pa.table({"hash": hashes.take(rows), "row": rows})
    groups = table.group_by("hash", use_threads=False)
    found = groups.aggregate([("row", "min"), ("row", "count")])
    if len(found) > MOST:
        found = found.sort_by("hash")
        limit = found["hash"][MOST].as_py()
        found = found.slice(0, MOST)
    first = found["row_min"].combine_chunks().cast(pa.int32())
    hosts = kept.others(("host_name",), first).column(0).to_pylist()
    counts = found["row_count"].to_pylist()
    each = zip(found["hash"].to_pylist(), hosts, counts, strict=True)
    return Sample(limit, {key: Seen(host, count) for key, host, count in each})


def _hashes(bodies: pa.StringArray, moments: pa.Array) -> pa.Array:
    room = bytearray(8 * len(bodies))
    _, offsets, data = bodies.buffers()
    times = memoryview(moments.buffers()[1]).cast("B").cast("q")
    hash_texts(
        memoryview(offsets).cast("B").cast("i")[bodies.offset :],
        memoryview(data or b"").cast("B"),
        times[moments.offset :],
        memoryview(room).cast("Q"),
    )
    return pa.Array.from_buffers(pa.uint64(), len(bodies), [None, pa.py_buffer(room)], 0)
