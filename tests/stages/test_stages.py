"""Stages: nothing vanishes unsaid, and how records came in batches never shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog import F
from opslog.model import schema
from opslog.model.errors import FilterError, OpslogError
from opslog.reading.pipeline import Stage
from opslog.stages import Context, Dedup, Mask, RateLimit, Sample, dedup, rate_limit

START = datetime(2026, 3, 10, 10, tzinfo=UTC)
TRACE = 'Traceback (most recent call last):\n  File "/a/site-packages/{}.py", line {}, in f\nValueError: {}'
STAGES: list[Stage] = [
    RateLimit(2, 10),
    RateLimit(1, 30, ("severity_text", "request_id")),
    RateLimit(1, 30, ()),
    Sample(0.5),
    Context(F.severity >= "ERROR", 1, 2),
    Context(F.severity >= "ERROR", 3, 0),
    Dedup(20),
    Mask(),
    Mask(b"key"),
]


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Return records with the values given; what is not is null."""
    numbered = (
        {"source": "a.log", "attributes": [], "source_offset": i} | row
        for i, row in enumerate(rows)
    )
    return pa.RecordBatch.from_pylist(list(numbered), schema=schema.arrow_schema())


def after(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


def through(stage: Stage, *batches: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return what comes out, with attributes as a dictionary."""
    out = list(stage(iter(batches)))
    for one in out:
        one.validate(full=True)
        assert one.schema == schema.arrow_schema()
    rows = [row for one in out for row in one.to_pylist()]
    return [row | {"attributes": dict(row["attributes"])} for row in rows]


ROWS = st.lists(
    st.fixed_dictionaries({
        "timestamp": st.one_of(st.none(), st.integers(0, 60), st.integers(0, 10**4)).map(after),
        "severity_number": st.sampled_from([9, 17, None]),
        "severity_text": st.sampled_from(["INFO", "ERROR", None]),
        "body": st.sampled_from(["took 1 s", "took 2 s", "password='x'", "other", None]),
        "service_name": st.sampled_from(["nova", "neutron", None]),
        "request_id": st.sampled_from(["req-1", "req-2", None]),
        "global_request_id": st.sampled_from(["req-2", None]),
        "exception_stacktrace": st.sampled_from([None, None, TRACE.format("x", 1, 2), TRACE.format("y", 1, 2)]),
        "attributes": st.sampled_from([[], [("a", "b")], [("context", "own"), ("token", "t")]]),
        "source": st.sampled_from(["a.log", "b.log"]),
    }),
    max_size=40,
)  # fmt: skip


@given(rows=ROWS, cuts=st.lists(st.integers(0, 40)))
@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_batches_never_show_in_the_result(
    stage: Stage, rows: list[dict[str, Any]], cuts: list[int]
) -> None:
    whole = batch(rows)
    ends = [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole.slice(begin, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
    assert through(stage, *parts) == through(stage, whole)


@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_a_stage_gives_what_it_can_before_it_asks_for_more(stage: Stage) -> None:
    asked = []

    def coming() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            asked.append(number)
            yield batch([{"severity_number": 17, "request_id": f"req-{n}"} for n in range(20)])

    next(iter(stage(coming())))
    assert asked == [0]


@given(rows=ROWS)
def test_of_what_a_rate_limit_passes_the_marks_say_what_it_dropped(
    rows: list[dict[str, Any]],
) -> None:
    out = through(RateLimit(2, 10, ("source",)), batch(rows))
    passed = {row["source_offset"] for row in out}
    for source in ("a.log", "b.log"):
        own = [i for i, row in enumerate(rows) if row["source"] == source]
        last = max((i for i in own if i in passed), default=0)
        dropped = [i for i in own if i not in passed and i < last]
        marks = [
            row["attributes"].get("rate_limited", "0") for row in out if row["source"] == source
        ]
        assert sum(map(int, marks)) == len(dropped)


def test_a_rate_limit_passes_the_first_of_each_length_of_time() -> None:
    times = [0, 0.2, 0.4, None, 0.9, 1.0, 1.1, 5, 0.5, 0.6]
    out = through(RateLimit(2, 1), batch([{"timestamp": after(time)} for time in times]))
    assert [row["source_offset"] for row in out] == [0, 1, 5, 6, 7, 8, 9]
    assert [row["attributes"].get("rate_limited") for row in out][:3] == [None, None, "3"]


def test_a_rate_limit_counts_services_apart_unless_told_otherwise() -> None:
    rows = [{"timestamp": START, "service_name": name} for name in ("nova", "nova", "glance")]
    assert [row["service_name"] for row in through(RateLimit(1), batch(rows))] == ["nova", "glance"]
    assert len(through(RateLimit(1, 1, ()), batch(rows))) == 1


def test_a_rate_limit_forgets_old_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MOST_KEYS", 2)
    names = ["a", "b", "c", "a"]
    rows = [{"timestamp": START, "service_name": name} for name in names]
    assert len(through(RateLimit(1), batch(rows))) == 4


@given(rows=ROWS, rate=st.floats(0.01, 1))
def test_a_sample_has_whole_requests_and_grows_with_its_rate(
    rows: list[dict[str, Any]], rate: float
) -> None:
    whole = batch(rows)
    kept = {row["source_offset"] for row in through(Sample(rate), whole)}
    by_request: dict[str, set[bool]] = {}
    for number, row in enumerate(rows):
        request = row["global_request_id"] or row["request_id"]
        if request is not None:
            by_request.setdefault(request, set()).add(number in kept)
    assert all(len(fates) == 1 for fates in by_request.values())
    assert kept >= {row["source_offset"] for row in through(Sample(rate / 2), whole)}
    assert len(through(Sample(1), whole)) == len(rows)


@pytest.mark.parametrize("column", ["request_id", "source_offset"])
def test_a_sample_is_about_as_large_as_said(column: str) -> None:
    rows = [{column: f"req-{n}" if column == "request_id" else 100 * n} for n in range(10_000)]
    assert 900 < len(through(Sample(0.1), batch(rows))) < 1100


@given(rows=ROWS, before=st.integers(0, 4), behind=st.integers(0, 4))
def test_context_is_that_of_grep_in_each_source(
    rows: list[dict[str, Any]], before: int, behind: int
) -> None:
    out = through(Context(F.severity == "ERROR", before, behind), batch(rows))
    for source in ("a.log", "b.log"):
        own = [i for i, row in enumerate(rows) if row["source"] == source]
        hits = [place for place, i in enumerate(own) if rows[i]["severity_number"] == 17]
        wanted = [
            i for place, i in enumerate(own)
            if any(-before <= place - hit <= behind for hit in hits)
        ]  # fmt: skip
        found = [row for row in out if row["source"] == source]
        assert [row["source_offset"] for row in found] == wanted
        for row in found:
            hit = row["severity_number"] == 17
            own_mark = dict(rows[row["source_offset"]]["attributes"]).get("context")
            assert row["attributes"].get("context") in ([own_mark] if hit else ["before", "after"])


@given(rows=ROWS)
def test_of_what_dedup_passes_the_counts_add_up(rows: list[dict[str, Any]]) -> None:
    out = through(Dedup(20), batch(rows))
    counts = [int(row["attributes"].get("repeated", 1)) for row in out]
    assert sum(counts) == len(rows)
    passed = [row["source_offset"] for row in out]
    assert len(set(passed)) == len(passed)


def test_dedup_passes_the_first_at_once_and_the_last_of_the_repeats_later() -> None:
    rows = [
        {"timestamp": after(second), "body": text, "attributes": [("a", "b")]}
        for second, text in [(0, "took 1 s"), (1, "took 2 s"), (2, "other"), (3, "took 3 s"), (70, "took 4 s")]
    ]  # fmt: skip
    out = through(Dedup(), batch(rows))
    assert [row["body"] for row in out] == ["took 1 s", "other", "took 3 s", "took 4 s"]
    assert out[2]["attributes"] == {
        "a": "b", "repeated": "2", "repeated_since": "2026-03-10T10:00:01.000000Z",
    }  # fmt: skip
    assert all(row["attributes"] == {"a": "b"} for row in (out[0], out[1], out[3]))


@pytest.mark.parametrize(("name", "most"), [("MOST_WINDOWS", 2), ("MOST_BYTES", 1000)])
def test_dedup_ends_windows_before_they_are_too_many(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedup, name, most)
    rows = [{"timestamp": START, "body": text} for text in "aabbccaabbcc"]
    out = through(Dedup(), batch(rows))
    assert sum(int(row["attributes"].get("repeated", 1)) for row in out) == len(rows)
    assert len(out) > 6
    halves = batch(rows)
    assert through(Dedup(), halves.slice(0, 5), halves.slice(5)) == out


@pytest.mark.parametrize(
    ("make", "error", "reason"),
    [
        (lambda: RateLimit(0), OpslogError, "found 0 in 1 s"),
        (lambda: RateLimit(1, 0), OpslogError, "found 1 in 0 s"),
        (lambda: RateLimit(1, 1, ("nme",)), FilterError, "expected a column, found 'nme'"),
        (lambda: RateLimit(1, 1, ("attributes",)), FilterError, "expected a column"),
        (lambda: Sample(0), OpslogError, "up to 1, found 0"),
        (lambda: Sample(1.5), OpslogError, "up to 1, found 1.5"),
        (lambda: Dedup(0), OpslogError, "more than no time, found 0 s"),
        (lambda: Context(F.body == "x", -1, 2), OpslogError, "from 0, found -1"),
        (lambda: Context(F.body), FilterError, "expected a pyarrow expression"),
        (lambda: Mask(b""), OpslogError, "found an empty one"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error(make: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        make()
