"""Contents: what is followed, whatever file it is in and whatever that is called by now.

A log that is rotated stays the same under another name; copied or compressed it
is another file with the same content.  So a content is known by its first bytes
and by those before the position up to which it was read, a file by its device and
number.  Either may be used again: both together are not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from opslog.engine.live import TAIL_BYTES
from opslog.inputs.paths import FileId
from opslog.inputs.source import Source
from opslog.model.errors import SourceError

START_BYTES = 256
"""How much of a content's beginning tells it from others."""

MARK_BYTES = TAIL_BYTES
"""How much of what stands before an offset tells whether it is the same content still."""


class Fingerprint(NamedTuple):
    """What is remembered of some bytes, instead of the bytes: logs are not for everybody."""

    size: int
    digest: str

    @classmethod
    def of(cls, data: bytes, size: int = 16) -> Fingerprint:
        """Return that of ``data``, with a digest of ``size`` bytes."""
        return cls(len(data), blake2b(data, digest_size=size).hexdigest())

    def is_of(self, data: bytes) -> bool:
        """Return whether it is that of ``data``."""
        return Fingerprint.of(data, len(self.digest) // 2) == self


NOTHING = Fingerprint.of(b"")


class Position(NamedTuple):
    """An offset in a content: how that begins, and what stands before the offset."""

    start: Fingerprint
    offset: int
    mark: Fingerprint

    def may_begin_with(self, data: bytes) -> bool:
        """Return whether a content may be it that begins with ``data``: START_BYTES, if so many."""
        return self.start.is_of(data[: self.start.size])

    def in_file(self, fd: int) -> bool | None:
        """Return whether the file has this position; None where it is too short to say so."""
        if not self.may_begin_with(os.pread(fd, self.start.size, 0)):
            size = os.fstat(fd).st_size
            return None if size < self.start.size else False
        data = os.pread(fd, self.mark.size, self.offset - self.mark.size)
        if len(data) < self.mark.size:
            return None
        return self.mark.is_of(data)

    def in_compressed_file(self, path: str) -> Source | None:
        """Return the compressed file, read up to this position; None if it has no such one.

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
        same = self.may_begin_with(start) or self.offset < self.start.size
        if not left and same and self.mark.is_of(tail[len(tail) - self.mark.size :]):
            return source
        source.close()
        return None


@dataclass(slots=True)
class Content:
    """What is, or was, followed: ``source`` is its name in records, for good.

    ``position`` is that before which all is in records that were written.
    ``modified`` is when its file was changed last while it had its first name
    (nanoseconds of the epoch): what is older came before.  ``done`` says that
    nothing can follow, ``seen`` when a file last had it (Contents.clock).
    """

    path: str
    source: str
    file: FileId
    position: Position
    modified: int
    done: bool = False
    seen: float = 0.0


def source_name(path: str, file: FileId, line: bytes, since: int) -> str:
    """Return the name in records of a content that begins with ``line``.

    ``since`` tells it from one that was in the same file before, and may have begun likewise.
    """
    text = b"%d:%d:%d:" % (*file, since)
    return f"{path}#{blake2b(text + line, digest_size=8).hexdigest()}"


def first_line(data: bytes) -> bytes | None:
    """Return what tells a content from the beginning on; None if more of it must come."""
    end = data.find(b"\n", 0, START_BYTES)
    if end >= 0:
        return data[: end + 1]
    return data[:START_BYTES] if len(data) >= START_BYTES else None


def end_of_lines(fd: int, start: Fingerprint) -> Position:
    """Return the position behind the last newline of a file."""
    end = os.fstat(fd).st_size
    while end > 0:
        begin = max(0, end - 65536)
        newline = os.pread(fd, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            end = begin + newline + 1
            break
        end = begin
    count = min(MARK_BYTES, end)
    return Position(start, end, Fingerprint.of(os.pread(fd, count, end - count)))


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
