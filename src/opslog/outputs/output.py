"""Where bytes go: a file descriptor that gets all of what is written, and files that grow."""

from __future__ import annotations

import errno
import os
import re
import stat

from opslog.model.errors import SinkError
from opslog.outputs.own_kinds import OwnKind
from opslog.process import deadline

STDOUT = "-"

_CHUNK = 64 << 10
_CLOSED = -1


class OutputStream:
    """A file descriptor, that of standard output by default; always all of what it is given.

    ``path`` is what errors call it, ``size`` how many bytes the file has so far.
    """

    whole = False
    """Whether a part of what was to be written is of no use."""

    def __init__(self, path: str = STDOUT, fd: int = 1, size: int = 0) -> None:
        # The descriptor itself: sys.stdout is None where it was closed.
        self.path = path
        self.size = size
        self._fd = fd

    @property
    def fd(self) -> int:
        """The descriptor, -1 once it is closed."""
        return self._fd

    def write(self, data: memoryview | bytes) -> None:
        """Write all of ``data``; BrokenPipeError passes, other errors are SinkErrors."""
        data = memoryview(data)
        try:
            while data:
                deadline.write_begins()
                count = os.write(self._fd, data)
                self.size += count
                data = data[count:]
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.errno == errno.EBADF:  # it was closed, or is not to be written
                raise failed(self.path, error) from None
            raise self._incomplete(error.strerror or str(error)) from None
        except deadline.ReaderTimeoutError:
            raise self._incomplete(
                f"asked to end, but for {deadline.SECONDS:.0f} seconds nobody has read on"
            ) from None
        finally:
            deadline.write_ended()

    def close(self) -> None:
        """End the output; standard output stays open.  Raises SinkError."""
        fd, self._fd = self._fd, _CLOSED
        if fd not in (_CLOSED, 1):
            try:
                os.close(fd)
            except OSError as error:
                raise failed(self.path, error) from None

    def abort(self) -> None:
        """Give up: what is written stays."""
        self.close()

    def _incomplete(self, reason: str) -> SinkError:
        return SinkError(self.path, f"{reason}; {self._left()}")

    def _left(self) -> str:
        """Return what can be used after an error."""
        return f"the first {self.size} bytes are written, up to the last newline they are valid"


def open_growing(
    path: str, own: OwnKind, overwrite: bool = False, append: bool = False
) -> OutputStream:
    """Open a file that can be read while it grows, standard output, a pipe or a device.

    What the file holds is lost with the first write, or with ``append`` stays but for a last
    line without its end, which a killed run leaves.  A file that is not empty and
    not of kind ``own`` is left as it is, unless ``overwrite`` is true.  Raises SinkError.
    """
    try:
        if is_stream(path):
            return open_stream(path, overwrite)
        # Not O_TRUNC: it is emptied when it is known what it is, for which it must be read.
        flags = os.O_RDWR | os.O_CREAT | (os.O_APPEND if append else 0)
        fd = os.open(path, flags, 0o666)
        try:
            if not overwrite:
                own.refuse_foreign(path, fd)
            size = _end_of_lines(fd) if append else 0
            os.lseek(fd, size, os.SEEK_SET)
        except BaseException:
            os.close(fd)
            raise
    except (OSError, ValueError) as error:
        raise failed(path, error) from None
    return GrowingFile(path, fd, size)


class GrowingFile(OutputStream):
    """A file that keeps what it holds until something is written to it, or it is closed.

    Then what stands behind ``size`` bytes is lost; ``abort`` before leaves all.
    """

    def __init__(self, path: str, fd: int, size: int) -> None:
        super().__init__(path, fd, size)
        self._emptied = False

    def write(self, data: memoryview | bytes) -> None:
        self._empty()
        super().write(data)

    def close(self) -> None:
        if self._fd != _CLOSED:
            self._empty()
        super().close()

    def abort(self) -> None:
        super().close()

    def _empty(self) -> None:
        if self._emptied:
            return
        try:
            os.ftruncate(self._fd, self.size)
        except OSError as error:
            raise failed(self.path, error) from None
        self._emptied = True


def failed(path: str, error: OSError | ValueError) -> SinkError:
    """Return the error for an output that cannot be written; ValueError: a name with a NUL."""
    reason = error.strerror if isinstance(error, OSError) else None
    return SinkError(path, reason or str(error))


def is_stream(path: str) -> bool:
    """Return whether ``path`` is standard output, a pipe or a device; raises OSError."""
    if path == STDOUT or _descriptor(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_receiver(path: str) -> bool:
    """Return whether ``path`` names a receiver of OpenTelemetry, and no file."""
    return path.startswith(("otlp://", "otlps://"))


def open_stream(path: str, overwrite: bool) -> OutputStream:
    """Open what ``is_stream``; raises SinkError for a disk, and OSError."""
    if path == STDOUT:
        return OutputStream()
    if (number := _descriptor(path)) is not None:
        return OutputStream(path, os.dup(number))
    refuse_disk(path, overwrite)
    deadline.write_begins()  # a named pipe waits for its reader here
    try:
        return OutputStream(path, os.open(path, os.O_WRONLY))
    except deadline.ReaderTimeoutError:
        reason = f"asked to end, but for {deadline.SECONDS:.0f} seconds nobody has begun to read"
        raise SinkError(path, reason) from None
    finally:
        deadline.write_ended()


def _descriptor(path: str) -> int | None:
    """Return the number of this process's descriptor that ``path`` names, as /dev/stdout does.

    To open such a name anew would begin at the file's start again.
    """
    own = f"/proc/{os.getpid()}/fd"
    for _ in range(40):  # links that the kernel follows
        folder, name = os.path.split(path)
        if re.fullmatch(r"\d+", name) and folder and os.path.realpath(folder) == own:
            return int(name)
        try:
            path = os.path.join(folder, os.readlink(path))
        except OSError:
            break
    return None


def refuse_disk(path: str, overwrite: bool) -> None:
    """Raise SinkError for a disk, which is never empty."""
    if not overwrite and path != STDOUT and stat.S_ISBLK(os.stat(path).st_mode):
        raise SinkError(path, "is a disk; write to a file, or say --overwrite to lose its content")


def _end_of_lines(fd: int) -> int:
    """Return the offset behind the last newline of a file, 0 without one."""
    end = os.fstat(fd).st_size
    while end:
        start = max(0, end - _CHUNK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
