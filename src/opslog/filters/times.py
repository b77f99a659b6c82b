"""Times as people write them: ``2026-03-10 10:00``, ``Feb 4 10:00``, ``yesterday``, ``2h``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from opslog.model.errors import FilterError
from opslog.model.zones import Zone

_UNITS = {
    "ms": 1e-3, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60,
    "mins": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600, "d": 86400,
    "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]+)")
_EXPECTED = (
    "expected a time such as 2026-03-10, 2026-03-10T10:00:07Z, 10:00, Feb 4 10:00, yesterday, 2h, "
    "@1773136807, found"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WHOLE_WEEKDAYS = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_NAMES: dict[str, tuple[str, int]] = {
    name: (kind, number)
    for kind, words in (
        ("month", _MONTHS), ("month", _WHOLE_MONTHS), ("weekday", _WEEKDAYS),
        ("weekday", _WHOLE_WEEKDAYS), ("ago", ("today", "yesterday")),
    )
    for number, name in enumerate(words)
} | {"sept": ("month", 8), "tues": ("weekday", 1), "thurs": ("weekday", 3)}  # fmt: skip
_WORD = re.compile(
    r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)(?P<behind>[+-][0-9:]{4,5}|z)?"
    r"|(?P<iso>[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2})"
    r"|(?P<apache>[0-9]{1,2}/[a-z]{3}/[0-9]{4})(?::(?P<its_clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?"
    r"|(?P<year>[0-9]{4})|(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
    r"|(?P<zone>z|utc|gmt|[+-][0-9]{2}:?[0-9]{2})|(?P<name>[a-z]+)\.?",
)
_EPOCH = re.compile(r"@(-?[0-9]{1,11}(?:\.[0-9]{1,9})?)|([0-9]{10})(?:[0-9]{3})?")


def instant(text: str, zone: Zone, now: datetime | None = None, last: date | None = None) -> int:
    """Return microseconds since the epoch, in UTC, of the time ``text`` names.

    Without an offset it is of ``zone``; a day alone is its midnight.  A time of day alone is of
    ``last``, the day of the last record, and a day without a year the last such day until then;
    if it is None, the former is an error and the latter is counted from now.  Seconds since the
    epoch have an ``@`` before them, or ten digits.  A length of time (``90s``, ``1h30min``,
    ``-2d``, ``3 days ago``) is counted back from ``now`` (aware; the clock if None), whose day
    ``today``, ``yesterday`` and ``monday`` are counted from.  Raises FilterError.
    """
    words = text.strip().lower()
    now = now or datetime.now(UTC)
    try:
        if (found := _instant(words, zone, now)) is not None:
            return found
        try:
            return zone.instant(datetime.fromisoformat(text.strip()))
        except ValueError:
            said = _said(words)
        today = zone.local(now).date()
        if said.is_clock:
            if last is None:
                raise FilterError(
                    text, "expected a day beside the time, as in today 10:00 or 2026-03-10 10:00, "
                    "found",
                )  # fmt: skip
            return zone.instant(said.on(last))
        return zone.instant(said.on(said.day(last if said.is_partial and last else today)))
    except (ValueError, OverflowError):
        raise FilterError(text, _EXPECTED) from None


def is_clock(text: str) -> bool:
    """Return whether ``text`` is a time of day alone: ``10:00``."""
    return (said := _said_or_none(text)) is not None and said.is_clock


def is_partial(text: str) -> bool:
    """Return whether ``text`` leaves its day, or the year of it, to the logs."""
    return (said := _said_or_none(text)) is not None and said.is_partial


def _said_or_none(text: str) -> _Said | None:
    try:
        return _said(text.strip().lower())
    except ValueError:
        return None


def _instant(words: str, zone: Zone, now: datetime) -> int | None:
    """Return what is counted from the epoch or back from now, None for other words."""
    if epoch := _EPOCH.fullmatch(words):
        whole = words if epoch[2] else epoch[1]
        return round(float(whole) * (1000 if epoch[2] and len(whole) > 10 else 1e6))
    if words == "now":
        return zone.instant(now)
    ago = seconds(words.removesuffix("ago").strip().removeprefix("-"))
    return None if ago is None else zone.instant(now - timedelta(seconds=ago))


@dataclass(slots=True)
class _Said:
    """What the words of a time say, each at most once."""

    iso: date | None = None
    clock: time | None = None
    year: int | None = None
    month: int | None = None
    number: int | None = None
    weekday: int | None = None
    ago: int | None = None
    zone: tzinfo | None = None

    @property
    def is_clock(self) -> bool:
        """Whether a time of day is said, and no day."""
        parts = (self.iso, self.year, self.month, self.number, self.weekday, self.ago)
        return self.clock is not None and all(part is None for part in parts)

    @property
    def is_partial(self) -> bool:
        """Whether no day is said, or no year of it."""
        return self.is_clock or (self.month is not None and self.year is None)

    def day(self, today: date) -> date:
        """Return the day; raises ValueError where the words are not one."""
        named = [self.iso is not None, self.month is not None, self.ago is not None]
        if sum(named) > 1 or (self.number is None) != (self.month is None):
            raise ValueError(self)
        if self.iso is not None and self.year is None:
            return self.iso
        if self.month is not None:
            return self._of_month(today)
        if self.ago is not None and self.weekday is None and self.year is None:
            return today - timedelta(days=self.ago)
        if self.weekday is not None and self.iso is None and self.ago is None and self.year is None:
            return today - timedelta(days=(today.weekday() - self.weekday) % 7)
        raise ValueError(self)

    def _of_month(self, today: date) -> date:
        """Return the day of the year said, or the last that is not after tomorrow."""
        if self.year is not None:
            return date(self.year, self.month or 0, self.number or 0)
        for year in range(today.year + 1, today.year - 9, -1):  # a leap day may be far back
            try:
                found = date(year, self.month or 0, self.number or 0)
            except ValueError:
                continue
            if found <= today + timedelta(days=1):
                return found
        raise ValueError(self)

    def on(self, day: date) -> datetime:
        """Return the time on this day."""
        return datetime.combine(day, self.clock or time(), self.zone)


def _said(words: str) -> _Said:
    """Return what ``words``, in small letters, say; raises ValueError for any other word."""
    said = _Said()
    for word in words.replace(", ", " ").split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(word)
        for part, value in _parts(match):
            if getattr(said, part) is not None:
                raise ValueError(words)  # said twice
            setattr(said, part, value)
    return said


def _parts(match: re.Match[str]) -> Iterable[tuple[str, object]]:
    """Yield what one word says; raises ValueError."""
    found = match.groupdict()
    if found["clock"] or found["its_clock"]:
        yield "clock", _clock(found["clock"] or found["its_clock"])
    if found["iso"]:
        year, month, day = map(int, re.split("[-/]", found["iso"]))
        yield "iso", date(year, month, day)
    elif found["apache"]:
        day_of, name, year_of = found["apache"].split("/")
        yield "iso", date(int(year_of), _MONTHS.index(name) + 1, int(day_of))
    elif found["year"]:
        yield "year", int(found["year"])
    elif found["day"]:
        yield "number", int(found["day"])
    elif found["name"]:
        kind, number = _NAMES.get(found["name"], ("", 0))
        if not kind:
            raise ValueError(found["name"])
        yield kind, number + (kind == "month")
    if zone := found["zone"] or found["behind"]:
        offset = "+0000" if zone in ("z", "utc", "gmt") else zone
        yield "zone", datetime.strptime(offset, "%z").tzinfo


def _clock(text: str) -> time:
    whole, _, fraction = text.replace(",", ".").partition(".")
    hour, minute, second = map(int, (whole + ":0").split(":")[:3])
    return time(hour, minute, second, int(f"{fraction:0<6}"[:6]))


def seconds(text: str) -> float | None:
    """Return the seconds of a length of time (``90s``, ``1h30min``), None for any other text."""
    total, position = 0.0, 0
    while match := _PART.match(text, position):
        unit = _UNITS.get(match[2])
        if unit is None:
            return None
        total += float(match[1]) * unit
        position = match.end()
    return total if position and position == len(text) else None
