"""A log that is followed one look at a time, on a clock the test moves, and what is done to it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from opslog.engine.job import Job
from opslog.engine.live import FollowOptions
from opslog.engine.run import run
from opslog.engine.stream import Item
from opslog.engine.watch import unwatched
from opslog.following.checkpoint import Checkpoint
from opslog.following.follow import Following
from opslog.following.watchlist import Watchlist
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

COLUMNS = ("source", "source_offset", "body")


class Looks:
    """A log that is followed, one look at a time, by a run that may go on where one stopped."""

    def __init__(
        self, log: Path, state: Path | None = None, hold: float = 0.0, threads: int = 1
    ) -> None:
        self.now = 1000.0
        self._threads = threads
        self.said: list[str] = []
        job: Job[pa.RecordBatch] = Job(Catalog.default(), COLUMNS, None, Kept.batch)
        self._following = Following(
            (str(log),), job, TimeDefaults.of("UTC", None), Stats(),
            FollowOptions(warn=self.said.append), unwatched, hold, None,
        )  # fmt: skip
        self._watchlist: Watchlist[pa.RecordBatch] = Watchlist(
            (str(log),), self.said.append, (), False
        )
        self._checkpoint = Checkpoint(str(state)) if state else None
        if self._checkpoint:
            self._watchlist.contents.restore(
                self._checkpoint.contents, self._checkpoint.sought, self.now
            )
        self.rows: list[dict[str, object]] = []

    def at_names(self) -> None:
        """Look at names and folders."""
        self._watchlist.look_at_names(self.now)
        self._following._add_new(self._watchlist.contents, self._checkpoint)

    def at_files(self) -> None:
        """Look at all files."""
        files = list(self._watchlist.open.values())
        self._use(self._following._look(self._watchlist, files, self.now))

    def wait(self, seconds: int) -> None:
        """Look at everything once a second for so long."""
        for _ in range(seconds):
            self.at_names()
            self.at_files()
            self.now += 1

    def _use(self, items: Iterable[Item[pa.RecordBatch]]) -> None:
        for _, batch in run(items, self._threads, deque()):
            self.rows += batch.to_pylist()

    def bodies(self) -> list[str]:
        """Look until all is at rest, and return the records in order of their numbers."""
        self.wait(40)
        self._use(self._following._last(self._watchlist, None))
        assert len({(row["source"], row["source_offset"]) for row in self.rows}) == len(self.rows)
        return sorted((str(row["body"]) for row in self.rows), key=lambda body: int(body[1:]))

    def sources(self) -> list[tuple[str, str]]:
        """Return the body and the path of each record."""
        return [(str(row["body"]), str(row["source"]).partition("#")[0]) for row in self.rows]

    def save(self) -> None:
        """Save how far all was read."""
        if self._checkpoint:
            self._use(self._following._save(self._watchlist, self._checkpoint))

    def stop(self) -> None:
        """End the run as SIGTERM does."""
        self._use(self._following._last(self._watchlist, self._checkpoint))
        self.close()

    def close(self) -> None:
        """Close all files."""
        self._watchlist.close()
        if self._checkpoint:
            self._checkpoint.close()


def numbers(stop: int) -> list[str]:
    return [f"n{n}" for n in range(stop)]


def number_on(log: Path) -> None:
    """Rename the older files of a log, as logrotate does."""
    for number in range(99, 0, -1):
        for packed in ("", ".gz"):
            path = Path(f"{log}.{number}{packed}")
            if path.exists():
                path.rename(f"{log}.{number + 1}{packed}")


def copy(log: Path) -> None:
    number_on(log)
    shutil.copy2(log, f"{log}.1")


def copy_and_truncate(log: Path) -> None:
    copy(log)
    os.truncate(log, 0)


def rename_and_create(log: Path) -> None:
    number_on(log)
    log.rename(f"{log}.1")
    log.touch()


def compress(path: Path) -> None:
    """Compress a file as gzip does: with its time, and the file goes."""
    status = path.stat()
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.utime(f"{path}.gz", ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


def older(path: Path, seconds: float) -> None:
    """Have a file be changed last so long ago."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(seconds * 1e9)))
