"""What oslo.utils masks: the same ``strutils.mask_password`` the services themselves use.

Its regexes are many and slow, so only texts go through it that hold one of the
words it looks for; others it would not change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from types import ModuleType

from opslog.model.errors import OpslogError
from opslog.stages.pseudonyms import STARS, Pseudonym, stars

_PRIVATE_USE = range(0xE000, 0xF8FF)


@cache
def _oslo() -> ModuleType:
    try:
        from oslo_utils import strutils
    except ImportError:
        raise OpslogError(
            "mask: expected oslo.utils, which knows what services mask; install opslog[mask]"
        ) from None
    return strutils


@cache
def words() -> str:
    """Return a pattern (RE2) found in every text that mask_password may change.

    Raises OpslogError where oslo.utils is not installed.
    """
    keys = "|".join(map(re.escape, _oslo()._SANITIZE_KEYS))
    # lower() makes a k of the Kelvin sign, and an i and a dot of the other.
    return f"(?i:{keys}){_behind()}|\u212a|\u0130"


def names() -> str:
    """Return a pattern found in the name of what is a secret as a whole; raises as words()."""
    return f"(?i:{'|'.join(map(re.escape, _oslo()._SANITIZE_KEYS))})[0-9]*$"


_AFTER_KEY = re.compile(r"""%\(key\)s\[0-9\]\*(?:\\s\*\[=\]|\\s\*--|\\s\+|>|\[(?:\\?['"]){2}\])""")


def _behind() -> str:
    """Return what stands behind a word, or nothing if oslo.utils has patterns of another form.

    A blank, `=`, `-`, `>` or a quote, which may stand behind a backslash: `tokens` is none.
    """
    oslo = _oslo()
    kinds = ("_FORMAT_PATTERNS_1", "_FORMAT_PATTERNS_2", "_FORMAT_PATTERNS_WILDCARD")
    patterns = [pattern for kind in kinds for pattern in getattr(oslo, kind, [""])]
    known = all(map(_AFTER_KEY.search, patterns))
    return r"[0-9]*[^0-9A-Za-z_/.,:;()\]}]" if known else ""


def masked(text: str, pseudonym: Pseudonym = stars) -> str:
    """Return ``text`` as mask_password does, but with a pseudonym in place of each ``***``."""
    mask_password: Callable[..., str] = _oslo().mask_password
    if pseudonym is stars:
        return mask_password(text)
    # A character that is not in the text shows where the secrets were.
    gap = next(char for char in map(chr, _PRIVATE_USE) if char not in text)
    pieces = mask_password(text, gap).split(gap)
    out, at = [pieces[0]], len(pieces[0])
    for piece in pieces[1:]:
        # No secret holds what follows it: a quote, a blank or the beginning of a tag.
        end = -1 if at < 0 else text.find(piece[0], at) if piece else len(text)
        out += [pseudonym(text[at:end]) if end >= 0 else STARS, piece]
        # mask_password may also leave out text that is none of these pieces.
        at = end + len(piece) if end >= 0 and text.startswith(piece, end) else -1
    return "".join(out)
