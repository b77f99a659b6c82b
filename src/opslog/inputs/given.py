"""What a caller gives instead of a path: bytes, or a binary file object, which stays open.

It is read from where it stands when it is given.  What can seek is read from there again and
again, anything else once.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol, Self, TypeAlias, cast

from opslog.inputs.reader import sample_of
from opslog.inputs.text import SAMPLE_BYTES
from opslog.model.errors import OpslogError

INSIDE = "!/"
"""What stands between the name of an archive and that of a member of it."""

_STEP = 1 << 20
"""Bytes that are asked for at once."""

_ONCE = (
    "was read before, and can be read only once: give its bytes, a file object that can seek, "
    "or a file"
)


class _Read(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class _ReadInto(Protocol):
    def readinto(self, room: memoryview, /) -> int | None: ...


Readable: TypeAlias = _Read | _ReadInto
"""A binary file object, as far as reading needs it to be one."""


class Content:
    """Bytes or a file object; raises OpslogError for what is neither, or gives text."""

    def __init__(self, given: Any) -> None:
        self._bytes = bytes(given) if isinstance(given, bytes | bytearray | memoryview) else None
        self._file: Any = None if self._bytes is not None else given
        self._taken = False
        self._begin = 0
        self.can_seek = True
        """Whether it can be read more than once."""
        if self._bytes is not None:
            return
        _check(given)
        try:
            self.can_seek = _can_seek(given)
            self._begin = given.tell() if self.can_seek else 0
        except (OSError, ValueError) as error:
            raise OpslogError(f"read: {_called(given)!r} cannot be read: {error}") from None

    @property
    def name(self) -> str:
        """What a file object is called; what it is where it has no name."""
        return "<bytes>" if self._bytes is not None else _called(self._file)

    @property
    def status(self) -> os.stat_result | None:
        """That of the regular file it is, None if it is none of this machine."""
        try:
            status = os.fstat(self._file.fileno())
        except (AttributeError, OSError, ValueError, TypeError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    @property
    def modified(self) -> datetime:
        """When the file that it is was changed last, in UTC; else now."""
        try:
            if status := self.status:
                return datetime.fromtimestamp(status.st_mtime, UTC)
        except (OverflowError, ValueError, OSError):
            pass
        return datetime.now(UTC)

    def opened(self) -> tuple[Any, int]:
        """Return a file object of it, and where in it begins what is read; raises OSError."""
        if self._bytes is not None:
            return io.BytesIO(self._bytes), 0
        if self._taken and not self.can_seek:
            raise OSError(_ONCE)
        self._taken = True
        return self._file, self._begin


class Given(str):
    """The name of a source that brings its content along; ``inside`` is what is meant in it."""

    content: Content
    archive: str
    inside: str

    def __new__(cls, name: str, content: Content, inside: str = "") -> Self:
        """Return the name of such content, or with ``inside`` of a member of that archive."""
        self = super().__new__(cls, f"{name}{INSIDE}{inside}" if inside else name)
        self.content, self.archive, self.inside = content, name, inside
        return self

    def __reduce__(self) -> tuple[type[Given], tuple[str, Content, str]]:
        return Given, (self.archive, self.content, self.inside)


class GivenFile:
    """Content, opened for reading; raises OSError for whatever keeps it from that.

    Closing it leaves the caller's object open.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        self._file, self._begin = content.opened()
        self._at = 0
        self.regular = content.can_seek
        """Whether it is all there, and not still coming, as through a pipe."""
        # Of what is still coming the first two wait for no more than something.
        ways = ("readinto", "read") if self.regular else ("readinto1", "read1", "readinto", "read")
        self._way = next(way for way in ways if callable(getattr(self._file, way, None)))
        self._begun, self._rest = sample_of(self._read, SAMPLE_BYTES if self.regular else 0)

    def _read(self, room: memoryview) -> int:
        try:
            if self.regular and self._file.tell() != self._begin + self._at:
                self._file.seek(self._begin + self._at)
            count = self._filled(room[:_STEP])
        except OSError:
            raise
        except Exception as error:  # each kind of file object has its own
            raise OSError(str(error) or type(error).__name__) from error
        self._at += count
        return count

    def _filled(self, room: memoryview) -> int:
        read = getattr(self._file, self._way)
        found = read(room) if "into" in self._way else read(len(room))
        if found is None:
            raise OSError(errno.EAGAIN, "has no bytes yet: expected a file object that waits")
        if isinstance(found, str):
            raise OSError(f"{self._way}() gives text, expected bytes")
        data = None if isinstance(found, int) else memoryview(found).cast("B")
        count: int = found if data is None else len(data)
        if not 0 <= count <= len(room):
            raise OSError(f"{self._way}() gives {count:,} bytes, more than it was asked for")
        if data is not None:
            room[:count] = data
        return count

    def peek(self, count: int) -> bytes:
        """Return the first bytes of what can seek; reading does not go on."""
        return self._begun[:count]

    def readinto(self, room: memoryview) -> int:
        """Fill the beginning of a buffer; return how many bytes these are, 0 at the end."""
        if not self._begun:
            return self._rest(room)
        count = self._rest(room[: len(self._begun)])
        self._begun = self._begun[count:]
        return count

    def seekable(self) -> bool:
        """Whether it can be read from any place on: it is only read on."""
        return False

    def seek(self, offset: int) -> None:
        """Raise OSError: it is only read on."""
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._at

    def anywhere(self) -> BinaryIO:
        """Return what can seek, opened once more, for who reads it at any place."""
        return cast("BinaryIO", _Anywhere(self._content))

    @property
    def modified(self) -> datetime:
        """When the file that it is was changed last, in UTC; else now."""
        return self._content.modified

    def close(self) -> None:
        """Who gave it closes it."""


