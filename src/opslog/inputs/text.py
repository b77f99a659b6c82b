"""Whether a file holds text, which may be a log, or is known to be something else.

Told by how it begins.  In doubt it is text: a log may hold zeros where a crash, a
power cut or a rotation left a hole, and bytes of any kind inside its messages.
"""

from __future__ import annotations

import re

from opslog.inputs import utf16
from opslog.inputs._unusual import unusual

SAMPLE_BYTES = 4096
"""How many of the first bytes tell."""

_KNOWN = (
    (b"LPKSHHRH", "a journal of systemd: read `journalctl -o json --file PATH`"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "an Arrow file"),
    (b"\xff\xff\xff\xff", "an Arrow stream"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program, or the dump of one"),
    (b"PK\3\4", "a ZIP archive: unpack it"),
    (b"%PDF-", "a PDF"),
)
_MAGIC = tuple(magic for magic, _ in _KNOWN)
_TAR = b"ustar"
TAR = "a tar archive, which is read, but not followed: leave out -f, or unpack it"
"""What follows files says of an archive."""

_BINARY = "binary data; through a pipe it is read as text: `cat PATH | opslog ...`"

_ZEROS = re.compile(rb"\0+")


def not_text(sample: bytes) -> str | None:
    """Return what a file that begins with ``sample`` is if that is no text; None if it may be."""
    if sample.startswith(_MAGIC):
        return next(what for magic, what in _KNOWN if sample.startswith(magic))
    if sample[257:262] == _TAR:
        return TAR
    if utf16.encoding(sample):
        return None
    # A hole counts once, however long.
    text = _ZEROS.sub(b"\0", sample.strip(b"\0")) if 0 in sample else sample
    if 20 * unusual(text) <= len(text):
        return None
    lines = text.split(b"\n")
    clean = sum(len(line) for line in lines if not unusual(line.strip(b"\0")))
    return None if 4 * clean >= len(text) else _BINARY
