"""Sources: files, globs, standard input, compressed by content.

What ``journalctl -o export`` wrote is read as JSON lines (journal_export.py).
What is whole is read; then, for a source that cannot be read to its end, a
SourceError says why.
"""

from __future__ import annotations

import bz2
import glob
import lzma
import os
import re
import select
import stat
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import FileIO
from typing import NamedTuple, Protocol

from opslog import journal_export
from opslog.errors import SourceError

STDIN = "-"
_CHUNK = 1 << 20


def expand(paths: tuple[str, ...]) -> list[str]:
    """Return the sources ``paths`` name: files and ``-`` as they are, folders and globs expanded.

    A folder stands for the regular files in it and below.  A pattern that
    matches nothing stays as it is, to be reported as a file that does not exist,
    and so does a folder that cannot be read.
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
    found: list[str] = []
    unreadable: list[OSError] = []
    for base, _, names in os.walk(folder, onerror=unreadable.append):
        found += filter(os.path.isfile, (os.path.join(base, name) for name in names))
    return sorted([*found, *(error.filename for error in unreadable)])


def identity(path: str | int) -> tuple[int, int] | None:
    """Return (device, number) of a regular file, by name or descriptor; None for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def is_named_pipe(path: str) -> bool:
    """Whether a path is that of a FIFO, which waits for a writer; not a shell's ``<(...)``."""
    try:
        return stat.S_ISFIFO(os.lstat(os.path.realpath(path)).st_mode)
    except OSError:
        return False


def pipes(names: list[str]) -> list[str]:
    """Return those of the sources that are there, but cannot be read twice."""
    return [
        name
        for name in names
        if (name == STDIN or os.path.exists(name))
        and identity(0 if name == STDIN else name) is None
    ]


def place(names: list[str]) -> int | None:
    """Return where standard input, a file, is to be read from; None if it is no source."""
    return os.lseek(0, 0, os.SEEK_CUR) if STDIN in names else None


def rewind(place: int | None) -> None:
    """Go back there."""
    if place is not None:
        os.lseek(0, place, os.SEEK_SET)


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
        self.begin = raw.tell() - len(start) if raw.seekable() else 0
        """Where in the file it begins: standard input may have been read from before."""
        self._given = 0
        self._start = len(start)
        self._packed = _codec(start) is not None or start.startswith(journal_export.START[:1])
        self._read = _converted(_reader(name, raw, start))
        self._pump: _Pump | None = None
        if not self.regular and self._packed:
            self._pump = _Pump(self._read)
            self._start, self._read = 0, self._pump.read

    def read_into(self, room: memoryview) -> int:
        """Fill the beginning of ``room`` and return how much, 0 at the end; raises SourceError."""
        try:
            count = self._read(room)
        except OSError as error:
            raise SourceError(self.name, error.strerror or str(error)) from None
        self._given += count
        return count

    def seek(self, offset: int) -> None:
        """Go on at ``offset``, not before where it is; raises SourceError.

        A file that is as it is given goes there at once, any other is read up to there.
        """
        if not self._packed and self.regular:
            self._raw.seek(self.begin + offset)
            self._read = _plain(self._raw, b"")
            self._given = offset
            return
        room = memoryview(bytearray(min(_CHUNK, max(0, offset - self._given))))
        while self._given < offset and self.read_into(room[: offset - self._given]):
            pass

    def ready(self, seconds: float | None, wake: int | None = None) -> bool:
        """Wait at most so long (None: for ever) and return whether reading would not wait.

        It waits no longer when there is something to read in the descriptor ``wake``.
        """
        if self._given < self._start:
            return True
        own = self._pump.fd if self._pump else self._raw.fileno()
        poll = select.poll()
        poll.register(own, select.POLLIN)
        if wake is not None:
            poll.register(wake, select.POLLIN)
        found = poll.poll(None if seconds is None else 1000 * seconds)
        return any(fd == own for fd, _ in found)

    @property
    def fd(self) -> int:
        """The descriptor of the file."""
        return self._raw.fileno()

    @property
    def offset(self) -> int:
        """How many decompressed bytes were given, or gone past."""
        return self._given

    @property
    def position(self) -> int:
        """How many bytes of the file were read, as they lie there; of a pipe, were given."""
        return self._raw.tell() if self._raw.seekable() else self._given

    @property
    def modified(self) -> datetime:
        """When the file was changed last, in UTC; now for what is no regular file."""
        status = os.fstat(self._raw.fileno())
        try:
            if stat.S_ISREG(status.st_mode):
                return datetime.fromtimestamp(status.st_mtime, UTC)
        except (OverflowError, ValueError, OSError):
            pass
        return datetime.now(UTC)

    @property
    def regular(self) -> bool:
        """Whether it is a regular file, which has a last change."""
        return stat.S_ISREG(os.fstat(self._raw.fileno()).st_mode)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._pump:
            self._pump.close()
        self._raw.close()


class _Pump:
    """A thread that reads what must be converted into a pipe, where one can wait for it."""

    def __init__(self, read: _Reader) -> None:
        self._source = read
        self._error: SourceError | None = None
        self.fd, self._into = os.pipe()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        room = memoryview(bytearray(_CHUNK))
        try:
            while count := self._source(room):
                data = room[:count]
                while data:
                    data = data[os.write(self._into, data) :]
        except SourceError as error:
            self._error = error
        except OSError:
            pass  # nobody reads any more
        finally:
            os.close(self._into)

    def read(self, room: memoryview) -> int:
        count = os.readv(self.fd, [room])
        if not count and self._error:
            raise self._error
        return count

    def close(self) -> None:
        os.close(self.fd)


_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_SKIPPABLE_TAIL = b"\x2a\x4d\x18"
"""What follows the first byte of a skippable zstd frame, which is one of 16."""


def _undecided(start: bytes) -> bool:
    """Whether more bytes are needed to tell the compression."""
    if any(magic.startswith(start) and start != magic for magic in _MAGIC):
        return True
    return 0x50 <= start[0] <= 0x5F and _SKIPPABLE_TAIL.startswith(start[1:4]) and len(start) < 4


def _start(raw: FileIO) -> bytes:
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


_Reader = Callable[[memoryview], int]
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")


def _reader(name: str, raw: FileIO, start: bytes) -> _Reader:
    codec = _codec(start)
    return _plain(raw, start) if codec is None else _unpacked(name, raw, start, codec)


def _converted(read: _Reader) -> _Reader:
    """Read as ``read`` does, an export of the journal as lines of JSON."""
    found: _Reader | None = None

    def choose() -> _Reader:
        start, export = journal_export.begins(read)
        chunks = iter((start,)) if start else iter(())
        if export:
            return _pump(journal_export.lines(read, start))
        first = _pump(chunks)
        return lambda room: first(room) or read(room)

    def converted(room: memoryview) -> int:
        nonlocal found
        if found is None:
            found = choose()
        return found(room)

    return converted


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


def _plain(raw: FileIO, start: bytes) -> _Reader:
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


def _unpacked(name: str, raw: FileIO, start: bytes, codec: _Codec) -> _Reader:
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

    return _pump(chunks())
