"""Which time zone is whose: a zone for all sources, or one by the name of the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from opslog.errors import OpslogError
from opslog.timestamps import Zone, reference_of_year

Timezone: TypeAlias = str | Mapping[str, str]
"""A zone, or zones by patterns of source names; ``*`` is the one of all others, else UTC."""


class Zones:
    """The zone of each source."""

    def __init__(self, timezone: Timezone) -> None:
        stated = {"*": timezone} if isinstance(timezone, str) else timezone
        self.default = Zone(stated.get("*", "UTC"))
        self._patterns = [
            (pattern, _zone(pattern, name)) for pattern, name in stated.items() if pattern != "*"
        ]

    def of(self, source: str) -> Zone:
        """Return the zone of a source: the last whose pattern is like its path or file name."""
        name = source.rpartition("/")[2]
        for pattern, zone in reversed(self._patterns):
            if fnmatchcase(source, pattern) or fnmatchcase(name, pattern):
                return zone
        return self.default


@dataclass(frozen=True, slots=True)
class Times:
    """How times are read that lack an offset, or a year: it is that of ``reference``.

    Without a reference each source has its own.
    """

    zones: Zones
    reference: int | None = None

    @classmethod
    def of(cls, timezone: Timezone, year: int | None) -> Times:
        """Return how times are read by these zones, and in this year."""
        return cls(Zones(timezone), None if year is None else reference_of_year(year))


def _zone(pattern: str, name: str) -> Zone:
    try:
        return Zone(name)
    except OpslogError as error:
        raise OpslogError(f"for sources like {pattern!r}: {error}") from None


def stated(texts: Iterable[str]) -> dict[str, str]:
    """Return the zones that texts ``ZONE`` and ``PATTERN=ZONE`` say; of a pattern the last counts.

    Raises OpslogError for one without a pattern before, or a zone behind, its ``=``.
    """
    zones: dict[str, str] = {}
    for text in texts:
        pattern, equals, zone = text.rpartition("=")
        if equals and not (pattern and zone):
            raise OpslogError(
                f"time zone {text!r}: expected ZONE, or PATTERN=ZONE such as *ovs*=UTC"
            )
        key = pattern or "*"
        zones.pop(key, None)
        zones[key] = zone
    return zones
