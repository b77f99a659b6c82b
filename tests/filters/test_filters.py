"""Filters: flags, F and query text keep what pyarrow and plain Python say."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import ROOT
from helpers import opslog as command
from opslog import F, Fields, FilterError, QueryError
from opslog.cli import conditions
from opslog.cli.parser import CommandParser
from opslog.filters import query, times
from opslog.filters.filter import Filter, evaluate
from opslog.filters.ids import is_whole
from opslog.model import schema
from opslog.model.zones import Zone

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
REQUEST = "req-0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5"
WORDS = ["nova", "neutron", "nova.compute.manager", "a", "A%b", "x_y", "it's", "", "ä", REQUEST]
START = datetime(2026, 3, 10, tzinfo=UTC)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": st.integers(0, 7200).map(lambda s: START + timedelta(seconds=s)),
    "severity_number": st.integers(1, 24),
    "http_status": st.integers(199, 601),
    "duration": st.sampled_from([0.0, 0.5, 1.5, 1e9]),
    **{
        name: st.sampled_from(WORDS)
        for name in (
            "body", "service_name", "program", "host_name", "logger", "request_id",
            "global_request_id", "resource_id", "project_id", "project_name", "user_id",
            "user_name", "exception_stacktrace",
        )
    },
}  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}),
    min_size=1,
    max_size=8,
)


def table(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Return rows as a batch with all columns."""
    arrow = schema.arrow_schema()
    return pa.RecordBatch.from_arrays(
        [
            pa.array([row.get(name) for row in rows], pa.string()).dictionary_encode()
            if schema.BY_NAME[name].kind == "dictionary"
            else pa.array([row.get(name) for row in rows], arrow.field(name).type)
            for name in arrow.names
        ],
        schema=arrow,
    )


def kept(expression: pc.Expression, batch: pa.RecordBatch) -> list[bool]:
    return evaluate(expression, batch).to_pylist()


