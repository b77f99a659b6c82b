"""Names of rotated logs: which files beside a log it may have become."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

LogPlace: TypeAlias = tuple[str, str]
"""A folder, and the name there of a log that is not rotated."""

_DATE = r"(?:19|20)\d\d-?[01]\d(?:-?[0-3]\d)?[\dTZ_:.-]*"
_PACKED = re.compile(r"\.(?:gz|bz2|xz|zst)$")
_ROTATED = re.compile(rf"(?:\.\d{{1,6}}|\.old|[.-]{_DATE})$")
_DATED = re.compile(rf"[.-]{_DATE}(?=\.[a-z]+$)")


@lru_cache(maxsize=4096)
def unrotated(name: str) -> str:
    """Return the name a log has before it is rotated, for names without a folder."""
    name = _PACKED.sub("", name)
    return _DATED.sub("", _ROTATED.sub("", name) or name)


def log_place(path: str) -> LogPlace:
    """Return the folder in which a log lies in fact, and its name before it is rotated."""
    folder, name = os.path.split(os.path.realpath(path))
    return folder, unrotated(name)


def rotated_in(folder: str, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (log, path) of the files in a folder that logs of these names may have become."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entry.name for entry in entries)
    except OSError:
        return
    for name in found:
        own = unrotated(name)
        if own in names and name != own:
            yield own, os.path.join(folder, name)
