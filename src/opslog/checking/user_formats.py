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
    if not path.exists():
        raise FormatError(str(path), "file", "expected a format file or a folder of them")
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise FormatError(str(path), "folder", "expected format files, *.toml, in it")
    for file in files:
        one = load(file)
        check(one)
        yield one
