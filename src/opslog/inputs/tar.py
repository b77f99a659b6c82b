"""Tar: how an archive begins, and the bytes of one of its members, read where they lie."""

from __future__ import annotations

import errno
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

from opslog.inputs.reader import sample_of
from opslog.inputs.text import SAMPLE_BYTES
from opslog.model.errors import SourceError

if TYPE_CHECKING:
    from tarfile import TarInfo

HEAD_BYTES = 512
"""So many bytes tell that what they begin is an archive."""

_NAME = slice(0, 100)
_SUM = slice(148, 156)
_OCTAL = re.compile(rb" *([0-7]{1,7})[ \0]*")
_BLANKS = b" " * 8


def is_tar(start: bytes) -> bool:
    """Return whether what begins so is an archive: its first header holds its own sum."""
    head = start[:HEAD_BYTES]
    if len(head) < HEAD_BYTES or 0 not in head:
        return False
    said = _OCTAL.fullmatch(head[_SUM])
    return said is not None and int(said[1], 8) == sum(head) - sum(head[_SUM]) + sum(_BLANKS)


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell: it may be the name in a header.

    A line of text, once it is whole, is none.
    """
    name, _, behind = start[_NAME].partition(b"\0")
    line, newline, _ = start.partition(b"\n")
    whole = newline and 0 not in line
    return len(start) < HEAD_BYTES and name != b"" and not behind.strip(b"\0") and not whole


class Archive(Protocol):
    """What members ask of the source that is their archive."""

    place: tuple[int, ...]
    file: str

    def read_into(self, room: memoryview) -> int: ...

    @property
    def modified(self) -> datetime: ...

    @property
    def is_local(self) -> bool: ...

    @property
    def fd(self) -> int: ...

    @property
    def position(self) -> int: ...


class Member:
    """The bytes of a member: those of its archive from where that stands, and zeros for holes.

    ``stored`` is how many bytes the archive has of it.  Raises OSError for a header that cannot
    be, and when it is read for what ends too early.
    """

    def __init__(self, archive: Archive, info: TarInfo, stored: int) -> None:
        self._archive = archive
        self._info = info
        self.size = info.size
        """How many bytes it has."""
        self.place: tuple[int, ...] = (*archive.place, info.offset_data)
        """Where it lies in its archive, and that in its own."""
        self.broken = False
        """Whether the archive cannot be read on."""
        self._pieces = iter(_pieces(info, stored))
        self._hole, self._left = next(self._pieces)
        self._zeros = 0
        self._begun, self._rest = sample_of(self._behind, min(SAMPLE_BYTES, info.size))

    def _behind(self, room: memoryview) -> int:
        while not (self._zeros or self._left):
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._zeros, self._left = piece
        if self._zeros:
            count = _fill(room, self._zeros)
            self._zeros -= count
            return count
        try:
            count = self._archive.read_into(room[: min(self._left, len(room))])
        except SourceError as error:
            self.broken = True
            raise OSError(f"{self._archive.file}: {error.reason}") from None
        if not count:
            self.broken = True
            raise OSError("the tar archive ends too early; the lines before that were read")
        self._left -= count
        return count

    def peek(self, count: int) -> bytes:
        """Return the first bytes that are next, behind a hole there; reading does not go on."""
        return self._begun[:count]

    def readinto(self, room: memoryview) -> int:
        """Fill the beginning of a buffer; return how many bytes these are, 0 at the end."""
        if self._hole:
            count = _fill(room, self._hole)
            self._hole -= count
            return count
        if not self._begun:
            return self._rest(room)
        count = self._rest(room[: len(self._begun)])
        self._begun = self._begun[count:]
        return count

    @property
    def modified(self) -> datetime:
        """When it was changed last, in UTC; when the archive was, if nobody says so."""
        try:
            if self._info.mtime > 0:
                return datetime.fromtimestamp(self._info.mtime, UTC)
        except (ValueError, OverflowError, OSError):
            pass
        return self._archive.modified

    @property
    def is_local(self) -> bool:
        """Whether its archive is a file of this machine."""
        return self._archive.is_local

    def fileno(self) -> int:
        """Return the descriptor of the archive."""
        return self._archive.fd

    def tell(self) -> int:
        """Return how many bytes of the archive were read, as they lie there."""
        return self._archive.position

    def seekable(self) -> bool:
        """Whether it can be read from any place on: it is only read on."""
        return False

    def seek(self, offset: int) -> None:
        """Raise OSError: it is only read on."""
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))

    def close(self) -> None:
        """Who opened the archive closes it."""


def _pieces(info: TarInfo, stored: int) -> list[tuple[int, int]]:
    """Return of what a member is made: of so many zeros and so many stored bytes behind, each."""
    found: list[tuple[int, int]] = []
    at = 0
    for offset, count in cast("list[tuple[int, int]] | None", info.sparse) or [(0, info.size)]:
        stored -= count
        if offset < at or count < 0 or stored < 0:
            raise OSError("was not read: expected a map of its holes, found one that cannot be")
        found.append((offset - at, count))
        at = offset + count
    if at > info.size:
        raise OSError("was not read: expected a map of its holes, found one beyond its end")
    return [*found, (info.size - at, 0)]


def _fill(room: memoryview, zeros: int) -> int:
    """Write zeros, as many as fit, and return how many."""
    count = min(zeros, len(room))
    room[:count] = bytes(count)
    return count
