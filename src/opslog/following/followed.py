"""One content that is followed: its file, how far that was read, and its records' way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from opslog.engine.live import LiveStream
from opslog.engine.stream import Item
from opslog.following.content import (  # fmt: skip
    MARK_BYTES,
    NOTHING,
    START_BYTES,
    Content,
    Fingerprint,
    Position,
)
from opslog.inputs.paths import FileId
from opslog.inputs.source import Source

T = TypeVar("T")

_TURN = 8
"""Blocks read of one file before the others have their turn."""

Begin: TypeAlias = Callable[[Content, int, bytes], LiveStream[T]]
"""Makes the stream of a content from an offset on, before which these bytes stand."""


class ReplacedError(Exception):
    """The file has another content now: it was truncated, perhaps written again."""


class FollowedContent(Generic[T]):
    """A content, its file while that is open, and the records that are on their way.

    ``name`` is where its file is looked for; None once that is another one's
    name, ``left`` then says since when.  Times are seconds of time.monotonic.
    """

    def __init__(self, content: Content, start: bytes, now: float) -> None:
        self.content = content
        self.name: str | None = None
        self.fd: int | None = None
        self.packed: Source | None = None
        self.live: LiveStream[T] | None = None
        self.left: float | None = None
        self.grown = now
        self.start = start[:START_BYTES]
        self.size = content.position.offset
        """Up to where it was read."""
        self.seen = self.size
        """How large its file was then: a line that has begun may be read again."""
        self.changed = content.modified
        """When its file was changed last, as of then: nanoseconds of the epoch."""
        self.failures = 0
        """How often it could not be read on."""
        self._mark = content.position.mark
        self._resume = self.size
        self._marked = self.size, self._mark
        self._tail = b""

    @property
    def lost(self) -> bool:
        """Whether its content is in no file that is known of."""
        return self.fd is None and self.packed is None and self.name is None

    def holds(self, file: FileId) -> bool:
        """Return whether this is the file that is read, not one that has a copy, or had one."""
        return self.fd is None or FileId.of(os.fstat(self.fd)) == file

    @property
    def position(self) -> Position:
        """Up to where it was read, to be found again there."""
        return Position(Fingerprint.of(self.start), self.size, self._mark)

    @property
    def cut(self) -> int:
        """Before this offset all is in records that left."""
        return self.live.cut if self.live else self._resume

    def note(self) -> bool:
        """Note how far the content's records were written; return whether that is news.

        True once all its items have been used.
        """
        start, noted = Fingerprint.of(self.start), self.content.position
        if (self.cut, start) == (noted.offset, noted.start) or not self.marked():
            return False
        self.content.position = Position(start, *self._marked)
        return True

    def marked(self) -> bool:
        """Keep the mark of ``cut``; return whether it is known, also without the file.

        It is not where a record is open, and its file was truncated or cannot be read.
        """
        cut = self.cut
        if self._marked[0] != cut:
            mark = self._mark_before(cut)
            if mark is None:
                return False
            self._marked = cut, mark
        return True

    def _mark_before(self, offset: int) -> Fingerprint | None:
        """Return the mark of an offset that was passed, None if nothing tells it any more."""
        if offset == self.size:
            return self._mark
        if self.live and offset == self.live.handed_out:
            return Fingerprint.of(self.live.tail)
        if self.packed is not None:
            return NOTHING
        if self.fd is None:
            return None
        count = min(MARK_BYTES, offset)
        try:
            data = os.pread(self.fd, count, offset - count)
            # Behind the reading: what is the same now was so when it was read.
            same = os.pread(self.fd, len(self.start), 0) == self.start
        except OSError:
            return None
        return Fingerprint.of(data) if same and len(data) == count else None

    def read(self, begin: Begin[T]) -> Iterator[Item[T]]:
        """Yield the blocks that are full with what has come.

        Raises ReplacedError where what has come is of another content.
        """
        for _ in range(_TURN):
            live = self.live or self._begun(begin)
            room = live.room()
            count = self._read_into(room)
            if not count:
                return
            tail = bytes(room[max(0, count - MARK_BYTES) : count])
            self._tail = (self._tail + tail)[-MARK_BYTES:]
            self._mark = Fingerprint.of(self._tail)
            self.size += count
            self.seen = max(self.seen, self.size)
            item = live.filled(count)
            if item is not None:
                yield item
            elif self.packed is None:
                return

    def _read_into(self, room: memoryview) -> int:
        if self.packed:
            return self.packed.read_into(room)
        assert self.fd is not None
        count = os.preadv(self.fd, [room], self.size)
        self.start = self._check_start()
        return count

    def _check_start(self) -> bytes:
        """Return how the file begins; raises ReplacedError if that is not how its content does.

        It is called after a read: what is the same now was so when it was read.
        """
        assert self.fd is not None
        data = os.pread(self.fd, START_BYTES, 0)
        if not data.startswith(self.start):
            raise ReplacedError
        return data

    def _begun(self, begin: Begin[T]) -> LiveStream[T]:
        tail = b""
        if self.fd is not None:
            count = min(MARK_BYTES, self._resume)
            tail = os.pread(self.fd, count, self._resume - count)
            if len(tail) < count:
                raise ReplacedError
            self._check_start()
            self._mark = Fingerprint.of(tail)
        self.size, self._tail = self._resume, tail
        self.live = begin(self.content, self.size, tail)
        self.live.stream.begins_with(self.start)
        return self.live

    def rest(self) -> None:
        """Give up what keeps memory; a line that has begun will be read again."""
        if self.marked():
            self._resume, self._mark = self._marked
            self.size, self.live = self._resume, None

    def end(self, begin: Begin[T]) -> Iterator[Item[T]]:
        """Yield the last items; what comes later begins anew."""
        if self.live is None and self._resume < self.seen and self.fd is not None:
            yield from self.read(begin)
        if self.live:
            item = self.live.end(flush=True)
            self._resume, self.live = self.size, None
            yield item

    def release(self) -> None:
        """Close its file."""
        if self.fd is not None:
            os.close(self.fd)
        if self.packed is not None:
            self.packed.close()
        self.fd = self.packed = None


@dataclass(slots=True)
class NewFile:
    """A file of which too little is known yet: it may have no content, or one that is known.

    ``name`` is where it is, ``path`` what a new content in it is called.  It was
    asked for by its name; or else it was found beside another one, and is new if
    changed at ``since`` (nanoseconds of the epoch) or later.  ``again`` says that
    another content was in it before.
    """

    name: str
    path: str
    since: int | None
    fd: int
    file: FileId
    changed: float
    leaving_out: bool = False
    again: bool = False
    state: tuple[int, int] = (-1, -1)
    """Size and time of the last change."""
    retry: float = 0.0
    """When it is looked at again that could not be read, and how long after that the next time."""
    pause: float = 1.0

    @property
    def opened(self) -> str:
        """A path of the file itself: another one may have its name by now."""
        return f"/proc/self/fd/{self.fd}"

    def quiet(self, now: float) -> float:
        """Return for how many seconds it has not changed."""
        status = os.fstat(self.fd)
        state = (status.st_size, status.st_mtime_ns)
        if state != self.state:
            self.state, self.changed = state, now
        return now - self.changed

    def has_name(self) -> bool:
        """Return whether it has a name that was asked for, so that more may come."""
        try:
            return self.since is None and FileId.of(os.stat(self.name)) == self.file
        except OSError:
            return False


def is_longer(new: NewFile, file: FollowedContent[T]) -> bool | None:
    """Return whether a file begins like a followed one, but is no copy of it: it goes on further.

    None where it is too early to say so.
    """
    if file.fd is None:
        return False
    size = os.fstat(file.fd).st_size
    replaced = not os.pread(file.fd, START_BYTES, 0).startswith(file.start)
    if size < file.seen or (size and not file.size) or replaced:
        return None  # it was truncated, or is not read yet
    return size == file.seen and os.fstat(new.fd).st_size > size


def is_part(new: NewFile, file: FollowedContent[T]) -> bool:
    """Return whether a file is a copy of a part of a followed one, as a full disk leaves it."""
    if file.fd is None:
        return False
    size = os.fstat(new.fd).st_size
    count = min(MARK_BYTES, size)
    return os.pread(new.fd, count, size - count) == os.pread(file.fd, count, size - count)


def was_replaced(file: FollowedContent[T]) -> bool:
    """Return whether its file is in its folder no more, under whatever name."""
    assert file.fd is not None
    id_ = FileId.of(os.fstat(file.fd))
    with os.scandir(os.path.dirname(os.path.realpath(file.content.path))) as entries:
        return all(FileId.of(entry.stat(follow_symlinks=False)) != id_ for entry in entries)
