"""What stands in brackets or before a dash behind a time is named only if a line of a log says what it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import records
from opslog.model.severity import WORDS

words = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True)
texts = st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=5).map(" ".join)
OSLO = "2412 {} nova.compute.manager [None req-0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5 u p - - d d] Up"


@given(name=words | st.integers(0, 99999).map(str), text=texts)
def test_a_word_in_brackets_behind_a_time_stays_in_the_text(name: str, text: str) -> None:
    [row] = records(f"2026-03-10 10:00:07.791 [{name}] - {text}")
    assert not {"attributes", "program", "process_pid", "host_name", "service_name"} & row.keys()
    assert row["timestamp"].isoformat() == "2026-03-10T10:00:07.791000+00:00"
    assert text in row["body"]


@given(name=words.filter(lambda name: len(name) > 4 and name.lower() not in WORDS))
@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_a_line_of_a_log_behind_it_makes_it_an_alias(level: str, name: str) -> None:
    [row] = records(f"2026-03-10 10:00:07.791 [{name}] {OSLO.format(level)}")
    assert (row["severity_text"], row["body"], row["process_pid"]) == (level, "Up", 2412)
    assert row["attributes"]["log_alias"] == name


@given(text=texts)
def test_a_date_and_a_dash_are_of_any_program(text: str) -> None:
    [row] = records(f"Wed May 14 11:23:27 2025 - {text}")
    assert (row.get("service_name"), row["body"]) == (None, text)


@pytest.mark.parametrize("text", ["SERVICE_START pid=1", "AVC apparmor=DENIED"])
def test_the_kernels_audit_is_a_program(text: str) -> None:
    for line in (
        f"Mar 10 10:00:07 ctl1 audit[1]: {text}",
        f"2026-03-10T10:00:07+00:00 ctl1 audit[1]: {text}",
        f"<110>1 2026-03-10T10:00:07Z ctl1 audit 1 - - {text}",
    ):
        [row] = records(line)
        assert (row["host_name"], row["program"], row["process_pid"]) == ("ctl1", "audit", 1)
        assert (row["body"], row.get("severity_text")) == (text, row.get("severity_text"))


@pytest.mark.parametrize("level", ["AUDIT", "Audit", "error", "Warning", "INF", "wrn"])
def test_a_level_is_no_program(level: str) -> None:
    [row] = records(f"Mar 10 10:00:07 ctl1 {level}[1]: text")
    assert "program" not in row


@given(
    words=st.lists(st.from_regex(r"[a-z0-9./-]{1,9}", fullmatch=True), max_size=4),
    behind=st.lists(st.from_regex(r'"?[a-z0-9./-]{1,9}"?', fullmatch=True), max_size=4),
)
def test_an_access_log_has_its_time_whatever_else_a_site_prints(
    words: list[str], behind: list[str]
) -> None:
    user = " ".join(["-", *words])
    line = (
        f'192.0.2.7 - {user} [10/Mar/2026:11:00:07 +0100] "GET /v3 HTTP/1.1" 200 {" ".join(behind)}'
    )
    [row] = records(line.rstrip())
    assert row["timestamp"].isoformat() == "2026-03-10T10:00:07+00:00"
    assert row["body"] == line.rstrip()


@pytest.mark.parametrize("key", ["time", "timestamp", "@timestamp", "ts", "datetime"])
@given(value=st.dictionaries(st.sampled_from(["method", "path", "job"]), texts))
def test_an_object_with_a_time_has_it(key: str, value: dict[str, str]) -> None:
    [row] = records(json.dumps({key: "2026-03-10T10:00:07.5Z", **value}))
    assert row["timestamp"].isoformat() == "2026-03-10T10:00:07.500000+00:00"
    assert row.get("attributes", {}) == value
