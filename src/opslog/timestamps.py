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
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pyarrow as pa

from opslog import _program
from opslog.errors import OpslogError

_HOUR, _SIXTY = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_OFFSET = f"(?:Z|[+-]{_HOUR}:?{_SIXTY})"
_ISO = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[ T]"
    f"{_HOUR}:{_SIXTY}:(?:{_SIXTY}|60)(?:[.,][0-9]{{1,9}}+%s)?+{_OFFSET}?+"
)

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
            program.append(_program.DIRECTIVE + ord(directive))
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


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _local_microseconds(moment: datetime) -> int:
    return (moment - _EPOCH.replace(tzinfo=None)) // timedelta(microseconds=1)


def reference_of_year(year: int) -> int:
    """Return the reference for which all times without a year are of ``year``."""
    if not 1 <= year <= 9999:
        raise OpslogError(f"year: expected a number from 1 to 9999, found {year}")
    return _local_microseconds(datetime(year, 12, 31)) - 1


_FIXED = re.compile(r"([+-])(\d\d):?(\d\d)$")


class Zone:
    """A time zone named by IANA name (``Europe/Berlin``), offset (``+02:00``) or ``UTC``."""

    def __init__(self, name: str) -> None:
        self.name = name
        fixed = _FIXED.match(name)
        self._iana: str | None = None
        self._offset_us = 0
        if fixed and int(fixed[2]) < 24 and int(fixed[3]) < 60:
            minutes = int(fixed[2]) * 60 + int(fixed[3])
            self._offset_us = minutes * 60_000_000 * (-1 if fixed[1] == "-" else 1)
        elif name.upper() not in ("UTC", "Z"):
            import pyarrow.compute as pc  # start-up: most runs need none

            try:
                zoneinfo.ZoneInfo(name)
                # Arrow knows fewer names: no posix/, right/ and Factory.
                pc.assume_timezone(pa.nulls(1, pa.timestamp("us")), name)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                raise OpslogError(
                    f"time zone {name!r}: expected an IANA name such as Europe/Berlin, "
                    "an offset such as +02:00, or UTC"
                ) from None
            self._iana = name

    def instant(self, moment: datetime) -> int:
        """Return microseconds since the epoch in UTC; a naive ``moment`` is of this zone."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._info(), fold=0)
        return (moment - _EPOCH) // timedelta(microseconds=1)

    def local(self, moment: datetime) -> datetime:
        """Return the naive time in this zone of an aware ``moment``."""
        return moment.astimezone(self._info()).replace(tzinfo=None)

    def _info(self) -> tzinfo:
        if self._iana is None:
            return timezone(timedelta(microseconds=self._offset_us))
        return zoneinfo.ZoneInfo(self._iana)

    def reference(self, moment: datetime | None) -> int | None:
        """Return what tells years that lack, as at ``moment``; a naive one is of this zone."""
        if moment is None:
            return None
        return _local_microseconds(moment if moment.tzinfo is None else self.local(moment))

    def to_utc(self, local: pa.Array, has_offset: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """Turn ``local`` (int64 microseconds, nullable) into UTC int64 microseconds.

        Where ``has_offset`` (bool) is true the value is UTC already.  An
        ambiguous local time takes the earlier instant, a skipped one the
        later; the second result marks both (bool), or is None if there is none.
        """
        if self._iana is None and self._offset_us == 0:
            return local, None
        import pyarrow.compute as pc  # start-up: most runs need none

        if self._iana is None:
            return pc.if_else(has_offset, local, pc.subtract(local, self._offset_us)), None
        naive = local.cast(pa.timestamp("us"))
        utc, other = (
            pc.assume_timezone(naive, self._iana, ambiguous=first, nonexistent=second).cast(
                pa.int64()
            )
            for first, second in (("earliest", "latest"), ("latest", "earliest"))
        )
        utc = pc.if_else(has_offset, local, utc)
        marked = pc.fill_null(pc.and_(pc.not_equal(utc, other), pc.invert(has_offset)), False)
        if not pc.any(marked).as_py():
            return utc, None
        # Arrow moves every skipped time to the end of the gap; fold 0 keeps their order.
        zone = zoneinfo.ZoneInfo(self._iana)
        exact = [
            round(value.replace(tzinfo=zone, fold=0).timestamp() * 1e6)
            for value in naive.filter(marked).to_pylist()
        ]
        return pc.replace_with_mask(utc, marked, pa.array(exact, pa.int64())), marked