def texts(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(name).cast(pa.string())


def options(*flags: str) -> argparse.Namespace:
    parser = CommandParser()
    conditions.add(parser)
    parser.add_argument("--timezone", action="append", default=[])
    return parser.parse_args(flags)


def both(batch: pa.RecordBatch, first: str, second: str, word: str) -> pa.Array:
    return pc.or_(
        pc.fill_null(pc.equal(texts(batch, first), word), False),
        pc.fill_null(pc.equal(texts(batch, second), word), False),
    )


def one_o_clock() -> pa.Scalar:
    return pa.scalar(START + timedelta(hours=1), pa.timestamp("us", "UTC"))


BY_HAND: dict[tuple[str, ...], Callable[[pa.RecordBatch], pa.Array]] = {
    ("--severity", "warning"): lambda b: pc.greater_equal(b["severity_number"], 13),
    ("--service", "nova"): lambda b: pc.equal(texts(b, "service_name"), "nova"),
    ("--service", "nova", "--service", "a"): lambda b: pc.is_in(
        texts(b, "service_name"), pa.array(["nova", "a"])
    ),
    ("--program", "n*"): lambda b: pc.starts_with(texts(b, "program"), "n"),
    ("--host", "A%b"): lambda b: pc.equal(texts(b, "host_name"), "A%b"),
    ("--logger", "nova.*.manager"): lambda b: pc.equal(texts(b, "logger"), "nova.compute.manager"),
    ("--logger", "?"): lambda b: pc.equal(pc.utf8_length(texts(b, "logger")), 1),
    ("--request", "req-0c1d2e3f"): lambda b: both(b, "request_id", "global_request_id", REQUEST),
    ("--resource", "it?s"): lambda b: pc.equal(b["resource_id"], "it's"),
    ("--project", "nova"): lambda b: both(b, "project_id", "project_name", "nova"),
    ("--user", "a"): lambda b: both(b, "user_id", "user_name", "a"),
    ("--status", "5xx"): lambda b: pc.and_(
        pc.greater_equal(b["http_status"], 500), pc.less_equal(b["http_status"], 599)
    ),
    ("--status", "404"): lambda b: pc.equal(b["http_status"], 404),
    ("--status", "200-299", "--status", "404"): lambda b: pc.or_(
        pc.and_(pc.greater_equal(b["http_status"], 200), pc.less_equal(b["http_status"], 299)),
        pc.equal(b["http_status"], 404),
    ),
    ("--since", "2026-03-10 01:00"): lambda b: pc.greater_equal(b["timestamp"], one_o_clock()),
    ("--until", "2026-03-10T02:00+01:00"): lambda b: pc.less(b["timestamp"], one_o_clock()),
    ("--since", "2026-03-10 02:00", "--timezone", "Europe/Berlin"): lambda b: pc.greater_equal(
        b["timestamp"], one_o_clock()
    ),
    ("--grep", "^[ax]"): lambda b: pc.or_(
        pc.fill_null(pc.match_substring_regex(b["body"], "^[ax]"), False),
        pc.fill_null(pc.match_substring_regex(b["exception_stacktrace"], "^[ax]"), False),
    ),
    ("--grep", "a%B", "-i"): lambda b: pc.or_(
        pc.fill_null(pc.match_substring(pc.utf8_lower(b["body"]), "a%b"), False),
        pc.fill_null(pc.match_substring(pc.utf8_lower(b["exception_stacktrace"]), "a%b"), False),
    ),
    ("--where", "duration > 0.5 or http_status = 404"): lambda b: pc.or_(
        pc.fill_null(pc.greater(b["duration"], 0.5), False),
        pc.fill_null(pc.equal(b["http_status"], 404), False),
    ),
    ("--service", "nova", "--severity", "ERROR"): lambda b: pc.and_(
        pc.fill_null(pc.equal(texts(b, "service_name"), "nova"), False),
        pc.fill_null(pc.greater_equal(b["severity_number"], 17), False),
    ),
}


CONDITIONS = st.recursive(
    st.sampled_from(
        ["body ~ '@a|x'", "severity >= WARNING", "http_status = 404", "logger is null", "@c"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or", "&&"]), inner).map(" ".join),
        inner.map("not {}".format),
        inner.map("({})".format),
        st.sampled_from(["@a", "not @b"]),
    ),
    max_leaves=8,
)


@given(CONDITIONS, CONDITIONS, CONDITIONS)
def test_a_named_filter_is_its_text_in_parentheses(text: str, a: str, b: str) -> None:
    named = {"c": "service_name = 'nova' or duration > 1"}
    named["b"] = re.sub("@[ab](?![|])", "@c", b)
    named["a"] = re.sub("@a(?![|])", "@b", a)
    written = text
    for name in ("a", "b", "c"):
        written = re.sub(f"@{name}(?![|])", lambda _, name=name: f"({named[name]})", written)
    assert query.parse(text, named=named).equals(query.parse(written))
    used = {one for one in "abc" if re.search(f"@{one}(?![|])", text)}
    assert used <= set(query.used(text, named)) <= {"a", "b", "c"}


@pytest.mark.parametrize("flags", BY_HAND, ids=" ".join)
@given(rows=ROWS)
def test_a_flag_keeps_what_the_same_filter_in_pyarrow_keeps(
    flags: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    batch = table(rows)
    expected = pc.fill_null(BY_HAND[flags](batch), False).to_pylist()
    found = conditions.filter_of(options(*flags))
    assert found is not None
    assert kept(found.expression, batch) == expected
    inverted = conditions.filter_of(options("-v", *flags))
    assert inverted is not None
    assert kept(inverted.expression, batch) == [not value for value in expected]
    assert set(found.columns) == set(inverted.columns)
    # The columns found out are enough to evaluate it.
    assert kept(found.expression, batch.select(list(found.columns))) == expected


# -- query text ----------------------------------------------------------------------

Row = dict[str, Any]
Condition = tuple[str, int, Callable[[Row], bool]]
"""Its text, how tightly that binds (3: a comparison), and what it means."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def compared(name: str, sign: str, value: Any) -> Condition:
    meaning = {
        "=": lambda v: v == value, "!=": lambda v: v != value, "<": lambda v: v < value,
        "<=": lambda v: v <= value, ">": lambda v: v > value, ">=": lambda v: v >= value,
    }[sign]  # fmt: skip
    if isinstance(value, datetime):
        shown = quoted(value.isoformat())
    else:
        shown = quoted(value) if isinstance(value, str) else str(value)
    return f"{name} {sign} {shown}", 3, lambda row: row[name] is not None and meaning(row[name])


def one_of(name: str, values: list[str], negative: bool) -> Condition:
    text = f"{name} {'not ' * negative}in ({', '.join(map(quoted, values))})"
    return text, 3, lambda row: (row[name] in values) != negative


def null(name: str, negative: bool) -> Condition:
    return (
        f"{name} IS {'NOT ' * negative}NULL", 3,
        lambda row: (row[name] is None) != negative,
    )  # fmt: skip


def liked(name: str, pattern: str, negative: bool) -> Condition:
    parts = {"%": ".*", "_": "."}
    regex = re.compile("".join(parts.get(c) or re.escape(c) for c in pattern), re.DOTALL)
    return (
        f"{name} {'not ' * negative}like {quoted(pattern)}", 3,
        lambda row: (row[name] is not None and bool(regex.fullmatch(row[name]))) != negative,
    )  # fmt: skip


def joined(word: str, left: Condition, right: Condition) -> Condition:
    binds = {"or": 0, "and": 1}[word]
    sides = (f"({t})" if b < binds else t for t, b, _ in (left, right))
    both_true = word == "and"
    return (
        f" {word} ".join(sides), binds,
        lambda row: (left[2](row) and right[2](row)) if both_true
        else (left[2](row) or right[2](row)),
    )  # fmt: skip


def negated(inner: Condition) -> Condition:
    text, binds, meaning = inner
    return f"not {text if binds >= 2 else f'({text})'}", 2, lambda row: not meaning(row)


NAMES = st.sampled_from(["body", "logger", "service_name", "request_id"])
SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
LEAVES = (
    st.builds(compared, NAMES, SIGNS, st.sampled_from(WORDS))
    | st.sampled_from(["timestamp", "http_status", "duration"]).flatmap(
        lambda name: st.builds(compared, st.just(name), SIGNS, VALUES[name])
    )
    | st.builds(one_of, NAMES, st.lists(st.sampled_from(WORDS), min_size=1), st.booleans())
    | st.builds(null, st.sampled_from(sorted(VALUES)), st.booleans())
    | st.builds(liked, NAMES, st.sampled_from(["n%", "%o%", "A%b", "_", ""]), st.booleans())
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(negated, inner) | st.builds(joined, st.sampled_from(["and", "or"]), inner, inner)
    ),
    max_leaves=6,
)


@given(rows=ROWS, condition=CONDITIONS)
def test_query_text_means_what_python_says(rows: list[Row], condition: Condition) -> None:
    text, _, meaning = condition
    assert kept(query.parse(text), table(rows)) == [meaning(row) for row in rows], text


@given(st.text())
def test_any_query_text_is_read_or_refused(text: str) -> None:
    try:
        Filter.of(query.parse(text))
    except QueryError as error:
        place = error.column
    else:
        place = 0
    assert 0 <= place <= len(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("severty >= WARNING", "expected a column (`opslog schema` lists them), found 'severty'; did you mean 'severity'?\n  severty >= WARNING\n  ^"),
        ("severity >= WARNIG", "expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) or 1-24, found 'WARNIG'; did you mean 'WARNING'?\n  severity >= WARNIG\n              ^"),
        ("http_status = abc", "http_status: expected a whole number, found 'abc'\n  http_status = abc\n                ^"),
        ("timestamp > soon", "expected a time such as 2026-03-10, 2026-03-10T10:00:07Z, 10:00, Feb 4 10:00, yesterday, 2h, @1773136807, found 'soon'\n  timestamp > soon\n              ^"),
        ("body ~ '('", "expected a regular expression of RE2 (missing ): (), found '('\n  body ~ '('\n         ^"),
        ("http_status ~ 5", "expected a column of text to search, found 'http_status'\n  http_status ~ 5\n              ^"),
        ("body between a and b", "write body >= a and body < b: whether both ends belong to it can then be seen\n  body between a and b\n       ^"),
        ("body = 'x", "expected the quote that ends this text, found the end\n  body = 'x\n         ^"),
        ("(body = x", "expected and, or, or ), found the end\n  (body = x\n           ^"),
        ("body = x service_name = y", "expected and, or, or the end, found 'service_name'\n  body = x service_name = y\n           ^"),
        ("body not = x", "expected in, like, ilike or contains behind not\n  body not = x\n           ^"),
        ("attributes = x", "attributes: expected an attribute's name, F.attributes['name'], found 'x'\n  attributes = x\n               ^"),
        ("", "expected the name of a column, found the end\n  \n  ^"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        query.parse(text)
    assert str(raised.value) == message


# -- F -------------------------------------------------------------------------------


@given(rows=ROWS)
def test_f_and_its_negation_share_all_rows(rows: list[Row]) -> None:
    batch = table(rows)
    for expression in (
        F.severity >= "WARNING", F.service_name == "nova", F.body.contains("o"),
        F.body.matches("^n"), F.logger.startswith("n"), F.logger.endswith("r"),
        F.request_id.isin([REQUEST, "a"]), F.timestamp.between("2026-03-10", "2026-03-10 01:00"),
        F.duration != 0.5, F.attributes["x"] == "y", F.host_name.glob("*o*"),
    ):  # fmt: skip
        yes, no = kept(expression, batch), kept(~expression, batch)
        assert [not value for value in yes] == no


def test_plain_expressions_of_pyarrow_mix_in() -> None:
    logs = opslog.read(LOG).filter((F.severity >= "WARNING") & (pc.field("process_pid") > 1))
    assert logs.to_table().num_rows == 2
    logs = opslog.read(LOG).filter(pc.scalar(True))
    assert logs.to_table().num_rows == 14


def test_text_filters_logs_in_their_time_zone() -> None:
    logs = opslog.read(LOG, timezone="+02:00")
    table = logs.filter("timestamp >= '2026-03-10 10:00:07'").to_table()
    assert table.num_rows == 5
    assert opslog.read(LOG).filter(Fields("+02:00").timestamp >= "2026-03-10 12:00:07").to_table() == (
        opslog.read(LOG).filter(F.timestamp >= datetime(2026, 3, 10, 10, 0, 7)).to_table()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: F.servce_name, "expected a column (`opslog schema` lists them), found 'servce_name'; did you mean 'service_name'?"),
        (lambda: F.body == None, "nothing equals null: use .is_null() or .is_valid(): 'body'"),  # noqa: E711
        (lambda: F.http_status == "404", "http_status: expected a whole number, found '404'"),
        (lambda: F.http_status == True, "http_status: expected a whole number, found 'True'"),  # noqa: E712
        (lambda: F.body == 5, "body: expected text, found '5'"),
        (lambda: F.body["x"], "expected attributes, the only column with values of a name, found 'body'"),
        (lambda: F.body and F.logger, "a column is no condition: compare it, or use .is_valid(); join conditions with &, | and ~: 'body'"),
        (lambda: opslog.read(LOG).filter(None), "expected a pyarrow expression or its text, found 'None'"),
        (lambda: F.body.isin("abc"), "body: expected several values, found 'abc'"),
        (lambda: F.body.contains(1), "expected text, found '1'"),
        (lambda: F.attributes["\udcff"], "expected text, found '\\udcff'"),
        (lambda: opslog.read(LOG).filter(pc.field("bdy") == 1), "the filter does not fit the columns (No match for FieldRef.Name(bdy) in timestamp: timestamp[us, tz=UTC]): '(bdy == 1)'"),
        (lambda: opslog.read(LOG).filter(pc.field("body")), "expected a condition, found a value of type string: 'body'"),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(FilterError) as raised:
        make()
    assert str(raised.value) == message


@given(value=st.text(st.sampled_from("aé€😀"), min_size=40, max_size=120))
def test_values_of_any_length_are_compared(value: str) -> None:
    # pyarrow shortens long values where it prints an expression.
    batch = pa.record_batch({"body": [value, value + "x"], "host_name": [None, value]})
    for text, found in (
        (f"body in ('{value}')", [True, False]),
        (f"body = '{value}'", [True, False]),
        (f"body like '{value}%' and host_name is not null", [False, True]),
    ):
        condition = Filter.of(text)
        assert evaluate(condition.expression, batch).to_pylist() == found
        assert {"body"} <= set(condition.columns)


# -- times -----------------------------------------------------------------------------

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-10", "UTC", "2026-03-10T00:00:00+00:00"),
        ("2026-03-10 10:00:07.5", "Europe/Berlin", "2026-03-10T09:00:07.500000+00:00"),
        ("2026-03-10T10:00Z", "Europe/Berlin", "2026-03-10T10:00:00+00:00"),
        ("now", "UTC", "2026-03-29T12:00:00+00:00"),
        ("90s", "UTC", "2026-03-29T11:58:30+00:00"),
        ("500ms", "UTC", "2026-03-29T11:59:59.500000+00:00"),
        ("-1h30min", "UTC", "2026-03-29T10:30:00+00:00"),
        ("2 Days ago", "UTC", "2026-03-27T12:00:00+00:00"),
        ("1.5w", "UTC", "2026-03-19T00:00:00+00:00"),
        ("Mar 10", "UTC", "2026-03-10T00:00:00+00:00"),
        ("10 march 10:00", "Europe/Berlin", "2026-03-10T09:00:00+00:00"),
        ("Mar 30", "UTC", "2026-03-30T00:00:00+00:00"),  # tomorrow somewhere
        ("Mar 31", "UTC", "2025-03-31T00:00:00+00:00"),
        ("Feb 29", "UTC", "2024-02-29T00:00:00+00:00"),
        ("today 10:00", "UTC", "2026-03-29T10:00:00+00:00"),
        ("10:00:07.5 yesterday", "UTC", "2026-03-28T10:00:07.500000+00:00"),
        ("monday", "UTC", "2026-03-23T00:00:00+00:00"),
        ("Sunday 09:00Z", "Europe/Berlin", "2026-03-29T09:00:00+00:00"),
        ("2026/3/10 10:00", "UTC", "2026-03-10T10:00:00+00:00"),
        ("2026-03-10 10:00 +0200", "UTC", "2026-03-10T08:00:00+00:00"),
        ("10/Mar/2026:10:00:07 +0100", "UTC", "2026-03-10T09:00:07+00:00"),
        ("Tue Mar 10 10:00:07 2026", "UTC", "2026-03-10T10:00:07+00:00"),
        ("Mar 10th, 2026 10:00 UTC", "Europe/Berlin", "2026-03-10T10:00:00+00:00"),
        ("@1773136807.25", "Europe/Berlin", "2026-03-10T10:00:07.250000+00:00"),
        ("1773136807", "Europe/Berlin", "2026-03-10T10:00:07+00:00"),
        ("1773136807250", "Europe/Berlin", "2026-03-10T10:00:07.250000+00:00"),
        # The clocks of Berlin went forward this morning: the day began at 23:00 UTC.
        ("today", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
        ("yesterday", "Europe/Berlin", "2026-03-27T23:00:00+00:00"),
        # An hour that is skipped counts by the offset before it, one that comes twice is the first.
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_times_as_people_write_them(text: str, zone: str, expected: str) -> None:
    found = times.instant(text, Zone(zone), NOW)
    assert datetime.fromtimestamp(found / 1e6, UTC).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    ["", "soon", "5", "5 parsecs", "2026-13-01", "ago", "h", "9" * 30, "Feb", "Feb 30 2026", "2026",
     "today monday", "Feb 4 Feb 5", "10:00 11:00", "24:30", "@", "monday 2026-03-10 2026"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match="expected a time such as"):
        times.instant(text, Zone("UTC"), NOW)


def test_a_time_of_day_alone_needs_the_day_of_the_logs() -> None:
    with pytest.raises(FilterError, match="expected a day beside the time"):
        times.instant("10:00", Zone("UTC"), NOW)
    found = times.instant("10:00", Zone("UTC"), NOW, date(2022, 2, 4))
    assert datetime.fromtimestamp(found / 1e6, UTC).isoformat() == "2022-02-04T10:00:00+00:00"
    found = times.instant("Feb 3 10:00", Zone("UTC"), NOW, date(2022, 2, 4))
    assert datetime.fromtimestamp(found / 1e6, UTC).isoformat() == "2022-02-03T10:00:00+00:00"


# -- ids -------------------------------------------------------------------------------

UUID = REQUEST.removeprefix("req-")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (REQUEST, True),
        (REQUEST.upper(), True),
        (UUID, True),
        (UUID.replace("-", ""), True),
        ("req-0c1d2e3f", True),
        ("req-0c1d2e3f-4a5b-4", True),
        ("0c1d2e3f", True),
        ("REQ-0C1D2E3F", True),
        ("req-0c1d2e3f-*", True),
        ("*0c1d2e3f*", True),
        ("req-0c1d2e3?-4a5b-4c6d-8e7f-90a1b2c3d4e5", True),
        ("req-0c1d2e3e", False),
        ("4a5b-4c6d-8e7f", False),  # in its middle
        ("something-else", False),
    ],
)
@pytest.mark.parametrize("column", ["request_id", "global_request_id"])
def test_a_request_is_known_by_its_id_in_all_spellings(text: str, found: bool, column: str) -> None:
    wanted = conditions.filter_of(options("--request", text))
    assert wanted is not None
    assert kept(wanted.expression, table([{column: REQUEST}])) == [found]
    assert not any(kept(wanted.expression, table([{column: "req-1"}, {"body": REQUEST}])))
    if found:  # a block is looked into only where one of the needles stands
        assert all(any(one in REQUEST.encode() for one in any_of) for any_of in wanted.needles)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("req-0c1d2e3f", False),
        (REQUEST, True),
        (UUID, True),
        ("0c1d2e3f-4a5b", False),
        ("txa20e2bfc81d14cc7babd7-005395d5b6", True),
        ("txa20e2bfc81d14cc7babd7-005395d5b6-qt1", True),
        ("txa20e2bfc8", False),
        ("instance-0000001a", True),
    ],
)
def test_a_beginning_is_told_from_a_whole_id(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


# -- the command -----------------------------------------------------------------------


def test_flags_filter_the_command() -> None:
    for flags, count in [
        (["--request", "req-a4c6e8f0"], 9),
        (["--request", "req-a4c6e8f0-*"], 9),
        (["--since", "-99w", "--severity", "ERROR"], 1),
        (["--logger", "nova.compute.*"], 6),
        (["--grep", "Image", "--grep", "HTTP"], 3),
        (["-v", "--severity", "WARNING"], 12),
        (["--where", "severity = error", "--where", "exception_type ~ Image"], 1),
        (["--since", "2026-03-10T10:00:07Z", "--until", "2026-03-10T10:00:08Z"], 3),
    ]:
        assert len(command("filter", *flags, LOG).stdout.splitlines()) == count, flags


def test_a_wrong_flag_is_told_and_ends_with_2() -> None:
    for flags, message in [
        (["--status", "20"], "opslog: --status: expected a status from 100 to 599 such as 404, 5xx or 400-499, found '20'; `opslog filter --help` says more\n"),
        (["--request", ""], "opslog: --request: expected an id, or at least its first 8 digits, as in req-7822cfee, found ''; `opslog filter --help` says more\n"),
        (["-v"], "opslog: -v: expected a condition beside it (--severity, --grep, ...), found none; add one, or leave it out\n"),
        (["--since", "999999999w"], "opslog: --since: expected a time such as 2026-03-10, 2026-03-10T10:00:07Z, 10:00, Feb 4 10:00, yesterday, 2h, @1773136807, found '999999999w'\n"),
        (["--service", "\udcff"], "opslog: --service: expected text, found '\\udcff'\n"),
        (["--severity", ""], "opslog: --severity: expected a severity (TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL) or 1-24, found ''; `opslog filter --help` says more\n"),
    ]:  # fmt: skip
        result = command("filter", *flags, LOG)
        assert (result.returncode, result.stderr.decode()) == (2, message)


def test_very_many_values_and_conditions_are_no_trouble() -> None:
    [batch] = opslog.read(LOG).batches()
    ids = [f"req-{number}" for number in range(30_000)]
    assert not any(kept(F.request_id.isin([]), batch))
    assert kept(F.process_pid.isin(range(30_000)), batch).count(True) == 14
    assert not any(kept(F.request_id.isin(ids), batch))
    text = "body in ('" + "', '".join(ids) + "') or severity = error"
    assert kept(query.parse(text), batch).count(True) == 1
    text = " or ".join(f"body = '{one}'" for one in ids[:1000])
    assert not any(kept(query.parse(text), batch))
    with pytest.raises(FilterError, match="expected at most 1,000 conditions"):
        query.parse(f"{text} or body = 'x'")


def test_named_filters_count_as_what_they_stand_for() -> None:
    named = {"x0": "severity = ERROR"} | {f"x{n}": f"@x{n - 1} or @x{n - 1}" for n in range(1, 61)}
    assert query.parse("@x9", named=named) is not None
    for name in ("@x10", "@x60"):
        with pytest.raises(FilterError, match="at most 1,000 conditions in all"):
            query.parse(name, named=named)
