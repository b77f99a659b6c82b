"""Layouts written as regular expressions: what they take, and how they are held in check."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from helpers import records, table
from opslog import Normalizer
from opslog.checking.check import check
from opslog.language.format import Format
from opslog.language.format_file import from_dict
from opslog.model.errors import FormatError
from opslog.scanner.catalog import Catalog

SEPARATED = {
    # The fields come in any order: no layout can say that.
    "regex": r"(?:(?:at=(?P<timestamp>\S+)|lvl=(?P<severity>\w+)|pid=(?P<process_pid>\d+)|who=(?P<user_name>\w*)) )+- (?P<body>.*)",
    "timestamp": "iso",
}


def made(*layouts: dict[str, Any], **keys: Any) -> Format:
    return from_dict({"name": "own", "title": "own", "layouts": list(layouts), **keys}, "own.toml")


def of(*layouts: dict[str, Any], **keys: Any) -> Catalog:
    return Catalog.beside_shipped([made(*layouts, **keys)])


OWN = of(SEPARATED, follow_on=True)


def test_a_pattern_fills_columns_time_and_severity() -> None:
    [row] = records(
        "pid=7 lvl=WARNING at=2024-01-01T00:00:01.5+02:00 who=Jörg - grüß\n", catalog=OWN
    )
    assert row["timestamp"].isoformat() == "2023-12-31T22:00:01.500000+00:00"
    assert (row["severity_number"], row["severity_text"]) == (13, "WARNING")
    assert (row["process_pid"], row["user_name"], row["body"]) == (7, "Jörg", "grüß")
    assert row["format"] == "own"


def test_a_group_that_takes_no_part_is_null() -> None:
    [row] = records("at=2024-01-01T00:00:00 - x\n", catalog=OWN)
    assert "process_pid" not in row
    assert "severity_text" not in row
    assert row["body"] == "x"


@pytest.mark.parametrize(
    "line",
    [
        "at=2024-01-01T00:00:00 lvl=LOUD - x",
        "at=2024-01-41T00:00:00 lvl=INFO - x",
        "lvl=INFO - x",
        "at=2024-01-01T00:00:00 - x",
    ],
)
def test_a_time_or_severity_that_is_none_is_no_match(line: str) -> None:
    both = of(
        {"regex": r"at=(?P<timestamp>\S+) lvl=(?P<severity>\w+) - (?P<body>.*)", "timestamp": "iso"},
        {"regex": r"lvl=(?P<level>\w+)()(?P<timestamp>x)? - .*", "timestamp": "iso"},
    )  # fmt: skip
    [row] = records(line + "\n", catalog=both)
    assert "format" not in row


@pytest.mark.parametrize(
    ("text", "pid", "duration"),
    [
        ("7", 7, 7.0),
        ("007", 7, 7.0),
        ("1" * 18, int("1" * 18), pytest.approx(1.11111111111111e17)),
        ("", None, None),
        ("x", "no match", "no match"),
        ("-", "no match", "no match"),
        ("-7", "no match", "no match"),
        ("٣", "no match", "no match"),
        ("7.5", "no match", 7.5),
        ("5.", "no match", 5.0),
        ("1" * 19, "no match", "no match"),
    ],
)
def test_a_column_of_numbers_loses_no_text(text: str, pid: object, duration: object) -> None:
    for column, wanted in (("process_pid", pid), ("duration", duration)):
        own = of({"regex": f"n=(?P<{column}>.*)"})
        [row] = records(f"n={text}\n", catalog=own)
        assert (row.get(column) if "format" in row else "no match") == wanted
        if "format" not in row:
            assert row["body"] == f"n={text}"


def test_a_check_says_that_a_text_is_no_number() -> None:
    with pytest.raises(FormatError) as caught:
        check(made({"regex": "n=(?P<http_status>.*)"}, samples=[{"line": "n=ok"}]))
    assert str(caught.value).endswith(
        "  n=ok\n    ^ matched by layouts[0]; expected http_status (a number)"
    )


def test_a_pattern_must_match_the_whole_line() -> None:
    own = of({"regex": "a(?P<body>b)"})
    assert [row.get("format") for row in records("ab\nabc\nxab\nab\r\n\0\0ab\n", catalog=own)] == [
        "own", None, None, "own", "own",
    ]  # fmt: skip


def test_a_line_that_a_layout_takes_is_not_given_to_patterns() -> None:
    greedy = of({"regex": "(?P<everything>.*)"})
    text = "2024-01-01 00:00:00.000 1 INFO nova.api [-] hello\n\nnoise\n"
    assert [row.get("format") for row in records(text, catalog=greedy)] == ["oslo.text"]
    assert [row.get("format") for row in records("\nnoise\n", catalog=greedy)] == [None, "own"]


def test_the_first_pattern_that_takes_a_line_wins() -> None:
    both = of({"regex": "(?P<a>x)(?P<body>.*)"}, {"regex": "(?P<b>x)(?P<body>.*)"})
    assert records("xy\n", catalog=both)[0]["attributes"] == {"a": "x"}


LINES = st.lists(
    st.sampled_from(
        ["pid=7 lvl=INFO at=2024-01-01T00:00:00 who=é - x", "at=2024-01-01T00:00:00 - ünd", "more", "",
         "2024-01-01 00:00:00.000 1 ERROR nova.api [-] hello", "at=1 - x", "lvl=INFO - \udcff",
         "2024-01-01 00:00:00.000 1 ERROR nova.api Traceback (most recent call last):#012  x"]
    ),
    max_size=12,
)  # fmt: skip


@given(LINES, st.data())
def test_where_the_input_is_cut_changes_nothing(lines: list[str], data: st.DataObject) -> None:
    raw = "\n".join(lines).encode("utf-8", "surrogateescape")
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=4))
    assert table(raw, cuts, catalog=OWN).equals(table(raw, catalog=OWN))


def test_the_number_of_threads_changes_nothing(tmp_path: Any) -> None:
    path = tmp_path / "own.log"
    line = "pid={} lvl=ERROR at=2024-01-01T00:00:00.{:03} who=x - {}\nmore\n"
    path.write_text("".join(line.format(i, i % 1000, "y" * 500) for i in range(20_000)))
    one, four = (library.read(path, threads=n)._changed(catalog=OWN).to_table() for n in (1, 4))
    assert one.num_rows == 20_000
    assert one.equals(four)


def test_a_pattern_that_takes_too_long_does_not_match_and_is_counted() -> None:
    slow = of({"regex": r"(?P<body>(?:(?:a+)+)+)!"}, follow_on=True)
    normalizer = Normalizer(catalog=slow)
    batches = normalizer.feed(b"a" * 3000 + b"\naa!\n") + normalizer.close()
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["format"] for row in rows] == [None, "own"]
    assert normalizer.stats.timeouts == {"own": 1}


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"regex": "(?P<body>"}, "own.toml: layouts[0].regex: expected a pattern of the regex package, found missing )\n  (?P<body>\n           ^"),
        ({"regex": "(" * 20_000}, "layouts[0].regex: is nested too deeply"),
        ({"regex": "no groups"}, "expected named groups such as (?P<body>.*): the columns"),
        ({"regex": "a(?P<timestamp>.*)"}, "expected a key timestamp that says the kind of this group\n  a(?P<timestamp>.*)\n      ^"),
        ({"regex": "(?P<body>.*)", "timestamp": "iso"}, "expected a group timestamp of the kind 'iso'"),
        ({"regex": "(?P<timestamp>.*)", "timestamp": "%H:%M"}, "does not name month and day"),
        ({"regex": "(?P<body>.*)", "layout": "{body:rest}"}, "layouts[0].layout: unknown key; expected one of regex, timestamp"),
    ],
)  # fmt: skip
def test_a_wrong_pattern_is_refused_where_it_is_wrong(layout: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        made(layout)
    assert message in str(caught.value)


def test_a_pattern_reads_lines_not_messages() -> None:
    with pytest.raises(FormatError, match="a regex reads lines"):
        made({"regex": "(?P<body>.*)"}, applies_to="message")


def test_a_pattern_is_checked_like_a_layout() -> None:
    line = "at=2024-01-01T00:00:00 pid=7 - x"
    check(made(SEPARATED, samples=[{"line": line, "expect": {"process_pid": 7, "body": "x"}}]))
    with pytest.raises(FormatError) as caught:
        check(made(SEPARATED, samples=[{"line": line.replace("pid=7 ", "pid=x ")}]))
    assert str(caught.value) == (
        "own.toml: samples[0]: expected format 'own', found None\n"
        "  at=2024-01-01T00:00:00 pid=x - x\n"
        "                             ^ matched up to here by layouts[0]"
    )
    with pytest.raises(FormatError) as caught:
        check(made(SEPARATED, samples=[{"line": line.replace("pid=7", "lvl=LOUD")}]))
    assert str(caught.value).endswith(
        "  at=2024-01-01T00:00:00 lvl=LOUD - x\n"
        "                             ^ matched by layouts[0]; expected severity (a word of its vocabulary)"
    )
    slow = {"regex": "(?P<body>(?:(?:a+)+)+)!"}
    with pytest.raises(FormatError, match=r"\^ layouts\[0\] ran out of time \(50 ms\)"):
        check(made(slow, samples=[{"line": "a" * 3000}]))
    unreached = {"regex": "never(?P<body>.*)"}
    with pytest.raises(FormatError, match=r"layouts\[1\]: no sample reaches this layout: never"):
        check(made(SEPARATED, unreached, samples=[{"line": line}]))
    with pytest.raises(FormatError, match=r"rejects\[0\]: expected no layout to match"):
        check(made(SEPARATED, samples=[{"line": line}], rejects=[{"line": line, "reason": "?"}]))
