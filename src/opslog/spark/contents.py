"""Which files have a content: under another name, copied or compressed by now."""

from __future__ import annotations

import os
from contextlib import suppress

from opslog.following.content import MARK_BYTES, START_BYTES, Position, unpacked_start
from opslog.following.rotation import log_place, rotated_in
from opslog.inputs.compression import compressed
from opslog.model.errors import SourceError
from opslog.spark.progress import Progress, fingerprint


def has_content(one: Progress, name: str) -> bool:
    """Return whether the file of this name has a content, up to where that was read."""
    try:
        if one.whole:
            if not one.position.may_begin_with(start_of(name)):
                return False
            with open(name, "rb") as opened:
                mark = os.pread(
                    opened.fileno(), one.position.mark.size, max(0, one.offset - MARK_BYTES)
                )
            return one.position.mark.is_of(mark)
        if is_packed(name):
            source = one.position.in_compressed_file(name)
            if source is not None:
                source.close()
            return source is not None
        with open(name, "rb") as opened:
            return bool(one.position.in_file(opened.fileno()))
    except (OSError, SourceError):
        return False


def located(one: Progress) -> str | None:
    """Return the name of a file that has a content, None if there is none beside its log."""
    folder, log = log_place(one.path)
    beside = (name for _, name in rotated_in(folder, frozenset({log})))
    for name in dict.fromkeys((one.name, one.path, *beside)):
        if has_content(one, name):
            return name
    return None


def is_packed(name: str) -> bool:
    """Return whether a file is compressed; one that cannot be read is not."""
    with suppress(OSError), open(name, "rb") as opened:
        return compressed(opened.read(START_BYTES))
    return False


def position_at(fd: int, offset: int) -> Position:
    """Return the position at an offset of a plain file."""
    count = min(MARK_BYTES, offset)
    mark = os.pread(fd, count, offset - count)
    return Position(fingerprint(os.pread(fd, START_BYTES, 0)), offset, fingerprint(mark))


def start_of(name: str) -> bytes:
    """Return how the content of a file begins; raises SourceError or OSError."""
    if is_packed(name):
        return unpacked_start(name)
    with open(name, "rb") as opened:
        return opened.read(START_BYTES)


def is_part(name: str, size: int, whole: str) -> bool:
    """Return whether a file of ``size`` bytes is a copy of a part of another one."""
    if is_packed(whole) or is_packed(name):
        return False
    count = min(MARK_BYTES, size)
    with open(name, "rb") as one, open(whole, "rb") as other:
        mark = os.pread(one.fileno(), count, size - count)
        return mark == os.pread(other.fileno(), count, size - count)
