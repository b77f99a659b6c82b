"""Format files of users: found in a folder or named, and checked before they are used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from opslog.checking.check import check
from opslog.language.format import Format
from opslog.language.format_file import load
from opslog.model.errors import FormatError


def user_formats(places: Iterable[str | os.PathLike[str] | Format]) -> list[Format]:
    """Return the formats of ``places``, checked: files, folders of ``*.toml`` files, or formats.

    Raises FormatError for what is not there, cannot be read or fails its check.
    """
    return [one for place in places for one in _formats(place)]


def _formats(place: str | os.PathLike[str] | Format) -> Iterator[Format]:
    if isinstance(place, Format):
        yield place
        return
    path = Path(place)
    for file in _files(path):
        one = load(file)
        check(one)
        yield one


def _files(path: Path) -> list[Path]:
    """Return the format file ``path``, or those in the folder that it is."""
    try:
        path.stat()
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if file.suffix == ".toml")
    except FileNotFoundError:
        raise FormatError(
            str(path), "file", "expected a format file or a folder of them, found nothing"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FormatError(
            str(path), "file", f"expected a format file or a folder of them: {reason}"
        ) from None
    if not files:
        raise FormatError(str(path), "folder", "expected format files, *.toml, in it, found none")
    return files
