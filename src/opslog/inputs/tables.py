"""Tables of records that opslog wrote, Parquet and Arrow, read as the JSON lines of these records.

What a file is its first bytes tell.  Who reads sources says how its lines are made (Tables).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, Protocol

from opslog.inputs.reader import Reader

START_BYTES = 8
"""So many bytes at most tell what a table is."""

PARQUET_START = b"PAR1\x15"
"""What Parquet begins with, the head of its first page included: no text does."""

_STREAM = b"\xff\xff\xff\xff"
_LARGEST_SCHEMA = 1 << 24
"""Bytes of the first message of a stream, at most."""


class TableKind(StrEnum):
    """A kind of file that holds a table."""

    PARQUET = "Parquet"
    FILE = "an Arrow file"
    STREAM = "an Arrow stream"


class Tables(Protocol):
    """How tables are read."""

    def lines(self, name: str, kind: TableKind, file: BinaryIO) -> Iterator[bytes]:
        """Yield the records of an opened table as JSON lines, some at a time.

        ``file`` can be read at any place, that of a stream only on.  Raises OSError for what is
        damaged, or holds other records than opslog writes.
        """

    def foreign(self, kind: TableKind, file: BinaryIO) -> str | None:
        """Return what a table is if its columns are not opslog's; None if not, or damaged."""


def table_kind(start: bytes) -> TableKind | None:
    """Return what table begins so, None if none does."""
    if start.startswith(b"PAR1"):
        return TableKind.PARQUET
    if start.startswith(b"ARROW1\0\0"):
        return TableKind.FILE
    # The size of the schema follows, a multiple of eight.
    size = int.from_bytes(start[4:8], "little")
    if start.startswith(_STREAM) and 0 < size <= _LARGEST_SCHEMA and not size % 8:
        return TableKind.STREAM
    return None


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell whether what begins so is a stream."""
    return len(start) < START_BYTES and start[:4] == _STREAM[: len(start)]


class ReadOn:
    """What a reader gives, as a file that is read from its beginning to its end."""

    closed = False

    def __init__(self, read: Reader) -> None:
        self._read = read

    def read(self, count: int = -1) -> bytes:
        """Return the next ``count`` bytes (all if negative), fewer only at the end."""
        found = bytearray()
        room = memoryview(bytearray(min(count, _STEP) if count >= 0 else _STEP))
        while count < 0 or len(found) < count:
            left = len(room) if count < 0 else min(len(room), count - len(found))
            if not (size := self._read(room[:left])):
                break
            found += room[:size]
        return bytes(found)

    def close(self) -> None:
        """Who opened the source closes it."""


_STEP = 1 << 20
