"""Which files hold records that an earlier file holds, too.

A service that runs in uWSGI writes its log and uWSGI's; syslog and the journal write
what a file has.  Such records are logged once and read twice: what repeats is something
else, it stands in one file.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

from opslog.doctor.report import Copies
from opslog.doctor.sample import WHOLE, Sample

_FEW = 10
"""Records in two samples below which nothing is said: two programs may say the same at once."""

_MOST = 1 << 17
"""Texts that are remembered of all files together: beyond these, fewer of each."""

_FILES = 5
"""Files that are remembered for a text, the first ones."""

Seen: TypeAlias = tuple[str, str | None]
"""A file, and the host that logged a text of it."""


class EarlierFiles:
    """Samples of the files before, as one; memory does not grow with their number."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._limit = WHOLE
        self._seen: dict[int, tuple[Seen, ...]] = {}
        """By the key of a sample."""
        self._size = 0

    def copies(self, path: str, sample: Sample, records: int) -> tuple[Copies, ...]:
        """Return what of a file stands in earlier ones, and remember the file.

        ``records`` is how many of its records have a time.
        """
        sample.cut(self._limit)
        alike: Counter[str] = Counter()
        for key, host in sample.hosts.items():
            for other, other_host in self._seen.get(key, ()):
                if _same_host(host, other_host):
                    alike[other] += 1
        found = [self._copy(sample, other, count, records) for other, count in alike.items()
                 if count >= _FEW]  # fmt: skip
        self._remember(path, sample)
        return tuple(sorted(found, key=lambda one: (-one.records, one.path)))

    def _copy(self, sample: Sample, other: str, count: int, records: int) -> Copies:
        limit = min(sample.limit, self._limits[other])
        compared = sum(key >> 32 < limit for key in sample.hosts)
        share = count / compared
        return Copies(other, round(share * records), share, limit < WHOLE)

    def _remember(self, path: str, sample: Sample) -> None:
        self._limits[path] = sample.limit
        for key, host in sample.hosts.items():
            seen = self._seen.get(key, ())
            if len(seen) < _FILES:
                self._seen[key] = (*seen, (path, host))
                self._size += 1
        while self._size > _MOST:
            self._limit = sorted(self._seen)[len(self._seen) // 2] >> 32
            self._seen = {k: seen for k, seen in self._seen.items() if k >> 32 < self._limit}
            self._size = sum(map(len, self._seen.values()))


def _same_host(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return True
    return one.partition(".")[0].lower() == other.partition(".")[0].lower()
