"""Standard output and standard error, so that an error of writing is told as what it is.

Standard output: an error is that output's (SinkError), whatever printed to it.
Standard error: what cannot be said there is lost, and changes nothing else; the exit
code still tells.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from opslog.model.errors import SinkError
from opslog.outputs.output import STDOUT


def prepare() -> None:
    """Put streams of ours in the place of Python's, or of nothing where one was closed."""
    _open_closed()
    # What runs inside another program may have streams that are no descriptors.
    if _writes_to(sys.stdout, 1):
        sys.stdout = _text(_StandardOutput(1), sys.stdout)
    if _writes_to(sys.stderr, 2):
        sys.stderr = _text(_StandardError(2), sys.stderr, line_buffering=True)


def discard_output() -> None:
    """Lose what standard output has not taken, and what will be written: it takes no more."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)


class _StandardOutput(io.FileIO):
    """Says of an error that it is standard output's."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "w", closefd=False)

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SinkError(STDOUT, error.strerror or str(error)) from None


class _StandardError(io.FileIO):
    """Loses what cannot be written."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "w", closefd=False)

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def _writes_to(stream: TextIO | None, fd: int) -> bool:
    try:
        return stream is not None and stream.fileno() == fd
    except (OSError, ValueError):
        return False


def _text(raw: io.FileIO, before: TextIO, line_buffering: bool = False) -> io.TextIOWrapper:
    before.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors="backslashreplace",  # what cannot be said is written out
        line_buffering=line_buffering or raw.isatty(),
    )


def _open_closed() -> None:
    """Give closed ones a descriptor: else a file that is opened later would get its number.

    That of standard output refuses what is written, that of standard error loses it.
    """
    if sys.stdout is None:
        _take(1, os.O_RDONLY)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        _take(2, os.O_WRONLY)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _take(fd: int, flags: int) -> None:
    sink = os.open(os.devnull, flags)
    if sink != fd:
        os.dup2(sink, fd)
        os.close(sink)
