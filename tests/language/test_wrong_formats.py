"""Format files that are wrong in any way: an error of opslog's own, never another."""

from __future__ import annotations

import copy
import tomllib
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opslog.checking.check import check
from opslog.language.format_file import from_dict, load
from opslog.language.layout_parser import parse
from opslog.model.errors import FormatError, LayoutError, OpslogError
from opslog.scanner.catalog import Catalog

OWN: dict[str, Any] = tomllib.loads(r"""
name = "own"
title = "own"
follow_on = true
[[layouts]]
layout = "{timestamp:iso} {severity}{? [{process_pid:int}]} <{user_id:token}> {body:rest}"
[[layouts]]
regex = '(?P<timestamp>\S+)/(?P<severity>\w+)/(?P<body>.*)'
timestamp = "iso"
[[details]]
layout = "project {project_id:token}"
[[samples]]
line = "2024-01-01T00:00:00Z INFO <x> y\nproject z"
expect.body = "y\nproject z"
[[samples]]
line = "2024-01-01T00:00:00Z/INFO/y"
[[rejects]]
line = "x"
reason = "y"
""")
OSLO: dict[str, Any] = tomllib.loads(r"""
name = "own"
title = "own"
[[oslo]]
logging_default_format_string = "%(asctime)s %(levelname)s [-] %(message)s"
[json]
required = ["a", "b.c"]
epoch = "t"
columns = { body = "a", logger = ["b", "c"] }
[[samples]]
line = '{"t": 1, "a": "x", "b": {"c": 1}}'
expect = [{ body = "x" }]
""")
VALUES = st.recursive(
    st.one_of(
        st.text(max_size=8), st.integers(), st.booleans(), st.floats(), st.dates(), st.times(), st.datetimes(),
        st.sampled_from(["{", "{?", "{a:rest}{b}", "{timestamp:%Q}", "(?P<body>", "(?P<a>(?P<a>", "%(", "%(x)", "%(name)s", "\x00", "{~}"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a parsed file."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    found = [(value, key) for key, _ in items]
    for _, item in items:
        found += places(item) if isinstance(item, (dict, list)) else []
    return found


@given(st.sampled_from([OWN, OSLO]), st.data())
def test_any_other_value_anywhere_is_right_or_refused(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    changed = copy.deepcopy(data)
    container, key = draw.draw(st.sampled_from(places(changed)))
    container[key] = draw.draw(VALUES)
    with suppress(OpslogError):
        check(from_dict(changed, "own.toml"))


@given(st.text(st.sampled_from("{}?~:=|<>%()[]abdimnoprst \\*+.$^P"), max_size=40))
@example("{?a}")
@example("{?" * 2000)
@example("{?a}" * 20)
def test_any_text_is_a_layout_and_a_pattern_or_refused(text: str) -> None:
    for key in ("layout", "regex"):
        with suppress(OpslogError):
            check(from_dict({**OWN, "layouts": [{key: text}]}, "own.toml"))


def test_a_layout_has_no_more_variants_than_can_be_tried() -> None:
    parse("x" + "{?a}" * 8)
    with pytest.raises(LayoutError, match="more than 8 optional parts"):
        parse("{?a}" * 9)


@pytest.mark.parametrize(
    ("hole", "reason"),
    [
        ("duration:token", "duration is a column of numbers: expected the type int, int?, number, milliseconds or microseconds, found token; another name makes it an attribute"),
        ("duration:token>8", "duration is a column of numbers: expected the type int, int?, number, milliseconds or microseconds, found token"),
        ("user_id|code_line:token", "code_line is a column of numbers: expected the type int or int?, found token"),
        ("http_status:number", "http_status is a column of numbers: expected the type int or int?, found number"),
        ("process_pid:hex", "process_pid is a column of numbers: expected the type int or int?, found hex"),
        ("thread_id", "thread_id is a column of numbers: expected the type int or int?, found text"),
        ("http_response_size:token?", "http_response_size is a column of numbers"),
    ],
)  # fmt: skip
def test_a_hole_whose_text_a_column_of_numbers_would_lose_is_refused(
    hole: str, reason: str
) -> None:
    layout = {"layout": f"{{timestamp:iso}}{{? took={{{hole}}}}} {{body:rest}}"}
    with pytest.raises(FormatError) as caught:
        from_dict({**OWN, "layouts": [layout]}, "own.toml")
    assert str(caught.value).startswith(f"own.toml: layouts[0].layout: {reason}")


@pytest.mark.parametrize(
    "hole", ["duration:int", "duration:number", "code_line:int>6", "took:token"]
)
def test_a_hole_whose_text_is_kept_is_accepted(hole: str) -> None:
    from_dict({**OWN, "layouts": [{"layout": f"{{timestamp:iso}} {{{hole}}} {{body:rest}}"}]}, "")


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "name" + ".a" * 3000 + " = 1"])
def test_a_file_nested_too_deeply_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"deep\.toml: file: is nested too deeply"):
        load(path)


def test_a_layout_too_long_to_scan_is_refused_with_its_place() -> None:
    layout = {"layout": "-".join(f"{{a{i}:int}}" for i in range(70))}
    with pytest.raises(FormatError, match=r"own\.toml: layouts\[0\]: more than 64 parts"):
        check(from_dict({**OWN, "layouts": [layout]}, "own.toml"))


@pytest.mark.parametrize("value", [date(2024, 1, 1), time(1), datetime(2024, 1, 1), 1.5, [1], {}])
def test_a_value_of_another_kind_is_a_difference(value: Any) -> None:
    changed = copy.deepcopy(OWN)
    changed["samples"][0]["expect"]["body"] = value
    with pytest.raises(FormatError, match="expected body "):
        check(from_dict(changed, "own.toml"))


def test_a_json_object_without_the_keys_says_which_there_must_be() -> None:
    data = {**OSLO, "samples": [{"line": '{"a": "x"}'}]}
    with pytest.raises(FormatError, match=r"expected a JSON object with the keys a, b\.c, t"):
        check(from_dict(data, "own.toml"))


def test_shipped_formats_stay_far_from_the_limits() -> None:
    assert len(Catalog.default().lines.leaves) < 2000
