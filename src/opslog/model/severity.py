"""Severity words and their OpenTelemetry numbers: the only place where these numbers stand.

Numbers are SeverityNumber of the OpenTelemetry log data model (1-24).  A
*vocabulary* is the closed set of words one family of programs prints; a layout
accepts only the words of its vocabulary, so that an arbitrary capital word is
never taken for a level.

A word has the number that OpenTelemetry's appendix B gives it: syslog's ``crit`` is
ERROR2.  It knows two meanings of ``critical``, though: that of syslog, and the worst
level of a source, FATAL.  OpenStack's and RabbitMQ's ``critical`` is the latter, so
the word in full is FATAL and ``crit`` is ERROR2.  Who asks for CRITICAL gets both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from opslog.model.errors import FilterError

TRACE, DEBUG, VERBOSE, INFO, NOTICE, WARNING, ERROR, CRIT, ALERT, FATAL = (
    1, 5, 7, 9, 10, 13, 17, 18, 19, 21,
)  # fmt: skip
"""``CRIT`` is syslog's; ``FATAL`` is what others call critical, and syslog's emergency."""

MOST = 24

CLASSES = ("trace", "debug", "info", "warning", "error", "critical", "unknown")
"""What severities are called where they are counted or shown together."""

_LEAST = (TRACE, DEBUG, INFO, WARNING, ERROR, CRIT, MOST + 1)
CLASS_OF = tuple(
    CLASSES.index("unknown") if not number else sum(number >= least for least in _LEAST) - 1
    for number in range(256)
)
"""The place in CLASSES of each number; 0 is that of a record without severity."""

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
    "critical": FATAL,
    "crit": CRIT,
    "fatal": FATAL,
    "panic": ALERT,
    "dpanic": CRIT,
    "alert": ALERT,
    "emergency": FATAL,
    "emerg": FATAL,
    # What zerolog and Serilog print.
    "trc": TRACE,
    "vrb": TRACE,
    "inf": INFO,
    "wrn": WARNING,
    "ftl": FATAL,
    "pnc": ALERT,
}
"""Any source's level word, lower-cased, to its severity number."""

_LETTERS = {word[0]: word for word in (
    "trace", "debug", "info", "notice", "warning", "error", "critical", "fatal",
)}  # fmt: skip
"""What a single letter stands for where people write one, as glog prints it."""

_THREE_LETTERS = ("trc", "vrb", "inf", "wrn", "ftl", "pnc")
"""Words that are levels in capitals only."""

