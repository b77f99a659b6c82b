"""Lines without a time: what they belong to, and when they are records of their own."""

from __future__ import annotations

import pytest

from helpers import records

DATED = "2026-03-10 10:00:00.100 7 INFO neutron.x [-] Up"
ACCESS = '192.0.2.7 - - [10/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 19 "-" "x"'
REQUEST = '192.0.2.7 - - [10/Mar/2026 10:00:00] "GET / HTTP/1.1" 200 -'


@pytest.mark.parametrize(
    ("line", "level", "logger"),
    [
        ("ERROR [alembic.util.messaging] no such revision", 17, "alembic.util.messaging"),
        ("INFO  [alembic.runtime.migration] Context impl", 9, "alembic.runtime.migration"),
        ("INFO:__main__:Loading config file", 9, "__main__"),
        ("ERROR:root:no config", 17, "root"),
    ],
)
def test_what_a_library_prints_before_it_has_a_log_is_a_record(
    line: str, level: int, logger: str
) -> None:
    first, second = records(f"{DATED}\n{line}\n")
    assert first["body"] == "Up"
    assert (second["severity_number"], second["logger"]) == (level, logger)


@pytest.mark.parametrize("before", [ACCESS, REQUEST])
@pytest.mark.parametrize(
    ("line", "level"),
    [("ERROR: cannot open", 17), ("INFO:     Started server", 9), ("[warning] full", 13)],
)
def test_behind_a_record_that_takes_no_further_line_a_level_counts(
    before: str, line: str, level: int
) -> None:
    found = records(f"{before}\n{line}\n{line}\n")
    assert [row.get("severity_number") for row in found[1:]] == [level, level]


@pytest.mark.parametrize("line", ["ERROR: cannot open", "INFO:     Started", "[warning] full"])
def test_behind_one_that_takes_further_lines_it_is_one(line: str) -> None:
    [row] = records(f"{DATED}\n{line}\n")
    assert row["body"] == f"Up\n{line}"


QUOTED = """\
10:00:00.100 12 ERROR nova.x [-] Failed: RemoteError: Remote error: ValueError x
['Traceback (most recent call last):\\n', '  File "/y.py", line 2, in g\\n', 'ValueError: x\\n'].
10:00:00.100 12 ERROR nova.x Traceback (most recent call last):
10:00:00.100 12 ERROR nova.x   File "/x.py", line 1, in f
10:00:00.100 12 ERROR nova.x RemoteError: Remote error: ValueError x"""


@pytest.mark.parametrize(
    "envelope",
    ["{}", "2026-03-10T10:00:00.5Z stdout F {}", "Mar 10 10:00:00 ctl1 nova-api[12]: {}"],
)
def test_a_traceback_of_another_program_is_text_in_any_envelope(envelope: str) -> None:
    lines = [
        line.replace("10:00:00.100 12", "2026-03-10 10:00:00.100 12") for line in QUOTED.split("\n")
    ]
    [row] = records("\n".join(envelope.format(line) for line in lines) + "\n")
    assert row["exception_type"] == "RemoteError"
    assert "ValueError: x" in row["body"]
