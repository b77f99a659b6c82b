"""Sources: files, pipes and standard input; compression and encoding are told by content.

What can be read is read; then, for a source that cannot be read to its end, a
SourceError says why.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
from datetime import UTC, datetime
from io import FileIO
from typing import BinaryIO, cast

from opslog.inputs import compression, journal_export, otlp, tables, tar, utf16
from opslog.inputs.extent import Extent
from opslog.inputs.given import Given, GivenFile
from opslog.inputs.paths import STDIN, in_archive, why_unopened
from opslog.inputs.reader import Reader, behind, deferred_reader, of_chunks, sample_of, start_of
from opslog.inputs.remote import RemoteFile, is_url
from opslog.inputs.tables import ReadOn, TableKind, Tables, table_kind
from opslog.inputs.tar import Member
from opslog.inputs.text import SAMPLE_BYTES, not_text
from opslog.model.errors import SourceError
from opslog.process.stop import Stop

_CHUNK = 1 << 20

_LINE = 1 << 16
"""Bytes that are read at once to find the end of a line."""

_FIRST = 256
"""Bytes by which a file is known to be the same one still."""


class Source:
    """One opened source; ``read_into`` gives its bytes.

    They are decompressed; an export of the journal and OTLP/JSON are given as one line
    of JSON for each record, UTF-16 as UTF-8, tables as ``of_tables`` has it (without, they
    are no text).  An archive's are given as they are: who reads it asks for its members
    (archive.py), of which ``member`` is one.  A pipe is waited for until it has bytes,
    or ends: what ``stop`` is requested with meanwhile is raised.  Raises SourceError for
    what cannot be opened.
    """

    def __init__(
        self,
        name: str,
        stop: Stop | None = None,
        of_tables: Tables | None = None,
        member: Member | None = None,
    ) -> None:
        self.name = str(name)
        self.file, self.inside = (name, "") if member else in_archive(name)
        """The file that was opened, and the name in it of what is meant, "" if it is the file."""
        self._stop = stop
        self._tables = of_tables
        self._pump: _Pump | None = None
        self._archive: bool | None = None
        self._waits = True
        """Whether reading a pipe waits here, where it can be stopped."""
        self._given = 0
        try:
            self._raw: FileIO | RemoteFile | GivenFile | Member = member or _opened(self.file)
        except (OSError, ValueError) as error:
            raise SourceError(self.name, why_unopened(name, error)) from None
        try:
            self._begin()
            self._waits = False
        except BrokenPipeError:  # the output's, while it waited for input
            self._raw.close()
            raise
        except OSError as error:
            self._raw.close()
            raise _failed(self.name, error) from None
        except BaseException:
            self._raw.close()
            raise

    def _begin(self) -> None:
        """Read what tells how the rest is to be read."""
        self._status: os.stat_result | None = None
        if isinstance(self._raw, GivenFile):
            self._first, self._size = b"", 0
        elif not isinstance(self._raw, FileIO):
            self._first = self._raw.peek(_FIRST)
            self._size = self._raw.size or 0
        else:
            self._status = os.fstat(self._raw.fileno())
            # What lies in /proc has no size, and may begin otherwise each time.
            self._size = self._status.st_size if stat.S_ISREG(self._status.st_mode) else 0
            self._first = b""
        self._begins = b""
        """What the first read is to begin with, if it is of the file's beginning."""
        self._over = False
        """Whether the end was read already."""
        self.regular = self._status is None or stat.S_ISREG(self._status.st_mode)
        """Whether it is a regular file, which has a last change."""
        if isinstance(self._raw, GivenFile):
            self.regular = self._raw.regular
        local = isinstance(self._raw, FileIO)
        self._seekable = (local and self._size > 0) or self._raw.seekable()
        self.begin = self._raw.tell() if self.file == STDIN and self._seekable else 0
        """Where in the file it begins: standard input may have been read from before."""
        self.place = self._raw.place if isinstance(self._raw, Member) else (self.begin,)
        """Where in the file it lies, and of a member in the archive."""
        self._at = self.begin
        """Where in a local file it is, however its bytes are given."""
        self._sample: bytes | None = None
        if self._size and isinstance(self._raw, FileIO):
            self._begin_file(self._raw.fileno())
        else:
            self._begin_unseen()

    def _begin_file(self, fd: int) -> None:
        """Look at a file's first bytes where they lie: thousands of files may be small."""
        begins = os.pread(fd, SAMPLE_BYTES, self.begin)
        self._first = begins[:_FIRST] if not self.begin else os.pread(fd, _FIRST, 0)
        self._begins = b"" if self.begin else self._first
        self._start = 0
        self._bytes: Reader = self._read_raw
        start = begins[: compression.MAGIC_BYTES]
        packed = self._packed = compression.compressed(start)
        if packed:
            self._begins = b""
            self._raw.seek(self.begin + len(start))
            self._at += len(start)
            self._bytes = compression.unpacked(self.name, self._read_raw, start)
        else:
            self._sample = _behind_hole(fd, self.begin, begins)
        self._converted = packed or self._marked(self._sample or start)
        self._read: Reader = self._read_raw
        if self._converted:
            self._read = deferred_reader(self._lines)

    def _begin_unseen(self) -> None:
        """Read the first bytes of what can be read only once, is at a URL or in an archive."""
        most = max(compression.MAGIC_BYTES, tables.START_BYTES)
        start = start_of(self._read_raw, _undecided, most)
        packed = self._packed = compression.compressed(start)
        if packed:
            self._bytes = compression.unpacked(self.name, self._read_raw, start)
        else:
            self._bytes = behind(start, self._read_raw)
            if self.regular and not isinstance(self._raw, FileIO):
                self._sample = start + self._raw.peek(SAMPLE_BYTES)
        if self._tables and not self.regular and start.startswith(tables.PARQUET_START):
            raise OSError(
                errno.ESPIPE, "is Parquet, which is read at random places: give the file itself"
            )
        self._converted = packed or self._marked(self._sample or start)
        self._start = len(start)
        # Not at once: in a pipe what tells the encoding may be long in coming.
        self._read = deferred_reader(self._lines)

    @property
    def size(self) -> int:
        """How many bytes a regular file has, as they lie there."""
        return self._size

    @property
    def first(self) -> bytes:
        """The bytes by which a regular file is known to be the same one still."""
        return self._first

    @property
    def version(self) -> str:
        """What shows whether a file at a URL was changed; a local one may grow."""
        return self._raw.version if isinstance(self._raw, RemoteFile) else ""

    @property
    def can_seek(self) -> bool:
        """Whether it is a regular file whose bytes are given as they are."""
        return self.as_it_is and not self.begin

    @property
    def as_it_is(self) -> bool:
        """Whether it is a regular file whose bytes are given as they are, from ``begin`` on."""
        return self.regular and not self._converted and self._seekable

    @property
    def is_table(self) -> bool:
        """Whether the lines of a regular file are those of a table."""
        return self._table(self._sampled()) is not None

    def bytes_at(self, offset: int, count: int) -> bytes:
        """Return what a local file that is ``as_it_is`` holds there; raises SourceError."""
        try:
            return os.pread(self.fd, count, self.begin + offset)
        except OSError as error:
            raise _failed(self.name, error) from None

    def expect(self, known: Extent) -> None:
        """Raise SourceError if a file has not what it had when the parts were planned."""
        packed_since = known.plain and self._converted
        if (
            (known.size > self._size and not packed_since)
            or not self._first.startswith(known.first)
            or known.version != self.version
        ):
            raise SourceError(
                self.name,
                f"is not the file whose parts were planned: of {known.size:,} bytes, and with "
                f"the same first ones, expected to be there; found {self._size:,}",
            )

    def check_same(self) -> None:
        """Raise SourceError if a file at a URL, which is not read on, is not what it was."""
        try:
            if isinstance(self._raw, RemoteFile):
                self._raw.check_same()
        except OSError as error:
            raise _failed(self.name, error) from None

    @property
    def is_archive(self) -> bool:
        """Whether it is a tar archive; a pipe is waited for until that is known."""
        if self._archive is None:
            self._archive = tar.is_tar(self._sampled() if self.regular else self._head())
        return self._archive

    def _head(self) -> bytes:
        """Return the first bytes of a pipe, as many as tell whether it is an archive."""
        self._waits = True
        head = start_of(self._bytes, tar.undecided, tar.HEAD_BYTES)
        self._bytes = behind(head, self._bytes)
        self._waits = tar.is_tar(head)
        self._start = max(self._start, len(head))
        return head

    @property
    def binary(self) -> str | None:
        """What it is if it holds no text; what comes through a pipe is always read as text."""
        if not self.regular:
            return None
        if self._tables and (kind := self._table(self._sampled())):
            if self._packed or not self._seekable:
                return None
            at = self._raw.tell()
            with self._anywhere() as file:
                found = self._tables.foreign(kind, file)
            self._raw.seek(at)  # the place is that of the file opened once more, too
            return found
        return not_text(self._sampled())

    @property
    def start(self) -> bytes:
        """The first bytes of a regular file, decompressed."""
        return self._sampled()

    def _sampled(self) -> bytes:
        """Return the first bytes of a regular file."""
        if self._sample is None:
            self._sample, self._bytes = sample_of(self._bytes, SAMPLE_BYTES)
        return self._sample

    def _lines(self) -> Reader:
        """Return a reader of its lines, converted where it holds something else."""
        if self._archive:
            return self._bytes
        if self.regular:
            start = self._sampled()
        else:
            most = max(map(len, (journal_export.START, *otlp.STARTS)))
            start = start_of(self._bytes, _undecided_text, most)
            self._bytes = behind(start, self._bytes)
        if self._tables and (kind := self._table(start)):
            file = self._anywhere() if kind != TableKind.STREAM else ReadOn(self._bytes)
            return of_chunks(self._tables.lines(self.name, kind, cast("BinaryIO", file)))
        if encoding := utf16.encoding(start):
            return of_chunks(utf16.chunks(self._bytes, encoding))
        if start.startswith(journal_export.START):
            return of_chunks(journal_export.lines(self._bytes))
        if start.startswith(otlp.STARTS):
            return of_chunks(otlp.lines(self._bytes))
        return self._bytes

    def _marked(self, start: bytes) -> bool:
        return _marked(start) or self._table(start) is not None

    def _table(self, start: bytes) -> TableKind | None:
        """Return what table begins so, None if it cannot be read: but for a stream at any place."""
        kind = table_kind(start) if self._tables else None
        anywhere = self.regular and not self._packed and not self.begin
        if kind in (None, TableKind.STREAM) or (anywhere and not isinstance(self._raw, Member)):
            return kind
        return None

    def _anywhere(self) -> BinaryIO:
        """Return the file, opened once more, for who reads it at any place."""
        if isinstance(self._raw, RemoteFile | GivenFile):
            return self._raw.anywhere()
        assert isinstance(self._raw, FileIO)
        return os.fdopen(os.dup(self.fd), "rb", buffering=0)

    def _read_raw(self, room: memoryview) -> int:
        """Read of the file itself, and wait where its descriptor does not."""
        if not isinstance(self._raw, FileIO):
            return self._raw.readinto(room)
        if self._over:
            return 0
        if self._waits and not self.regular:
            _wait(self.fd, self._stop)
        while (count := self._raw.readinto(room)) is None:
            _wait(self.fd, None)
        self._at += count
        if self._first and not self._begins_so(room, count):
            self._check_read(count)
        return count

    def _begins_so(self, room: memoryview, count: int) -> bool:
        """Whether what was just read shows itself that the file is the same one.

        It is the file's beginning, and behind it another read is to come, which sees the end,
        unless it was all there was: thousands of files may be small.
        """
        first, self._begins = self._begins, b""
        if not 0 < len(first) <= count < len(room) or bytes(room[: len(first)]) != first:
            return False
        self._over = count >= self._size
        return True

    def _check_read(self, count: int) -> None:
        """Raise OSError if the file of which so much was just read is not what it was.

        What begins as before now did so when it was read.
        """
        fd = self.fd
        anew = not self._first.startswith(os.pread(fd, len(self._first), 0))
        size = os.fstat(fd).st_size
        if anew or (not count and size < self._size):
            read = self._at - count
            raise OSError(
                errno.ESTALE,
                f"was truncated while it was read: of {self._size:,} bytes {read:,} had been read; "
                "the others may be in a rotated file",
            )
        self._size = max(self._size, size)

    def read_into(self, room: memoryview) -> int:
        """Fill the beginning of ``room`` and return how much, 0 at the end; raises SourceError."""
        try:
            count = self._read(room)
        except OSError as error:
            raise _failed(self.name, error) from None
        self._given += count
        return count

    def seek(self, offset: int) -> None:
        """Go on at ``offset``, not before where it is; raises SourceError.

        A file that is as it is given goes there at once, any other is read up to there.
        """
        if self.as_it_is:
            self._begins, self._over = b"", False
            self._raw.seek(self.begin + offset)
            self._at = self.begin + offset
            self._read = self._read_raw
            self._given = offset
            return
        room = memoryview(bytearray(min(_CHUNK, max(0, offset - self._given))))
        while self._given < offset and self.read_into(room[: offset - self._given]):
            pass

    def seek_line(self, offset: int) -> int:
        """Go on at the first line that begins there or behind; return where, or the end."""
        if offset:
            self.seek(offset - 1)
            room = memoryview(bytearray(_LINE))
            at, count = offset - 1, 0
            while count := self.read_into(room):
                newline = bytes(room[:count]).find(b"\n")
                if newline >= 0:
                    offset = at + newline + 1
                    break
                at += count
            else:
                return at
        self.seek(offset)
        return offset

    def seek_behind(self, offset: int) -> bool:
        """Go on at ``offset``; return whether that is inside a line.  Raises SourceError."""
        if not offset:
            self.seek(0)
            return False
        self.seek(offset - 1)
        room = memoryview(bytearray(1))
        return self.read_into(room) > 0 and room[0] != ord("\n")

    def ready(self, seconds: float | None, wake: int | None = None) -> bool:
        """Wait at most so long (None: for ever) and return whether reading would not wait.

        It waits no longer when there is something to read in the descriptor ``wake``.
        """
        converted = self._converted or isinstance(self._raw, GivenFile)
        if converted and self._pump is None:
            self._pump = _Pump(self._read)
            self._start, self._read = 0, self._pump.read
        if self._given < self._start:
            return True
        own = self._pump.fd if self._pump else self.fd
        poll = select.poll()
        poll.register(own, select.POLLIN)
        if wake is not None:
            poll.register(wake, select.POLLIN)
        found = poll.poll(None if seconds is None else 1000 * seconds)
        return any(fd == own for fd, _ in found)

    @property
    def fd(self) -> int:
        """The descriptor of the file, which is a local one; of a member, that of its archive."""
        assert not isinstance(self._raw, RemoteFile | GivenFile)
        return self._raw.fileno()

    @property
    def is_local(self) -> bool:
        """Whether it is a file of this machine, or in one."""
        if isinstance(self._raw, Member):
            return self._raw.is_local
        return not isinstance(self._raw, RemoteFile | GivenFile)

    @property
    def offset(self) -> int:
        """How many bytes were given, or gone past."""
        return self._given

    @property
    def position(self) -> int:
        """How many bytes of the file were read, as they lie there; of a pipe, were given."""
        if isinstance(self._raw, Member):
            return self._raw.tell()
        if isinstance(self._raw, RemoteFile | GivenFile):
            return self._raw.tell() if self._seekable else self._given
        return self._at if self._seekable else self._given

    @property
    def modified(self) -> datetime:
        """When the file was changed last, in UTC; now for what is no regular file."""
        if not isinstance(self._raw, FileIO):
            return self._raw.modified
        try:
            if self.regular and self._status is not None:
                return datetime.fromtimestamp(self._status.st_mtime, UTC)
        except (OverflowError, ValueError, OSError):
            pass
        return datetime.now(UTC)

    def close(self) -> None:
        """Close the file; standard input stays open, and what was given."""
        if self._pump:
            self._pump.close()
        self._raw.close()


