"""What is left out because there is too much of it is said where the user looks."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import opslog as library
from helpers import records
from opslog.cli import main
from opslog.cli.counts import _LEFT_OUT
from opslog.correlate import RequestGraph, likely, siblings
from opslog.correlate.contexts import COLUMNS, OwnedRecords
from opslog.correlate.sent import SentCauses
from opslog.doctor.examine import examine
from opslog.filters.filter import Filter
from opslog.model.stats import Stats
from opslog.rows._values import MOST_KEPT
from opslog.trace import neighbours, quotes, readings, trace

VM, PORT, OTHER, THIRD = (f"{n * 8}-6f1b-4f6e-9b5a-1f7e2d3c4b5a" for n in "abcd")
A, B, C = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abc")
TIME = "2026-03-10 10:00:0{}.000 7"
BOOT = (
    f"{TIME.format(1)} INFO nova.api [{A} u p - - -] [instance: {VM}] Attaching volume {OTHER} to /dev/vdb\n"
    f"{TIME.format(2)} INFO nova.api [{A} u p - - -] [instance: {VM}] Attaching volume {THIRD} to /dev/vdc\n"
    f"{TIME.format(3)} ERROR nova.api [{A} u p - - -] [instance: {VM}] failed\n"
    f"{TIME.format(3)} ERROR nova.api Traceback (most recent call last):\n"
    f"{TIME.format(3)} ERROR nova.api nova.exception.NovaException: a\n"
    f"{TIME.format(3)} ERROR nova.api \n"
    f"{TIME.format(4)} ERROR nova.api [{A} u p - - -] [instance: {VM}] failed again\n"
    f"{TIME.format(4)} ERROR nova.api Traceback (most recent call last):\n"
    f"{TIME.format(4)} ERROR nova.api nova.exception.NovaException: b\n"
)  # fmt: skip


def test_a_trace_says_which_neighbours_and_exceptions_were_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "nova-api.log"
    log.write_text(BOOT)
    assert main(["trace", VM, str(log)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(neighbours, "MOST", 1)
    monkeypatch.setattr(quotes, "_MOST", 1)
    assert main(["trace", VM, str(log)]) == 0
    assert capsys.readouterr().err == "".join(
        f"opslog: {_LEFT_OUT[what].format(1)}\n" for what in ("neighbours", "exceptions")
    )


def test_readings_count_what_they_do_not_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, stats = tmp_path / "nova-api.log", Stats()
    log.write_text(BOOT)
    story = readings.Readings(
        library.read(log), stats, lambda _: None, readings.Index()
    )  # fmt: skip
    everything = library.F.severity >= "INFO"
    assert len(story.records(Filter.of(everything))) == 4
    assert stats.let_go == {}
    monkeypatch.setattr(readings, "_MOST", 3)
    for count in (1, 2):
        assert len(story.records(Filter.of(everything))) == 3
        assert stats.let_go == {"answers": count}


def test_a_graph_counts_what_it_forgot(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = SentCauses(most=1)
    sent.send(("a", 1, "x"), "", "http://a", A, None)
    sent.answer(("a", 1, "x"), "", "http://a", None)
    sent.send(("b", 1, "x"), "", "http://a", A, None)
    assert sent.forgotten == 0  # it had its answer
    sent.send(("c", 1, "x"), "", "http://a", A, None)
    assert sent.forgotten == 1

    monkeypatch.setattr(siblings, "MOST", 1)
    graph, stats = RequestGraph(), Stats()
    graph._sent = sent
    graph._siblings._begins = {one: (n, "nova") for n, one in enumerate((A, B, C))}
    assert graph._siblings.caller(C, A, [A, B]) is None
    graph.count_in(stats)
    assert stats.let_go == {"writers": 1, "causes": 1}


def test_likely_calls_count_the_requests_in_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    begin = datetime(2026, 3, 10, tzinfo=UTC)
    rows = [
        {"request_id": one, "service_name": "nova", "start": begin, "end": begin, "resources": []}
        for one in (A, B, C)
    ]
    table = pa.Table.from_pylist(rows, likely.SCHEMA)
    for most, expected in ((1000, {}), (1, {"crowds": 1})):
        monkeypatch.setattr(likely, "_MOST", most)
        stats = Stats()
        list(likely.likely_calls(RequestGraph(), table, stats))
        assert stats.let_go == expected


def test_contexts_count_the_ids_they_forgot(tmp_path: Path) -> None:
    log = tmp_path / "nova-api.log"
    ids = [f"req-{n:08x}-0000-4000-8000-000000000000" for n in range(200)]
    log.write_text("".join(f"{TIME.format(1)} INFO nova.api [{one} - - -] x\n" for one in ids))
    for most, some in ((1 << 17, False), (8, True)):
        owned = OwnedRecords(most)
        for batch in library.read(log).batches(COLUMNS):
            owned.other_calls(batch)
        assert bool(owned.forgotten) == some


def test_an_attribute_says_how_many_attributes_were_too_many() -> None:
    for more in (0, 3):
        keys = {f"k{n}": "v" for n in range(MOST_KEPT + more)}
        line = json.dumps({"message": "m", "timestamp": "2026-03-10T10:00:00Z", **keys}) + "\n"
        [record] = records(line)
        attributes = record["attributes"]
        assert attributes.pop("attributes_left_out", "0") == str(more)
        assert len(attributes) == MOST_KEPT


def test_doctor_counts_the_gaps_and_shapes_it_does_not_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = [hour for hour in range(60) if hour % 3 == 0]
    log = tmp_path / "nova-api.log"
    log.write_text(
        "".join(
            f"2026-03-{10 + hour // 24} {hour % 24:02}:00:{second:02}.000 7 INFO nova.api [-] x\n"
            for hour in hours
            for second in range(60)
        )
    )
    unknown = tmp_path / "unknown.log"
    words = ["zz" + chr(97 + n) * 3 for n in range(14)]
    unknown.write_text("".join(f"{word}, {word}!\n" for word in words))
    found, other = examine(log, unknown)
    assert len(found.gaps) + found.more_gaps == len(hours) - 1
    assert len(other.shapes) + other.more_shapes == len(words)
    assert main(["doctor", "--full", str(log), str(unknown)]) in (0, 1)
    said = capsys.readouterr().out
    assert f"and {len(hours) - 1 - 3} shorter" in said
    assert f"and {other.more_shapes} shapes more" in said


def test_what_is_said_is_said_of_a_story(tmp_path: Path) -> None:
    log, stats = tmp_path / "nova-api.log", Stats()
    log.write_text(BOOT)
    trace(library.read(log), VM, stats=stats)
    assert stats.let_go == {}
