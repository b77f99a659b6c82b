"""Files that are named by URLs (``s3://``, ``https://``, ``memory://``), read by fsspec.

A file is read in ranges, each asked for while the one before it is used.  It must
stay what it is meanwhile: one that ends too early, or changes, is an OSError.
"""

from __future__ import annotations

import errno
import glob
import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from opslog.inputs.given import Given
from opslog.model.errors import OpslogError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_URL = re.compile(r"(?!file:|local:)[a-z][a-z0-9+.-]*://")
_LEAST = 1 << 18
_MOST = 8 << 20
"""Bytes of a range: of many files only the beginning is read."""

_CHANGED = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")
_VERSIONS = ("size", "ETag", "etag", "version_id", *_CHANGED)


def is_url(path: str) -> bool:
    """Whether a path is a URL, and neither that of a file of this machine nor a given name."""
    return _URL.match(path) is not None and not isinstance(path, Given)


def files_of(url: str) -> list[str]:
    """Return the files that a URL stands for: itself, those below it, or those that match it.

    What matches nothing, or cannot be looked at, stays as it is: opening it tells why.
    """
    try:
        with told():
            system, path = opened(url)
            if glob.has_magic(url) and not system.exists(path):
                found = [
                    file
                    for match in sorted(system.glob(path))
                    for file in (system.find(match) if system.isdir(match) else [match])
                ]
            elif not url.startswith("http") and system.isdir(path):
                found = system.find(path)
            else:
                return [url]
            return [str(system.unstrip_protocol(file)) for file in sorted(found)] or [url]
    except OSError:
        return [url]


def canonical(url: str) -> str:
    """Return a URL as its driver writes it, so that two of one file are equal; raises OSError."""
    with told():
        system, path = opened(url)
        return str(system.unstrip_protocol(path))


def missing(url: str) -> OSError | None:
    """Return why a file cannot be opened, None if it can."""
    try:
        RemoteFile(url).close()
    except OSError as error:
        return error
    return None


@contextmanager
def told() -> Iterator[None]:
    """Raise what a driver raises as OSError, as each has its own errors; those of opslog pass."""
    try:
        yield
    except OpslogError:
        raise
    except FileNotFoundError as error:
        # For HTTP's driver whatever keeps it from a file is that: no permission, no server.
        cause = error.__cause__
        refused = getattr(cause, "status", 404) != 404
        if refused or (isinstance(cause, OSError) and cause.errno != errno.ENOENT):
            raise OSError(errno.EIO, str(cause)) from error
        raise FileNotFoundError(errno.ENOENT, "No such file or directory") from None
    except Exception as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OSError(errno.EIO, said) from error


