"""Text from logs, files and arguments, escaped for a terminal.

What a terminal would obey, and what nobody can see, is written out.  A log is
evidence: two texts that look alike must be alike, and a text must stand where
and in the order in which it was written.  So of Unicode's characters none is
shown as it is that

- controls (Cc), or formats (Cf): bidi controls turn text around, tags (U+E0000...)
  and zero-width characters hide in it;
- ends a line (Zl, Zp);
- has no meaning that everybody shares: surrogates (Cs; bytes that are no text), private
  use (Co), not assigned (Cn), which a font may draw as it likes;
- is ignorable by default though it counts as a letter or mark: variation selectors,
  fillers, the grapheme joiner.

Marks that combine with a letter are visible and stay, and so does any kind of blank.
Joiners are written out even inside emoji: that shows their parts.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What is printable by its category, but ignorable: Default_Ignorable_Code_Point of Unicode."""

_BLANKS = (
    "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""Zs, which str.isprintable does not count as such."""

_UNCLEAR = re.compile("[^ -~]")

_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}


def escaped(text: str) -> str:
    """Return ``text`` with what a terminal must not get written out, as Python would write it."""
    if text.isprintable() and (text.isascii() or not _INVISIBLE.search(text)):
        return text
    return _UNCLEAR.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    char = match[0]
    if (char.isprintable() or char in _BLANKS) and not _INVISIBLE.match(char):
        return char
    code = ord(char)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _ESCAPES.get(char) or (f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}")


def escaped_lines(text: str) -> str:
    """Return ``text`` likewise, but with its line breaks."""
    return "\n".join(map(escaped, text.split("\n")))
