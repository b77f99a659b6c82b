"""Watchlist: which contents are followed, in which files, under which names, now.

A name is only where to look; what is followed is a content (content.py).  A
file found under a name that was asked for, or beside a followed file that lost
its own, is a new file until its first line tells whether it has a new content or
one that is known: renamed, copied or compressed.

The file is longer than others because its one class is: which content has which
file and which name is one state, and what names and new files tell changes all of it.
"""

from __future__ import annotations

import os
import re
import resource
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from opslog.following.content import (
    NOTHING,
    START_BYTES,
    Content,
    Fingerprint,
    Position,
    end_of_lines,
    first_line,
    unpacked_start,
)
from opslog.following.contents import Contents
from opslog.following.cuts import Cuts
from opslog.following.followed import FollowedContent, NewFile, is_longer, is_part, was_replaced
from opslog.following.seen_files import SeenFiles
from opslog.inputs.compression import compressed
from opslog.inputs.paths import FileId, expand
from opslog.inputs.source import Source
from opslog.inputs.text import SAMPLE_BYTES, not_text
from opslog.model.errors import SourceError

T = TypeVar("T")

ROTATE_WAIT = 5.0
"""Seconds without new bytes after which a file that lost its name has ended."""

_SETTLED = 2.0
"""Seconds without change after which a compressed file is complete."""

_LONGEST_PAUSE = 60.0
"""Seconds after which a file that cannot be read is tried again, at most."""

_TRIES = 3
"""How often a compressed file is tried again that could not be read to its end."""

_RESERVE = 64
"""Descriptors left to others."""

_SECOND = 1_000_000_000

_MOST_SAID = 10_000
"""Troubles that are said once; those before are said again if they are still there."""


