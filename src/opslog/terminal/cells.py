"""How many cells of a terminal a text takes, and what fits into some.

A character of East Asian width takes two, one that is drawn over the one before
it, or not at all, takes none.  Colors take none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_COLOR = re.compile("\x1b\\[[0-9;]*m")


def cells(text: str) -> int:
    """Return how many cells ``text`` takes."""
    if "\x1b" in text:
        text = _COLOR.sub("", text)
    return len(text) if text.isascii() else sum(map(_width, text))


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    import unicodedata  # hardly any text needs it

    if unicodedata.east_asian_width(character) in "WF":
        return 2
    # The soft hyphen is shown; vowels and ends of Hangul syllables join the beginning.
    over = unicodedata.category(character) in ("Mn", "Me", "Cf") and character != "\xad"
    return 0 if over or "\u1160" <= character <= "\u11ff" else 1


def padded(text: str, width: int, right: bool = False) -> str:
    """Return ``text`` with blanks up to ``width`` cells: behind it, or before it (``right``)."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def shortened(text: str, width: int, dots: str = "…") -> str:
    """Return ``text`` without colors, cut to ``width`` cells; ``dots`` say that it was cut."""
    if cells(text) <= width:
        return text
    return next(_pieces(text, max(width - cells(dots), 1))) + dots


def wrapped(
    text: str, width: int, most: int = 0, dots: str = "…", whole_words: bool = False
) -> list[str]:
    """Return ``text`` without colors as lines of at most ``width`` cells, broken at blanks.

    Of more than ``most`` lines (0: any number) the last one ends with ``dots``.  A word
    that is longer than a line is broken, or sticks out where ``whole_words`` are wanted.
    """
    lines, line = [], ""
    for blanks, word in re.findall(r"(\s*)(\S+)", text):
        if line and cells(line) + cells(blanks) + cells(word) <= width:
            line += blanks + word
            continue
        if line:
            lines.append(line)
        *full, line = [word] if whole_words else _pieces(word, width)
        lines += full
    lines.append(line)
    if most and len(lines) > most:
        lines[most - 1 :] = [shortened(f"{lines[most - 1]} {lines[most]}", width, dots)]
    return lines


def _pieces(text: str, width: int) -> Iterator[str]:
    """Yield ``text`` in pieces of at most ``width`` cells, of one character at least."""
    start = used = 0
    for place, character in enumerate(text):
        size = _width(character)
        if used + size > width and place > start:
            yield text[start:place]
            start, used = place, 0
        used += size
    yield text[start:]
