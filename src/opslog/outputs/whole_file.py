"""Files that are there as a whole or not at all.

What is written goes to a hidden file in the same folder, which takes the place of
the one it replaces when it is complete and on the disk.  Until then, and after any
failure, what stood there stands there still.  A link stays a link: what it names is
replaced.  Mode and owner stay those of the file that is replaced.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from opslog.model.errors import SinkError
from opslog.outputs.output import OutputStream, failed, is_stream, open_stream, refuse_disk
from opslog.outputs.own_kinds import OwnKind

CANNOT = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
"""What file systems say that cannot lock, or cannot make a file or folder durable."""

_LONGEST_NAME = 200
"""Bytes of the name that is replaced in that of the hidden file; file systems allow 255 in all."""


def open_whole(
    path: str, own: OwnKind, overwrite: bool = False, durable: bool = True
) -> OutputStream:
    """Open an output that is complete when it is closed, and given up by ``abort``.

    A regular file is a WholeFile; standard output (``-``), pipes and devices are
    written at once.  Raises SinkError.
    """
    try:
        if is_stream(path):
            return open_stream(path, overwrite)
        return WholeFile(path, own, overwrite, durable)
    except (OSError, ValueError) as error:
        raise failed(path, error) from None


@contextmanager
def whole_output(
    path: str, own: OwnKind, overwrite: bool = False, durable: bool = True
) -> Iterator[OutputStream]:
    """Give an opened output that is closed at the end, or given up after any exception."""
    output = open_whole(path, own, overwrite, durable)
    try:
        yield output
        output.close()
    except BaseException:
        output.abort()
        raise


def write_whole(
    path: str, data: bytes, own: OwnKind, overwrite: bool = False, durable: bool = True
) -> None:
    """Write ``data`` as all that an output holds; raises SinkError."""
    with whole_output(path, own, overwrite, durable) as output:
        output.write(data)


def check_replaceable(path: str, own: OwnKind, overwrite: bool = False) -> None:
    """Raise SinkError where open_whole would: what can be known before a long run is said then."""
    try:
        if is_stream(path):
            refuse_disk(path, overwrite)
            return
        target = os.path.realpath(path)
        _replaced(path, target, own, overwrite)
        folder = os.path.dirname(target)
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            os.stat(os.path.join(folder, "."))  # tells whether it is there, and a folder
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        raise failed(path, error) from None


def remove_left(path: str) -> None:
    """Remove what a killed process left that was replacing ``path``; no other may be doing so."""
    folder, name = os.path.split(os.path.realpath(path))
    left = re.compile(rf"\.{re.escape(_short(name))}\.[0-9a-f]{{16}}\.tmp")
    with suppress(OSError):
        for other in os.listdir(folder):
            if left.fullmatch(other):
                os.unlink(os.path.join(folder, other))


def _short(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])


def holds(path: str, own: OwnKind) -> bool:
    """Return whether ``path`` is a regular file of kind ``own`` that is not empty."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size > 0 and own.wrote(file)
    except (OSError, ValueError):
        return False


class WholeFile(OutputStream):
    """A regular file that appears as ``path`` when it is closed.

    It replaces an empty file or one of kind ``own``, any other only with
    ``overwrite``.  Raises SinkError, and OSError or ValueError for a name that
    cannot be used.  ``durable`` waits at the end until the disk has it.
    """

    def __init__(
        self, path: str, own: OwnKind, overwrite: bool = False, durable: bool = True
    ) -> None:
        self._own = own
        self._overwrite = overwrite
        self._durable = durable
        self._target = os.path.realpath(path)
        replaced = _replaced(path, self._target, own, overwrite)
        self._folder, name = os.path.split(self._target)
        self._temporary = os.path.join(self._folder, f".{_short(name)}.{os.urandom(8).hex()}.tmp")
        try:
            # Nobody may read what replaces a private file, before it has that one's mode either.
            fd = os.open(
                self._temporary,
                os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                0o666 if replaced is None else 0o600,
            )
            super().__init__(path, fd)
            if replaced is not None:
                _keep_owner_and_mode(fd, replaced)
        except FileExistsError:
            raise
        except BaseException:  # a signal may have come right behind the opening
            self._remove()
            raise

    def close(self) -> None:
        """Put the file in its place; raises SinkError, and then nothing has changed."""
        try:
            if self._durable:
                _sync(self._fd)
            # Somebody else may have put a file there meanwhile.
            _replaced(self.path, self._target, self._own, self._overwrite)
            os.replace(self._temporary, self._target)
            if self._durable:
                sync_folder(self._folder)
        except OSError as error:
            raise self._incomplete(error.strerror or str(error)) from None
        super().close()

    def abort(self) -> None:
        self._remove()
        with suppress(SinkError):  # it was closed
            super().close()

    def _remove(self) -> None:
        with suppress(OSError):
            os.unlink(self._temporary)

    def _left(self) -> str:
        return "nothing was written there"


def _replaced(path: str, target: str, own: OwnKind, overwrite: bool) -> os.stat_result | None:
    """Return what is known of the file to be replaced, None without one.

    Raises SinkError for one that must stay as it is, and OSError.
    """
    if path.endswith(os.sep):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise SinkError(path, "is no regular file, and cannot be replaced by one")
    # The folder alone would decide otherwise, and a file that is not to be written be replaced.
    if not os.access(target, os.W_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if not overwrite and found.st_size:
        fd = os.open(target, os.O_RDONLY)
        try:
            own.refuse_foreign(path, fd)
        finally:
            os.close(fd)
    return found


def _keep_owner_and_mode(fd: int, replaced: os.stat_result) -> None:
    """Do so as far as this process may and the file system can."""
    with suppress(OSError):
        os.fchown(fd, -1, replaced.st_gid)
    with suppress(OSError):
        os.fchown(fd, replaced.st_uid, -1)
    with suppress(OSError):
        os.fchmod(fd, replaced.st_mode & 0o777)


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in CANNOT:
            raise


def sync_folder(folder: str) -> None:
    """Make the names in ``folder`` durable, where that can be done; raises OSError."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # it may be written all the same
        return
    try:
        _sync(fd)
    finally:
        os.close(fd)