def opened(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and what the file is called there; raises OSError."""
    try:
        core = importlib.import_module("fsspec.core")
    except ImportError:
        raise OSError(
            errno.ENOPKG, "files at URLs are read by fsspec: pip install 'opslog[fsspec]'"
        ) from None
    system, path = core.url_to_fs(url)
    return system, path


class RemoteFile:
    """A file at a URL, opened for reading; raises OSError for whatever keeps it from that."""

    def __init__(self, url: str) -> None:
        self._at = 0
        self._next: tuple[int, Future[bytes]] | None = None
        self._data = memoryview(b"")
        self._room = _LEAST
        self._pool: ThreadPoolExecutor | None = None
        self._file: Any = None
        with told():
            self._system, self._path = opened(url)
            self._info = self._described()
            size = self._info.get("size")
            self.size: int | None = None if size is None else int(size)
            """How many bytes it has; None if that is not known, or no ranges can be asked for."""
            if self._info.get("type") == "directory":
                raise IsADirectoryError(errno.EISDIR, "Is a directory")

    @property
    def modified(self) -> datetime:
        """When it was changed last, in UTC; now if nobody says so."""
        found = (moment for key in _CHANGED if (moment := _moment(self._info.get(key))))
        return next(found, datetime.now(UTC))

    @property
    def version(self) -> str:
        """What shows whether it was changed, as far as its driver tells."""
        return _version(self._info)

    def peek(self, count: int) -> bytes:
        """Return the next bytes, at the beginning of the file; reading does not go on."""
        if self.size != 0 and not self._at and not self._data:
            with told():
                self._data = memoryview(self._begun())
        return bytes(self._data[:count])

    def _begun(self) -> bytes:
        """Return the first range, or what comes first where ranges cannot be asked for."""
        if self.size is not None:
            data = self._range()
            if len(data) == self.size or self._has_ranges(len(data)):
                return data
            self.size = None
        self._file = self._system.open(self._path, "rb", block_size=0)
        begun: bytes = self._file.read(self._room)
        return begun

    def _has_ranges(self, at: int) -> bool:
        """Whether a server gives what is asked for: some of HTTP give everything, always."""
        if not self._path.startswith("http"):
            return True
        try:
            return bool(self._asked(at, 1))
        except ValueError:
            return False

    def readinto(self, room: memoryview) -> int:
        """Fill the beginning of a buffer; return how many bytes these are, 0 at the end."""
        with told():
            if not self._data and self.size is None:
                self._data = memoryview(self._file.read(_MOST))
            elif not self._data and self._at < (self.size or 0):
                self._data = memoryview(self._range())
            count = min(len(room), len(self._data))
            room[:count] = self._data[:count]
            self._data = self._data[count:]
            self._at += count
            if not count:
                self.check_same()
            return count

    def anywhere(self) -> BinaryIO:
        """Return the file, opened once more, for who reads it at any place."""
        with told():
            found: BinaryIO = self._system.open(self._path, "rb")
            return found

    def check_same(self) -> None:
        """Raise OSError if it is not what it was when it was opened."""
        with told():
            if _version(self._described()) != self.version:
                raise OSError("was changed while it was read")

    def _range(self) -> bytes:
        """Return the bytes from here on, and ask for those behind them."""
        assert self.size is not None
        at, ahead = self._at, self._next
        data = ahead[1].result() if ahead and ahead[0] == at else self._asked(at, self._room)
        self._room = min(2 * self._room, _MOST)
        behind = at + len(data)
        self._next = None
        if self._room == _MOST and behind < self.size:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor  # start-up: most runs read no URL

                self._pool = ThreadPoolExecutor(1, "opslog")
            self._next = behind, self._pool.submit(self._asked, behind, self._room)
        return data

    def _asked(self, at: int, count: int) -> bytes:
        assert self.size is not None
        end = min(at + count, self.size)
        if self._file is None:
            self._file = self._system.open(self._path, "rb", block_size=_LEAST, cache_type="none")
        self._file.seek(at)
        data: bytes = self._file.read(end - at)
        if len(data) != end - at:
            raise OSError(
                f"ends too early: of {self.size:,} bytes {at + len(data):,} came; "
                "the lines before that were read"
            )
        return data

    def _described(self) -> dict[str, Any]:
        self._system.invalidate_cache(self._system._parent(self._path))
        found: dict[str, Any] = self._system.info(self._path)
        return found

    def seekable(self) -> bool:
        """Whether it can be read from any place on."""
        return self.size is not None

    def seek(self, offset: int) -> None:
        """Go on at a place."""
        self._at = offset
        self._data = memoryview(b"")

    def tell(self) -> int:
        """Return how many bytes were read, or gone past."""
        return self._at

    def close(self) -> None:
        """Let go of what is still asked for."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        if self._file is not None:
            self._file.close()


def _version(info: dict[str, Any]) -> str:
    return ", ".join(f"{key} {info[key]}" for key in _VERSIONS if info.get(key) is not None)


def _moment(value: object) -> datetime | None:
    """Return a time as drivers tell it: a datetime, seconds since the epoch, or a text."""
    try:
        if isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            from email.utils import parsedate_to_datetime  # start-up: most runs need it not

            value = parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
