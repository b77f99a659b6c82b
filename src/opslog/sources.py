"""Sources: files, globs, standard input, compressed by content.

What is whole is read; then, for a source that cannot be read to its end, a
SourceError says why.
"""

from __future__ import annotations

import bz2
import glob
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from io import FileIO
from typing import Protocol

from opslog.errors import SourceError

STDIN = "-"
_CHUNK = 1 << 20


def expand(paths: tuple[str, ...]) -> list[str]:
    """Return the sources ``paths`` name: files and ``-`` as they are, folders and globs expanded.

    A folder stands for the files in it and below.  A pattern that matches
    nothing stays as it is, to be reported as a file that does not exist.
    """
    found: list[str] = []
    for path in paths:
        if path == STDIN or not (os.path.isdir(path) or glob.has_magic(path)):
            found.append(path)
        elif os.path.isdir(path):
            found += _files_below(path)
        elif os.path.exists(path):
            found.append(path)
        else:
            matches = sorted(glob.glob(path, recursive=True))
            for match in matches or [path]:
                found += _files_below(match) if os.path.isdir(match) else [match]
    return list(dict.fromkeys(found))


def _files_below(folder: str) -> list[str]:
    return sorted(os.path.join(base, name) for base, _, names in os.walk(folder) for name in names)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Source:
    """One opened source; ``read_into`` gives its decompressed bytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            # Unbuffered, and for standard input not to be closed: the descriptor itself.
            raw = open(0 if name == STDIN else name, "rb", buffering=0, closefd=name != STDIN)  # noqa: SIM115
            start = _start(raw)
        except OSError as error:
            raise SourceError(name, error.strerror or str(error)) from None
        self._raw = raw
        self._given = 0
        self._read = _reader(name, raw, start)

    def read_into(self, room: memoryview) -> int:
        """Fill the beginning of ``room`` and return how much, 0 at the end; raises SourceError."""
        try:
            count = self._read(room)
        except OSError as error:
            raise SourceError(self.name, error.strerror or str(error)) from None
        self._given += count
        return count

    @property
    def position(self) -> int:
        """How many bytes of the file were read, as they lie there; of a pipe, were given."""
        return self._raw.tell() if self._raw.seekable() else self._given

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._raw.close()


def _start(raw: FileIO) -> bytes:
    """Read the first bytes, of which the compression is told."""
    start = b""
    while len(start) < 6 and (more := raw.read(6 - len(start))):
        start += more
    return start


def _zstd_decompressor() -> _Decompressor:
    # Imported where it is needed: most runs read no zstd.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()


_Reader = Callable[[memoryview], int]


def _reader(name: str, raw: FileIO, start: bytes) -> _Reader:
    if start.startswith(b"\x1f\x8b"):
        return _unpacked(name, raw, start, b"\x1f\x8b", lambda: zlib.decompressobj(31), "gzip")
    if start.startswith(b"BZh"):
        return _unpacked(name, raw, start, b"BZh", bz2.BZ2Decompressor, "bzip2")
    if start.startswith(b"\xfd7zXZ\x00"):
        return _unpacked(name, raw, start, b"\xfd7zXZ\x00", lzma.LZMADecompressor, "xz")
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return _unpacked(name, raw, start, b"\x28\xb5\x2f\xfd", _zstd_decompressor, "zstd")
    return _plain(raw, start)


def _plain(raw: FileIO, start: bytes) -> _Reader:
    def read(room: memoryview) -> int:
        nonlocal start
        if start:
            count = min(len(start), len(room))
            room[:count] = start[:count]
            start = start[count:]
            return count
        return raw.readinto(room) or 0

    return read


def _pump(chunks: Iterator[bytes]) -> _Reader:
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


def _unpacked(
    name: str,
    raw: FileIO,
    start: bytes,
    magic: bytes,
    make: Callable[[], _Decompressor],
    kind: str,
) -> _Reader:
    """Read concatenated members; zeros may pad the end."""

    def chunks() -> Iterator[bytes]:
        data, unpacker = start, make()
        while True:
            try:
                while not unpacker.eof:
                    # An unpacker may hold back output: feed nothing until it wants more.
                    out = unpacker.decompress(data, _CHUNK)
                    data = getattr(unpacker, "unconsumed_tail", b"")
                    if out:
                        yield out
                    if not data and getattr(unpacker, "needs_input", not out) and not unpacker.eof:
                        data = raw.read(_CHUNK)
                        if not data:
                            raise SourceError(
                                name, f"the {kind} data ends too early; what was whole was read"
                            )
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
                raise SourceError(
                    name, f"damaged {kind} data ({error}); what was whole was read"
                ) from None
            data = unpacker.unused_data
            while not data.strip(b"\0"):
                data = raw.read(_CHUNK)
                if not data:
                    return
            data = data.lstrip(b"\0")
            while len(data) < len(magic) and (more := raw.read(_CHUNK)):
                data += more
            if not data.startswith(magic):
                raise SourceError(
                    name, f"something other than {kind} follows the {kind} data; it was not read"
                )
            unpacker = make()

    return _pump(chunks())
