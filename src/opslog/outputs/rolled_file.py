"""One of many files of a folder: hidden under a temporary name until it is complete.

The temporary name begins with a dot, so that whoever reads the folder passes it
by, and its file is locked (flock) as long as its writer lives: what is there
without a lock is left from a killed run.  No file is ever replaced.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from datetime import UTC, datetime

from opslog.model.errors import SinkError
from opslog.outputs.output import OutputStream
from opslog.outputs.whole_file import CANNOT, sync_folder

_TEMPORARY = re.compile(r"\.(part-)?\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}-\d{5,}\.[a-z]+\.tmp")


class FileNames:
    """Names of files, in the order they are asked for, that no other run has.

    The time (UTC) comes first, then what tells this run from others, then a number.
    """

    def __init__(self, prefix: str, suffix: str) -> None:
        self._prefix = prefix
        self._suffix = suffix
        self._run = os.urandom(4).hex()
        self._number = 0
        self._last = ""

    def __next__(self) -> str:
        self._number += 1
        # The clock may be set back.
        self._last = max(self._last, datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ"))
        return f"{self._prefix}{self._last}-{self._run}-{self._number:05}.{self._suffix}"


class RolledFolder:
    """A folder to which files are added; what killed runs left in it is removed."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise SinkError(path, error.strerror or str(error)) from None
        sweep(path)

    def create(self, partition: str, name: str) -> RolledFile:
        """Open a new file in a folder of this one; raises OSError."""
        return RolledFile(os.path.join(self._path, partition), name)


class RolledFile(OutputStream):
    """A file that appears as ``path`` when it is closed; raises SinkError and OSError."""

    def __init__(self, folder: str, name: str) -> None:
        self.temporary = os.path.join(folder, f".{name}.tmp")
        self._folders = _made(folder)
        super().__init__(os.path.join(folder, name), _created(self.temporary))

    def close(self) -> None:
        """Give the file its name; it survives a crash of the machine from then on."""
        os.fsync(self._fd)
        if os.path.lexists(self.path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(self.temporary, self.path)
        for folder in self._folders:
            sync_folder(folder)
        super().close()

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.temporary)
        super().close()


def sweep(folder: str) -> None:
    """Remove what killed runs left in ``folder`` and its partitions."""
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if "=" in name]
        for name in filter(_TEMPORARY.fullmatch, names):
            with contextlib.suppress(OSError):  # locked by its writer, or another run swept it
                _remove_unlocked(os.path.join(base, name))


def _remove_unlocked(path: str) -> None:
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(fd)


def _created(path: str) -> int:
    """Create the file and return its descriptor, locked where the file system can."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                return fd
        except OSError as error:
            if error.errno in CANNOT:
                return fd
            os.close(fd)
            raise
        os.close(fd)  # another run took it for a left one before it was locked


def _made(folder: str) -> list[str]:
    """Make the folder and return it and those around it that must be durable: the new ones'."""
    found = [folder]
    while not os.path.isdir(found[-1]):
        found.append(os.path.dirname(found[-1]) or ".")
    os.makedirs(folder, exist_ok=True)
    return found
