"""Values of options as people write them: numbers, lengths of time, parts, levels, statuses, ids.

Each function returns the value of a text, or raises ArgumentTypeError, which says
what was expected and what was found; the parser says for which option.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

from opslog.filters import ids, times
from opslog.model import schema, severity, zones
from opslog.model.column_words import meant
from opslog.model.errors import OpslogError

T = TypeVar("T")

MANY = 10**12
"""A count nobody reaches."""


def number(least: int, most: int = MANY) -> Callable[[str], int]:
    """Return what reads a whole number in this range."""

    def read(text: str) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text) and least <= int(text) <= most:
            return int(text)
        upto = f" to {most:,}" if most < MANY else ""
        raise ArgumentTypeError(f"expected a number from {least:,}{upto}, found {text!r}")

    return read


def percent(text: str) -> float:
    """Return a percentage from 0 to 100."""
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,9})?", text) and float(text) <= 100:
        return float(text)
    raise ArgumentTypeError(f"expected a number from 0 to 100, found {text!r}")


def seconds(least: float, example: str) -> Callable[[str], float]:
    """Return what reads a length of time in seconds, which a number without a unit has."""

    def read(text: str) -> float:
        bare = re.fullmatch(r"[0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9}", text)
        found = float(text) if bare else times.seconds(text.strip().lower())
        if found is None or not least <= found <= _LONGEST:
            raise ArgumentTypeError(
                f"expected a length of time such as {example} ({least:g} s to 30 years), "
                f"found {text!r}"
            )
        return found

    return read


_LONGEST = 30 * 365 * 86400


def year(text: str) -> int:
    """Return the year of times without one."""
    first, last = zones.FIRST_YEAR, zones.LAST_YEAR
    if re.fullmatch(r"[0-9]{4}", text) and first <= int(text) <= last:
        return int(text)
    raise ArgumentTypeError(f"expected a year from {first} to {last}, found {text!r}")


def part(text: str) -> float:
    """Return a part of a whole, above 0 and up to 1: ``0.01``, ``1%``, ``1/100``."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?:(%)|/([0-9]{1,9}))?", text)
    whole = 100 if match and match[2] else int(match[3] or 1) if match else 0
    found = float(match[1]) / whole if match and whole else 0.0
    if not 0 < found <= 1:
        raise ArgumentTypeError(
            f"expected a part above 0 and up to 1, such as 0.01, 1% or 1/100, found {text!r}"
        )
    return found


def rate(text: str) -> tuple[int, float] | tuple[int, float, tuple[str, ...]]:
    """Return records, seconds and, where they are named, columns: ``100/s``, ``20/5min:logger``."""
    match = re.fullmatch(r"([0-9]{1,9})/([^:]+)(?::(.+))?", text)
    length = match and times.seconds(match[2] if match[2][:1].isdigit() else f"1{match[2]}")
    if not match or not length or not int(match[1]):
        raise ArgumentTypeError(
            f"expected a number of records and a length of time such as 100/s or 20/5min, "
            f"found {text!r}"
        )
    if match[3] is None:
        return int(match[1]), length
    return int(match[1]), length, tuple(match[3].split(","))


def names(text: str) -> tuple[str, ...]:
    """Return names with commas between."""
    found = tuple(text.split(","))
    if "" in found:
        raise ArgumentTypeError(f"expected names with commas between, found {text!r}")
    return found


def columns(text: str) -> tuple[str, ...]:
    """Return names of columns, each once."""
    found = names(text.replace(" ", ""))
    for number, name in enumerate(found):
        if name not in schema.BY_NAME:
            near = meant(name, schema.BY_NAME)
            raise ArgumentTypeError(
                f"expected names of columns (`opslog schema` lists them), found {name!r}"
                + (f"; did you mean {near!r}?" if near else "")
            )
        if name in found[:number]:
            raise ArgumentTypeError(f"expected each column once, found {name!r} twice")
    return found


def display_zone(text: str) -> zones.Zone:
    """Return the zone of this name."""
    return _checked(zones.Zone, text)


def zone(text: str) -> str:
    """Return ``ZONE`` or ``PATTERN=ZONE`` as it is written, if there is such a zone."""
    _checked(lambda stated: zones.Zones(zones.stated([stated])), text)
    return text


def level(text: str) -> str:
    """Return a severity, a list or a range of them as it is written, if there are such."""
    _checked(severity.ranges, text)
    return text


def status(text: str) -> tuple[int, int]:
    """Return the first and the last HTTP status of ``404``, ``5xx`` or ``400-499``."""
    match = re.fullmatch(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", text.lower())
    first, last = 0, -1
    if match:
        first = 100 * int(match[1]) if match[1] else int(match[2])
        last = first + 99 if match[1] else int(match[3] or first)
    if last < first:
        raise ArgumentTypeError(
            f"expected a status from 100 to 599 such as 404, 5xx or 400-499, found {text!r}"
        )
    return first, last


def whole_or_short_id(text: str) -> str:
    """Return an id, or its beginning, unless it is too short."""
    _checked(ids.is_whole, text)
    return text


def id_before_paths(text: str) -> str:
    """Return an id, or its beginning, unless it is too short or the name of a file."""
    if os.path.exists(text):
        raise ArgumentTypeError(f"expected an id, then the logs, found a file: {text!r}")
    return whole_or_short_id(text)


def id_or_pattern(text: str) -> str:
    """Return an id, its beginning, or a pattern with ``*`` or ``?``, unless it is too short."""
    return text if set("*?") & set(text) else whole_or_short_id(text)


def fingerprints(text: str) -> tuple[str, ...]:
    """Return fingerprints, or their beginnings, with commas between."""
    found = tuple(text.lower().split(","))
    if not all(re.fullmatch("[0-9a-f]{6,16}", one) for one in found):
        raise ArgumentTypeError(
            "expected the id of an error as `opslog stats` shows it, 16 hexadecimal digits, or at "
            f"least the first 6, several with commas between; found {text!r}"
        )
    return found


def _checked(check: Callable[[str], T], text: str) -> T:
    """Return what ``check`` makes of the text; what it raises is about the option."""
    try:
        return check(text)
    except OpslogError as error:
        raise ArgumentTypeError(str(error)) from None
