"""The time zones of sources: one for all, or one by the name of the source."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from opslog.model.errors import OpslogError
from opslog.model.hosts import host_of_path
from opslog.model.instants import EPOCH, micros_of

if TYPE_CHECKING:
    import pyarrow as pa


def local_microseconds(moment: datetime) -> int:
    """Return microseconds from the epoch, of the same zone, to the naive ``moment``."""
    return (moment - EPOCH.replace(tzinfo=None)) // timedelta(microseconds=1)


FIRST_YEAR, LAST_YEAR = 1970, 9999
"""Years that may be given for times without one."""


def reference_of_year(year: int) -> int:
    """Return the reference with which all times without a year are of ``year``.

    It is a local time in microseconds since the epoch.  Raises OpslogError for a year that is
    not from FIRST_YEAR to LAST_YEAR.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise OpslogError(f"year: expected one from {FIRST_YEAR} to {LAST_YEAR}, found {year}")
    return local_microseconds(datetime(year, 12, 31)) - 1


def _fitting(name: str) -> list[str]:
    """Return the IANA names that ``name`` is, or whose last part it is."""
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    else:
        return [name]
    said = name.strip().lower().replace(" ", "_")
    known = sorted(zoneinfo.available_timezones())
    if whole := [one for one in known if one.lower() == said]:
        return whole[:1]
    return [one for one in known if one.lower().rpartition("/")[2] == said]


_UTC = ("UTC", "Z", "ZULU", "UCT", "UNIVERSAL", "GMT", "GREENWICH")
"""What UTC is called, ``Etc/`` before it or not."""

_UNKNOWN_TO_ARROW = re.compile("(?:posix|right)/|Factory$|posixrules$")
"""Names of the system's files that are none of the zones Arrow has.  It is not asked itself:
most runs that are told a zone need no Arrow."""

_FIXED = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?$")


