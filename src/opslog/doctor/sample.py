"""A sample of a file's records by which files are compared: of any two the same records are in it.

Of all times, those whose hash is small are in the sample, with every text logged at
them.  The more texts there are, the smaller the hash must be: memory does not grow.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from opslog.rows.kept import Kept

WHOLE = 1 << 32
"""The limit of a sample that every record with a time is in."""

MOST = 2048
"""Texts in a sample, at most."""

_ODD = pa.scalar(0x9E3779B97F4A7C15, pa.uint64())
_HALF = pa.scalar(32, pa.uint64())


@dataclass(slots=True)
class Sample:
    """Times and texts of some records, and the hosts that logged them."""

    limit: int = WHOLE
    """Hashes of times are below it."""
    hosts: dict[int, str | None] = field(default_factory=dict)
    """By the hash of a time (the upper 32 bits) and the CRC of a text."""

    def add(self, more: Sample) -> None:
        """Add what stands behind."""
        self.cut(more.limit)
        for key, host in more.hosts.items():
            if key >> 32 < self.limit:
                self.hosts.setdefault(key, host)
        self.cut(self.limit)

    def cut(self, limit: int) -> None:
        """Keep what is below the limit, and no more than MOST texts."""
        if limit < self.limit:
            self.limit = limit
            self.hosts = {key: host for key, host in self.hosts.items() if key >> 32 < limit}
        if len(self.hosts) > MOST:
            self.cut(sorted(self.hosts)[MOST // 2] >> 32)


def sample_of(kept: Kept, moments: pa.Array, limit: int) -> Sample:
    """Return a sample of a block's records, whose UTC times (int64 microseconds) are ``moments``.

    ``limit`` is that of the sample it will be added to.
    """
    hashes = pc.shift_right(pc.multiply(moments.cast(pa.uint64(), safe=False), _ODD), _HALF)
    rows = pc.indices_nonzero(pc.less(hashes, pa.scalar(limit, pa.uint64())))
    if len(rows) > MOST:
        chosen = hashes.take(rows)
        limit = chosen[pc.array_sort_indices(chosen)[MOST].as_py()].as_py()
        rows = rows.filter(pc.less(chosen, pa.scalar(limit, pa.uint64())))
    if not len(rows):
        return Sample(limit)
    batch = kept.others(("body", "host_name"), rows.cast(pa.int32()))
    texts, hosts = batch.to_pydict().values()
    found = Sample(limit)
    for time, text, host in zip(hashes.take(rows).to_pylist(), texts, hosts, strict=True):
        found.hosts.setdefault(time << 32 | zlib.crc32((text or "").encode()), host)
    return found
