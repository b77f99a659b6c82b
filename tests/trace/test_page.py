"""A story's page in a browser: its rows, keys, search and axis."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opslog as library
from browser import CHROMIUM, Tab, tab
from opslog.trace import trace
from opslog.trace.page import PARTS, page

VM = "6f9a4d0e-2c1b-4a8f-b7d3-5e6c7a8b9d01"
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \u202e"


def log(second: float, number: int, body: str, level: str = "INFO", logger: str = "manager") -> str:
    request = f"req-{number:08}-31c5-4f6a-9d5e-6a2f8c1b7e90"
    return f"2026-03-10 10:00:{second:06.3f} 7 {level} nova.{logger} [{request} u p - - -] {body}\n"


def call(second: float, number: int, method: str, target: str, status: int) -> str:
    told = f'10.0.0.7 "{method} {target} HTTP/1.1" status: {status} len: 805 time: 0.1'
    return log(second, number, told, logger="osapi_compute.wsgi.server")


POLLS = 12
LINES = [
    log(1, 1, f"[instance: {VM}] Attempting claim on node cmp-1"),
    log(3, 1, f"[instance: {VM}] Took 2.00 seconds to spawn the instance on the hypervisor."),
    log(3.2, 1, f"[instance: {VM}] Took 2.2 seconds to build instance."),
    *(call(4 + n, 100 + n, "GET", f"/v2.1/servers/{VM}", 200) for n in range(POLLS)),
    call(20, 2, "GET", f"/v2.1/servers/{VM}/os-interface/1", 404),
    call(21, 3, "POST", f"/v2.1/servers/{VM}/action", 500),
    log(21.1, 3, f"[instance: {VM}] {HOSTILE}", level="ERROR"),
    log(22, 4, f"[instance: {VM}] Terminating instance"),
    log(25, 4, f"[instance: {VM}] Took 3.00 seconds to deallocate network for instance."),
]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cmp1")
    path = folder / "nova-compute.log"
    path.write_text("".join(LINES), "utf-8")
    return page(trace(library.read(str(path)), VM), 1.0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("needs a browser")
    with tab(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def shown(browser: Tab, text: str, tmp_path: Path) -> Iterator[Tab]:
    path = tmp_path / "story.html"
    path.write_text(text, "utf-8")
    browser.open(path)
    yield browser
    assert browser.errors == []


def data_of(text: str) -> dict[str, Any]:
    found = re.search('id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def names(shown: Tab) -> list[str]:
    return list(shown.value("rows.map((row) => row.name)"))


def focused(shown: Tab) -> str:
    return str(shown.value("document.activeElement.querySelector('.name')?.textContent"))


def test_a_page_is_complete_in_itself(text: str) -> None:
    assert not re.search("%[A-Z_]+%", text)
    for part in PARTS.iterdir():
        if part.suffix in (".js", ".css"):
            assert part.read_text("utf-8") in text, f"{part.name} is not in the page"


def test_scripts_never_set_markup_nor_evaluate_text() -> None:
    for part in PARTS.glob("*.js"):
        words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
        assert not re.search(words, part.read_text("utf-8")), part.name


def test_rows_tell_calls_and_how_bad_their_statuses_are(text: str) -> None:
    rows = {row["name"]: row for row in data_of(text)["rows"]}
    polls = next(row for name, row in rows.items() if name.startswith(f"{POLLS} "))
    assert polls["kind"] == "calls"
    assert len(polls["rows"]) == POLLS
    bad = {row["status"]: row["bad"] for row in rows.values()}
    assert (bad[200], bad[404], bad[500]) == (0, 13, 17)


def test_operations_of_a_resource_come_first(shown: Tab) -> None:
    assert names(shown)[:2] == ["create", "delete"]
    assert shown.value("document.querySelector('h1').textContent") == f"{VM}  instance, deleted"


def test_rows_are_walked_unfolded_and_chosen_by_keys(shown: Tab) -> None:
    folded = next(n for n, name in enumerate(names(shown)) if name.startswith(f"{POLLS} "))
    before = len(names(shown))
    shown.press("t", *["ArrowDown"] * folded)
    assert focused(shown).startswith(f"{POLLS} ")
    assert shown.value("document.activeElement.getAttribute('aria-expanded')") == "false"
    shown.press("ArrowRight")
    assert len(names(shown)) == before + POLLS
    assert focused(shown).startswith(f"{POLLS} ")
    shown.press("ArrowDown", "Enter")
    assert shown.value("document.querySelectorAll('.record').length") == 1
    shown.press("ArrowLeft", "ArrowLeft")
    assert len(names(shown)) == before
    shown.press("Escape")
    assert shown.value("document.querySelectorAll('.record').length") == len(LINES)
    assert shown.value("document.querySelectorAll('#chart [tabindex=\"0\"]').length") == 1


def test_the_search_leaves_records_and_requests_that_have_the_text(shown: Tab) -> None:
    shown.press("/")
    assert shown.value("document.activeElement.id") == "search"
    shown.press(*"terminating")
    while shown.value("filters.text") != "terminating":
        pass
    assert shown.value("document.querySelectorAll('.record').length") == 1
    assert "delete" in names(shown)
    assert "create" not in names(shown)
    shown.press("Escape")
    assert shown.value("document.querySelectorAll('.record').length") == len(LINES)


def test_the_axis_is_zoomed_and_moved_by_keys_and_stays_within_the_story(shown: Tab) -> None:
    def seen() -> list[float]:
        return list(shown.value("[axis.from - axis.begin, axis.to - axis.begin]"))

    whole = seen()[1]
    shown.press("+", "+")
    begin, end = seen()
    assert end - begin == pytest.approx(whole / 4)
    shown.press("-", "-", "-", "-")
    assert seen() == pytest.approx([0, whole])
    shown.press("t", "z")
    assert seen()[1] < whole / 2
    shown.press("0")
    assert seen() == pytest.approx([0, whole])


def test_the_first_error_is_one_key_away_and_shows_its_lines(shown: Tab) -> None:
    shown.press("e")
    lines = shown.value("document.activeElement.querySelector('pre').textContent")
    assert "<img src=x onerror=alert(1)> \\u202e" in lines
    assert shown.value("document.title") == f"opslog trace {VM}"
    assert shown.value("document.querySelectorAll('img').length") == 0


def test_question_mark_shows_the_keys(shown: Tab) -> None:
    shown.press("?")
    assert shown.value("element('keys').open")
    shown.value("element('keys').close()")


@pytest.mark.parametrize("width", [320, 420, 700, 1400])
def test_a_page_is_never_wider_than_its_window(
    width: int, browser: Tab, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "story.html"
    path.write_text(text, "utf-8")
    browser.open(path, width)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_each_time_says_that_it_is_utc(shown: Tab) -> None:
    texts = "[...document.querySelectorAll('.line > :first-child, .tick')].map((one) => one.textContent)"
    times = [text for text in shown.value(texts) if text]
    assert len(times) > len(LINES)
    assert {time[-1] for time in times} == {"Z"}


def test_paper_is_white_and_has_all_records(shown: Tab) -> None:
    shown.show_as("print", "dark")
    assert shown.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.value("getComputedStyle(document.body).printColorAdjust") == "exact"
    shown.value("list.replaceChildren(), drawn = 0")
    shown.value("dispatchEvent(new Event('beforeprint'))")
    assert shown.value("document.querySelectorAll('.record').length") == len(LINES)
    shown.show_as("screen")
