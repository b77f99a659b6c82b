"""The span of time that ``--since`` and ``--until`` say, in the words of people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from opslog.cli import flags
from opslog.filters import times
from opslog.filters.bounds import Bounds
from opslog.filters.filter import Filter
from opslog.model.errors import OpslogError
from opslog.model.instants import EPOCH, micros_of
from opslog.model.zones import Zone

if TYPE_CHECKING:
    from opslog.logs import Logs

_DAY = timedelta(days=1)
_MOST_COUNTED = 1 << 28


def span(options: argparse.Namespace, zone: Zone) -> Iterator[Filter]:
    """Yield the filters of both options; raises OpslogError if nothing lies between.

    What leaves its day or year to the logs is counted back from their newest record, and is
    said on standard error where it is not of today.
    """
    said = {"--since": options.since, "--until": options.until}
    last, counted_from = None, "now"
    if any(text is not None and times.is_partial(text) for text in said.values()):
        newest = _newest(options)
        counted_from = "now" if newest is None else "the newest record"
        moment = datetime.now(UTC) if newest is None else _time(newest)
        last = (micros_of(moment), zone.local(moment).date())
    since = until = None
    if options.since is not None:
        since = _instant("--since", options.since, zone, last)
        if last is not None and since > last[0] and times.is_clock(options.since):
            since = _instant("--since", options.since, zone, (last[0], last[1] - _DAY))
        yield Filter.within(Bounds(since=since))
    if options.until is not None:
        until = _instant("--until", options.until, zone, last)
        if since is not None and times.is_clock(options.until):
            # The first such time behind the other: from 23:00 to 01:00.
            day = zone.local(_time(since)).date()
            until = _instant("--until", options.until, zone, (0, day))
            if until <= since:
                until = _instant("--until", options.until, zone, (0, day + _DAY))
        yield Filter.within(Bounds(until=until))
    if since is not None and until is not None and since >= until:
        raise OpslogError(
            f"--until: expected a time after --since {options.since!r}, found {options.until!r}"
        )
    today = zone.local(datetime.now(UTC)).date()
    for flag, found in (("--since", since), ("--until", until)):
        if found is not None and times.is_partial(said[flag]):
            local = zone.local(_time(found))
            if local.date() != today:
                print(f"opslog: {flag} {said[flag]}: {local:%Y-%m-%d %H:%M:%S} {zone.name}, "
                      f"counted back from {counted_from}", file=sys.stderr)  # fmt: skip


def tell_reach(logs: Logs, zone: Zone | None, size: int) -> None:
    """Say on standard error that nothing was kept, and when the records begin and end.

    Of records of no more than ``_MOST_COUNTED`` bytes, ``size`` of all, it says how many have no
    time: it must read them once more.
    """
    from opslog.reading.reach import newest, oldest, untimed

    reading, zone = logs._begun(), zone or Zone("UTC")
    ends = [
        f"{zone.local(_time(found)):%Y-%m-%d %H:%M:%S} {zone.name}"
        for found in (oldest(reading), newest(reading, future=True))
        if found is not None
    ]
    reach = f"; the records begin at {ends[0]} and end at {ends[-1]}" if ends else ""
    if size <= _MOST_COUNTED and (number := untimed(reading)):
        reach += f"; {number:,} {'has' if number == 1 else 'have'} no time"
    print(f"opslog: nothing was kept{reach}", file=sys.stderr)


def _instant(flag: str, text: str, zone: Zone, last: tuple[int, date] | None) -> int:
    with flags.about(flag):
        return times.instant(text, zone, last=last and last[1])


def _newest(options: argparse.Namespace) -> int | None:
    """Return the time of the newest record, None where it cannot be known before."""
    if not getattr(options, "paths", None) or getattr(options, "follow", False):
        return None
    from opslog.reading.reach import newest  # start-up: most times say their day

    return newest(flags.logs(options)._begun())


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
