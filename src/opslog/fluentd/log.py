"""The log file of a child: Fluentd shows nobody its standard error."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import RawIOBase

from opslog.outputs.output import failed
from opslog.outputs.own_kinds import LOG
from opslog.process.report import on_stderr
from opslog.terminal.escape import escaped_lines


class LogFile:
    """A file that gets lines, or none; what cannot be written does not harm the events.

    Standard error is told once that something could not be written.
    """

    def __init__(self, file: RawIOBase | None, path: str = "") -> None:
        self._file = file
        self._path = path
        self._failed = False
        self.mask: Callable[[str], str] = str

    def say(self, text: str) -> None:
        """Append text with the time before it, also where a signal interrupts this."""
        if self._file is None:
            return
        now = datetime.now(UTC).isoformat(" ", "seconds")
        line = f"{now} opslog[{os.getpid()}]: {escaped_lines(self.mask(text))}\n"
        data = line.encode("utf-8", "replace")
        try:
            if self._file.write(data) == len(data):
                return
            reason = os.strerror(errno.ENOSPC)  # a disk that is all but full takes a part
        except OSError as error:
            reason = error.strerror or str(error)
        if not self._failed:
            self._failed = True
            on_stderr(
                f"opslog: {escaped_lines(self._path)}: {reason}; what is said there is lost, "
                "events go on"
            )


@contextmanager
def open_log(path: str | None, overwrite: bool) -> Iterator[LogFile]:
    """Give what appends to the file, if there is one; raises SinkError, also for foreign ones.

    With ``overwrite`` lines are added to whatever the file holds.
    """
    if path is None:
        yield LogFile(None)
        return
    try:
        # Unbuffered: a signal may want to write while something is being written.
        file = open(path, "a+b", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise failed(path, error) from None
    with file:
        if not overwrite:
            LOG.refuse_foreign(path, file.fileno())
        yield LogFile(file, path)
