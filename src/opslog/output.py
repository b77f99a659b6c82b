"""Output: the file descriptor a sink writes to, always all of what it is given."""

from __future__ import annotations

import os

from opslog.errors import SinkError

STDOUT = "-"


class Output:
    """A file, or standard output; raises SinkError where it cannot be opened."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.written = 0
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            # The descriptor itself: sys.stdout is None where it was closed.
            self._fd = 1 if path == STDOUT else os.open(path, flags, 0o666)
            os.fstat(self._fd)
        except OSError as error:
            raise SinkError(path, error.strerror or str(error)) from None

    def write(self, data: memoryview | bytes) -> None:
        """Write all of ``data``; BrokenPipeError passes, other errors are SinkErrors."""
        data = memoryview(data)
        while data:
            try:
                count = os.write(self._fd, data)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise SinkError(
                    self.path,
                    f"{error.strerror}; the first {self.written} bytes are written, "
                    "up to the last newline they are valid",
                ) from None
            self.written += count
            data = data[count:]

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.path != STDOUT:
            try:
                os.close(self._fd)
            except OSError as error:
                raise SinkError(self.path, error.strerror or str(error)) from None
