"""Compression, told by the first bytes: gzip, bzip2, xz and zstd."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from opslog.inputs.reader import Reader, of_chunks
from opslog.model.errors import SourceError

_CHUNK = 1 << 20
_FIRST = 1 << 14
"""Bytes read at first: of many files only the beginning is looked at."""

MAGIC_BYTES = 6
"""So many bytes at most tell the compression."""

_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SKIPPABLE_TAIL = b"\x2a\x4d\x18"
"""What follows the first byte of a skippable zstd frame, which is one of 16."""

_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Codec(NamedTuple):
    """A compression: how to unpack it, and what its unpacker raises for damaged data."""

    kind: str
    make: Callable[[], _Decompressor]
    error: type[Exception]


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell the compression of what begins so."""
    if any(magic.startswith(start) and start != magic for magic in _MAGIC):
        return True
    return 0x50 <= start[0] <= 0x5F and _SKIPPABLE_TAIL.startswith(start[1:4]) and len(start) < 4


def compressed(start: bytes) -> bool:
    """Return whether data that begins so is compressed in a way that is known."""
    return start.startswith(_MAGIC) or _ZSTD_SKIPPABLE.match(start) is not None


def _codec(start: bytes) -> _Codec | None:
    """Return the compression of data that begins so, None if it is none that is known."""
    if start.startswith(b"\x1f\x8b"):
        return _Codec("gzip", lambda: zlib.decompressobj(31), zlib.error)
    # Imported where they are needed: most runs read no such files.
    if start.startswith(b"BZh"):
        import bz2

        return _Codec("bzip2", bz2.BZ2Decompressor, OSError)
    if start.startswith(b"\xfd7zXZ\x00"):
        import lzma

        return _Codec("xz", lzma.LZMADecompressor, lzma.LZMAError)
    if start.startswith(b"\x28\xb5\x2f\xfd") or _ZSTD_SKIPPABLE.match(start):
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        return _Codec("zstd", zstd.ZstdDecompressor, zstd.ZstdError)
    return None


def unpacked(name: str, read: Reader, start: bytes) -> Reader:
    """Return a reader of what is packed in ``start`` and what ``read`` gives behind it.

    Members may follow each other, zeros may pad the end.  Raises SourceError for
    what is damaged; what ``read`` raises passes.
    """
    codec = _codec(start)
    assert codec is not None
    return of_chunks(_members(name, read, start, codec))


def _members(name: str, read: Reader, start: bytes, codec: _Codec) -> Iterator[bytes]:
    kind = codec.kind
    room, size = memoryview(bytearray(_CHUNK)), _FIRST

    def more() -> bytes:
        nonlocal size
        data = bytes(room[: read(room[:size])])
        size = min(2 * size, _CHUNK)
        return data

    data, unpacker = start, codec.make()
    while True:
        while not unpacker.eof:
            # An unpacker may hold back output: feed nothing until it wants more.
            try:
                out = unpacker.decompress(data, _CHUNK)
            except (codec.error, EOFError, ValueError) as error:
                raise SourceError(
                    name, f"damaged {kind} data ({error}); the lines before that were read"
                ) from None
            data = getattr(unpacker, "unconsumed_tail", b"")
            if out:
                yield out
            if not data and getattr(unpacker, "needs_input", not out) and not unpacker.eof:
                data = more()
                if not data:
                    raise SourceError(
                        name, f"the {kind} data ends too early; the lines before that were read"
                    )
        data = unpacker.unused_data
        while not data.strip(b"\0"):
            data = more()
            if not data:
                return
        data = data.lstrip(b"\0")
        while len(data) < MAGIC_BYTES and (behind := more()):
            data += behind
        following = _codec(data)
        if following is None or following.kind != kind:
            raise SourceError(
                name, f"something other than {kind} follows the {kind} data; it was not read"
            )
        unpacker = codec.make()
