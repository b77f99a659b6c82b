"""The first word of a text is the text's: only what is surely a logger is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import records

STAMPS = ["2024-01-01 10:00:00,123 {}", "2024-01-01 10:00:00.123 4711 {}"]


@pytest.mark.parametrize("stamp", STAMPS)
@given(text=st.from_regex(r"[A-Z]?[a-z]{1,9}[:,!.]{0,3} [a-z]+( [a-z]+)?", fullmatch=True))
def test_a_plain_word_is_no_logger(stamp: str, text: str) -> None:
    word = text.split()[0]
    [row] = records(stamp.format(f"WARNING {text}"))
    if word[-1].isalpha() and row.get("logger") == word:  # a project's own logger
        assert word in ("nova", "root", "oslo", "heat", "zun", "trove", "swift")
        return
    assert row["body"] == text or (row.get("logger"), row["body"]) == (
        word.rstrip(":"),
        text.removeprefix(word).lstrip(),
    )


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("logger", ["nova.compute", "oslo_messaging", "nova", "__main__", "a.b-c"])
def test_dots_underscores_and_projects_make_a_logger(stamp: str, logger: str) -> None:
    [row] = records(stamp.format(f"WARNING {logger} no host was found"))
    assert (row["logger"], row["body"]) == (logger, "no host was found")


def test_a_logger_before_a_bracket_may_be_any_word() -> None:
    [row] = records("2024-01-01 10:00:00.123 7 INFO plain [-] Up")
    assert (row["logger"], row["body"]) == ("plain", "Up")


@pytest.mark.parametrize("found", ["not-a-uuid", "3f7b1c52", "x"])
def test_an_instance_has_a_uuid(found: str) -> None:
    [row] = records(f"2026-03-10 10:00:00.100 12 WARNING nova.x [-] [instance: {found}] text")
    assert row["body"] == f"[instance: {found}] text"
    assert "resource_id" not in row


@pytest.mark.parametrize("name", ["nova.conf", "example.org", "db.example.com", "x.qcow2"])
@pytest.mark.parametrize("text", ["{} is missing", "{}: no such option"])
def test_a_file_and_a_host_are_no_loggers(name: str, text: str) -> None:
    for stamp in STAMPS:
        [row] = records(stamp.format(f"WARNING {text.format(name)}"))
        assert ("logger" in row, row["body"]) == (False, text.format(name))


@pytest.mark.parametrize("text", ["keystone is down", "nova started", "glance service failed"])
def test_a_project_that_begins_a_sentence_is_no_logger(text: str) -> None:
    [row] = records(f"2024-01-01 10:00:00,123 WARNING {text}")
    assert ("logger" in row, row["body"]) == (False, text)


@pytest.mark.parametrize("zone", [" UTC", " -0500", " +0100"])
def test_a_zone_is_no_logger(zone: str) -> None:
    [row] = records(f"2024-01-01 10:00:00{zone} ERROR no host")
    assert ("logger" in row, row["body"]) == (False, "no host")
