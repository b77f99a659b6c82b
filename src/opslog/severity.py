"""Severity words and their OpenTelemetry numbers.

Numbers are SeverityNumber of the OpenTelemetry log data model (1-24).  A
*vocabulary* is the closed set of words one family of programs prints; a layout
accepts only the words of its vocabulary, so that an arbitrary capital word is
never taken for a level.
"""

from __future__ import annotations

import difflib

from opslog.errors import FilterError

TRACE, DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY = (
    1, 5, 9, 10, 13, 17, 18, 19, 21,
)  # fmt: skip

VOCABULARIES: dict[str, dict[str, int]] = {
    # logging.getLevelName; AUDIT is oslo.log's INFO + 1, TRACE its level 5.
    "oslo": {
        "INFO": INFO,
        "DEBUG": DEBUG,
        "WARNING": WARNING,
        "ERROR": ERROR,
        "CRITICAL": 21,
        "WARN": WARNING,
        "AUDIT": NOTICE,
        "TRACE": TRACE,
        "FATAL": 21,
    },
}
"""Vocabulary name to {word as printed: severity number}."""

WORDS: dict[str, int] = {
    "trace": TRACE,
    "debug": DEBUG,
    "dbg": DEBUG,
    "info": INFO,
    "information": INFO,
    "audit": NOTICE,
    "notice": NOTICE,
    "warning": WARNING,
    "warn": WARNING,
    "error": ERROR,
    "err": ERROR,
    "severe": ERROR,
    "critical": EMERGENCY,
    "crit": CRITICAL,
    "fatal": EMERGENCY,
    "alert": ALERT,
    "emergency": EMERGENCY,
    "emerg": EMERGENCY,
}
"""Any source's level word, lower-cased, to its severity number."""


LONGEST_WORD = 16
"""Letters a word of a vocabulary may have."""


def spelled(words: dict[str, int]) -> str:
    """Return the name of a vocabulary that has none: its words, spelled out."""
    return " ".join(f"{word}={number}" for word, number in words.items())


def vocabulary(name: str) -> dict[str, int]:
    """Return the vocabulary of that name, or the one that ``spelled`` made the name of."""
    if name in VOCABULARIES:
        return VOCABULARIES[name]
    return {word: int(number) for word, _, number in (w.partition("=") for w in name.split())}


def number(word: str) -> int:
    """Return the severity number of a level ``word``, whatever its case, or of a number 1-24.

    Raises FilterError naming the nearest known word.
    """
    if word.isdecimal() and 1 <= int(word) <= 24:
        return int(word)
    try:
        return WORDS[word.lower()]
    except KeyError:
        near = difflib.get_close_matches(word.lower(), WORDS, n=1, cutoff=0.4)
        raise FilterError(
            word,
            "expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) or 1-24",
            near[0].upper() if near else None,
        ) from None
