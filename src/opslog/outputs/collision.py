"""An output that is also read: told by device and number, so that no link or glob hides it."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress

from opslog.inputs.given import Given
from opslog.inputs.paths import STDIN, FileId, expand, file_id, in_archive
from opslog.inputs.remote import canonical, is_url
from opslog.model.errors import SinkError
from opslog.outputs.output import STDOUT, failed, is_receiver


def refuse_input(output: str, paths: tuple[str, ...], followed: bool = False) -> None:
    """Raise SinkError for an output, a file, that is among the files that ``paths`` name.

    Where they are ``followed``, those that they will name count, too.
    """
    if is_receiver(output):
        return
    try:
        own = file_id(1 if output == STDOUT else output)
    except ValueError as error:  # a NUL in the name
        raise failed(output, error) from None
    if is_url(output):
        _refuse_read_url(output, paths)
    # Not expanded without need: there may be many files.
    local = tuple(path for path in paths if not is_url(path))
    if own and any(_file_id(name) == own for name in expand(local)):
        raise _is_input(output)
    refuse_named(output, paths)
    if followed and output != STDOUT:
        _refuse_future(output, output, paths, followed=True)


def _file_id(name: str) -> FileId | None:
    if isinstance(name, Given):
        status = name.content.status
        return None if status is None else FileId.of(status)
    file, _ = in_archive(name)
    return file_id(0 if file == STDIN else file)


def _refuse_read_url(output: str, paths: tuple[str, ...]) -> None:
    try:
        own = canonical(output)
    except OSError as error:
        raise failed(output, error) from None
    for name in expand(tuple(filter(is_url, paths))):
        with suppress(OSError):  # of what is read: said by who reads it
            if canonical(name) == own:
                raise _is_input(output)


def refuse_input_folder(folder: str, paths: tuple[str, ...], followed: bool = False) -> None:
    """Raise SinkError for an output, a folder, whose new files ``paths`` will name."""
    if is_url(folder):
        _refuse_read_folder_at_url(folder, paths)
        return
    _refuse_future(folder, os.path.join(folder, "new.jsonl"), paths, followed)


def _refuse_read_folder_at_url(folder: str, paths: tuple[str, ...]) -> None:
    try:
        file = canonical(folder).rstrip("/") + "/new"
        for path in filter(is_url, paths):
            if _names_at_url(canonical(path), file):
                raise SinkError(
                    folder, f"lies in what {path} names, and would be read by the next run; "
                    "write to another folder",
                )  # fmt: skip
    except OSError as error:
        raise failed(folder, error) from None


def _names_at_url(url: str, file: str) -> bool:
    """Return whether a URL, a folder or a pattern, names a file, there or not."""
    parts, pattern = file.split("/"), url.rstrip("/").split("/")
    return any(
        _fits(parts[:count], pattern, folder=count < len(parts))
        for count in range(1, len(parts) + 1)
    )


def refuse_named(output: str, paths: Iterable[str]) -> None:
    """Raise SinkError for an output that is one of the files ``paths``, there or not."""
    own = _sign(1 if output == STDOUT else output)
    if own is not None and any(_sign(path) == own for path in paths if _is_path(path)):
        raise _is_input(output)


def refuse_shared(outputs: Sequence[tuple[str, str]]) -> None:
    """Raise SinkError for two outputs, (option, path), that are one file."""
    seen: dict[object, str] = {}
    for flag, path in outputs:
        if (own := _sign(path)) is not None:
            if own in seen:
                raise SinkError(path, f"{seen[own]} and {flag} name this file; name two")
            seen[own] = flag


def _is_path(name: str) -> bool:
    return name != STDIN and not isinstance(name, Given)


def _is_input(output: str) -> SinkError:
    return SinkError(output, "is also an input; write to another file")


def _sign(path: str | int) -> tuple[int, int] | str | None:
    """Return what is the same for all names of a file, None if it can be read and written at once.

    That is so of terminals, /dev/null and the like.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _real(str(path))
    except (OSError, ValueError):
        return None
    if stat.S_ISCHR(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return None
    return status.st_dev, status.st_ino


def _real(path: str) -> str | None:
    try:
        return os.path.realpath(path)
    except OSError:  # a relative name where the working directory was removed
        return None


def _refuse_future(output: str, file: str, paths: tuple[str, ...], followed: bool) -> None:
    try:
        real = os.path.realpath(file)
    except (OSError, ValueError) as error:
        raise failed(output, error) from None
    verb, when = ("followed", "as it is written") if followed else ("read", "by the next run")
    for path in paths:
        if _is_path(path) and _names(path, real):
            what = f"a folder that is {verb}" if os.path.isdir(path) else f"what {path} names"
            raise SinkError(
                output, f"lies in {what}, and would be read {when}; write to another folder"
            )


def _names(path: str, file: str) -> bool:
    """Return whether ``path``, a folder or a pattern, names a file of this real path, there or not.

    A pattern that leads to the file by links behind its first * or ? is not known to name it.
    """
    start, *pattern = _split(path)
    base = _real(start)
    if base is None or os.path.commonpath([base, file]) != base:
        return False
    if not pattern:
        return os.path.isdir(base)
    parts = [] if file == base else os.path.relpath(file, base).split(os.sep)
    if _fits(parts, pattern, folder=False):
        return True
    # What is in a folder that a pattern names is read, too; `**` alone does not name its own.
    least = 1 if start == os.curdir else 0
    folders = (parts[:count] for count in range(least, len(parts)))
    return any(_fits(folder, pattern, folder=True) for folder in folders)


def _split(path: str) -> list[str]:
    """Return the folder or file at which a path begins, and the parts of its pattern."""
    if os.path.exists(path) or not glob.has_magic(path):
        return [path]
    parts = path.split(os.sep)
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return [
        os.sep.join(parts[:first]) + os.sep if first else os.curdir,
        *filter(None, parts[first:]),
    ]


def _fits(parts: list[str], pattern: list[str], folder: bool) -> bool:
    """Return whether the path of a file or a folder fits a pattern as glob.glob reads it."""
    if not parts:
        return all(part == "**" for part in pattern) if folder else not pattern
    if not pattern:
        return False
    first, *rest = pattern
    if first == "**" and _fits(parts, rest, folder):
        return True
    if parts[0].startswith(".") and not first.startswith("."):
        return False
    if first == "**":
        last = not rest and not parts[1:]
        return last or _fits(parts[1:], pattern, folder)
    return fnmatch.fnmatchcase(parts[0], first) and _fits(parts[1:], rest, folder)
