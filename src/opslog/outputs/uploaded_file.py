"""Files at URLs that are written: there as a whole or not at all.

What is written goes to a temporary file of this machine, which is uploaded when it is
complete: until then, and after any failure, what stood there stands there still.  The
temporary file has no name, so that a killed run leaves none.
"""

from __future__ import annotations

import errno
import os
import tempfile

from opslog.inputs.remote import opened, told
from opslog.outputs.output import OutputStream, failed
from opslog.outputs.own_kinds import NOTHING, OwnKind


class UploadedFolder:
    """A folder at a URL, to which files are added: none is replaced.  Raises SinkError."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            with told():
                opened(url)
        except OSError as error:
            raise failed(url, error) from None

    def create(self, partition: str, name: str) -> UploadedFile:
        """Open a new file in a folder of this one."""
        return UploadedFile(self._url + "/".join(filter(None, (partition, name))), NOTHING)


class UploadedFile(OutputStream):
    """A file that appears at the URL ``path`` when it is closed.

    It replaces an empty file or one of kind ``own``, any other only with ``overwrite``.
    Raises SinkError.
    """

    def __init__(self, path: str, own: OwnKind, overwrite: bool = False) -> None:
        try:
            with told():
                self._system, self._target = opened(path)
                size = self._size()
                if size and not overwrite:
                    with self._system.open(self._target, "rb") as file:
                        own.refuse(path, file, size)
            fd, temporary = tempfile.mkstemp(".opslog")
            os.unlink(temporary)
        except OSError as error:
            raise failed(path, error) from None
        super().__init__(path, fd)

    def _size(self) -> int:
        """Return how many bytes stand there, 0 if there is no file; raises OSError."""
        try:
            found = self._system.info(self._target)
        except FileNotFoundError:
            return 0
        if found.get("type") == "directory":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return int(found.get("size") or 0)

    def close(self) -> None:
        """Upload the file; raises SinkError, and then nothing has changed."""
        try:
            with told():
                self._system.put_file(f"/proc/self/fd/{self.fd}", self._target)
        except OSError as error:
            super().close()
            raise self._incomplete(error.strerror or str(error)) from None
        super().close()  # not where it was interrupted: it can be tried again

    def abort(self) -> None:
        super().close()

    def _left(self) -> str:
        return "nothing was written there"
