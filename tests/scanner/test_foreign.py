"""Logs of programs nobody here wrote: no event is swallowed, no level is a name, no time is wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import given, note

from foreign import CRIT, LEVELS, LOWERED, WORDS, Line, logs
from helpers import records

NAMES = ("host_name", "program", "service_name", "logger", "resource_type")


@given(logs(most=1))
def test_a_record_says_nothing_wrong(log: tuple[bytes, list[Line]]) -> None:
    data, [line] = log
    note(data.decode())
    [row] = records(data, year=2026)
    check(row, line)


@given(logs(most=8))
def test_every_event_is_a_record(log: tuple[bytes, list[Line]]) -> None:
    data, lines = log
    note(data.decode())
    found = {row["source_offset"]: row for row in records(data, year=2026)}
    assert set(found) == {line.offset for line in lines}
    for line in lines:
        check(found[line.offset], line)


def check(row: dict[str, Any], line: Line) -> None:
    """What is told of an event is true, and what must be told is."""
    note(str(row))
    event, attributes = line.event, row.get("attributes", {})
    level = row.get("severity_number")
    assert level in (None, LEVELS[event.level], LOWERED.get(event.level), CRIT)
    assert (level == CRIT) <= (event.level == "CRITICAL")
    assert row.get("logger") in (None, event.name)
    if line.graded:
        assert level is not None
    if line.named:
        assert row.get("logger") == event.name
    assert row.get("host_name") in (None, "ctl1")
    if line.program:
        assert (row["host_name"], row["program"]) == ("ctl1", line.program)
    assert abs(row["timestamp"] - event.time) < line.precision
    assert event.text in row["body"]
    named = [row.get(name, "") for name in NAMES] + [
        value for key, value in attributes.items() if key.endswith(("_name", "_alias", "tag"))
    ]
    assert not {str(name).lower() for name in named} & WORDS