VOCABULARIES: dict[str, dict[str, int]] = {
    # logging.getLevelName; AUDIT is oslo.log's INFO + 1, TRACE its level 5.
    "oslo": {
        "INFO": INFO,
        "DEBUG": DEBUG,
        "WARNING": WARNING,
        "ERROR": ERROR,
        "CRITICAL": FATAL,
        "WARN": WARNING,
        "AUDIT": NOTICE,
        "TRACE": TRACE,
        "FATAL": FATAL,
    },
    # The remainder of PRI by 8, and the journal's PRIORITY.
    "syslog": {
        str(digit): number
        for digit, number in enumerate((FATAL, ALERT, CRIT, ERROR, WARNING, NOTICE, INFO, DEBUG))
    },
    # Open vSwitch and OVN: vlog.
    "ovs": {"EMER": FATAL, "ERR": ERROR, "WARN": WARNING, "INFO": INFO, "DBG": DEBUG},
    # RabbitMQ since 3.7.
    "rabbitmq": {
        "debug": DEBUG, "info": INFO, "notice": NOTICE, "warning": WARNING, "error": ERROR,
        "critical": FATAL, "alert": ALERT, "emergency": FATAL,
    },
    # RabbitMQ before: kinds of reports.  A supervisor reports what failed below it.
    "rabbitmq-report": {
        "INFO": INFO, "WARNING": WARNING, "ERROR": ERROR, "CRASH": FATAL, "SUPERVISOR": ERROR,
        "PROGRESS": INFO, "DEBUG": DEBUG, "NOTICE": NOTICE, "CRITICAL": FATAL, "ALERT": ALERT,
        "EMERGENCY": FATAL,
    },
    # MariaDB and MySQL; in capitals: the scripts of state transfers.
    "mariadb": {
        "Note": INFO, "System": INFO, "Warning": WARNING, "ERROR": ERROR,
        "INFO": INFO, "WARNING": WARNING,
    },
    # Apache's error log.
    "apache": {
        "emerg": FATAL, "alert": ALERT, "crit": CRIT, "error": ERROR, "warn": WARNING,
        "notice": NOTICE, "info": INFO, "debug": DEBUG,
    } | {f"trace{depth}": max(TRACE, DEBUG - depth) for depth in range(1, 9)},
    "nginx": {
        "emerg": FATAL, "alert": ALERT, "crit": CRIT, "error": ERROR, "warn": WARNING,
        "notice": NOTICE, "info": INFO, "debug": DEBUG,
    },
    "libvirt": {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR},
    # The debug level of a Ceph daemon's message; -1 is an error.
    "ceph": {"-1": ERROR, "0": INFO}
    | {str(level): DEBUG if level <= 5 else TRACE for level in range(1, 31)},
    "ceph-cluster": {"DBG": DEBUG, "INF": INFO, "WRN": WARNING, "ERR": ERROR, "SEC": NOTICE},
    # Redis and Valkey: debug, verbose, notice, warning.
    "redis": {".": DEBUG, "-": VERBOSE, "*": NOTICE, "#": WARNING},
    # etcd before 3.4 (capnslog).
    "etcd": {
        "C": FATAL, "E": ERROR, "W": WARNING, "N": NOTICE, "I": INFO, "D": DEBUG, "T": TRACE,
    },
    # Kubernetes and what else logs by glog or klog.
    "klog": {"I": INFO, "W": WARNING, "E": ERROR, "F": FATAL},
    "juju": {
        "TRACE": TRACE, "DEBUG": DEBUG, "INFO": INFO, "WARNING": WARNING, "ERROR": ERROR,
        "CRITICAL": FATAL,
    },
    "pacemaker": {
        "trace": TRACE, "debug": DEBUG, "info": INFO, "notice": NOTICE, "warning": WARNING,
        "error": ERROR, "crit": CRIT,
        # Before 1.1.8.
        "DEBUG": DEBUG, "INFO": INFO, "NOTICE": NOTICE, "WARN": WARNING, "ERROR": ERROR,
        "CRIT": CRIT,
    },
    "log4j": {
        "TRACE": TRACE, "DEBUG": DEBUG, "INFO": INFO, "WARN": WARNING, "ERROR": ERROR,
        "FATAL": FATAL,
        # java.util.logging's, as in appendix B of OpenTelemetry's data model of logs.
        "FINEST": TRACE, "FINER": DEBUG, "FINE": DEBUG + 1, "CONFIG": DEBUG + 2,
        "WARNING": WARNING, "SEVERE": ERROR,
    },
    # Any word, in small letters, capitals or with a first capital: for layouts whose
    # punctuation says that a level stands there.  "audit:" is what the kernel's audit begins with.
    "any": {
        spelling: number
        for word, number in WORDS.items()
        if word != "audit"
        for spelling in (
            (word.upper(),)
            if word in _THREE_LETTERS
            else (word, word.upper(), word.capitalize())
        )
    },
}  # fmt: skip
"""Vocabulary name to {word as printed: severity number}."""


LONGEST_WORD = 16
"""Characters a word of a vocabulary may have."""


def longest_first(words: Iterable[str]) -> list[str]:
    """Return words in the order in which they are tried."""
    return sorted(words, key=lambda word: (-len(word), word))


def continuing_characters(word: str) -> str:
    """Return the class of characters with which ``word`` would go on: it does not end there."""
    if word[-1].isalpha():
        return "[A-Za-z]"
    return "[0-9]" if word[-1].isdecimal() else re.escape(word[-1])


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

    A word may be its first letter.  Raises FilterError naming the nearest known word.
    """
    if re.fullmatch("[0-9]{1,2}", word) and TRACE <= int(word) <= MOST:
        return int(word)
    try:
        return WORDS[_LETTERS.get(word.lower(), word.lower())]
    except KeyError:
        near = [known for known in WORDS if word and known.startswith(word.lower())]
        import difflib  # start-up: most words are known

        near = near or difflib.get_close_matches(word.lower(), WORDS, n=1)
        raise FilterError(
            word,
            "expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) or 1-24, found",
            near[0].upper() if near else None,
        ) from None


def span(word: str) -> tuple[int, int]:
    """Return the least and the greatest number that ``word`` stands for in a comparison.

    They differ for CRITICAL alone, which is syslog's ``crit`` too.  Raises FilterError.
    """
    found = number(word)
    return (CRIT if _LETTERS.get(word.lower(), word.lower()) == "critical" else found), found


def ranges(text: str) -> list[tuple[int, int]]:
    """Return the ranges of numbers, ends included, that people mean by ``text``.

    A level is what it names and all above, ``WARNING..ERROR`` these and what lies between, and
    levels with commas between are these alone.  Raises FilterError.
    """
    if ".." in text:
        one, _, other = text.partition("..")
        ends = sorted((span(one), span(other)))
        return [(ends[0][0], ends[1][1])]
    if "," in text:
        return [span(word.strip()) for word in text.split(",")]
    return [(span(text)[0], MOST)]
