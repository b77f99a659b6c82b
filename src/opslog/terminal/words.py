"""Amounts as people read them: counts with their noun, and lengths of time."""

from __future__ import annotations

NOT_MASKED = "Not masked: it may hold secrets (--mask)."
"""What a page says that is made without --mask."""


def count(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 record``, ``2,000 records``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def three_digits(seconds: float | None) -> str:
    """Return a length of time with three digits in the unit that fits it, ``-`` for none."""
    if seconds is None:
        return "-"
    factor, unit = (1, "s") if seconds >= 1 else (1e3, "ms") if seconds >= 1e-3 else (1e6, "us")
    return f"{float(f'{seconds * factor:.3g}'):,g} {unit}"


def clock_duration(seconds: float | None) -> str:
    """Return a length of time as a clock shows it: 4 ms, 2.31 s, 12:07, 3:12:07, 5 d 3:12."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24:,} d {hours % 24}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def whole_unit(seconds: float) -> str:
    """Return a length of time in the largest unit of which it is a whole number: 5 min, 90 s."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:g} s"


def two_units(seconds: float) -> str:
    """Return a length of time in its two largest units from minutes on: 2 d 3 h, 0 min."""
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{rest} min"]
    return " ".join([part for part in parts if part][:2])
