"""Ids as people write them: whole, or by their beginning, as text for people shows them."""

from __future__ import annotations

import re

from opslog.model.errors import FilterError

LEAST = 8
"""Digits of a beginning that tell an id from others, and characters of an id of another kind."""

_DIGITS = re.compile(r"(req-|tx|)([0-9a-f-]+)")
_WHOLE = re.compile(
    r"(?:req-)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})"
    r"|tx[0-9a-f]{21}-[0-9a-f]{10}"
)
_UNDASHED = re.compile(r"^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$")


def is_whole(text: str) -> bool:
    """Return whether ``text`` is a whole id, not only its beginning, as ``req-7822cfee`` is.

    Raises FilterError for text that is too short for both.
    """
    found = _DIGITS.fullmatch(text.lower())
    size = len(found[2].replace("-", "")) if found else len(text)
    if size < LEAST:
        raise FilterError(
            text, f"expected an id, or at least its first {LEAST} digits, as in req-7822cfee, found"
        )
    return found is None or _WHOLE.fullmatch(text.lower()) is not None


def request_spellings(text: str) -> tuple[str, ...]:
    """Return what ``text`` may stand for: a UUID or a trace id also for the id with ``req-``."""
    lower = text.lower()
    found = [text, lower]
    if re.fullmatch("[0-9a-f-]+", lower):
        found.append("req-" + _UNDASHED.sub(r"\1-\2-\3-\4-\5", lower))
    return tuple(dict.fromkeys(found))