class _Anywhere(io.RawIOBase):
    """Content that can seek, as a file object with a place of its own."""

    def __init__(self, content: Content) -> None:
        self._file, self._begin = content.opened()
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            self._at = self._file.seek(0, os.SEEK_END) - self._begin + offset
        else:
            self._at = offset + (self._at if whence == os.SEEK_CUR else 0)
        return self._at

    def readinto(self, room: Any) -> int:
        self._file.seek(self._begin + self._at)
        data = self._file.read(len(room))
        room[: len(data)] = data
        self._at += len(data)
        return len(data)


def _check(file: Any) -> None:
    """Raise OpslogError for what is no file object from which bytes can be read."""
    if isinstance(file, io.TextIOBase) or isinstance(getattr(file, "encoding", None), str):
        raise OpslogError(
            "read: expected a file object that gives bytes, found one of text, "
            f"{_called(file)!r}: open it with 'rb', or give its buffer"
        )
    if not any(callable(getattr(file, name, None)) for name in ("readinto", "read")):
        raise OpslogError(
            "read: expected paths, bytes or file objects with `read` or `readinto`, "
            f"found {type(file).__name__}"
        )
    if isinstance(file, io.IOBase) and not file.closed and not file.readable():
        raise OpslogError(
            f"read: expected a file object that was opened for reading, found {_called(file)!r}, "
            "which was not: open it with 'rb'"
        )


def _called(file: Any) -> str:
    called = getattr(file, "name", None)
    return called if isinstance(called, str) and called else f"<{type(file).__name__}>"


def _can_seek(file: Any) -> bool:
    """Return whether a file object can be read from the same place again."""
    seekable = getattr(file, "seekable", None)
    if callable(seekable):
        return bool(seekable())
    return callable(getattr(file, "seek", None)) and callable(getattr(file, "tell", None))


def brought(path: object, name: str | None = None) -> Given:
    """Return bytes or a file object as a source, called ``name`` or as it calls itself."""
    content = Content(path)
    return Given(content.name if name is None else name, content)
