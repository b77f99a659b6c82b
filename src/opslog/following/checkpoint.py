"""Checkpoint: a file that says how far logs were read, for the next run to go on there."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterable
from typing import Any

from opslog.following.content import FileKey, Known, Place, Print
from opslog.model.errors import SinkError, SourceError
from opslog.outputs.own_kinds import CHECKPOINT
from opslog.outputs.whole_file import write_whole

_KIND = "opslog checkpoint"
_VERSION = 1


class Checkpoint:
    """The file ``path``, for one process at a time; raises SourceError where it cannot be used.

    ``known`` are the contents, ``sought`` says for which paths the files between
    those were looked for that were changed since when (nanoseconds of the epoch).
    """

    def __init__(self, path: str) -> None:
        # A link stays one: what it names is replaced.
        try:
            self.path = path = os.path.realpath(path)
        except OSError as error:  # a relative name where the working directory was removed
            raise _failed(path, error) from None
        load(path)  # what is no checkpoint gets no lock beside it
        self._lock = _locked(path)
        try:
            self.known, self.sought = load(path)
        except SourceError:
            self.close()
            raise

    def save(self, known: Iterable[Known], sought: dict[str, int]) -> None:
        """Replace what the file says, at once and for good."""
        rows = [
            {
                "path": one.path,
                "source": one.source,
                "file": one.file,
                "start": one.place.start,
                "offset": one.place.offset,
                "mark": one.place.mark,
                "modified": one.modified,
                "done": one.done,
                "seen": one.seen,
            }
            for one in known
        ]
        whole = {"kind": _KIND, "version": _VERSION, "files": rows, "sought": sought}
        data = json.dumps(whole).encode() + b"\n"
        self.sought = sought
        try:
            write_whole(self.path, data, CHECKPOINT)
        except SinkError as error:
            raise SourceError(
                self.path, f"the checkpoint cannot be kept there: {error.reason}"
            ) from None

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)


def _locked(path: str) -> int:
    """Lock a file beside ``path``, which is replaced, and return its descriptor."""
    try:
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _failed(path, error) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise SourceError(
            path, "another process uses this checkpoint; end it, or give each its own file"
        ) from None
    return fd


def load(path: str) -> tuple[list[Known], dict[str, int]]:
    """Return what the file says: contents and what is sought; raises SourceError."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise SourceError(path, "is no regular file, which a checkpoint needs")
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return [], {}
    except OSError as error:
        raise _failed(path, error) from None
    try:
        whole = json.loads(data)
        if whole["kind"] != _KIND:
            raise ValueError
        version = whole["version"]
        if version == _VERSION:
            sought = {str(path): int(since) for path, since in whole["sought"].items()}
            return [_known(row) for row in whole["files"]], sought
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(
            path,
            f"expected a checkpoint of opslog, found {'something else' if data else 'nothing'}; "
            "name another file; a damaged checkpoint must be removed, to read all from the start",
        ) from None
    raise SourceError(
        path,
        f"expected a checkpoint of version {_VERSION}, found {version!r}; use the opslog that "
        "wrote it, or remove it to read all from the start",
    )


def _known(row: dict[str, Any]) -> Known:
    (device, inode), (size, digest), (marked, mark) = row["file"], row["start"], row["mark"]
    place = Place(Print(int(size), str(digest)), int(row["offset"]), Print(int(marked), str(mark)))
    if not 0 <= place.mark.size <= place.offset < 1 << 62 or place.start.size < 0:
        raise ValueError
    if "\0" in str(row["path"]):
        raise ValueError
    return Known(
        str(row["path"]),
        str(row["source"]),
        FileKey(int(device), int(inode)),
        place,
        int(row["modified"]),
        bool(row["done"]),
        float(row["seen"]),
    )


def _failed(path: str, error: OSError) -> SourceError:
    return SourceError(path, f"the checkpoint cannot be kept there: {error.strerror or error}")
