"""Paths: what files, folders, globs and ``-`` stand for."""

from __future__ import annotations

import glob
import os
import stat

STDIN = "-"


def expand(paths: tuple[str, ...]) -> list[str]:
    """Return the sources ``paths`` name: files and ``-`` as they are, folders and globs expanded.

    A folder stands for the regular files in it and below.  A pattern that
    matches nothing stays as it is, to be reported as a file that does not exist,
    and so does a folder that cannot be read.
    """
    found: list[str] = []
    for path in paths:
        if path == STDIN or not (os.path.isdir(path) or glob.has_magic(path)):
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
    for base, _, names in os.walk(folder, onerror=unreadable.append):
        found += filter(os.path.isfile, (os.path.join(base, name) for name in names))
    return sorted([*found, *(error.filename for error in unreadable)])


def identity(path: str | int) -> tuple[int, int] | None:
    """Return (device, number) of a regular file, by name or descriptor; None for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def is_named_pipe(path: str) -> bool:
    """Whether a path is that of a FIFO, which waits for a writer; not a shell's ``<(...)``."""
    try:
        return stat.S_ISFIFO(os.lstat(os.path.realpath(path)).st_mode)
    except OSError:
        return False


def pipes(names: list[str]) -> list[str]:
    """Return those of the sources that are there, but cannot be read twice."""
    return [
        name
        for name in names
        if (name == STDIN or os.path.exists(name))
        and identity(0 if name == STDIN else name) is None
    ]


def place(names: list[str]) -> int | None:
    """Return where standard input, a file, is to be read from; None if it is no source."""
    return os.lseek(0, 0, os.SEEK_CUR) if STDIN in names else None


def rewind(place: int | None) -> None:
    """Go back there."""
    if place is not None:
        os.lseek(0, place, os.SEEK_SET)
