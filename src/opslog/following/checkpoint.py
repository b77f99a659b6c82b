"""Checkpoint: a file that says how far logs were read, for the next run to go on there."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from opslog.following.content import MARK_BYTES, START_BYTES, Content, Fingerprint, Position
from opslog.inputs.paths import FileId
from opslog.model.errors import SinkError, SourceError
from opslog.outputs.own_kinds import CHECKPOINT
from opslog.outputs.whole_file import remove_left, write_whole

_KIND = "opslog checkpoint"
_VERSION = 1
_BEGINNING = b'{"kind": "%s"' % _KIND.encode()
_MOST = 1 << 62
"""A number that is none of a file: beyond it, sums might not be numbers of 64 bits."""


class _Row(NamedTuple):
    values: Content
    text: str


class Checkpoint:
    """The file ``path``, for one process at a time; raises SourceError where it cannot be used.

    ``contents`` were followed, ``sought`` says for which paths the files between
    those were looked for that were changed since when (nanoseconds of the epoch).
    """

    def __init__(self, path: str) -> None:
        # A link stays one: what it names is replaced.
        try:
            self.path = path = os.path.realpath(path)
        except OSError as error:  # a relative name where the working directory was removed
            raise _failed(path, error) from None
        self._rows: dict[str, _Row] = {}
        load(path)  # what is no checkpoint gets no lock beside it
        self._lock = _locked(path)
        remove_left(path)
        try:
            self.contents, self.sought = load(path)
        except SourceError:
            self.close()
            raise
        self._rows = {content.source: self._known(content) for content in self.contents}

    def save(self, contents: Iterable[Content], sought: dict[str, int]) -> None:
        """Replace what the file says, at once and for good."""
        self._rows = {content.source: self._known(content) for content in contents}
        self.sought = sought
        self._write()

    def add(self, contents: Iterable[Content], sought: dict[str, int]) -> None:
        """Have the file tell of new contents, too; of all others what it told before.

        What is ``sought`` may be older than these: behind them nobody would look for it.
        """
        self._rows |= {content.source: self._known(content) for content in contents}
        self.sought = sought
        self._write()

    def _known(self, content: Content) -> _Row:
        """Return the row of a content, the one from before if it is the same: most are at rest."""
        values = replace(content)
        row = self._rows.get(content.source)
        return row if row and row.values == values else _Row(values, json.dumps(_row(content)))

    def _write(self) -> None:
        head = {"kind": _KIND, "version": _VERSION, "sought": self.sought}
        rows = ", ".join(row.text for row in self._rows.values())
        data = f'{json.dumps(head)[:-1]}, "files": [{rows}]}}\n'.encode()
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


def load(path: str) -> tuple[list[Content], dict[str, int]]:
    """Return the contents, and what is sought, of which the file tells; raises SourceError."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise SourceError(path, "is no regular file, which a checkpoint needs")
        with open(path, "rb") as file:
            # What is something else may be large.
            data = file.read(len(_BEGINNING))
            data += file.read() if data == _BEGINNING else b""
    except FileNotFoundError:
        return [], {}
    except OSError as error:
        raise _failed(path, error) from None
    try:
        return _parsed(path, json.loads(data))
    except (ValueError, KeyError, RecursionError):
        found = "something else" if data else "nothing"
        if len(data) > len(_BEGINNING):
            found = "a damaged one"
        raise SourceError(
            path,
            f"expected a checkpoint of opslog, found {found}; "
            "name another file; a damaged checkpoint must be removed, to read all from the start",
        ) from None


def _parsed(path: str, whole: Any) -> tuple[list[Content], dict[str, int]]:
    """Raises ValueError or KeyError for what no opslog wrote."""
    if _is(whole, dict)["kind"] != _KIND:
        raise ValueError
    version = _number(whole["version"])
    if version != _VERSION:
        raise SourceError(
            path,
            f"expected a checkpoint of version {_VERSION}, found {version}; use the opslog that "
            "wrote it, or remove it to read all from the start",
        )
    contents = [_content(_is(row, dict)) for row in _is(whole["files"], list)]
    if len({content.source for content in contents}) < len(contents):
        raise ValueError
    sought = _is(whole["sought"], dict)
    return contents, {_path(path): _number(since) for path, since in sought.items()}


def _row(content: Content) -> dict[str, object]:
    return {
        "path": content.path,
        "source": content.source,
        "file": content.file,
        "start": content.position.start,
        "offset": content.position.offset,
        "mark": content.position.mark,
        "modified": content.modified,
        "done": content.done,
        "seen": content.seen,
    }


def _content(row: dict[str, Any]) -> Content:
    """Return the content of a row; raises ValueError or KeyError for one that cannot be."""
    device, inode = _is(row["file"], list)
    start, mark = _fingerprint(row["start"], START_BYTES), _fingerprint(row["mark"], MARK_BYTES)
    position = Position(start, _number(row["offset"]), mark)
    if mark.size > position.offset:
        raise ValueError
    return Content(
        _path(row["path"]),
        _path(row["source"]),
        FileId(_number(device, -1, 1 << 64), _number(inode, -1, 1 << 64)),
        position,
        _number(row["modified"], -_MOST),
        _is(row["done"], bool),
        _seconds(row["seen"]),
    )


def _fingerprint(value: Any, most: int) -> Fingerprint:
    size, digest = _is(value, list)
    return Fingerprint(_number(size, 0, most + 1), _is(digest, str))


def _is(value: Any, kind: type) -> Any:
    # A bool is an int, too.
    if type(value) is not kind:
        raise ValueError
    return value


def _number(value: Any, least: int = 0, limit: int = _MOST) -> int:
    if not least <= _is(value, int) < limit:
        raise ValueError
    return int(value)


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < _MOST:
        raise ValueError
    return float(value)


def _path(value: Any) -> str:
    """Return a text that can be a path; raises ValueError for a NUL, or a lone surrogate."""
    if b"\0" in os.fsencode(_is(value, str)):
        raise ValueError
    return str(value)


def _failed(path: str, error: OSError) -> SourceError:
    return SourceError(path, f"the checkpoint cannot be kept there: {error.strerror or error}")
