"""Compression, told by the first bytes: gzip, bzip2, xz and zstd."""

from __future__ import annotations

import bz2
import lzma
import re
import select
import sys
import zlib
from collections.abc import Callable, Iterator
from io import FileIO
from typing import NamedTuple, Protocol

from opslog.model.errors import SourceError

_CHUNK = 1 << 20


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SKIPPABLE_TAIL = b"\x2a\x4d\x18"
"""What follows the first byte of a skippable zstd frame, which is one of 16."""


def _undecided(start: bytes) -> bool:
    """Whether more bytes are needed to tell the compression."""
    if any(magic.startswith(start) and start != magic for magic in _MAGIC):
        return True
    return 0x50 <= start[0] <= 0x5F and _SKIPPABLE_TAIL.startswith(start[1:4]) and len(start) < 4


def first_bytes(raw: FileIO) -> bytes:
    """Read the first bytes, of which the compression is told."""
    start = b""
    while _undecided(start) if start else True:
        more = _read(raw, 6 - len(start))
        if not more:
            break
        start += more
    return start


def _read(raw: FileIO, count: int) -> bytes:
    """Read at most ``count`` bytes; of a descriptor that does not wait, wait for the first."""
    while (data := raw.read(count)) is None:
        select.select([raw], [], [])
    return data


def compressed(start: bytes) -> bool:
    """Return whether data that begins so is compressed in a way that is known."""
    return _codec(start) is not None


Reader = Callable[[memoryview], int]
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def reader(name: str, raw: FileIO, start: bytes) -> Reader:
    codec = _codec(start)
    return plain(raw, start) if codec is None else _unpacked(name, raw, start, codec)


class _Codec(NamedTuple):
    """A compression: how to unpack it, and what its unpacker raises for damaged data."""

    kind: str
    make: Callable[[], _Decompressor]
    error: type[Exception]


def _codec(start: bytes) -> _Codec | None:
    """Return the compression of data that begins so, None if it is none that is known."""
    if start.startswith(b"\x1f\x8b"):
        return _Codec("gzip", lambda: zlib.decompressobj(31), zlib.error)
    if start.startswith(b"BZh"):
        return _Codec("bzip2", bz2.BZ2Decompressor, OSError)
    if start.startswith(b"\xfd7zXZ\x00"):
        return _Codec("xz", lzma.LZMADecompressor, lzma.LZMAError)
    if start.startswith(b"\x28\xb5\x2f\xfd") or _ZSTD_SKIPPABLE.match(start):
        # Imported where it is needed: most runs read no zstd.
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        return _Codec("zstd", zstd.ZstdDecompressor, zstd.ZstdError)
    return None


def plain(raw: FileIO, start: bytes) -> Reader:
    def read(room: memoryview) -> int:
        nonlocal start
        if start:
            count = min(len(start), len(room))
            room[:count] = start[:count]
            start = start[count:]
            return count
        while (count := raw.readinto(room)) is None:
            select.select([raw], [], [])
        return count

    return read


def pumped(chunks: Iterator[bytes]) -> Reader:
    pending = b""

    def read(room: memoryview) -> int:
        nonlocal pending
        while not pending:
            chunk = next(chunks, None)
            if chunk is None:
                return 0
            pending = chunk
        count = min(len(pending), len(room))
        room[:count] = pending[:count]
        pending = pending[count:]
        return count

    return read


def _unpacked(name: str, raw: FileIO, start: bytes, codec: _Codec) -> Reader:
    """Read concatenated members; zeros may pad the end."""
    kind = codec.kind

    def chunks() -> Iterator[bytes]:
        data, unpacker = start, codec.make()
        while True:
            try:
                while not unpacker.eof:
                    # An unpacker may hold back output: feed nothing until it wants more.
                    out = unpacker.decompress(data, _CHUNK)
                    data = getattr(unpacker, "unconsumed_tail", b"")
                    if out:
                        yield out
                    if not data and getattr(unpacker, "needs_input", not out) and not unpacker.eof:
                        data = _read(raw, _CHUNK)
                        if not data:
                            raise SourceError(
                                name, f"the {kind} data ends too early; what was whole was read"
                            )
            except (codec.error, EOFError, ValueError) as error:
                raise SourceError(
                    name, f"damaged {kind} data ({error}); what was whole was read"
                ) from None
            data = unpacker.unused_data
            while not data.strip(b"\0"):
                data = _read(raw, _CHUNK)
                if not data:
                    return
            data = data.lstrip(b"\0")
            while len(data) < 6 and (more := _read(raw, _CHUNK)):
                data += more
            following = _codec(data)
            if following is None or following.kind != kind:
                raise SourceError(
                    name, f"something other than {kind} follows the {kind} data; it was not read"
                )
            unpacker = codec.make()

    return pumped(chunks())
