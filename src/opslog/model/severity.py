"""Severity words and their OpenTelemetry numbers.

Numbers are SeverityNumber of the OpenTelemetry log data model (1-24).  A
*vocabulary* is the closed set of words one family of programs prints; a layout
accepts only the words of its vocabulary, so that an arbitrary capital word is
never taken for a level.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from opslog.model.errors import FilterError

TRACE, DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY = (
    1, 5, 9, 10, 13, 17, 18, 19, 21,
)  # fmt: skip

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
    "panic": EMERGENCY,
    "dpanic": EMERGENCY,
    "alert": ALERT,
    "emergency": EMERGENCY,
    "emerg": EMERGENCY,
}
"""Any source's level word, lower-cased, to its severity number."""

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
    # The remainder of PRI by 8, and the journal's PRIORITY.
    "syslog": {
        str(digit): number
        for digit, number in enumerate((21, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG))
    },
    # Open vSwitch and OVN: vlog.
    "ovs": {"EMER": 21, "ERR": ERROR, "WARN": WARNING, "INFO": INFO, "DBG": DEBUG},
    # RabbitMQ since 3.7.
    "rabbitmq": {
        "debug": DEBUG, "info": INFO, "notice": NOTICE, "warning": WARNING, "error": ERROR,
        "critical": 21, "alert": ALERT, "emergency": EMERGENCY,
    },
    # RabbitMQ before: kinds of reports.  A supervisor reports what failed below it.
    "rabbitmq-report": {
        "INFO": INFO, "WARNING": WARNING, "ERROR": ERROR, "CRASH": 21, "SUPERVISOR": ERROR,
        "PROGRESS": INFO,
    },
    # MariaDB and MySQL; in capitals: the scripts of state transfers.
    "mariadb": {
        "Note": INFO, "System": INFO, "Warning": WARNING, "ERROR": ERROR,
        "INFO": INFO, "WARNING": WARNING,
    },
    # Apache's error log.
    "apache": {
        "emerg": 21, "alert": ALERT, "crit": CRITICAL, "error": ERROR, "warn": WARNING,
        "notice": NOTICE, "info": INFO, "debug": DEBUG,
    } | {f"trace{depth}": max(1, 5 - depth) for depth in range(1, 9)},
    "nginx": {
        "emerg": 21, "alert": ALERT, "crit": CRITICAL, "error": ERROR, "warn": WARNING,
        "notice": NOTICE, "info": INFO, "debug": DEBUG,
    },
    "libvirt": {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR},
    # The debug level of a Ceph daemon's message; -1 is an error.
    "ceph": {"-1": ERROR, "0": INFO}
    | {str(level): DEBUG if level <= 5 else TRACE for level in range(1, 31)},
    "ceph-cluster": {"DBG": DEBUG, "INF": INFO, "WRN": WARNING, "ERR": ERROR, "SEC": NOTICE},
    # Redis and Valkey: debug, verbose, notice, warning.
    "redis": {".": DEBUG, "-": 7, "*": NOTICE, "#": WARNING},
    # etcd before 3.4 (capnslog).
    "etcd": {
        "C": 21, "E": ERROR, "W": WARNING, "N": NOTICE, "I": INFO, "D": DEBUG, "T": TRACE,
    },
    # Kubernetes and what else logs by glog or klog.
    "klog": {"I": INFO, "W": WARNING, "E": ERROR, "F": 21},
    "juju": {
        "TRACE": TRACE, "DEBUG": DEBUG, "INFO": INFO, "WARNING": WARNING, "ERROR": ERROR,
        "CRITICAL": 21,
    },
    "pacemaker": {
        "trace": TRACE, "debug": DEBUG, "info": INFO, "notice": NOTICE, "warning": WARNING,
        "error": ERROR, "crit": CRITICAL,
        # Before 1.1.8.
        "DEBUG": DEBUG, "INFO": INFO, "NOTICE": NOTICE, "WARN": WARNING, "ERROR": ERROR,
        "CRIT": CRITICAL,
    },
    "log4j": {
        "TRACE": TRACE, "DEBUG": DEBUG, "INFO": INFO, "WARN": WARNING, "ERROR": ERROR,
        "FATAL": 21,
    },
    # Any word, in small letters, capitals or with a first capital: for layouts whose
    # punctuation says that a level stands there.  "audit:" is what the kernel's audit begins with.
    "any": {
        spelling: number
        for word, number in WORDS.items()
        if word != "audit"
        for spelling in (word, word.upper(), word.capitalize())
    },
}  # fmt: skip
"""Vocabulary name to {word as printed: severity number}."""


LONGEST_WORD = 16
"""Characters a word of a vocabulary may have."""


def longest_first(words: Iterable[str]) -> list[str]:
    """Return words in the order in which they are tried."""
    return sorted(words, key=lambda word: (-len(word), word))


def prolonging(word: str) -> str:
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
            "expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) or 1-24, found",
            near[0].upper() if near else None,
        ) from None
