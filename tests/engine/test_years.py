"""A year is never guessed while the line, or the first line of its source, says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import plain, table

Print = Callable[[datetime], str]

INNER: dict[str, Print] = {
    "klog": lambda t: f"I{t:%m%d %H:%M:%S.%f}      16 aggregator.go:115] Building",
    "syslog": lambda t: f"{t:%b} {t.day:2} {t:%H:%M:%S}.{t:%f} ctl1 sshd[1]: hello",
}
ENVELOPES: dict[str, Callable[[datetime, str], str]] = {
    "cri": lambda t, line: f"{t.isoformat()}Z stderr F {line}",
    "cri with an offset": lambda t, line: f"{(t + timedelta(hours=5)).isoformat()}+05:00 stdout F {line}",
    "docker": lambda t, line: json.dumps(
        {"log": line + "\n", "stream": "stderr", "time": t.isoformat() + "Z"}
    ),
    "json": lambda t, line: json.dumps({"timestamp": t.isoformat(" "), "message": line}),
    "logstash": lambda t, line: json.dumps({"@timestamp": t.isoformat() + "Z", "message": line}),
    "kolla": lambda t, line: json.dumps({"Timestamp": t.isoformat(" "), "Payload": line}),
    "rfc5424": lambda t, line: f"<142>1 {t.isoformat()}Z ctl1 kubelet 7 - - {line}",
    "rsyslog": lambda t, line: f"{t.isoformat()}+00:00 ctl1 kubelet[7]: {line}",
    "journal json": lambda t, line: json.dumps(
        {"MESSAGE": line, "__REALTIME_TIMESTAMP": str(int(t.replace(tzinfo=UTC).timestamp() * 1e6))}
    ),
}  # fmt: skip
moments = st.datetimes(datetime(1999, 1, 1), datetime(2037, 1, 1)).map(
    lambda t: t.replace(microsecond=123456)
)
new_years = st.builds(
    lambda year, seconds: datetime(year, 1, 1, microsecond=123456) + timedelta(seconds=seconds),
    st.integers(1999, 2037),
    st.integers(-200_000, 200_000),
)


def times(data: str, **options: object) -> list[datetime | None]:
    found = table(data.encode(), **options)["timestamp"].to_pylist()
    return [None if time is None else time.replace(tzinfo=None) for time in found]


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("around", ENVELOPES)
@given(
    moment=moments | new_years, later=st.integers(-100_000, 100_000), year=st.none() | st.just(2005)
)
def test_the_year_is_that_of_the_nearest_envelope(
    inner: str, around: str, moment: datetime, later: int, year: int | None
) -> None:
    line = ENVELOPES[around](moment + timedelta(seconds=later), INNER[inner](moment))
    assert times(line, year=year) == [moment]


@given(moment=new_years, names=st.lists(st.sampled_from(sorted(ENVELOPES)), min_size=1, max_size=3))
def test_the_year_goes_inwards_through_envelopes_without_a_time(
    moment: datetime, names: list[str]
) -> None:
    line = f"nova_api_1  | {INNER['klog'](moment)}"
    for name in names:
        line = ENVELOPES[name](moment + timedelta(seconds=5), line)
    assert times(line) == [moment]


@given(moment=new_years)
def test_the_next_line_knows_nothing_of_the_envelope_before(moment: datetime) -> None:
    line = ENVELOPES["cri"](moment, INNER["klog"](moment)) + "\n" + INNER["syslog"](moment)
    assert times(line) == [moment, None]


BEGIN, END = datetime(2020, 12, 30, 9, 42), datetime(2021, 2, 10, 10, 0)
HEADERS = [
    "-- Logs begin at {0:%a %Y-%m-%d %H:%M:%S} UTC, end at {1:%a %Y-%m-%d %H:%M:%S} UTC. --",
    "-- Logs begin at {0:%a, %Y-%m-%d %H:%M:%S} CET, end at {1:%a, %Y-%m-%d %H:%M:%S} CET. --",
    "-- Journal begins at {0:%a %Y-%m-%d %H:%M:%S} UTC, ends at {1:%a %Y-%m-%d %H:%M:%S} UTC. --",
    "-- Logs begin at {0:%a %Y-%m-%d %H:%M:%S} UTC. --",
    "-- Journal begins at {0:%a %Y-%m-%d %H:%M:%S} +03. --",
    "Log file created at: {0:%Y/%m/%d %H:%M:%S}",
]


def journal(header: str, moments: list[datetime]) -> str:
    lines = [header.format(BEGIN, END), *(INNER["syslog"](moment) for moment in moments)]
    return "".join(f"{line}\n" for line in lines)


between = st.lists(st.datetimes(BEGIN, END).map(lambda t: t.replace(microsecond=7)), max_size=9)


@pytest.mark.parametrize("header", HEADERS)
@given(moments=between, cuts=st.lists(st.integers(0, 300)))
def test_the_first_line_says_the_year(
    header: str, moments: list[datetime], cuts: list[int]
) -> None:
    text = journal(header, moments)
    assert times(text)[-len(moments) or 99 :] == moments
    whole, cut = table(text.encode()), table(text.encode(), cuts)
    assert plain(whole) == plain(cut)
    late = datetime(2026, 1, 1, tzinfo=UTC)
    assert times(text, reference=late)[-len(moments) or 99 :] == moments


def test_what_the_user_says_counts_before_the_first_line() -> None:
    text = journal(HEADERS[0], [datetime(2021, 1, 5)])
    assert times(text, year=2007)[1] == datetime(2007, 1, 5)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("needle", [True, False])
def test_the_first_line_counts_for_every_block_of_a_file(
    tmp_path: Path, threads: int, needle: bool
) -> None:
    log = tmp_path / "journal.txt"
    moments = [BEGIN + timedelta(seconds=7 * number) for number in range(120_000)]
    log.write_text(journal(HEADERS[0], [*moments, END]))
    logs = opslog.read(log, threads=threads)
    if needle:
        logs = logs.filter("body ~ 'hello'")
    found = [time for batch in logs.batches(["timestamp"]) for time in batch[0].to_pylist()]
    expected = [moment.replace(tzinfo=UTC) for moment in [*moments, END]]
    assert [time for time in found if time is not None] == expected
