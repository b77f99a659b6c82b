"""The kernels of stages say what a pattern, or a loop over records, says."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.stages._marks import places
from opslog.stages._repeats import Windows
from opslog.stages.dedup import _rfc3339

LENGTH, MOST, MOST_BYTES = 10, 3, 50
Batches = list[list[tuple[int, int, int]]]


def slow(batches: Batches) -> tuple[list[list[int]], list[list[tuple[int, int, int]]], int]:
    """Return what passes each batch and the end, (place, repeats, since) in it, and what is let go."""
    windows: dict[int, dict[str, int]] = {}
    all_passed, all_marks, let_go, held = [], [], 0, 0

    def end(name: int) -> None:
        window = windows.pop(name)
        if window["repeats"]:
            marks.append((len(passed), window["repeats"], window["since"]))
            passed.append(window["last"])

    def ended(name: int, moment: int) -> bool:
        return abs(moment - windows[name]["begin"]) >= LENGTH

    for batch in batches:
        passed: list[int] = []
        marks: list[tuple[int, int, int]] = []
        for row, (name, moment, size) in enumerate(batch, held):
            while windows and ended(next(iter(windows)), moment):
                end(next(iter(windows)))
            if name in windows and ended(name, moment):
                end(name)
            if name in windows:
                window = windows[name]
                window["since"] = window["since"] if window["repeats"] else moment
                window.update(repeats=window["repeats"] + 1, last=row, size=size)
            else:
                windows[name] = {"begin": moment, "repeats": 0, "since": 0, "size": 0}
                passed.append(row)
            while len(windows) > MOST or sum(one["size"] for one in windows.values()) > MOST_BYTES:
                end(next(iter(windows)))
                let_go += 1
        all_passed.append(passed)
        all_marks.append(marks)
        waiting = [window for window in windows.values() if window["repeats"]]
        held = len(waiting)
        for number, window in enumerate(waiting):
            window["last"] = number
    passed, marks = [], []
    for name in list(windows):
        end(name)
    return [*all_passed, passed], [*all_marks, marks], let_go


ROWS = st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 30))


@given(batches=st.lists(st.lists(ROWS, max_size=20), max_size=4))
def test_windows_end_as_in_a_loop_over_records(batches: Batches) -> None:
    windows, found = Windows(LENGTH, MOST, MOST_BYTES), []
    held = 0
    for batch in batches:
        names = list(dict.fromkeys(name for name, _, _ in batch))
        windows.feed(
            array("i", [names.index(name) for name, _, _ in batch]),
            array("Q", names),
            array("q", [moment for _, moment, _ in batch]),
            array("q", [size for _, _, size in batch]),
            held,
        )
        found.append(windows.taken())
        waiting = windows.waiting()
        held = len(waiting)
    windows.close()
    found.append(windows.taken())
    expected, marks, let_go = slow(batches)
    assert [passed for passed, *_ in found] == expected
    assert [list(zip(*told, strict=True)) for _, *told in found] == marks
    assert windows.let_go == let_go


def test_windows_take_the_farthest_times_and_no_foreign_numbers() -> None:
    windows, ends = Windows(LENGTH, MOST, MOST_BYTES), [-(1 << 63), (1 << 63) - 1]
    windows.feed(array("i", [0, 0]), array("Q", [7]), array("q", ends), array("q", [1, 1]), 0)
    assert windows.taken()[0] == [0, 1]
    with pytest.raises(IndexError):
        windows.feed(array("i", [1]), array("Q", [7]), array("q", [1]), array("q", [1]), 0)
    with pytest.raises(ValueError, match="fewer"):
        windows.feed(array("i", [0]), array("Q", [7]), array("q"), array("q", [1]), 0)


@given(
    sizes=st.lists(st.integers(0, 3), max_size=8),
    data=st.data(),
    skipped=st.integers(0, 2),
    names=st.integers(0, 2),
)
def test_added_entries_stand_behind_those_of_their_row(
    sizes: list[int], data: st.DataObject, skipped: int, names: int
) -> None:
    known = skipped + sum(sizes) + 1
    rows = [row for row in range(len(sizes)) if data.draw(st.booleans())]
    replaced = data.draw(st.none() | st.binary(min_size=known, max_size=known))
    ends = array("i", [skipped])
    expected, expected_ends = [], [0]
    for row, size in enumerate(sizes):
        old = range(ends[-1], ends[-1] + size)
        ends.append(ends[-1] + size)
        if row in rows:
            expected += [entry for entry in old if not (replaced and replaced[entry])]
            expected += [known + name * len(rows) + rows.index(row) for name in range(names)]
        else:
            expected += old
        expected_ends.append(len(expected))
    order, found = places(ends, known, array("i", rows), names, replaced)
    assert memoryview(order).cast("q").tolist() == expected
    assert memoryview(found).cast("i").tolist() == expected_ends


@pytest.mark.parametrize(
    ("ends", "known", "rows", "replaced"),
    [
        ([0, 2, 1], 2, [], None),
        ([0, 2], 1, [], None),
        ([-1, 2], 2, [], None),
        ([0, 2], 2, [1], None),
        ([0, 1, 2], 2, [1, 0], None),
        ([0, 2], 2, [0], b"\0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(
    ends: list[int], known: int, rows: list[int], replaced: bytes | None
) -> None:
    with pytest.raises(ValueError, match=r"expected|fewer"):
        places(array("i", ends), known, array("i", rows), 1, replaced)


@given(st.datetimes(min_value=datetime(1, 1, 1)))
def test_times_are_told_as_python_tells_them(moment: datetime) -> None:
    column = pa.array([moment.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")).view(pa.int64())
    assert _rfc3339(column)[0].as_py() == moment.isoformat(timespec="microseconds") + "Z"


def test_a_time_that_there_is_none_for_is_the_first() -> None:
    far = pa.array([-(1 << 63), (1 << 63) - 1], pa.int64())
    assert _rfc3339(far).to_pylist() == 2 * ["0001-01-01T00:00:00.000000Z"]
