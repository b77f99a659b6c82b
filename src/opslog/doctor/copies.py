"""Which files hold records that an earlier file holds, too.

A service that runs in uWSGI writes its log and uWSGI's; syslog and the journal write
what a file has.  Such records are logged once and read twice: what repeats is something
else, it stands in one file.
"""

from __future__ import annotations

from collections import Counter

from opslog.doctor.report import Copies
from opslog.doctor.sample import WHOLE, Sample, Seen

_FEW = 10
"""Records of two samples below which nothing is said: two programs may say the same at once."""

_MOST = 1 << 17
"""Hashes that are remembered of all files together: beyond these, fewer of each."""

_FILES = 5
"""Files that are remembered for a hash, the first ones."""


class EarlierFiles:
    """Samples of the files before, as one; memory does not grow with their number."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._limit = WHOLE
        self._seen: dict[int, tuple[tuple[str, Seen], ...]] = {}
        """By the hash of time and text, the files that have it."""
        self._size = 0

    def copies(self, path: str, sample: Sample, records: int) -> tuple[Copies, ...]:
        """Return what of a file stands in earlier ones, and remember the file.

        ``records`` is how many of its records have a time.
        """
        sample.cut(self._limit)
        alike: Counter[str] = Counter()
        for key, one in sample.seen.items():
            for other, there in self._seen.get(key, ()):
                if _same_host(one.host, there.host):
                    alike[other] += min(one.records, there.records)
        found = [self._copy(sample, other, count, records) for other, count in alike.items()
                 if count >= _FEW]  # fmt: skip
        self._remember(path, sample)
        return tuple(sorted(found, key=lambda one: (-one.records, one.path)))

    def _copy(self, sample: Sample, other: str, count: int, records: int) -> Copies:
        limit = min(sample.limit, self._limits[other])
        share = count / sum(one.records for key, one in sample.seen.items() if key < limit)
        return Copies(other, round(share * records), share, limit < WHOLE)

    def _remember(self, path: str, sample: Sample) -> None:
        self._limits[path] = sample.limit
        for key, one in sample.seen.items():
            known = self._seen.get(key, ())
            if len(known) < _FILES:
                self._seen[key] = (*known, (path, one))
                self._size += 1
        while self._size > _MOST:
            self._limit = sorted(self._seen)[len(self._seen) // 2]
            self._seen = {key: seen for key, seen in self._seen.items() if key < self._limit}
            self._size = sum(map(len, self._seen.values()))


def _same_host(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return True
    return one.partition(".")[0].lower() == other.partition(".")[0].lower()
