"""Times as people write them: ``2026-03-10 10:00``, ``yesterday``, ``2h``, ``1d12h ago``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from opslog.model.errors import FilterError
from opslog.model.zones import Zone

_UNITS = {
    "ms": 1e-3, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60,
    "mins": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600, "d": 86400,
    "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]+)")
_EXPECTED = "expected a time such as 2026-03-10, 2026-03-10T10:00:07Z, 30min, 2h, today, now, found"


def instant(text: str, zone: Zone, now: datetime | None = None) -> int:
    """Return microseconds since the epoch, in UTC, of the time ``text`` names.

    A date, or date and time, of ISO 8601 without an offset is of ``zone``; a
    date alone is its midnight.  A length of time (``90s``, ``1h30min``,
    ``-2d``, ``3 days ago``) is counted back from ``now`` (aware; the clock if
    None), whose day ``today`` and ``yesterday`` begin.  Raises FilterError.
    """
    words = text.strip().lower()
    ago = seconds(words.removesuffix("ago").strip().removeprefix("-"))
    if ago is None and words not in ("now", "today", "yesterday"):
        try:
            return zone.instant(datetime.fromisoformat(text.strip()))
        except (ValueError, OverflowError):
            raise FilterError(text, _EXPECTED) from None
    now = now or datetime.now(UTC)
    if words in ("today", "yesterday"):
        day = zone.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
        return zone.instant(day - timedelta(days=words == "yesterday"))
    try:
        return zone.instant(now - timedelta(seconds=ago or 0))
    except OverflowError:
        raise FilterError(text, _EXPECTED) from None


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
