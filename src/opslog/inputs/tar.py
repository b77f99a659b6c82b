"""Tar: how an archive begins, and the bytes of one of its members, read where they lie."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from opslog.inputs.reader import sample_of
from opslog.inputs.text import SAMPLE_BYTES
from opslog.model.errors import SourceError

if TYPE_CHECKING:
    from tarfile import TarInfo

    from opslog.inputs.source import Source

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


class Member:
    """The bytes of a member: those of its archive from where that stands, and zeros for holes.

    ``stored`` is how many bytes the archive has of it.  Raises OSError for what ends too early
    or holds something else than the header says.
    """

    def __init__(self, archive: Source, info: TarInfo, stored: int) -> None:
        self._archive = archive
        self._info = info
        self.size = info.size
        """How many bytes it has."""
        self.place: tuple[int, ...] = (*archive.place, info.offset_data)
        """Where it lies in its archive, and that in its own."""
        self.broken = False
        """Whether the archive cannot be read on."""
        self._pieces = self._read(stored)
        self._zeros = self._left = 0
        self._begun, self._rest = sample_of(self._behind, min(SAMPLE_BYTES, info.size))

    def _read(self, stored: int) -> Iterator[None]:
        """Say of what the next bytes are, piece by piece: zeros, then some of the archive."""
        at, damaged = 0, OSError("its header is damaged: a map of holes that cannot be")
        holes = cast("list[tuple[int, int]] | None", self._info.sparse)
        for offset, count in holes or [(0, self.size)]:
            stored -= count
            if offset < at or count < 0 or stored < 0:
                raise damaged
            self._zeros, self._left = offset - at, count
            at = offset + count
            yield
        if at > self.size:
            raise damaged
        self._zeros = self.size - at
        yield

    def _behind(self, room: memoryview) -> int:
        while not (self._zeros or self._left):
            try:
                next(self._pieces)
            except StopIteration:
                return 0
        if self._zeros:
            count = min(self._zeros, len(room))
            room[:count] = bytes(count)
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
        """Return the next of the first bytes; reading does not go on."""
        return self._begun[:count]

    def readinto(self, room: memoryview) -> int:
        """Fill the beginning of a buffer; return how many bytes these are, 0 at the end."""
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
