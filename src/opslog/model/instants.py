"""Instants: microseconds since the epoch in UTC, and the same as Python's times and as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_time(micros: int) -> datetime:
    """Return an instant as an aware time in UTC, the first there is for one before that."""
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def micros_of(time: datetime) -> int:
    """Return the microseconds of an aware time."""
    return (time - EPOCH) // timedelta(microseconds=1)


def rfc3339(time: datetime, precision: str = "microseconds") -> str:
    """Return an aware time as text in UTC, ``2026-03-10T10:00:00.000000Z``."""
    return time.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
