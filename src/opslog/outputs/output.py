"""Output: the file descriptor a sink writes to, always all of what it is given."""

from __future__ import annotations

import errno
import os
import stat

from opslog.model.errors import SinkError
from opslog.process import deadline as patience

STDOUT = "-"

_CHUNK = 64 << 10

NOT_HERE = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
"""What file systems say that cannot lock, or not make a folder durable."""


class Output:
    """A file, or standard output; raises SinkError where it cannot be opened.

    What the file holds already is lost, or with ``append`` stays but for a last
    line without its end, which a killed run leaves.  ``size`` is that of the file.
    """

    def __init__(self, path: str, append: bool = False) -> None:
        self.path = path
        self.size = 0
        try:
            # To find the last line, it must be read.
            flags = os.O_RDWR | os.O_APPEND if append else os.O_WRONLY | os.O_TRUNC
            # The descriptor itself: sys.stdout is None where it was closed.
            self._fd = 1 if path == STDOUT else os.open(path, flags | os.O_CREAT, 0o666)
            regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
            if append and regular and path != STDOUT:
                self.size = _end_of_lines(self._fd)
                os.ftruncate(self._fd, self.size)
        except OSError as error:
            raise SinkError(path, error.strerror or str(error)) from None

    def write(self, data: memoryview | bytes) -> None:
        """Write all of ``data``; BrokenPipeError passes, other errors are SinkErrors."""
        data = memoryview(data)
        try:
            while data:
                patience.waits()
                count = os.write(self._fd, data)
                self.size += count
                data = data[count:]
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.errno == errno.EBADF:  # it was closed, or is not to be written
                raise SinkError(self.path, error.strerror or str(error)) from None
            raise self._torn(error.strerror or str(error)) from None
        except patience.ImpatientError:
            raise self._torn(
                f"asked to end, but for {patience.SECONDS:.0f} seconds nobody has read on"
            ) from None
        finally:
            patience.goes_on()

    def _torn(self, reason: str) -> SinkError:
        written = f"the first {self.size} bytes are written, up to the last newline they are valid"
        return SinkError(self.path, f"{reason}; {written}")

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.path != STDOUT:
            try:
                os.close(self._fd)
            except OSError as error:
                raise SinkError(self.path, error.strerror or str(error)) from None


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


def sync_folder(folder: str) -> None:
    """Make the names in ``folder`` durable, where its file system can; raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise
    finally:
        os.close(fd)
