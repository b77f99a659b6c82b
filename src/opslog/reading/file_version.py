"""Versions of a file: whether it holds now what it held when it was read."""

from __future__ import annotations

import os
from time import time_ns
from typing import NamedTuple

_SAMPLE = 256
"""Bytes that are looked at in each place."""

_PLACES = 16
"""How many places there are at most, but for the end."""

_STEP = 16 << 20
"""Bytes between two of them at least: where a disk must seek, a place costs as much as a MiB."""

_GRANULARITY = 2_000_000_000
"""Nanoseconds within which a file may change twice and show one time: these are coarse."""


class Version(NamedTuple):
    """What shows whether a file was changed since it was ``looked`` at (ns, as the others).

    ``samples`` is a digest of bytes at its beginning, its end and some places between.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int
    looked: int
    samples: bytes

    @classmethod
    def of(cls, fd: int) -> Version:
        """Return the version of an open file."""
        looked = time_ns()
        status = os.fstat(fd)
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
            looked, _samples(fd, status.st_size),
        )  # fmt: skip

    def is_same(self, later: Version) -> bool:
        """Return whether nothing was written between the two, as far as times tell."""
        own = self.size, self.modified, self.changed
        return own == (later.size, later.modified, later.changed)

    def may_grow_to(self, later: Version, fd: int) -> bool:
        """Return whether ``fd``, now ``later``, may have the same bytes, and maybe more behind."""
        if self.size == later.size:
            return self.samples == later.samples
        return self.size < later.size and self.samples == _samples(fd, self.size)

    def is_kept_in(self, later: Version, fd: int) -> bool:
        """Return whether ``fd``, now ``later``, has the same bytes, and maybe more behind them.

        Of the same size it has if its times are the same, and the last change was over when it
        was looked at; if it is longer now, its samples say so.
        """
        if self.size == later.size:
            settled = max(self.modified, self.changed) + _GRANULARITY < self.looked
            if not (settled and self.is_same(later)):
                return False
        return self.may_grow_to(later, fd)


def _samples(fd: int, size: int) -> bytes:
    """Return the digest of the samples of a file's first ``size`` bytes.

    If they cannot be read, it is like no other.
    """
    from hashlib import blake2b  # start-up: most runs keep no index

    places = [*range(0, size, max(size // _PLACES, _STEP)), max(0, size - _SAMPLE)]
    found = (os.pread(fd, min(_SAMPLE, size - at), at) for at in places)
    try:
        return blake2b(b"".join(found), digest_size=16).digest()
    except OSError:
        return os.urandom(16)