class _Pump:
    """A thread that reads what must be converted into a pipe, where one can wait for it."""

    def __init__(self, read: Reader) -> None:
        self._source = read
        self._failed: BaseException | None = None
        self.fd, self._into = os.pipe()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        room = memoryview(bytearray(_CHUNK))
        try:
            while count := self._source(room):
                data = room[:count]
                while data:
                    try:
                        data = data[os.write(self._into, data) :]
                    except BrokenPipeError:
                        return  # nobody reads any more
        except BaseException as error:
            self._failed = error
        finally:
            os.close(self._into)

    def read(self, room: memoryview) -> int:
        """Read as the source does; raises what that raised behind all that it gave."""
        count = os.readv(self.fd, [room])
        if not count and self._failed is not None:
            raise self._failed
        return count

    def close(self) -> None:
        """Let the thread end at its next write."""
        os.close(self.fd)


def _opened(name: str) -> FileIO | RemoteFile | GivenFile:
    """Open a source, unbuffered; a FIFO without waiting for its writer."""
    if isinstance(name, Given):
        return GivenFile(name.content)
    if is_url(name):
        return RemoteFile(name)
    if name == STDIN:
        return FileIO(0, closefd=False)
    fifo = stat.S_ISFIFO(os.stat(name).st_mode)
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if fifo else 0))
    try:
        return FileIO(fd)
    except OSError:  # a folder
        os.close(fd)
        raise


