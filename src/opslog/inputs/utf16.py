"""Text in UTF-16, as Windows writes it, read as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from opslog.inputs.reader import Reader

_CHUNK = 1 << 16
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_LEAST = 64
"""Bytes without a mark that are enough to tell by."""


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell the encoding of what begins so by its mark."""
    return len(start) < 2 and any(mark.startswith(start) for mark in _MARKS)


def encoding(sample: bytes) -> str | None:
    """Return which UTF-16 a text is in that begins so, None if it is in none.

    Its mark tells, or else that all or nearly all second bytes are zero and no other is.
    """
    if sample.startswith(tuple(_MARKS)):
        return _MARKS[sample[:2]]
    pairs = len(sample) // 2
    if 2 * pairs >= _LEAST and 0 in sample:
        first, second = sample[: 2 * pairs : 2].count(0), sample[1::2].count(0)
        if not min(first, second) and max(first, second) >= 0.9 * pairs:
            return "utf-16-be" if first else "utf-16-le"
    return None


def chunks(read: Reader, name: str) -> Iterator[bytes]:
    """Yield what ``read`` gives, in the encoding ``name``, as UTF-8 without a mark."""
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    room, begun = memoryview(bytearray(_CHUNK)), False
    while True:
        count = read(room)
        text = decoder.decode(bytes(room[:count]), final=not count)
        if text and not begun:
            text, begun = text.removeprefix("\ufeff"), True
        yield text.encode()
        if not count:
            return
