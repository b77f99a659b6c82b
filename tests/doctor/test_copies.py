"""Records that stand in several files are told apart from what repeats in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.doctor import examine
from opslog.doctor.copies import EarlierFiles
from opslog.doctor.sample import MOST, WHOLE, Sample, Seen

BEGIN = datetime(2026, 3, 10, 10)


def moment(number: int) -> str:
    """Return the time of a record, 137 ms behind the one before."""
    return (BEGIN + timedelta(milliseconds=137 * number)).isoformat(" ", "milliseconds")


def text(number: int) -> str:
    return f"{moment(number)} 7 INFO nova.api [-] request {number} was answered"


def docker(number: int) -> str:
    when = moment(number).replace(" ", "T") + "000000Z"
    return json.dumps({"log": text(number) + "\n", "stream": "stdout", "time": when})


def syslog(number: int, host: str = "ctl1") -> str:
    return f"{moment(number).replace(' ', 'T')}000+00:00 {host} nova-api: {text(number)}"


def file(path: Path, line: Callable[[int], str], numbers: range) -> None:
    path.write_text("".join(line(number) + "\n" for number in numbers))


def copies(folder: Path) -> dict[str, list[tuple[str, int, bool]]]:
    return {
        Path(report.path).name: [
            (Path(one.path).name, one.records, one.estimated) for one in report.copies
        ]
        for report in examine(folder)
    }


@pytest.mark.parametrize("line", [text, docker, syslog])
def test_a_record_in_two_files_is_a_copy_whatever_is_around_it(
    tmp_path: Path, line: Callable[[int], str]
) -> None:
    file(tmp_path / "a.log", text, range(100))
    file(tmp_path / "b.log", line, range(70, 200))
    assert copies(tmp_path) == {"a.log": [], "b.log": [("a.log", 30, False)]}


def test_what_repeats_in_one_file_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"{text(1)}\n" * 100)
    file(tmp_path / "b.log", text, range(2, 100))
    assert copies(tmp_path) == {"a.log": [], "b.log": []}


def test_the_same_at_another_time_or_on_another_host_is_no_copy(tmp_path: Path) -> None:
    file(tmp_path / "a.log", syslog, range(100))
    file(tmp_path / "b.log", lambda n: syslog(n, "ctl2"), range(100))
    file(tmp_path / "c.log", lambda n: syslog(n, "ctl1.example.com"), range(100))
    file(tmp_path / "d.log", lambda n: text(n).replace("10:0", "11:0", 1), range(100))
    assert copies(tmp_path) == {
        "a.log": [],
        "b.log": [],
        "c.log": [("a.log", 100, False)],
        "d.log": [],
    }


def test_of_large_files_a_sample_tells_how_many(tmp_path: Path) -> None:
    file(tmp_path / "a.log", text, range(50_000))
    file(tmp_path / "b.log", text, range(25_000, 65_000))
    file(tmp_path / "c.log", text, range(30_000, 33_000))
    found = copies(tmp_path)
    [(name, records, estimated)] = found["b.log"]
    assert (name, estimated) == ("a.log", True)
    assert records == pytest.approx(25_000, rel=0.1)
    assert found["c.log"] == [("a.log", 3_000, True), ("b.log", 3_000, True)]


def test_what_repeats_beside_copies_is_counted_as_it_is(tmp_path: Path) -> None:
    file(tmp_path / "a.log", text, range(12))
    (tmp_path / "b.log").write_text(f"{text(99)}\n" * 1000 + (tmp_path / "a.log").read_text())
    file(tmp_path / "c.log", text, range(1000))
    many = "".join(text(5000).replace("5000", str(5000 + n)) + "\n" for n in range(9000))
    (tmp_path / "d.log").write_text((tmp_path / "c.log").read_text() + many)
    found = copies(tmp_path)
    assert found["b.log"] == [("a.log", 12, False)]
    [(name, records, estimated)] = found["d.log"][:1]
    assert (name, estimated) == ("c.log", True)
    assert records == pytest.approx(1000, rel=0.2)


@pytest.mark.parametrize("times", [1, 60])
def test_copies_of_many_records_a_second_are_seen(tmp_path: Path, times: int) -> None:
    lines = "".join(
        f"2026-03-10 10:00:{n * times // 30_000:02} 7 INFO nova.api [-] request {n}\n"
        for n in range(30_000)
    )
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(lines)
    assert copies(tmp_path)["b.log"] == [("a.log", 30_000, True)]


hashes = st.dictionaries(st.integers(0, WHOLE - 1), st.integers(1, 9), max_size=50)


@given(hashes, hashes, st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_a_sample_is_the_same_in_whatever_pieces_a_file_comes(
    one: dict[int, int], other: dict[int, int], limit: int, more: int
) -> None:
    pieces = [Sample(), Sample()]
    for piece, counts, cut in zip(pieces, (one, other), (limit, more), strict=True):
        piece.add(Sample(WHOLE, {key: Seen(None, count) for key, count in counts.items()}))
        piece.cut(cut)
    pieces[0].add(pieces[1])
    least = min(limit, more)
    assert pieces[0].limit == least
    assert {key: seen.records for key, seen in pieces[0].seen.items()} == {
        key: one.get(key, 0) + other.get(key, 0) for key in {*one, *other} if key < least
    }


def test_what_is_remembered_does_not_grow_with_the_files() -> None:
    earlier = EarlierFiles()
    for number in range(200):
        seen = {place * (WHOLE // MOST) + number: Seen(None, 1) for place in range(MOST)}
        earlier.copies(f"{number}.log", Sample(WHOLE, seen), MOST)
    assert earlier._size == sum(map(len, earlier._seen.values())) <= 1 << 17
    assert earlier._limit < WHOLE
