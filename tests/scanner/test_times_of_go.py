"""Times as Go and .NET print them are read whole: what stands behind them begins the text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import records

ZONES = ["", " UTC", " CEST", " +03", " -0330"]
CLOCKS = ["", " m=+0.123456789", " m=-12.5"]
offsets = st.integers(-11 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
around = st.sampled_from(
    [
        "{}",
        "Sep  5 10:10:11 cmp0 podman[12345]: {}",
        "2024-09-05T10:10:11.1Z stderr F {}",
        '{{"log":"{}\\n","stream":"stderr","time":"2024-09-05T10:10:11.1Z"}}',
    ]
)


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=offsets),
    colon=st.booleans(),
    zone=st.sampled_from(ZONES),
    clock=st.sampled_from(CLOCKS),
    envelope=around,
)
def test_offset_name_and_clock_are_no_text(
    moment: datetime, colon: bool, zone: str, clock: str, envelope: str
) -> None:
    printed = f"{moment:%Y-%m-%d %H:%M:%S.%f %z}"
    if colon:
        printed = f"{printed[:-2]}:{printed[-2:]}"
    [row] = records(envelope.format(f"{printed}{zone}{clock} container exec_died (name=a)"))
    assert row["timestamp"] == moment.astimezone(UTC)
    assert row["body"] == "container exec_died (name=a)"


@pytest.mark.parametrize(
    "text",
    [
        "+0200x",
        "+02000",
        "+2500 x",
        "UTCX",
        "UTC+3",
        "CEST",
        "m=+0.1 x",
        "GMTS",
        "+02",
        "-1 x",
        "+02:00x",
        "+02:0 x",
        "+25:00 x",
    ],
)
def test_what_only_looks_like_an_offset_is_text(text: str) -> None:
    [row] = records(f"2024-09-05 10:10:11.5 {text} happened")
    assert row["timestamp"] == datetime(2024, 9, 5, 10, 10, 11, 500_000, UTC)
    assert row["body"] == f"{text} happened"


@pytest.mark.parametrize("text", ["INFO happened", "GET /x", "CRIT disk", "m=x happened"])
def test_a_word_behind_an_offset_is_no_zone(text: str) -> None:
    [row] = records(f"2024-09-05 10:10:11.5 +0200 {text}", where=None)
    assert row["timestamp"] == datetime(2024, 9, 5, 8, 10, 11, 500_000, UTC)
    assert text.split()[-1] in row["body"]
