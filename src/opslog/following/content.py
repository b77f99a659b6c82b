"""Identity: which content a file has, whatever it is called by now.

A log that is rotated stays the same under another name; copied or compressed it
is another file with the same content.  So a content is known by its first bytes
and by those before the offset up to which it was read, a file by its device and
number.  Either may be used again: both together are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from opslog.inputs.source import Source
from opslog.model.errors import SourceError

START_BYTES = 256
"""How much of a content's beginning tells it from others."""

MARK_BYTES = 64
"""How much of what stands before an offset tells whether it is the same content still."""


class Print(NamedTuple):
    """What is remembered of some bytes, instead of the bytes: logs are not for everybody."""

    size: int
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Print:
        """Return that of ``data``."""
        return cls(len(data), blake2b(data, digest_size=16).hexdigest())


class FileKey(NamedTuple):
    """Device and number: what a file is as long as it exists, whatever its name."""

    device: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileKey:
        """Return that of the file with this status."""
        return cls(status.st_dev, status.st_ino)


class Place(NamedTuple):
    """An offset in a content: how that begins, and what stands before the offset."""

    start: Print
    offset: int
    mark: Print

    def fits_start(self, data: bytes) -> bool:
        """Return whether a content may be it that begins with ``data``: START_BYTES, if so many."""
        return Print.of(data[: self.start.size]) == self.start

    def in_file(self, fd: int) -> bool | None:
        """Return whether the file has this place; None where it is too short to say so."""
        if not self.fits_start(os.pread(fd, self.start.size, 0)):
            size = os.fstat(fd).st_size
            return None if size < self.start.size else False
        data = os.pread(fd, self.mark.size, self.offset - self.mark.size)
        if len(data) < self.mark.size:
            return None
        return Print.of(data) == self.mark

    def in_packed(self, path: str) -> Source | None:
        """Return the compressed file, read up to this place; None if it has no such place.

        Raises SourceError if it cannot be read so far.
        """
        source = Source(path)
        start = tail = b""
        left = self.offset
        room = memoryview(bytearray(1 << 20))
        try:
            while left and (count := source.read_into(room[: min(left, len(room))])):
                data = bytes(room[:count])
                start = start + data[: START_BYTES - len(start)]
                tail = (tail + data[-MARK_BYTES:])[-MARK_BYTES:]
                left -= count
        except SourceError:
            source.close()
            raise
        same = self.fits_start(start) or self.offset < self.start.size
        if not left and same and Print.of(tail[len(tail) - self.mark.size :]) == self.mark:
            return source
        source.close()
        return None


@dataclass(slots=True)
class Known:
    """A content that is, or was, followed: ``source`` is its name in records, for good.

    ``place`` is that before which all is in records that were written.
    ``modified`` is when its file was changed last while it had its first name
    (nanoseconds of the epoch): what is older came before.  ``done`` says that
    nothing can follow, ``seen`` when a file last had it (seconds of the epoch).
    """

    path: str
    source: str
    file: FileKey
    place: Place
    modified: int
    done: bool = False
    seen: float = 0.0


def first_line(data: bytes) -> bytes | None:
    """Return what tells a content from the beginning on; None if more of it must come."""
    end = data.find(b"\n", 0, START_BYTES)
    if end >= 0:
        return data[: end + 1]
    return data[:START_BYTES] if len(data) >= START_BYTES else None


def last_line(fd: int, start: Print) -> Place:
    """Return the place behind the last newline of a file."""
    end = os.fstat(fd).st_size
    while end > 0:
        begin = max(0, end - 65536)
        newline = os.pread(fd, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            end = begin + newline + 1
            break
        end = begin
    mark = min(MARK_BYTES, end)
    return Place(start, end, Print.of(os.pread(fd, mark, end - mark)))


def unpacked_start(path: str) -> bytes:
    """Return how the content of a compressed file begins; raises SourceError."""
    source = Source(path)
    room = memoryview(bytearray(START_BYTES))
    size = 0
    try:
        while size < START_BYTES and (count := source.read_into(room[size:])):
            size += count
    finally:
        source.close()
    return bytes(room[:size])


def source_name(path: str, file: FileKey, line: bytes, again: int) -> str:
    """Return the name in records of a content; ``again`` counts equal ones in the same file."""
    text = b"%d:%d:%d:" % (*file, again)
    return f"{path}#{blake2b(text + line, digest_size=8).hexdigest()}"


_DATE = r"(?:19|20)\d\d-?[01]\d(?:-?[0-3]\d)?[\dTZ_:.-]*"
_PACKED = re.compile(r"\.(?:gz|bz2|xz|zst)$")
_ROTATED = re.compile(rf"(?:\.\d{{1,6}}|\.old|[.-]{_DATE})$")
_DATED = re.compile(rf"[.-]{_DATE}(?=\.[a-z]+$)")


@lru_cache(maxsize=4096)
def family(name: str) -> str:
    """Return the name a log has before it is rotated, for names without a folder."""
    name = _PACKED.sub("", name)
    return _DATED.sub("", _ROTATED.sub("", name) or name)


def home(path: str) -> tuple[str, str]:
    """Return the folder and the family of a file, where it lies in fact."""
    folder, name = os.path.split(os.path.realpath(path))
    return folder, family(name)


def relatives(folder: str, families: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (family, path) of the files in a folder that are of one of the families."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return
    for name in names:
        if (own := family(name)) in families:
            yield own, os.path.join(folder, name)