class Watchlist(Generic[T]):
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
        self.contents = Contents()
        self.open: dict[str, FollowedContent[T]] = {}
        self.hot: dict[str, FollowedContent[T]] = {}
        self.seen = SeenFiles()
        self.cuts = Cuts(say)
        self._patterns = patterns
        self._say = say
        self._own = [_named_after(os.path.realpath(path)) for path in own]
        self._leaving_out = from_end
        self._names: dict[str, FollowedContent[T]] = {}
        self._new: dict[FileId, NewFile] = {}
        self._said: dict[str, str] = {}
        self._most = max(8, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVE)

    def close(self) -> None:
        """Close all files."""
        for file in self.open.values():
            file.release()
        for new in self._new.values():
            os.close(new.fd)

    def complain(self, name: str, error: Exception) -> None:
        """Say what is wrong with a file, once."""
        text = error.reason if isinstance(error, SourceError) else str(error)
        if isinstance(error, OSError) and error.strerror:
            text = error.strerror
        if self._said.get(name) != text:
            self._said[name] = text
            if len(self._said) > _MOST_SAID:
                del self._said[next(iter(self._said))]
            self._say(f"{name}: {text}; it is tried again")

    # -- names ----------------------------------------------------------------------

    def look_at_names(self, now: float) -> None:
        """Find files that are new under the names asked for, or beside those that lost theirs."""
        for name in expand(self._patterns):
            if name not in self._names and not self._is_own(name):
                self._meet(name, name, None, now)
        waiting = {new.path for new in self._new.values() if new.since is not None}
        for name, path, since in self.contents.candidates(waiting, now):
            self._meet(name, path, since, now)
        self.look_at_new_files(now)
        self.cuts.tell(now, waiting)
        self._leaving_out = False

    def _is_own(self, name: str) -> bool:
        """Return whether it is a file of this run, its lock or its next version."""
        if not self._own:
            return False
        real = os.path.realpath(name)
        return any(own.fullmatch(real) for own in self._own)

    def status(self, file: FollowedContent[T], now: float) -> os.stat_result | None:
        """Return how its file is, None if it has none; see whether that has its name still."""
        if file.name is not None:
            try:
                status = os.stat(file.name)
                if FileId.of(status) == file.content.file:
                    return status
            except FileNotFoundError:
                pass
            except OSError as error:
                self.complain(file.name, error)
                return None if file.fd is None else os.fstat(file.fd)
            # It is there no more: the one that is, is followed.
            name = self._take_name(file, now)
            if os.path.exists(name):
                self._meet(name, name, None, now)
        return None if file.fd is None else os.fstat(file.fd)

    def _take_name(self, file: FollowedContent[T], now: float) -> str:
        """Take the name from a content that has one."""
        name, file.name, file.left = file.name, None, now
        assert name is not None
        self._names.pop(name, None)
        self.hot[file.content.source] = file
        self.contents.search(file.content, now)
        return name

    def _give_name(self, file: FollowedContent[T], name: str) -> None:
        file.name, file.left = name, None
        self._names[name] = file

    def replaced(self, file: FollowedContent[T], now: float) -> None:
        """Take its file from a content that is in it no more, and follow what is."""
        name = None if file.name is None else self._take_name(file, now)
        fd, file.fd = file.fd, None
        path = name or file.content.path
        self.hot[file.content.source] = file
        self.contents.lose(file.content, now)
        if fd is not None:
            id_ = FileId.of(os.fstat(fd))
            if id_ in self._new:
                os.close(fd)
                return
            self._new[id_] = NewFile(path, path, None if name else 0, fd, id_, now, again=True)
        elif name is not None:
            self._meet(name, name, None, now)

    def stale(self, file: FollowedContent[T], now: float) -> None:
        """Open its file again, or look for its content: the descriptor leads nowhere any more."""
        file.release()
        if file.name is None:
            self.contents.lose(file.content, now)

    def sought_again(self, file: FollowedContent[T], now: float) -> bool:
        """Look again for a compressed content that cannot be read on; False if that was in vain."""
        if file.failures == _TRIES:
            return False
        file.failures += 1
        if file.name is not None:
            self._take_name(file, now)
        file.release()
        self.seen.forget(file.content.file)
        self.contents.lose(file.content, now)
        return True

    def _meet(self, name: str, path: str, since: int | None, now: float) -> None:
        """Take a file as a new one, unless it is followed or was found to be nothing new.

        ``since`` None: its name was asked for; else it was found beside ``path``.
        """
        try:
            status = os.stat(name)
            if stat.S_ISDIR(status.st_mode):
                os.scandir(name).close()  # says why it stands for no files
                return
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "no regular file; a pipe is followed as standard input: -")
            id_ = FileId.of(status)
            if content := self.contents.in_file(id_):
                content.seen = self.contents.clock()
                file = self.open.get(content.source)
                if file is not None and not file.lost and file.holds(id_):
                    if file.name is None and since is None and name not in self._names:
                        self._give_name(file, name)
                    return
            if id_ in self._new or self.seen.holds(id_, status):
                return
            self._make_room(now)
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if since is None:
                self.complain(name, error)
            return
        self._said.pop(name, None)
        id_ = FileId.of(os.fstat(fd))  # it may be another one than a moment ago
        if id_ in self._new:
            os.close(fd)
            return
        new = self._new[id_] = NewFile(name, path, since, fd, id_, now)
        new.leaving_out = self._leaving_out
        if time.time() - status.st_mtime > _SETTLED:
            new.state, new.changed = (status.st_size, status.st_mtime_ns), now - _SETTLED

    # -- descriptors ------------------------------------------------------------------

    def _make_room(self, now: float) -> None:
        """Close the quietest files when there are many; what comes in them is seen by name."""
        if len(self.open) + len(self._new) < self._most:
            return
        self.look_at_new_files(now)
        held = [file for file in self.open.values() if file.fd is not None]
        if len(held) + len(self._new) >= self._most:
            idle = [file for file in held if file.name is not None]
            idle.sort(key=lambda file: file.grown)
            for file in idle[: self._most // 8 + 1]:
                file.release()

    def reopened(self, file: FollowedContent[T], now: float) -> bool:
        """Return whether its file is open, again if need be; raises OSError."""
        if file.fd is None and file.name is not None:
            self._make_room(now)
            fd = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            if FileId.of(os.fstat(fd)) != file.content.file:
                os.close(fd)
                return False
            file.fd = fd
        return file.fd is not None

    def finish(self, file: FollowedContent[T], done: bool) -> None:
        """Close a content that is all read; ``done``: nothing can follow."""
        file.note()
        file.content.done |= done
        with suppress(OSError):
            where = file.fd if file.fd is not None else file.name
            if where is not None:
                self.seen.add(os.stat(where))
        file.release()
        del self.open[file.content.source]
        self.hot.pop(file.content.source, None)
        if file.name is not None:
            del self._names[file.name]

    # -- new files --------------------------------------------------------------------

    def look_at_new_files(self, now: float) -> None:
        """Follow the files of which there is enough to say what they are."""
        # First those that are known by their numbers: others may begin like them.
        new_files = sorted(self._new.values(), key=lambda new: not self.contents.in_file(new.file))
        for new in new_files:
            if now < new.retry:
                continue
            try:
                self._begin(new, now)
            except (OSError, SourceError) as error:
                self.complain(new.name, error)
                # What could not be read may be all that is left of a content: it is not given up.
                new.retry, new.pause = now + new.pause, min(_LONGEST_PAUSE, 2 * new.pause)
                if not os.fstat(new.fd).st_nlink:
                    self._dismiss(new)

    def _begin(self, new: NewFile, now: float) -> None:
        quiet = new.quiet(now)
        if quiet == 0 and new.since is None:
            # It may have been written, copied and truncated since the last look.
            self.contents.search_behind(new.path, now)
        start = os.pread(new.fd, START_BYTES, 0)
        packed = compressed(start)
        if packed:
            if quiet < _SETTLED:
                return
            start = unpacked_start(new.opened)
            if not start:
                self._dismiss(new)
                return
        elif first_line(start) is None:
            if quiet < ROTATE_WAIT or new.has_name():
                return
            if not start:
                self._dismiss(new)
                return
        if not self._recognised(new, start, packed, quiet, now):
            self._start(new, start, packed, now)

    def _recognised(
        self, new: NewFile, start: bytes, packed: bool, quiet: float, now: float
    ) -> bool:
        """Return whether it has a known content, or it is too early to say that it has none."""
        own = self.contents.in_file(new.file)
        kin = (one for one in self.contents.of_log(new.name) if one is not own)
        for content in ([own] if own else []) + sorted(kin, key=self._is_known_elsewhere):
            file = self.open.get(content.source)
            position = file.position if file else content.position
            part = file is not None and not packed and file.start.startswith(start)
            if not part and not position.may_begin_with(start):
                continue
            elsewhere = self._is_known_elsewhere(content)
            if packed:
                source = None if elsewhere else position.in_compressed_file(new.opened)
                found: bool | None = elsewhere or source is not None
            else:
                source, found = None, position.in_file(new.fd)
            if found is None and content is not own and new.name != content.path:
                if quiet < ROTATE_WAIT:
                    return True  # a copy that is being made
                if file and is_part(new, file):
                    self._dismiss(new)
                    return True
                self.cuts.found(content.source)  # copied before the last that was read of it
            elif found:
                # The size of a compressed file says nothing about that of its content.
                longer = is_longer(new, file) if file and elsewhere and not packed else False
                if longer and file and not was_replaced(file):
                    continue
                if longer and file:  # the same content, in a file that took the place of the other
                    file.release()
                    elsewhere = False
                if longer is None:
                    return True
                if file is None or file.name is None:
                    # There it will be found later.
                    self.contents.move(content, new.file)
                if elsewhere:
                    self._dismiss(new)
                    if file and file.packed is None:
                        # When that one is truncated this copy is needed for what was not yet read.
                        self.seen.forget(new.file)
                else:
                    self._go_on(content, new, source, start, now)
                return True
        if own:  # the number of its file is another one's now
            if own.source in self.contents.unfound and own.path == new.name and not own.done:
                self.cuts.note(own.source, own.path, own.position.offset, now)
            self.contents.lose(own, now)
            new.again = True
        return False

    def _is_known_elsewhere(self, content: Content) -> bool:
        """Whether a content is followed in another file, or was read to its end."""
        file = self.open.get(content.source)
        return content.done or (file is not None and not file.lost)

    def _go_on(
        self, content: Content, new: NewFile, source: Source | None, start: bytes, now: float
    ) -> None:
        """Follow a content in this file."""
        self.cuts.found(content.source)
        file = self.open.get(content.source) or FollowedContent(content, start, now)
        del self._new[new.file]
        file.fd, file.packed = new.fd, source
        if source is not None:
            self.seen.add(os.fstat(new.fd))
            os.close(new.fd)
            file.fd = None
        if new.since is None and new.name not in self._names:
            self._give_name(file, new.name)
        elif file.left is None:
            file.left = now
        file.grown = now
        self.open[content.source] = self.hot[content.source] = file

    def _start(self, new: NewFile, start: bytes, packed: bool, now: float) -> None:
        """Follow a new content from its start, or its end."""
        status = os.fstat(new.fd)
        if new.since is not None:
            # Of what lies beside a log that is rotated, only what was written later is new.
            unit = _SECOND if packed else 1  # compressors keep seconds
            if status.st_mtime_ns // unit < new.since // unit:
                self._dismiss(new)
                return
        source = Source(new.opened) if packed else None
        what = source.binary if source else not_text(os.pread(new.fd, SAMPLE_BYTES, 0))
        if what is not None:
            self._leave_binary(new, source, what)
            return
        position = Position(Fingerprint.of(start), 0, NOTHING)
        if new.leaving_out:
            if source:
                source.close()
                self._dismiss(new)
                return
            position = end_of_lines(new.fd, position.start)
        content = Content(
            new.path,
            self.contents.named(new.path, new.file, start, new.again),
            new.file,
            position,
            status.st_mtime_ns,
            seen=self.contents.clock(),
        )
        self.contents.add(content)
        self._go_on(content, new, source, start, now)

    def _leave_binary(self, new: NewFile, source: Source | None, what: str) -> None:
        """Pass a file by that holds no text; say so if it was asked for."""
        if new.name in self._patterns:
            self.complain(new.name, OSError(0, f"is no log, but {what}"))
        else:
            self.seen.binary.add(new.file)
        if source:
            source.close()
        self._dismiss(new)

    def _dismiss(self, new: NewFile) -> None:
        self.seen.add(os.fstat(new.fd))
        del self._new[new.file]
        os.close(new.fd)


def _named_after(path: str) -> re.Pattern[str]:
    """Return a pattern of the paths of a file, its lock and its next version."""
    folder, name = map(re.escape, os.path.split(path))
    return re.compile(rf"{folder}/+(?:{name}(?:\.lock)?|\.?{name}\..*\.tmp)", re.DOTALL)
