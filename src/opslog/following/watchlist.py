"""Roster: which contents are followed, in which files, under which names, now.

A name is only where to look; what is followed is a content (identity.py).  A
file found under a name that was asked for, or beside a followed file that lost
its own, is a newcomer until its first line tells whether it is a new content or
one that is known: renamed, copied or compressed.
"""

from __future__ import annotations

import os
import re
import resource
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

from opslog.following.content import (
    START_BYTES,
    FileKey,
    Known,
    Place,
    Print,
    first_line,
    home,
    last_line,
    relatives,
    source_name,
    unpacked_start,
)
from opslog.following.followed import Followed, Newcomer
from opslog.inputs.compression import compressed
from opslog.inputs.paths import expand
from opslog.inputs.source import Source
from opslog.model.errors import SourceError

T = TypeVar("T")

ROTATE_WAIT = 5.0
"""Seconds without new bytes after which a file that lost its name has ended."""

_SETTLED = 2.0
"""Seconds without change after which a compressed file is complete."""

_FORGET = 86400.0
"""Seconds after which a content that was in no file is forgotten."""

_RESERVE = 64
"""Descriptors left to others."""

_NOWHERE = FileKey(-1, -1)
_SECOND = 1_000_000_000


class Roster(Generic[T]):
    """All files that are followed; ``hot`` are those worth a look soon.

    ``say`` is told, once, why a file cannot be read; it is tried again.  The files
    ``own``, which this run writes, are not followed.  With ``from_end`` what stands
    in files at the first look is left out.  ``now`` is of time.monotonic.
    """

    def __init__(
        self,
        patterns: tuple[str, ...],
        say: Callable[[str], None],
        own: tuple[str, ...],
        from_end: bool,
    ) -> None:
        self.open: dict[str, Followed[T]] = {}
        self.hot: dict[str, Followed[T]] = {}
        self.fresh = False
        """Whether there are contents of which a checkpoint does not know yet."""
        self._patterns = patterns
        self._say = say
        self._own = [_named_after(os.path.realpath(path)) for path in own]
        self._leaving_out = from_end
        self._names: dict[str, Followed[T]] = {}
        self._known: dict[str, Known] = {}
        self._kin: dict[tuple[str, str], list[Known]] = {}
        self._home: dict[str, tuple[str, str]] = {}
        self._files: dict[FileKey, Known] = {}
        self._new: dict[FileKey, Newcomer] = {}
        self._seen: dict[FileKey, tuple[int, int]] = {}
        self._sought: dict[tuple[str, str], tuple[str, int, float]] = {}
        self._said: dict[str, str] = {}
        self._most = max(8, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVE)

    def restore(self, known: Iterable[Known], sought: dict[str, int], now: float) -> None:
        """Take what an earlier run knew, and was looking for."""
        for one in known:
            self._add(one)
        for where, kin in self._kin.items():
            latest = max(kin, key=lambda one: one.modified)
            since = [latest.modified, *(sought[one.path] for one in kin if one.path in sought)]
            self._sought[where] = latest.path, min(since), now + 3 * ROTATE_WAIT

    def known(self) -> list[Known]:
        """Return all contents that are remembered."""
        latest = time.time() - _FORGET
        for one in list(self._known.values()):
            if one.source in self.open:
                one.seen = time.time()
            elif one.seen < latest:
                del self._known[one.source]
                self._kin[self._home.pop(one.source)].remove(one)
                if self._files.get(one.file) is one:
                    del self._files[one.file]
        return list(self._known.values())

    def sought(self) -> dict[str, int]:
        """Return what is looked for: of which path all that was changed since when."""
        return {path: since for path, since, _ in self._sought.values()}

    def close(self) -> None:
        """Close all files."""
        for file in self.open.values():
            file.release()
        for newcomer in self._new.values():
            os.close(newcomer.fd)

    # -- names ----------------------------------------------------------------------

    def look_at_names(self, now: float) -> None:
        """Find files that are new under the names asked for, or beside those that lost theirs."""
        for name in expand(self._patterns):
            if name not in self._names and not self._is_own(name):
                self._meet(name, name, None, now)
        folders: dict[str, set[str]] = {}
        waiting = {new.path for new in self._new.values() if new.since is not None}
        for (folder, family), (path, _, until) in list(self._sought.items()):
            if until < now and path not in waiting:
                del self._sought[folder, family]
            else:
                folders.setdefault(folder, set()).add(family)
        for folder, families in folders.items():
            for family, name in relatives(folder, frozenset(families)):
                path, since, _ = self._sought[folder, family]
                if os.path.basename(name) != family:  # that one is followed if it was asked for
                    self._meet(name, path, since, now)
        self.look_at_newcomers(now)
        self._leaving_out = False

    def _is_own(self, name: str) -> bool:
        """Return whether it is a file of this run, its lock or its next version."""
        if not self._own:
            return False
        real = os.path.realpath(name)
        return any(own.fullmatch(real) for own in self._own)

    def status(self, file: Followed[T], now: float) -> os.stat_result | None:
        """Return how its file is, None if it has none; see whether that has its name still."""
        if file.name is not None:
            try:
                status = os.stat(file.name)
                if FileKey.of(status) == file.known.file:
                    return status
            except FileNotFoundError:
                pass
            except OSError as error:
                self.complain(file.name, error)
                return None if file.fd is None else os.fstat(file.fd)
            self._leave(file, now)
        return None if file.fd is None else os.fstat(file.fd)

    def _leave(self, file: Followed[T], now: float) -> None:
        """Take its name from a file that is there no more, and follow the one that is."""
        name = self._unnamed(file, now)
        if name is not None and os.path.exists(name):
            self._meet(name, name, None, now)

    def replaced(self, file: Followed[T], now: float) -> None:
        """Take its file from a content that is in it no more, and follow what is."""
        fd, file.fd = file.fd, None
        key, file.known.file = file.known.file, _NOWHERE
        self._files.pop(key, None)
        name = self._unnamed(file, now)
        path = name or file.known.path
        if fd is not None:
            self._new[key] = Newcomer(path, path, None if name else 0, fd, key, now)
        elif name is not None:
            self._meet(name, name, None, now)

    def _unnamed(self, file: Followed[T], now: float) -> str | None:
        name, file.name = file.name, None
        if name is not None:
            file.left = now
            self._names.pop(name, None)
        self.hot[file.known.source] = file
        self._seek(file.known, now)
        return name

    def _named(self, file: Followed[T], newcomer: Newcomer, now: float) -> None:
        if newcomer.since is None and newcomer.name not in self._names:
            file.name, file.left = newcomer.name, None
            self._names[newcomer.name] = file
        elif file.left is None:
            file.left = now
        file.grown = now
        self.open[file.known.source] = self.hot[file.known.source] = file

    def _seek(self, known: Known, now: float) -> None:
        """Look beside it for its content, and for those between it and what has its name now."""
        where = self._home[known.source]
        _, since, _ = self._sought.get(where, ("", known.modified, 0.0))
        self._sought[where] = known.path, min(since, known.modified), now + 3 * ROTATE_WAIT

    def _meet(self, name: str, path: str, since: int | None, now: float) -> None:
        """Take a file as a newcomer, unless it is followed or was found to be nothing new.

        ``since`` None: its name was asked for; else it was found beside ``path``.
        """
        try:
            status = os.stat(name)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "no regular file; a pipe is followed as standard input: -")
            key = FileKey.of(status)
            if known := self._files.get(key):
                known.seen = time.time()
                file = self.open.get(known.source)
                if file is not None and not file.lost:
                    if file.name is None and since is None and name not in self._names:
                        file.name, file.left = name, None
                        self._names[name] = file
                    return
            if key in self._new or self._seen.get(key) == (status.st_size, status.st_mtime_ns):
                return
            self._make_room(now)
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if since is None:
                self.complain(name, error)
            return
        self._said.pop(name, None)
        key = FileKey.of(os.fstat(fd))  # it may be another one than a moment ago
        if key in self._new:
            os.close(fd)
            return
        new = self._new[key] = Newcomer(name, path, since, fd, key, now)
        new.leaving_out = self._leaving_out
        if time.time() - status.st_mtime > _SETTLED:
            new.state, new.changed = (status.st_size, status.st_mtime_ns), now - _SETTLED

    def complain(self, name: str, error: Exception) -> None:
        """Say what is wrong with a file, once."""
        text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        text = text.removeprefix(f"{name}: ")
        if self._said.get(name) != text:
            self._said[name] = text
            self._say(f"{name}: {text}; it is tried again")

    # -- descriptors ------------------------------------------------------------------

    def _make_room(self, now: float) -> None:
        """Close the quietest files when there are many; what comes in them is seen by name."""
        if len(self.open) + len(self._new) < self._most:
            return
        self.look_at_newcomers(now)
        held = [file for file in self.open.values() if file.fd is not None]
        if len(held) + len(self._new) >= self._most:
            idle = [file for file in held if file.name is not None]
            idle.sort(key=lambda file: file.grown)
            for file in idle[: self._most // 8 + 1]:
                file.release()

    def reopened(self, file: Followed[T], now: float) -> bool:
        """Return whether its file is open, again if need be; raises OSError."""
        if file.fd is None and file.name is not None:
            self._make_room(now)
            fd = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            if FileKey.of(os.fstat(fd)) != file.known.file:
                os.close(fd)
                return False
            file.fd = fd
        return file.fd is not None

    def finish(self, file: Followed[T], done: bool) -> None:
        """Close a content that is all read; ``done``: nothing can follow."""
        file.note()
        file.known.done |= done
        with suppress(OSError):
            where = file.fd if file.fd is not None else file.name
            if where is not None:
                self._remember(os.stat(where))
        file.release()
        del self.open[file.known.source]
        self.hot.pop(file.known.source, None)
        if file.name is not None:
            del self._names[file.name]

    def _remember(self, status: os.stat_result) -> None:
        """As long as it is like this a file need not be opened again."""
        self._seen[FileKey.of(status)] = (status.st_size, status.st_mtime_ns)

    # -- newcomers ----------------------------------------------------------------------

    def look_at_newcomers(self, now: float) -> None:
        """Follow the files of which there is enough to say what they are."""
        for newcomer in list(self._new.values()):
            try:
                self._begin(newcomer, now)
            except (OSError, SourceError) as error:
                self.complain(newcomer.name, error)
                self._dismiss(newcomer)

    def _begin(self, newcomer: Newcomer, now: float) -> None:
        quiet = newcomer.quiet(now)
        start = os.pread(newcomer.fd, START_BYTES, 0)
        packed = compressed(start)
        if packed:
            if quiet < _SETTLED:
                return
            start = unpacked_start(newcomer.name)
        line = first_line(start)
        if line is None and not packed:
            if quiet < ROTATE_WAIT or newcomer.has_name():
                return
            if not start:
                self._dismiss(newcomer)
                return
        if not self._recognised(newcomer, start, packed, quiet, now):
            self._start(newcomer, start, start if line is None else line, packed, now)

    def _recognised(
        self, newcomer: Newcomer, start: bytes, packed: bool, quiet: float, now: float
    ) -> bool:
        """Return whether it has a known content, or it is too early to say that it has none."""
        own = self._files.get(newcomer.file)
        kin = self._kin.get(home(newcomer.name), ())
        others = sorted((one for one in kin if one is not own), key=self._elsewhere)
        for known in ([own] if own else []) + others:
            file = self.open.get(known.source)
            place = file.place if file else known.place
            if not place.fits_start(start):
                continue
            elsewhere = self._elsewhere(known)
            if packed:
                source = None if elsewhere else place.in_packed(newcomer.name)
                found: bool | None = elsewhere or source is not None
            else:
                source, found = None, place.in_file(newcomer.fd)
            if found is None and known is not own and newcomer.name != known.path:
                if quiet < ROTATE_WAIT:
                    return True  # a copy that is being made
            elif found:
                self._take_over(known, newcomer)
                if elsewhere:
                    self._dismiss(newcomer)
                else:
                    self._go_on(known, newcomer, source, start, now)
                return True
        if own:  # the number of its file is another one's now
            del self._files[newcomer.file]
            own.file = _NOWHERE
            self._seek(own, now)
        return False

    def _elsewhere(self, known: Known) -> bool:
        """Whether a content is followed in another file, or was read to its end."""
        file = self.open.get(known.source)
        return known.done or (file is not None and not file.lost)

    def _take_over(self, known: Known, newcomer: Newcomer) -> None:
        """Say that a known content is in this file, too: there it will be found later."""
        file = self.open.get(known.source)
        if file is not None and file.name is not None:
            return
        if self._files.get(known.file) is known:
            del self._files[known.file]
        known.file = newcomer.file
        known.seen = time.time()
        self._files[newcomer.file] = known

    def _go_on(
        self, known: Known, newcomer: Newcomer, source: Source | None, start: bytes, now: float
    ) -> None:
        file = self.open.get(known.source) or Followed(known, start, now)
        del self._new[newcomer.file]
        file.fd, file.packed = newcomer.fd, source
        if source is not None:
            os.close(newcomer.fd)
            file.fd = None
        self._named(file, newcomer, now)

    def _start(
        self, newcomer: Newcomer, start: bytes, line: bytes, packed: bool, now: float
    ) -> None:
        """Follow a new content from its start, or its end."""
        status = os.fstat(newcomer.fd)
        if newcomer.since is not None:
            # Of what lies beside a log that is rotated, only what was written later is new.
            unit = _SECOND if packed else 1  # compressors keep seconds
            if status.st_mtime_ns // unit < newcomer.since // unit:
                self._dismiss(newcomer)
                return
        again = 0
        while (source := source_name(newcomer.path, newcomer.file, line, again)) in self._known:
            again += 1
        place = Place(Print.of(start), 0, Print.of(b""))
        if newcomer.leaving_out:
            if packed:
                self._dismiss(newcomer)
                return
            place = last_line(newcomer.fd, place.start)
        modified = status.st_mtime_ns
        known = Known(newcomer.path, source, newcomer.file, place, modified, seen=time.time())
        self._add(known)
        self.fresh = True
        self._go_on(known, newcomer, Source(newcomer.name) if packed else None, start, now)

    def _add(self, known: Known) -> None:
        where = self._home[known.source] = home(known.path)
        self._known[known.source] = known
        self._kin.setdefault(where, []).append(known)
        self._files[known.file] = known

    def _dismiss(self, newcomer: Newcomer) -> None:
        self._remember(os.fstat(newcomer.fd))
        del self._new[newcomer.file]
        os.close(newcomer.fd)


def _named_after(path: str) -> re.Pattern[str]:
    """Return a pattern of the paths of a file, its lock and its next version."""
    folder, name = map(re.escape, os.path.split(path))
    return re.compile(rf"{folder}/+(?:{name}(?:\.lock)?|\.?{name}\..*\.tmp)", re.DOTALL)
