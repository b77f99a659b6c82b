"""Times for people: read again, they are the same instants, whatever the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.model.zones import Zone
from opslog.terminal.moments import Moments

ZONES = st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York", "+05:45", "-11"])
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))


@given(TIMES, ZONES, st.booleans())
def test_a_time_says_which_instant_it_is(time: datetime, name: str | None, exact: bool) -> None:
    text = Moments(name and Zone(name)).text(time, milliseconds=exact)
    least = timedelta(milliseconds=1) if exact else timedelta(seconds=1)
    assert timedelta() <= time - datetime.fromisoformat(text) < least
    if name in (None, "UTC"):
        assert text.endswith("Z")


@given(TIMES, st.integers(0, 10**6), ZONES)
def test_of_two_times_the_second_has_no_date_if_it_is_the_same(
    first: datetime, seconds: int, name: str | None
) -> None:
    moments = Moments(name and Zone(name))
    last = min(first + timedelta(seconds=seconds), datetime(9999, 12, 31, tzinfo=UTC))
    begin, end = moments.span(first, last).split(" to ")
    date = begin.partition(" ")[0]
    whole = end if " " in end else f"{date} {end}"
    assert whole == moments.text(last)
    assert (" " in end) == (moments.text(last).partition(" ")[0] != date)


@pytest.mark.parametrize("time", [datetime.min, datetime.max])
def test_where_a_zone_has_no_such_year_the_time_is_utc(time: datetime) -> None:
    for hours in (-14, 14):
        name = f"{hours:+03}:00"
        text = Moments(Zone(name)).text(time.replace(tzinfo=UTC))
        ahead = UTC if text.endswith("Z") else timezone(timedelta(hours=hours))
        assert datetime.fromisoformat(text).tzinfo == ahead
