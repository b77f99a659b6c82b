"""The pages of stats and why: on narrow screens, in the dark and on paper; times and cuts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser import CHROMIUM, Tab, tab
from helpers import opslog
from opslog.model import schema
from opslog.stats import StatsReport, count_records
from opslog.stats.page import page

START = datetime(2026, 3, 10, 10, tzinfo=UTC)
WIDTHS = [320, 420, 700, 1280]
HERE = Path(__file__).parents[2]
LONG = "a" * 300


def report(seconds: list[int], severity: int = 9, every: float = 1.0) -> StatsReport:
    rows = [
        {
            "source": f"{LONG}.log", "source_offset": number, "attributes": [], "body": LONG,
            "timestamp": START + timedelta(seconds=second), "severity_number": severity,
            "service_name": f"s{LONG}", "logger": f"l{LONG}", "exception_type": f"E{LONG}",
            "http_method": "GET", "http_target": f"/{LONG}", "http_status": 500, "duration": 1.5,
        }
        for number, second in enumerate(seconds)
    ]  # fmt: skip
    found = pa.RecordBatch.from_pylist(rows, schema=schema.arrow_schema())
    return count_records([found], every)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("needs a browser")
    with tab(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    stats, why = (tmp_path_factory.mktemp("pages") / name for name in ("stats.html", "why.html"))
    found = report([0, 1, 90, 4000], 17)
    stats.write_text(page(found, [LONG], commands=[f"opslog filter {LONG}"]))
    logs = HERE / "docs/examples/why"
    said = opslog("why", "--html", str(why), str(logs / "failed"), "--good", str(logs / "passed"))
    assert said.returncode == 0, said.stderr
    return [stats, why]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20))
def test_the_axis_has_a_mark_where_more_than_three_steps_are_left_out(seconds: list[int]) -> None:
    told = page(report(seconds), ["a"])
    cuts = [b - a - 1 for a, b in pairwise(sorted(set(seconds))) if b - a > 4]
    assert told.count('class="cut"') == len(cuts)
    assert ("The time axis is cut" in told) == bool(cuts)


@pytest.mark.parametrize(
    ("severity", "wanted"),
    [(9, ["records"]), (13, ["records", "warnings"]), (17, ["records", "errors"])],
)
def test_warnings_and_errors_are_drawn_by_themselves(severity: int, wanted: list[str]) -> None:
    told = page(report([0, 1], severity), ["a"])
    assert re.findall('aria-label="(.*?) over time"', told) == wanted


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9), st.sampled_from([0.01, 1, 60]))
def test_each_time_says_that_it_is_utc(seconds: list[int], every: float) -> None:
    times = re.findall(r"\d\d:\d\d:\d\d.", page(report(seconds, 17, every), ["a"]))
    assert {time[-1] for time in times} == {"Z"}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(width: int, browser: Tab, pages: list[Path]) -> None:
    browser.show_as("screen")
    for path in pages:
        browser.open(path, width)
        assert browser.value("document.documentElement.scrollWidth") <= width, path.name


def test_in_a_narrow_window_each_number_stands_behind_its_head(
    browser: Tab, pages: list[Path]
) -> None:
    browser.show_as("screen")
    browser.open(pages[0], 420)
    cells = "[...document.querySelectorAll('td[data-head]')].filter((one) => one.checkVisibility())"
    shown = ".map((one) => [one.dataset.head, getComputedStyle(one, '::before').content])"
    told = browser.value(cells + shown)
    assert {head for head, _ in told} == {
        "records", "errors", "requests", "5xx", "p50, s", "p95, s", "p99, s"
    }  # fmt: skip
    assert all(shown.startswith(f'"{head}') for head, shown in told), told


def test_paper_is_white_has_all_colors_and_nothing_folded(browser: Tab, pages: list[Path]) -> None:
    def color() -> str:
        return str(browser.value("getComputedStyle(document.body).backgroundColor"))

    for path in pages:
        browser.show_as("screen", "dark")
        browser.open(path)
        assert color() != "rgb(255, 255, 255)"
        browser.show_as("print", "dark")
        assert color() == "rgb(255, 255, 255)"
        adjust = "getComputedStyle(document.querySelector('h1')).printColorAdjust"
        assert browser.value(adjust) == "exact"
        folded = "[...document.querySelectorAll('details li')].map((one) => one.checkVisibility({contentVisibilityAuto: true}))"
        assert all(browser.value(folded)), path.name
    assert browser.value("document.querySelectorAll('details li').length") > 0