def _failed(name: str, error: OSError | ValueError) -> SourceError:
    return SourceError(name, getattr(error, "strerror", None) or str(error))


def _wait(fd: int, stop: Stop | None) -> None:
    """Wait until there are bytes, or the end; raises what ``stop`` was requested with."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if stop:
        poll.register(stop.fd, select.POLLIN)
    poll.poll()
    if stop:
        stop.check()


def _undecided(start: bytes) -> bool:
    return tables.undecided(start) or compression.undecided(start) or utf16.undecided(start)


def _behind_hole(fd: int, begin: int, sample: bytes) -> bytes:
    """Return the first bytes of a file, which are ``sample``, or those behind a hole there."""
    if sample[:1] != b"\0" or sample.strip(b"\0"):
        return sample
    try:
        at = os.lseek(fd, 0, os.SEEK_CUR)
        try:
            return os.pread(fd, SAMPLE_BYTES, os.lseek(fd, begin, os.SEEK_DATA))
        finally:
            os.lseek(fd, at, os.SEEK_SET)
    except OSError:  # reading will tell, or there is nothing but the hole
        return sample


def _marked(start: bytes) -> bool:
    """Return whether what begins so may be converted: what a pipe begins with may be short."""
    if start[:1] == journal_export.START[:1] or start.startswith(otlp.STARTS):
        return True
    return otlp.undecided(start) or utf16.encoding(start) is not None


def _undecided_text(start: bytes) -> bool:
    return any(one.undecided(start) for one in (tables, journal_export, otlp, utf16))
