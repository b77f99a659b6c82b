"""Kinds of timestamps a layout can name, and time zones.

A *kind* is ``iso``, ``iso-msecs`` or a strftime pattern such as
``%d/%b/%Y:%H:%M:%S``.  Each compiles to a scanner operation and to a regular
expression that accept the same text.  The scanner yields microseconds since
the epoch; a text without an offset is local time, turned into UTC later by
the source's zone.  A text without a year is of the newest year in which it is
at most a day later than the source's *reference*, a local time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOUR, _SIXTY = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_OFFSET = f"(?:Z|[+-]{_HOUR}:?{_SIXTY})"
_ISO = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[ T]"
    f"{_HOUR}:{_SIXTY}:(?:{_SIXTY}|60)(?:[.,][0-9]{{1,9}}+%s)?+{_OFFSET}?+"
)

DIRECTIVE = 256
"""What a directive's letter stands above in a program: below it are literal bytes."""

DIRECTIVES: dict[str, str] = {
    "Y": "[0-9]{4}",
    "m": "(?:0[1-9]|1[0-2])",
    "d": "(?:0[1-9]|[12][0-9]|3[01])",
    "b": f"(?:{'|'.join(_MONTHS)})",
    "a": f"(?:{'|'.join(_DAYS)})",
    "y": "[0-9]{2}",
    "H": _HOUR,
    "M": _SIXTY,
    "S": f"(?:{_SIXTY}|60)",
    "e": "(?: *+(?:0[1-9]|[12][0-9]|3[01]|[1-9](?![0-9])))",
    "k": "(?:[01][0-9]|2[0-3]| ?[0-9](?![0-9]))",
    "f": "[0-9]{1,9}+",
    "L": "[0-9]{1,3}+",
    "z": _OFFSET,
    "Z": "(?:UTC|GMT)",
    "s": "[0-9]{1,11}+",
}
"""strftime directives a pattern may use, and what each accepts.

``%f`` is a decimal fraction of a second (1-9 digits), ``%L`` whole
milliseconds (1-3 digits, as ``%(msecs)d`` prints them), ``%s`` seconds since
the epoch.  ``%e`` is a day, of one or two digits behind any number of blanks;
``%k`` an hour, of two digits, one, or one behind a blank.  ``%a`` is accepted and ignored.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A timestamp kind: its ``regex`` and its scanner ``program`` (None for the ISO operation)."""

    name: str
    regex: str
    program: tuple[int, ...] | None


def kind(name: str) -> Kind:
    """Return the timestamp kind called ``name``; raises ValueError with the reason."""
    if name == "iso":
        return Kind(name, _ISO % "", None)
    if name == "iso-msecs":
        # oslo prints asctime, "." and msecs; asctime itself may end in ",mmm".
        return Kind(name, _ISO % r"(?:\.[0-9]{3})?+", None)
    if "%" in name:
        return _pattern(name)
    raise ValueError(
        f"unknown timestamp kind {name!r}: expected iso, iso-msecs or a strftime pattern"
    )


def _pattern(text: str) -> Kind:
    regex: list[str] = []
    program: list[int] = []
    used: set[str] = set()
    position = 0
    while position < len(text):
        char = text[position]
        if char != "%":
            regex.append(re.escape(char))
            program += char.encode()
            position += 1
            continue
        directive = text[position + 1 : position + 2]
        expanded = {"T": "%H:%M:%S", "F": "%Y-%m-%d", "D": "%m/%d/%y", "R": "%H:%M"}.get(directive)
        if expanded:
            text = text[:position] + expanded + text[position + 2 :]
            continue
        if directive == "%":
            regex.append("%")
            program.append(ord("%"))
        elif directive in DIRECTIVES:
            regex.append(DIRECTIVES[directive])
            program.append(DIRECTIVE + ord(directive))
            used.add(directive)
        else:
            raise ValueError(
                f"timestamp pattern {text!r}: %{directive} is not supported; "
                f"expected one of {' '.join('%' + d for d in DIRECTIVES)}"
            )
        position += 2
    if "s" not in used and not (used & {"m", "b"} and used & {"d", "e"}):
        raise ValueError(f"timestamp pattern {text!r} does not name month and day")
    return Kind(text, "".join(regex), tuple(program))
