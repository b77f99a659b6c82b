"""Sources: files, globs, standard input, compressed by content.

What ``journalctl -o export`` wrote is read as JSON lines (journal_export.py).
What is whole is read; then, for a source that cannot be read to its end, a
SourceError says why.
"""

from __future__ import annotations

import os
import select
import stat
import threading
from datetime import UTC, datetime

from opslog.inputs import journal_export
from opslog.inputs.compression import Reader, compressed, first_bytes, plain, pumped, reader
from opslog.inputs.paths import STDIN
from opslog.model.errors import SourceError

_CHUNK = 1 << 20


class Source:
    """One opened source; ``read_into`` gives its decompressed bytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            # Unbuffered, and for standard input not to be closed: the descriptor itself.
            raw = open(0 if name == STDIN else name, "rb", buffering=0, closefd=name != STDIN)  # noqa: SIM115
            start = first_bytes(raw)
        except OSError as error:
            raise SourceError(name, error.strerror or str(error)) from None
        self._raw = raw
        self.begin = raw.tell() - len(start) if raw.seekable() else 0
        """Where in the file it begins: standard input may have been read from before."""
        self._given = 0
        self._start = len(start)
        self._packed = compressed(start) or start.startswith(journal_export.START[:1])
        self._read = _converted(reader(name, raw, start))
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
            self._read = plain(self._raw, b"")
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

    def __init__(self, read: Reader) -> None:
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


def _converted(read: Reader) -> Reader:
    """Read as ``read`` does, an export of the journal as lines of JSON."""
    found: Reader | None = None

    def choose() -> Reader:
        start, export = journal_export.begins(read)
        chunks = iter((start,)) if start else iter(())
        if export:
            return pumped(journal_export.lines(read, start))
        first = pumped(chunks)
        return lambda room: first(room) or read(room)

    def converted(room: memoryview) -> int:
        nonlocal found
        if found is None:
            found = choose()
        return found(room)

    return converted
