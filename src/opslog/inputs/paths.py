"""Paths: what files, folders, globs and ``-`` stand for."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from opslog.inputs.extent import Extent
from opslog.inputs.given import INSIDE, Given
from opslog.inputs.remote import files_of, is_url, missing
from opslog.model.errors import SourceError

STDIN = "-"
FOLDER_SETTINGS = ".opslog.toml"
"""What a folder's file of settings is called: it is no log."""


class FileId(NamedTuple):
    """Device and number: what a file is as long as it exists, whatever its name."""

    device: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileId:
        """Return that of the file with this status."""
        return cls(status.st_dev, status.st_ino)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read: ``paths`` as they were given, and the ``names`` they stand for by now.

    A name is that of a file, or ``-``, or Given.  Those that cannot be opened are there, too, so
    that each reading meets them and says so.  Of a part ``extents`` says what it reads of each.
    """

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    extents: tuple[Extent, ...] = ()

    @classmethod
    def of(cls, paths: tuple[str, ...]) -> Sources:
        """Return what ``paths`` stand for."""
        return cls(paths, tuple(expand(paths)))

    def part(self, extents: tuple[Extent, ...]) -> Sources:
        """Return that part of them."""
        return Sources(self.paths, tuple(extent.name for extent in extents), extents)

    def only(self, names: Collection[str]) -> Sources:
        """Return those of these names."""
        kept = [number for number, name in enumerate(self.names) if name in names]
        extents = tuple(self.extents[number] for number in kept) if self.extents else ()
        return Sources(self.paths, tuple(self.names[number] for number in kept), extents)

    def alone(self, name: str) -> Sources:
        """Return the one that a record of it names, which may be a member of an archive."""
        for one in self.names:
            if isinstance(one, Given) and (name == one or name.startswith(one + INSIDE)):
                name = Given(one.archive, one.content, name[len(one.archive + INSIDE) :])
                break
        return Sources((name,), (name,))

    def is_given(self, name: str) -> bool:
        """Return whether a file was asked for by its own name, not by a folder or glob."""
        return name in self.paths

    def readable_once(self) -> list[str]:
        """Return the names of what is no file, but a pipe or a device: it cannot be read again."""
        return [str(name) for name in self.names if _is_stream(name)]

    def unopenable(self) -> list[SourceError]:
        """Return why sources cannot be opened, for those that cannot.

        Of files at URLs only those are looked at that were not found in a listing of their server.
        """
        looked_at = (name for name in self.names if not is_url(name) or self.is_given(name))
        return [error for name in looked_at if (error := _unopenable(name))]

    @contextmanager
    def standard_input_kept(self) -> Iterator[None]:
        """Have standard input, if it is read and a file, stand where it does now afterwards."""
        if all(in_archive(name)[0] != STDIN for name in self.names):
            yield
            return
        offset = os.lseek(0, 0, os.SEEK_CUR)
        try:
            yield
        finally:
            os.lseek(0, offset, os.SEEK_SET)


def expand(paths: tuple[str, ...]) -> list[str]:
    """Return the sources ``paths`` name: files and ``-`` as they are, folders and globs expanded.

    A folder stands for the regular files in it and below; a URL does likewise (remote.py).
    A pattern that matches nothing stays as it is, to be reported as a file that does not
    exist, and so does what lies below a folder and cannot be looked at.  A file of settings
    is a source only by its own name.
    """
    found: list[str] = []
    for path in paths:
        if is_url(path):
            found += files_of(path)
        elif (
            isinstance(path, Given)
            or path == STDIN
            or not (os.path.isdir(path) or glob.has_magic(path))
        ):
            found.append(path)
        elif os.path.isdir(path):
            found += _files_below(path)
        elif os.path.exists(path):
            found.append(path)
        else:
            matches = sorted(glob.glob(path, recursive=True))
            for match in matches or [path]:
                found += _files_below(match) if os.path.isdir(match) else [match]
    return list(dict.fromkeys(found))


def _files_below(folder: str) -> list[str]:
    found: list[str] = []
    unreadable: list[OSError] = []
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if _is_folder(entry):
                        folders.append(entry.path)
                    elif entry.name != FOLDER_SETTINGS and _may_be_file(entry):
                        found.append(entry.path)
        except OSError as error:
            unreadable.append(error)
    return sorted([*found, *(error.filename for error in unreadable)])


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, and no link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a regular file, or what may not be looked at."""
    try:
        return entry.is_file()
    except PermissionError:
        return True
    except OSError:
        return False  # a link that leads nowhere


def in_archive(name: str) -> tuple[str, str]:
    """Return the file in which a source lies, and its name in it: "" if it is that file.

    What lies at a path is the file, whatever that is called.
    """
    if isinstance(name, Given):
        return Given(name.archive, name.content), name.inside
    at = name.find(INSIDE)
    while at >= 0 and not os.path.lexists(name):
        file = name[:at]
        if file == STDIN or is_url(file) or os.path.isfile(file):
            return file, name[at + len(INSIDE) :]
        at = name.find(INSIDE, at + 1)
    return name, ""


def _is_stream(name: str) -> bool:
    if isinstance(name, Given):
        return not name.content.can_seek
    name, _ = in_archive(name)
    try:
        mode = os.stat(0 if name == STDIN else name).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _unopenable(name: str) -> SourceError | None:
    """Return what opening a source would raise, without opening: that may wait, or be noticed."""
    file, _ = in_archive(name)
    if isinstance(file, Given) or file == STDIN:
        return None
    if is_url(file):
        gone = missing(file)
        return None if gone is None else SourceError(name, why_unopened(file, gone))
    try:
        if os.access(file, os.R_OK):
            return None
        os.stat(file)
    except OSError as error:
        return SourceError(name, why_unopened(name, error))
    return SourceError(name, os.strerror(errno.EACCES))


def why_unopened(name: str, error: OSError | ValueError) -> str:
    """Return why a source could not be opened, and what else may have been meant."""
    reason = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, FileNotFoundError):
        return reason
    if isinstance(name, Given):
        return reason
    if glob.has_magic(name):
        return "no file matches this pattern"
    if is_url(name):
        return reason
    import difflib  # start-up: most files are there

    # The first part that is not there: most often one name of several is misspelt.
    while not os.path.lexists(folder := os.path.dirname(name) or os.curdir):
        name = folder
    try:
        near = difflib.get_close_matches(os.path.basename(name), os.listdir(folder), n=1)
    except OSError:
        return reason
    return f"{reason}; did you mean {os.path.join(folder, near[0])!r}?" if near else reason


def file_id(path: str | int) -> FileId | None:
    """Return that of a regular file, by name or descriptor; None for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileId.of(status) if stat.S_ISREG(status.st_mode) else None


def is_named_pipe(path: str) -> bool:
    """Whether a path is that of a FIFO, which waits for a writer; not a shell's ``<(...)``."""
    try:
        return stat.S_ISFIFO(os.lstat(os.path.realpath(path)).st_mode)
    except OSError:
        return False
