"""Index files: what the index knows of large files, kept for later runs.

Each is the index of one log, named by that log's device and inode, in a folder that
is the user's alone.  What is no such file, is broken, of another version, or about
another file, is as if it were not there; what cannot be written is not.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from opslog.engine._search import Ids
from opslog.inputs.lines import BLOCK_BYTES
from opslog.model.version import __version__
from opslog.reading.file_version import Version
from opslog.reading.span import START, Span

_MOST_BYTES = 512 << 20
"""Bytes of all index files; those that were not used for longest go first."""

_KIND = f"opslog index 1 of {__version__}, {sys.byteorder}\n".encode()
_DIGEST = 16
_FILE = struct.Struct("<QQqqqq16s?I")
_SPAN = struct.Struct("<QI?HH")


@dataclass(frozen=True)
class IndexFiles:
    """The folder of index files; with ``always`` every search by an id adds to it."""

    folder: str
    always: bool = False

    @classmethod
    def of_user(cls, always: bool = False) -> IndexFiles | None:
        """Return those of the user, in ``$XDG_CACHE_HOME``; None for a user without a home."""
        cache = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(cache):  # as the specification has it
            cache = os.path.expanduser("~/.cache")
        folder = os.path.join(cache, "opslog", "index")
        return cls(folder, always) if os.path.isabs(folder) else None

    def holds(self, fd: int) -> bool:
        """Return whether there is an index file of ``fd``, good or not."""
        status = os.fstat(fd)
        return os.path.exists(self._path(status.st_dev, status.st_ino))

    def load(self, version: Version, fd: int) -> tuple[list[Span], bool] | None:
        """Return the blocks of ``fd``, now of ``version``, and whether they are all of it."""
        path = self._path(version.device, version.inode)
        try:
            before, spans, whole = _unpacked(_read(path))
            if before[:2] != version[:2] or not spans or not before.is_kept_in(version, fd):
                return None
        except (OSError, ValueError, struct.error):
            return None
        with suppress(OSError):
            os.utime(path)  # it was used
        return spans, whole and before.size == version.size

    def save(self, version: Version, spans: list[Span], whole: bool) -> None:
        """Keep the blocks of a file, if that can be done."""
        path = self._path(version.device, version.inode)
        temporary = f"{path}.{os.urandom(8).hex()}.tmp"
        try:
            if not spans or not self._made():
                return
            data = _packed(version, spans, whole)
            if len(data) > _MOST_BYTES:
                return
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with open(fd, "wb") as file:
                    file.write(data)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            self._make_room()
        except OSError:
            pass

    def _path(self, device: int, inode: int) -> str:
        return os.path.join(self.folder, f"{device:x}-{inode:x}")

    def _made(self) -> bool:
        """Make the folder, and return whether it is this user's.

        Who becomes root may still have the home of somebody else, who could not write there then.
        """
        there = next(one for one in (Path(self.folder), *Path(self.folder).parents) if one.exists())
        user = os.geteuid()
        if not user and there.stat().st_uid:
            return False
        os.makedirs(os.path.dirname(self.folder), mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(self.folder, 0o700)
        status = os.lstat(self.folder)
        return stat.S_ISDIR(status.st_mode) and status.st_uid == user

    def _make_room(self) -> None:
        """Remove the files that were not used for longest, as long as all are too many bytes."""
        with os.scandir(self.folder) as entries:
            files = [(one.stat(follow_symlinks=False), one.path) for one in entries]
        total = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda one: one[0].st_mtime_ns):
            if total <= _MOST_BYTES:
                break
            with suppress(OSError):  # another run may have been faster
                os.unlink(path)
            total -= status.st_size


def _read(path: str) -> bytes:
    """Return what an index file of this user holds; raises OSError and ValueError."""
    how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, how), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise ValueError(f"{path}: expected a file of this user")
        if status.st_size > _MOST_BYTES:
            raise ValueError(f"{path}: expected at most {_MOST_BYTES:,} bytes")
        return file.read(_MOST_BYTES)


def _packed(version: Version, spans: list[Span], whole: bool) -> bytes:
    parts = [_FILE.pack(*version, whole, len(spans))]
    for span in spans:
        ids = span.ids.packed()
        parts += [
            _SPAN.pack(span.offset, span.size, span.continued, len(ids), len(span.head)),
            ids,
            span.head,
        ]
    content = b"".join(parts)
    return _KIND + _digest(content) + content


def _unpacked(data: bytes) -> tuple[Version, list[Span], bool]:
    """Return what was packed; raises ValueError and struct.error for anything else."""
    begin = len(_KIND) + _DIGEST
    content = memoryview(data)[begin:]
    if not data.startswith(_KIND) or data[len(_KIND) : begin] != _digest(content):
        raise ValueError("expected an index file of this version")
    *fields, whole, count = _FILE.unpack_from(content)
    at, end, spans = _FILE.size, 0, list[Span]()
    for _ in range(count):
        offset, size, continued, ids, head = _SPAN.unpack_from(content, at)
        at += _SPAN.size
        if offset != end or not 0 < size <= BLOCK_BYTES or head > START:
            raise ValueError("expected blocks, one behind the other")
        behind = at + ids + head
        start = bytes(content[at + ids : behind])
        known = Ids.unpacked(bytes(content[at : at + ids]))
        spans.append(Span(offset, size, continued, known, start))
        at, end = behind, offset + size
    if at != len(content):
        raise ValueError("expected the last block at the end")
    return Version(*fields), spans, whole


def _digest(content: bytes | memoryview) -> bytes:
    from hashlib import blake2b  # start-up: most runs keep no index

    return blake2b(content, digest_size=_DIGEST).digest()
