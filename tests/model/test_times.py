"""Times that a line does not say whole: without a year, without an offset."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import opslog as command
from helpers import table
from opslog.language.format_file import from_dict
from opslog.model.errors import OpslogError
from opslog.scanner.catalog import Catalog


def catalog(layout: str, **keys: Any) -> Catalog:
    """Return a catalog of one layout."""
    layouts = [{"layout": layout}]
    data = {"name": "own", "title": "own", "catch_all": True, "layouts": layouts, **keys}
    return Catalog.of([from_dict(data, "own.toml")])


YEARLESS = catalog("{timestamp:%b %e %H:%M:%S} {body:rest}")


def times(text: str, catalog: Catalog = YEARLESS, **options: Any) -> list[datetime | None]:
    """Return the times of the lines of a text."""
    data = text.encode() + b"\n"
    found: list[datetime | None] = table(data, catalog=catalog, **options)["timestamp"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%b %e %H:%M:%S", "Mar  9 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S", "Mar 9 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S", "Mar 09 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S", "Mar  09 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S", "Mar    9 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S", "Mar  31 01:02:03", "2024-03-31T01:02:03"),
        ("%e-%b-%Y %H:%M:%S", "  9-Mar-2024 01:02:03", "2024-03-09T01:02:03"),
        ("%b %e %H:%M:%S.%f", "Mar 19 01:02:03.25", "2024-03-19T01:02:03.25"),
        ("%d %b %H:%M:%S", "09 Mar 01:02:03", "2024-03-09T01:02:03"),
        ("%m%d %H:%M:%S.%f", "0309 01:02:03.000004", "2024-03-09T01:02:03.000004"),
        ("%y%m%d %k:%M:%S", "160309  1:02:03", "2016-03-09T01:02:03"),
        ("%y%m%d %k:%M:%S", "160309 21:02:03", "2016-03-09T21:02:03"),
        ("%y%m%d %k:%M:%S", "160309 1:02:03", "2016-03-09T01:02:03"),
        ("%Y-%m-%d %k:%M:%S", "2016-03-09  1:02:03", "2016-03-09T01:02:03"),
        ("%b %d, %Y %I:%M:%S %p", "Mar 09, 2016 1:02:03 AM", "2016-03-09T01:02:03"),
        ("%b %d, %Y %I:%M:%S %p", "Mar 09, 2016 01:02:03 PM", "2016-03-09T13:02:03"),
        ("%b %d, %Y %I:%M:%S %p", "Mar 09, 2016 12:02:03 AM", "2016-03-09T00:02:03"),
        ("%b %d, %Y %I:%M:%S %p", "Mar 09, 2016 12:02:03 pm", "2016-03-09T12:02:03"),
    ],
)
def test_kinds_of_times(pattern: str, text: str, expected: str) -> None:
    own = catalog(f"{{timestamp:{pattern}}}| {{body:rest}}")
    moment = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert times(f"{text}| x", own, year=2024) == [moment]


@pytest.mark.parametrize("text", ["Mar 32 01:02:03", "Mar   32 01:02:03", "Mar 0 01:02:03", "Mar   01:02:03", "Mar  009 01:02:03", "Mar\t9 01:02:03"])  # fmt: skip
def test_texts_that_are_no_such_time(text: str) -> None:
    assert times(f"{text} x", year=2024) == [None]


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2000, 12, 31)),
)
def test_a_year_is_the_newest_that_is_not_after_the_day_behind_the_reference(
    reference: datetime, line: datetime
) -> None:
    line = line.replace(microsecond=0)
    latest = reference + timedelta(days=1)
    wanted = None
    for year in range(latest.year, latest.year - 9, -1):
        try:
            moment = line.replace(year=year)
        except ValueError:
            continue
        if moment <= latest:
            wanted = moment.replace(tzinfo=UTC)
            break
    assert times(f"{line:%b %d %H:%M:%S} x", reference=reference) == [wanted]


def test_a_year_covers_all_its_days_and_no_other() -> None:
    text = "Jan  1 00:00:00 x\nDec 31 23:59:59 x\nFeb 29 00:00:00 x"
    assert [t and t.year for t in times(text, year=2023)] == [2023, 2023, 2020]
    assert [t and t.year for t in times(text, year=2024)] == [2024, 2024, 2024]
    with pytest.raises(OpslogError, match="year: expected one from 1970 to 9999, found 0"):
        times(text, year=0)


def test_a_day_that_no_year_has_is_no_time() -> None:
    assert times("Feb 30 00:00:00 x", year=2024) == [None]


def test_without_year_and_reference_a_time_without_a_year_is_null() -> None:
    assert times("Mar  9 01:02:03 x") == [None]


def test_the_reference_is_local() -> None:
    new_year = datetime(2024, 1, 1, 22, 30, tzinfo=UTC)
    east = {"timezone": "+02:00", "reference": new_year}
    # There it is half past midnight of 2 January: a day later is the 3rd.
    assert [t and t.year for t in times("Jan  3 00:20:00 x\nJan  3 00:40:00 x", **east)] == [
        2024,
        2023,
    ]


def test_patterns_tell_the_year_likewise() -> None:
    regex = r"(?P<timestamp>\w+ +\d+ [\d:]+) (?P<body>.*)"
    layouts = [{"regex": regex, "timestamp": "%b %e %H:%M:%S"}]
    own = Catalog.of([from_dict({"name": "own", "title": "own", "layouts": layouts}, "own")])
    assert times("Mar  9 01:02:03 x", own, year=2021) == [datetime(2021, 3, 9, 1, 2, 3, tzinfo=UTC)]


def test_a_file_is_its_own_reference(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        "name = 'own'\ntitle = 'own'\ncatch_all = true\n[[layouts]]\nlayout = '<{timestamp:%b %e %H:%M:%S}> {body:rest}'\n"
        "[[samples]]\nline = '<Feb 29 00:00:00> x'\nexpect.timestamp = 2024-02-29T00:00:00Z\n"
    )
    log = tmp_path / "own.log"
    log.write_text("<Dec 31 23:59:59> x\n<Jan  1 00:00:01> x\n")
    moment = datetime(2023, 1, 1, 0, 0, 2, tzinfo=UTC).timestamp()
    os.utime(log, (moment, moment))
    formats = [tmp_path / "own.toml"]
    found = opslog.read(log, formats=formats).to_table()["timestamp"].to_pylist()
    assert [t.year for t in found] == [2022, 2023]
    found = opslog.read(log, formats=formats, year=2020).to_table()["timestamp"].to_pylist()
    assert [t.year for t in found] == [2020, 2020]
    out = command("filter", "--formats", str(formats[0]), "--year", "2019", str(log)).stdout
    assert out.count(b'"timestamp":"2019-12-31T23:59:59.000000Z"') == 1
    # A pipe was changed last when it is read.
    now = datetime.now(UTC)
    out = command(
        "filter", "--formats", str(formats[0]), stdin=f"<{now:%b %d} 00:00:00> x\n".encode()
    ).stdout
    assert f'"timestamp":"{now:%Y-%m-%d}'.encode() in out


def test_times_of_a_format_in_utc_stay_whatever_the_zone() -> None:
    line = "2024-06-01 10:00:00 x\n2024-06-01 10:00:00+01:00 x"
    own = catalog("{timestamp:iso} {body:rest}", zone="utc")
    assert [t and t.hour for t in times(line, own, timezone="Europe/Berlin")] == [10, 9]
    own = catalog("{timestamp:iso} {body:rest}")
    assert [t and t.hour for t in times(line, own, timezone="Europe/Berlin")] == [8, 9]
    json = {"required": ["x"], "iso": "t", "columns": {"body": "x"}}
    own = Catalog.of([from_dict({"name": "o", "title": "o", "json": json, "zone": "utc"}, "o")])
    assert [
        t and t.hour for t in times('{"t": "2024-06-01 10:00:00", "x": 1}', own, timezone="+05:00")
    ] == [10]


def test_each_source_may_have_a_zone(tmp_path: Path) -> None:
    line = "2024-01-01 12:00:00.000 1 INFO nova.api [-] x\n"
    for name in ("a/one.log", "a/two.log", "b/one.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(line)
    zones = {"*": "+01:00", "two.log": "+02:00", "*/b/*": "+03:00"}
    found = opslog.read(tmp_path, timezone=zones).to_table().to_pylist()
    assert [row["timestamp"].hour for row in found] == [11, 10, 9]
    found = (
        opslog.read(tmp_path, timezone={"*.log": "+02:00", "one*": "-01:00"}).to_table().to_pylist()
    )
    assert [row["timestamp"].hour for row in found] == [13, 10, 13]
    flags = ("--timezone", "two.log=+02:00", "--timezone", "-05:00", "--timezone", "*/b/*=UTC")
    out = command("filter", *flags, "--since", "2024-01-01 04:00", str(tmp_path)).stdout
    assert [text[:13] for text in out.decode().split('"timestamp":"')[1:]] == [
        "2024-01-01T17", "2024-01-01T10", "2024-01-01T12",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (
            "Nowhere",
            "expected a time zone: an IANA name such as Europe/Berlin, an offset such as +02:00, or UTC; found 'Nowhere'",
        ),
        ("nova*=Nowhere", "for sources like 'nova*': expected a time zone: an IANA name"),
        ("=UTC", "expected ZONE, or PATTERN=ZONE such as *ovs*=UTC, found '=UTC'"),
        ("nova=", "expected ZONE, or PATTERN=ZONE such as *ovs*=UTC, found 'nova='"),
    ],
)
def test_a_wrong_zone_is_told(flag: str, message: str) -> None:
    result = command("filter", "--timezone", flag, "-")
    assert result.returncode == 2
    assert message in result.stderr.decode()


def test_a_naive_reference_is_of_the_zone() -> None:
    naive, aware = (
        datetime(2024, 5, 1, 12),
        datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=9))),
    )
    for line in ("May  2 11:59:59 x", "May  2 12:00:01 x"):
        assert times(line, timezone="+09:00", reference=naive) == times(
            line, timezone="+09:00", reference=aware
        )


def test_a_level_left_behind_by_another_line_is_not_kept() -> None:
    own = Catalog.of(
        [
            from_dict({"name": "a", "title": "a", "layouts": [{"layout": "{timestamp:iso} {severity} {a:token}!"}]}, "a"),
            from_dict({"name": "b", "title": "b", "catch_all": True, "layouts": [{"layout": "{timestamp:iso} {body:rest}"}]}, "b"),
        ]
    )  # fmt: skip
    data = b"2024-01-01 00:00:00 ERROR x!\n2024-01-01 00:00:00 ERROR x?\n2024-01-01 00:00:00 x\n"
    assert table(data, catalog=own)["severity_number"].to_pylist() == [17, None, None]


@pytest.mark.parametrize(
    ("pri", "severity", "facility"),
    [(0, 21, "0"), (13, 10, "1"), (30, 9, "3"), (79, 5, "9"), (80, 21, "10"), (191, 5, "23")],
)
def test_a_syslog_priority_is_severity_and_facility(pri: int, severity: int, facility: str) -> None:
    own = catalog("<{syslog_facility:pri}>{body:rest}")
    [row] = table(f"<{pri}>x\n".encode(), catalog=own).to_pylist()
    assert (row["severity_number"], row["severity_text"]) == (severity, None)
    assert dict(row["attributes"]) == {"syslog_facility": facility}


@pytest.mark.parametrize("pri", ["192", "007", "", "1910", "x"])
def test_a_priority_that_is_none(pri: str) -> None:
    own = catalog("<{syslog_facility:pri}>{body:rest}")
    assert table(f"<{pri}>x\n".encode(), catalog=own)["format"].to_pylist() == [None]