class Zone:
    """A time zone: an IANA name (``Europe/Berlin``), an offset (``+02:00``, ``+2``) or ``UTC``.

    Of an IANA name its last part is enough, in letters of any case, if no other has it:
    ``berlin``.  Raises OpslogError for any other name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        fixed = _FIXED.match(name)
        self._iana: str | None = None
        self._offset_us = 0
        self._told: tuple[datetime | None, int] = None, 0
        """The last reference: thousands of streams ask for that of one moment."""
        if fixed and int(fixed[2]) < 24 and int(fixed[3] or 0) < 60:
            minutes = int(fixed[2]) * 60 + int(fixed[3] or 0)
            self._offset_us = minutes * 60_000_000 * (-1 if fixed[1] == "-" else 1)
        elif name.upper().removeprefix("ETC/") not in _UTC:
            fitting = _fitting(name)
            if len(fitting) != 1 or _UNKNOWN_TO_ARROW.match(fitting[0]):
                several = f": one of {', '.join(fitting)}" if fitting[1:] else ""
                raise OpslogError(
                    "expected a time zone: an IANA name such as Europe/Berlin, an offset such as "
                    f"+02:00, or UTC; found {name!r}{several}"
                )
            self._iana = self.name = fitting[0]

    @property
    def offset(self) -> int | None:
        """Microseconds by which local times are ahead of UTC; None if that changes."""
        return self._offset_us if self._iana is None else None

    def instant(self, moment: datetime) -> int:
        """Return microseconds since the epoch in UTC; a naive ``moment`` is of this zone."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._info(), fold=0)
        return micros_of(moment)

    def local(self, moment: datetime) -> datetime:
        """Return the naive time in this zone of an aware ``moment``."""
        return self.aware(moment).replace(tzinfo=None)

    def aware(self, moment: datetime) -> datetime:
        """Return an aware ``moment`` as one of this zone; raises OverflowError before year 1."""
        return moment.astimezone(self._info())

    def to_local(self, utc: pa.Array) -> pa.Array:
        """Turn ``utc`` (int64 microseconds, nullable) into local int64 microseconds."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._iana is None:
            return pc.add(utc, self._offset_us)
        return pc.local_timestamp(utc.cast(pa.timestamp("us", self._iana))).cast(pa.int64())

    def _info(self) -> tzinfo:
        if self._iana is None:
            return timezone(timedelta(microseconds=self._offset_us))
        from zoneinfo import ZoneInfo

        return ZoneInfo(self._iana)

    def reference(self, moment: datetime | None) -> int | None:
        """Return the reference of ``moment``: the local time, in microseconds since the epoch.

        A naive moment is of this zone.  None if there is no moment.
        """
        if moment is None:
            return None
        if moment is not self._told[0]:
            if moment.tzinfo is None:
                local = local_microseconds(moment)
            elif self._iana is None:
                local = micros_of(moment) + self._offset_us
            else:
                local = local_microseconds(self.local(moment))
            self._told = moment, local
        return self._told[1]

    def to_utc(self, local: pa.Array, has_offset: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """Turn ``local`` (int64 microseconds, nullable) into UTC int64 microseconds.

        Where ``has_offset`` (bool) is true the value is UTC already.  An
        ambiguous local time takes the earlier instant, a skipped one the
        later; the second result marks both (bool), or is None if there is none.
        """
        if self._iana is None and self._offset_us == 0:
            return local, None
        import zoneinfo

        import pyarrow as pa
        import pyarrow.compute as pc

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


_POSIX = re.compile(r"(?:<[^>]+>|[A-Za-z]{3,})([+-]?)([0-9]{1,2})(?::([0-9]{2}))?$")
"""A zone of one offset as POSIX spells it in TZ: how far it is behind UTC."""


def own_zone() -> Zone:
    """Return the zone of this machine's user, as TZ and /etc/localtime name it.

    UTC where they name none, or a rule of POSIX instead of a name.
    """
    import zoneinfo

    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        with suppress(OSError):
            name = os.readlink("/etc/localtime")
    name = re.sub("^(?:posix|right)/", "", name.rpartition("zoneinfo/")[2])
    if behind := _POSIX.match(name):
        sign = "+" if behind[1] == "-" else "-"
        name = f"{sign}{behind[2]}:{behind[3] or '00'}"
    else:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return Zone("UTC")
    with suppress(OpslogError):
        zone = Zone(name)
        return zone if zone.offset != 0 else Zone("UTC")
    return Zone("UTC")


Timezone: TypeAlias = str | Mapping[str, str]
"""The name of a zone, or names by shell patterns of sources; ``*`` is for all others, else UTC."""


class Zones:
    """The zone of each source; raises OpslogError for a zone there is not.

    A pattern is for sources whose name, path as given, or whole path it matches, which may
    begin with any folder; ``host:NAME`` is for those whose path tells a host of this name.
    """

    def __init__(self, timezone: Timezone) -> None:
        stated = {"*": timezone} if isinstance(timezone, str) else timezone
        self.default = Zone(stated.get("*", "UTC"))
        self._patterns = [
            (pattern, _zone(pattern, name)) for pattern, name in stated.items() if pattern != "*"
        ]

    def of(self, source: str) -> Zone:
        """Return the zone of a source: the last one whose pattern is for it."""
        return self.said_for(source)[1]

    def said_for(self, source: str) -> tuple[str, Zone]:
        """Return the pattern, too; ``*`` where no other is for this source."""
        for pattern, zone in reversed(self._patterns):
            if _is_for(pattern, source):
                return pattern, zone
        return "*", self.default


_HOST = "host:"


def _is_for(pattern: str, source: str) -> bool:
    if pattern.startswith(_HOST):
        host = host_of_path(source)
        return host is not None and fnmatchcase(host, pattern.removeprefix(_HOST))
    if fnmatchcase(source, pattern) or fnmatchcase(source.rpartition("/")[2], pattern):
        return True
    if "/" not in pattern or source == "-" or "://" in source:
        return False
    whole = os.path.abspath(source)
    return fnmatchcase(whole, pattern) or fnmatchcase(whole, f"*/{pattern}")


@dataclass(frozen=True, slots=True)
class TimeDefaults:
    """What is taken for the offset, and the year, of times that have none."""

    zones: Zones
    reference: int | None = None
    """A local time in microseconds since the epoch: a time without a year is of the newest year
    in which it is at most a day later.  None: each source has its own reference."""

    @classmethod
    def of(cls, timezone: Timezone, year: int | None) -> TimeDefaults:
        """Return the defaults of these zones and this year; raises OpslogError for a wrong one."""
        return cls(Zones(timezone), None if year is None else reference_of_year(year))


def _zone(pattern: str, name: str) -> Zone:
    try:
        return Zone(name)
    except OpslogError as error:
        raise OpslogError(f"for sources like {pattern!r}: {error}") from None


def stated(texts: Iterable[str]) -> dict[str, str]:
    """Return the zones of texts ``ZONE`` and ``PATTERN=ZONE``; of a pattern the last counts.

    Raises OpslogError for one without a pattern before, or a zone behind, its ``=``.
    """
    zones: dict[str, str] = {}
    for text in texts:
        pattern, equals, zone = text.rpartition("=")
        if equals and not (pattern and zone):
            raise OpslogError(f"expected ZONE, or PATTERN=ZONE such as *ovs*=UTC, found {text!r}")
        key = pattern or "*"
        zones.pop(key, None)
        zones[key] = zone
    return zones
