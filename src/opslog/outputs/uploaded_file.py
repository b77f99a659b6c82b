"""Files at URLs that are written: there as a whole or not at all.

What is written goes to a temporary file of this machine, which is uploaded when it is
complete: until then, and after any failure, what stood there stands there still.
"""

from __future__ import annotations

import errno
import os
import tempfile

from opslog.inputs.remote import opened, told
from opslog.outputs.output import failed
from opslog.outputs.own_kinds import OwnKind
from opslog.outputs.whole_file import TemporaryFile


class UploadedFile(TemporaryFile):
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
            fd, self._temporary = tempfile.mkstemp(".opslog")
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
        super().close()
        try:
            with told():
                self._system.put_file(self._temporary, self._target)
        except OSError as error:
            raise self._incomplete(error.strerror or str(error)) from None
        finally:
            self._remove()
