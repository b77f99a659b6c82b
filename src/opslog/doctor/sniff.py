"""Whether a file is a log at all: what is known of those that are none."""

from __future__ import annotations

SNIFFED = 4096
"""Bytes at the beginning that tell."""

_KNOWN = (
    (b"LPKSHHRH", "a journal of systemd: read `journalctl -o json --file PATH`"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "Parquet"),
    (b"\x7fELF", "a program"),
    (b"PK\3\4", "a ZIP archive: unpack it"),
    (b"\xff\xfe", "text in UTF-16: convert it, `iconv -f UTF-16`"),
    (b"\xfe\xff", "text in UTF-16: convert it, `iconv -f UTF-16`"),
)
_TAR = b"ustar"
_CONTROL = bytes({*range(1, 9), *range(14, 27), *range(28, 32), 127})


def binary(start: bytes) -> str | None:
    """Return what a file that begins so is if it is no text; None if it may be.

    Zeros at the beginning or the end are holes that a rotation or a crash left.
    """
    for magic, what in _KNOWN:
        if start.startswith(magic):
            return what
    if start[257:262] == _TAR:
        return "a tar archive: unpack it"
    text = start.strip(b"\0")
    controls = len(text) - len(text.translate(None, _CONTROL))
    if b"\0" in text or 10 * controls > len(text):
        return "no text"
    return None
