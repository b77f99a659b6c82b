"""Text from logs, files and arguments, made harmless for a terminal."""

from __future__ import annotations

import re

_HARMFUL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators, what turns the direction of text, bytes that are none."""


def harmless(text: str) -> str:
    """Return ``text`` with every harmful character written out."""
    return text if text.isprintable() else _HARMFUL.sub(_written, text)


def harmless_lines(text: str) -> str:
    """Return ``text`` likewise, but with its line breaks."""
    return "\n".join(map(harmless, text.split("\n")))


def cells(text: str) -> int:
    """Return how many cells of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    import unicodedata  # hardly any text needs it

    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char)
        for char in text
    )


def _written(match: re.Match[str]) -> str:
    return {"\t": "\\t", "\r": "\\r", "\n": "\\n"}.get(match[0]) or (
        f"\\x{ord(match[0]):02x}" if match[0] < "\x80" else f"\\u{ord(match[0]):04x}"
    )
