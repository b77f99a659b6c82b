"""The contents that are remembered: in which files they were, and which are looked for.

A content whose file lost its name is looked for beside that name for a while, and
so is what came between it and the file that has the name now.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from opslog.following.content import Content, first_line, source_name
from opslog.following.rotation import LogPlace, log_place, rotated_in
from opslog.inputs.paths import FileId

_SEARCH = 15.0
"""Seconds for which a content is looked for."""

_FORGET = 86400.0
"""Seconds of following after which a content that was in no file is forgotten."""

MOST_READ = 10_000
"""Contents that are remembered though they are read; of more, the longest unseen are forgotten."""

_NO_FILE = FileId(-1, -1)


class _Search(NamedTuple):
    path: str
    since: int
    """What was changed then or later may be wanted: nanoseconds of the epoch."""
    until: float


class Contents:
    """All contents, by source and by file; ``now`` is of time.monotonic.

    ``added`` are those of which a checkpoint does not know yet.
    """

    def __init__(self) -> None:
        self.added: list[Content] = []
        self.forgotten = 0
        """How many were forgotten because there were too many."""
        self.unfound: set[str] = set()
        """Sources of an earlier run that were met in no file yet."""
        self._by_source: dict[str, Content] = {}
        self._by_file: dict[FileId, Content] = {}
        self._places: dict[str, LogPlace] = {}
        self._of_place: dict[LogPlace, list[Content]] = {}
        self._searches: dict[LogPlace, _Search] = {}
        self._begin = time.time() - time.monotonic()

    def clock(self) -> float:
        """Return the seconds of the epoch as they pass here.

        Those in which nobody looked do not count, nor that the system's clock was set.
        """
        return self._begin + time.monotonic()

    def restore(self, contents: Iterable[Content], sought: dict[str, int], now: float) -> None:
        """Take what an earlier run remembered, and was looking for."""
        for content in contents:
            self._remember(content)
            self.unfound.add(content.source)
        if self._by_source:
            self._begin = max(one.seen for one in self._by_source.values()) - time.monotonic()
        for where, kin in self._of_place.items():
            latest = max(kin, key=lambda one: one.modified)
            since = [latest.modified, *(sought[one.path] for one in kin if one.path in sought)]
            self._searches[where] = _Search(latest.path, min(since), now + _SEARCH)

    def add(self, content: Content) -> None:
        """Remember a new content."""
        self._remember(content)
        self.added.append(content)

    def _remember(self, content: Content) -> None:
        where = self._places[content.source] = log_place(content.path)
        self._by_source[content.source] = content
        self._of_place.setdefault(where, []).append(content)
        self._by_file[content.file] = content

    def remembered(self, followed: Container[str]) -> list[Content]:
        """Return all, but for those to be forgotten; what is ``followed`` (sources) is not."""
        now = self.clock()
        read = []
        for content in list(self._by_source.values()):
            if content.source in followed:
                content.seen = now
            elif content.seen < now - _FORGET:
                self._forget(content)
            else:
                read.append(content)
        if len(read) > MOST_READ:
            read.sort(key=lambda content: content.seen)
            for content in read[:-MOST_READ]:
                self._forget(content)
                self.forgotten += 1
        return list(self._by_source.values())

    def _forget(self, content: Content) -> None:
        self.unfound.discard(content.source)
        del self._by_source[content.source]
        where = self._places.pop(content.source)
        self._of_place[where].remove(content)
        if not self._of_place[where]:
            del self._of_place[where]
        if self._by_file.get(content.file) is content:
            del self._by_file[content.file]

    def named(self, path: str, file: FileId, start: bytes, again: bool) -> str:
        """Return the source of a new content; ``again``: another one was in its file before."""
        line = first_line(start) or start
        name = source_name(path, file, line, 0)
        # The other one may be forgotten already: a name is never given twice.
        again = again or name in self._by_source
        return source_name(path, file, line, time.time_ns()) if again else name

    def in_file(self, file: FileId) -> Content | None:
        """Return the content that was last in a file."""
        return self._by_file.get(file)

    def of_log(self, name: str) -> list[Content]:
        """Return the contents of the log that a file of this name is, or was before rotation."""
        return self._of_place.get(log_place(name), [])

    def move(self, content: Content, file: FileId) -> None:
        """Take note that a content is in this file now."""
        if self._by_file.get(content.file) is content:
            del self._by_file[content.file]
        content.file = file
        content.seen = self.clock()
        self.unfound.discard(content.source)
        self._by_file[file] = content

    def lose(self, content: Content, now: float) -> None:
        """Take note that a content is in its file no more, and look for it."""
        self._by_file.pop(content.file, None)
        content.file = _NO_FILE
        self.search(content, now)

    def search(self, content: Content, now: float) -> None:
        """Look for a content, and for those between it and the one that has its name now."""
        where = self._places[content.source]
        before = self._searches.get(where)
        since = content.modified if before is None else min(before.since, content.modified)
        self._searches[where] = _Search(content.path, since, now + _SEARCH)

    def search_behind(self, path: str, now: float) -> None:
        """Look for what came behind the last known content of this path, if there is one."""
        known = [one for one in self.of_log(path) if one.path == path]
        if known:
            self.search(max(known, key=lambda one: one.modified), now)

    def sought(self) -> dict[str, int]:
        """Return what is looked for: of which path all that was changed since when."""
        return {one.path: one.since for one in self._searches.values()}

    def candidates(self, waiting: set[str], now: float) -> Iterator[tuple[str, str, int]]:
        """Yield (name, path, since) of files that may have what is looked for of the log ``path``.

        What ``waiting`` files may yet turn out to be is looked for longer.
        """
        searches = self._searches.copy()
        folders: dict[str, set[str]] = {}
        for folder, log in searches:
            folders.setdefault(folder, set()).add(log)
        for folder, logs in folders.items():
            for log, name in rotated_in(folder, frozenset(logs)):
                search = searches[folder, log]
                yield name, search.path, search.since
        # After the look: it may be the first one, if the last was long ago.
        for where, search in searches.items():
            over = search.until < now and search.path not in waiting
            if over and self._searches.get(where) is search:
                del self._searches[where]
