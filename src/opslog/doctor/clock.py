"""Of which zone local times are: what envelopes and the file's last change say."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from glob import escape

from opslog.doctor.report import ZoneGuess
from opslog.inputs.paths import STDIN
from opslog.model.errors import OpslogError
from opslog.model.zones import Zone

CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"

_EPOCH = datetime(1970, 1, 1)
_QUARTERS = (5 * 60 + 45, 8 * 60 + 45, 12 * 60 + 45)
_MINUTES = sorted([*range(-12 * 60, 14 * 60 + 1, 30), *_QUARTERS])
"""Offsets from UTC in minutes; those of a few islands are left out."""

_CLOSE, _NEAR, _AROUND = 5, 60, 60
"""Seconds between the last record and the last change of its file; around an envelope's time."""


def zone_offsets(pairs: Iterable[tuple[int, list[tuple[str, str]]]]) -> Counter[int]:
    """Return by how many minutes local times (microseconds) are ahead of their envelopes'."""
    found: Counter[int] = Counter()
    for local, attributes in pairs:
        for name, text in attributes:
            moment = _moment(text) if name.endswith(".timestamp") else None
            if moment is None:
                continue
            offset, rest = _nearest(local / 1e6 - moment.timestamp())
            if offset is not None and abs(rest) <= _AROUND:
                found[offset] += 1
    return found


def _moment(text: str) -> datetime | None:
    """Return the aware time of a text, None if it has no offset."""
    try:
        if text.isdigit() and len(text) == 16:
            return datetime.fromtimestamp(int(text) / 1e6, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def _nearest(seconds: float) -> tuple[int | None, float]:
    """Return the offset (minutes) nearest to ``seconds``, and what is left; None: none is near."""
    if not -13 * 3600 < seconds < 15 * 3600:
        return None, 0
    minutes = min(_MINUTES, key=lambda one: abs(seconds - 60 * one))
    return minutes, seconds - 60 * minutes


def guess_zone(
    source: str,
    votes: Counter[int],
    newest: int | None,
    changed: datetime | None,
    zone: Zone,
    host: str | None,
) -> ZoneGuess | None:
    """Return which zone the local times of a source are of, None if nothing says it.

    ``votes`` are as ``zone_offsets`` gives them, ``newest`` the last local time,
    ``changed`` the last change of its file, ``zone`` how they were read, and
    ``host`` the zone of this machine, taken for its name if it fits.
    """
    if newest is None:
        return None
    told = _by_envelopes(votes) or _by_change(newest, changed)
    if told is None:
        return None
    minutes, certainty, reason = told
    local = _EPOCH + timedelta(microseconds=newest)
    offset = _spelled(minutes)
    if _offset(zone.name, local, zone) == minutes:
        return ZoneGuess(zone.name, offset, certainty, reason, None)
    name = "UTC" if minutes == 0 else offset
    if host is not None and minutes and _offset(host, local, None) == minutes:
        name = host
    return ZoneGuess(name, offset, certainty, reason, zone_option(source, name))


def zone_option(source: str, zone: str) -> str:
    """Return the option that says the zone of a source, as a shell takes it."""
    stated = zone if source == STDIN else f"{escape(source)}={zone}"
    return f"--timezone {shlex.quote(stated)}"


def _by_envelopes(votes: Counter[int]) -> tuple[int, str, str] | None:
    if not votes:
        return None
    [(minutes, most)] = votes.most_common(1)
    total = votes.total()
    several = "" if most == total else "; the others say another: does the clock change?"
    certainty = CERTAIN if most == total >= 3 else LIKELY if 10 * most >= 9 * total else POSSIBLE
    return minutes, certainty, f"{most:,} of {total:,} compared with their envelopes{several}"


def _by_change(newest: int, changed: datetime | None) -> tuple[int, str, str] | None:
    if changed is None:
        return None
    minutes, rest = _nearest(newest / 1e6 - changed.timestamp())
    # What is buffered is written later than it is logged.
    if minutes is None or not -_NEAR <= rest <= 1:
        return None
    certainty = LIKELY if rest >= -_CLOSE else POSSIBLE
    return minutes, certainty, "the last of them beside the last change of the file"


def _spelled(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _offset(name: str, local: datetime, zone: Zone | None) -> float | None:
    """Return the offset (minutes) of a zone at a local time."""
    try:
        zone = zone or Zone(name)
        instant = datetime.fromtimestamp(zone.instant(local) / 1e6, UTC)
        return (zone.local(instant) - instant.replace(tzinfo=None)).total_seconds() / 60
    except (OpslogError, OverflowError, ValueError):
        return None


def host_zone() -> str | None:
    """Return the IANA name of this machine's zone, None if it is not told."""
    name = os.environ.get("TZ", "").removeprefix(":") or os.path.realpath("/etc/localtime")
    found = re.search(r"(?:^|zoneinfo/)([A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)+)$", name)
    return None if found is None else found[1]
