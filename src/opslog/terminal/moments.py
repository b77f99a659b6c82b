"""Times as people read them: in one zone, each with its offset."""

from __future__ import annotations

from datetime import UTC, datetime

from opslog.model.zones import Zone


class Moments:
    """Writes times in ``zone``, without one in UTC: ``2026-03-10 11:00:00+01:00``, else ``Z``."""

    def __init__(self, zone: Zone | None = None) -> None:
        self._zone = None if zone is None or zone.offset == 0 else zone

    def local(self, time: datetime) -> datetime:
        """Return an aware time in the zone; in UTC where the zone's is of no year there is."""
        if self._zone is not None:
            try:
                return self._zone.aware(time)
            except OverflowError:
                pass
        return time.astimezone(UTC)

    def text(
        self, time: datetime, before: datetime | None = None, milliseconds: bool = False
    ) -> str:
        """Return a time as text, without the date if that of ``before`` is the same."""
        local = self.local(time)
        whole = local.isoformat(" ", "milliseconds" if milliseconds else "seconds")
        if local.tzinfo is UTC:
            whole = whole.removesuffix("+00:00") + "Z"
        same = before is not None and self.local(before).date() == local.date()
        return whole.partition(" ")[2] if same else whole

    def span(self, first: datetime, last: datetime) -> str:
        """Return two times as text, the date once if it is that of both."""
        return f"{self.text(first)} to {self.text(last, first)}"
