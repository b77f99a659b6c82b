"""The story of an id, searched for by tasks, is that which opslog alone tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

import opslog
from helpers import ROOT
from opslog.reading.window import TimeWindow
from opslog.stages import Mask
from opslog.trace import Story
from opslog.trace import trace as alone
from opslog.trace.plain import json_text
from opslog.trace.requests import requests
from opslog.trace.waterfall import waterfall
from simulator import ERAS, Deployment

pytestmark = pytest.mark.spark
pytest.importorskip("pyspark")
from opslog import spark as on_spark  # noqa: E402
from opslog.spark.trace import TasksReadings  # noqa: E402

SEAM = 16 << 20


def told_of(story: Story) -> tuple[str, bytes, Any]:
    """Return all that a story says: as text, as JSON, and what neither of them shows."""
    text = waterfall(story, 0.1, 100) + waterfall(story, 0.1, 100, summary=True)
    counted = story.left_out, story.left_behind, str(story.unread)
    return text, b"".join(json_text(story, 0.1, original=True)), counted


@pytest.mark.parametrize("era", ERAS[-2:], ids=lambda era: era.name)
def test_a_story_is_the_one_that_opslog_alone_tells(spark: Any, era: Any, tmp_path: Path) -> None:
    Deployment(2, era, boots=8).write(tmp_path)
    logs = opslog.read(tmp_path)
    rows = sorted(requests(logs).to_pylist(), key=lambda row: int(row["records"]))
    ids = [rows[at]["request_id"] for at in (0, len(rows) // 2, -1)]
    ids.append(logs.to_table(["user_id"]).filter(pc.field("user_id").is_valid())[0][0].as_py())
    for one in [*ids, ids[0][:12]]:
        expected = alone(logs, one)
        assert expected.records
        assert told_of(on_spark.trace(spark, logs, one, split_bytes=20_000)) == told_of(expected)


def test_an_instance_has_the_story_that_opslog_alone_tells(spark: Any) -> None:
    logs = opslog.read(ROOT / "docs" / "examples" / "boot")
    found = on_spark.trace(spark, logs, "6f9a4d0e-2c1b-4a8f-b7d3-5e6c7a8b9d01", split_bytes=1)
    assert len(found.requests) == 1
    assert told_of(found) == told_of(alone(logs, found.id))


def test_filters_and_masks_hold_for_a_story(spark: Any, tmp_path: Path) -> None:
    Deployment(2, ERAS[-1], boots=3).write(tmp_path)
    logs = opslog.read(tmp_path)
    one = max(requests(logs).to_pylist(), key=lambda row: row["records"])["request_id"]
    some = logs.filter("program != 'neutron-server'").pipe(Mask())
    expected = alone(some, one)
    assert 0 < len(expected.records) < len(alone(logs, one).records)
    assert told_of(on_spark.trace(spark, some, one)) == told_of(expected)


def test_a_large_file_is_searched_in_parts(spark: Any, tmp_path: Path) -> None:
    log = tmp_path / "nova-api.log"
    ids = [f"req-{number:08}-0000-4000-8000-{number:012}" for number in range(3)]
    with log.open("w") as file:
        for hour, own in enumerate(ids):
            for number in range(2 * SEAM // 1000):
                told = {9000: f"ERROR nova.api [{own}] failed", 9010: "ERROR nova.api lost"}
                said = told.get(number, f"INFO nova.api [-] number {number}{'x' * 940}")
                minute, second = divmod(number // 10, 60)
                file.write(f"2026-03-10 1{hour}:{minute:02}:{second:02}.000 7 {said}\n")
    logs = opslog.read(log)
    parts = logs.parts(SEAM)
    assert len(parts) == 6
    for one in ids:
        expected = alone(logs, one)
        assert expected.notes  # of the error in the same time
        assert told_of(on_spark.trace(spark, logs, one, split_bytes=SEAM)) == told_of(expected)
    readings = TasksReadings(logs, spark=spark, parts=parts)
    begin = datetime(2026, 3, 10, 11, 3, tzinfo=UTC)
    some = readings.reached(None, TimeWindow(begin, begin + timedelta(minutes=2)))
    assert [part._pass.sources.extents[0].begin // SEAM for part in some] == [
        2,
        5,
    ]  # the last: its end is not told
    assert len(readings.reached(str(log), None)) == 6
    assert readings.reached("another.log", None) == []


def test_of_too_many_records_the_first_are_told(spark: Any, tmp_path: Path) -> None:
    own = "req-00000000-0000-4000-8000-000000000001"
    line = "2026-03-10 10:00:{:02}.000 7 INFO nova.api [{} u p - - -] number {}\n"
    for name in "ab":
        lines = (line.format(n % 60, own, n) for n in range(300))
        (tmp_path / f"{name}.log").write_text("".join(lines))
    logs = opslog.read(tmp_path)
    found = on_spark.trace(spark, logs, own, most=400, split_bytes=1)
    assert (len(found.records), found.left_out) == (400, 200)
    assert told_of(found) == told_of(alone(logs, own, most=400))
    assert "200 records left out" in told_of(found)[0]


def test_what_cannot_be_read_is_told_behind_the_story(spark: Any, tmp_path: Path) -> None:
    own = "req-00000000-0000-4000-8000-000000000001"
    log = tmp_path / "a.log"
    log.write_text(f"2026-03-10 10:00:00.000 7 INFO nova.api [{own} u p - - -] working\n")
    for names in (["nothing"], ["nothing", "neither"]):
        logs = opslog.read(log, *(tmp_path / name for name in names))
        found = on_spark.trace(spark, logs, own, split_bytes=1)
        assert len(found.records) == 1
        assert told_of(found) == told_of(alone(logs, own))
        assert type(found.unread) is type(alone(logs, own).unread)


def test_what_is_no_id_or_no_file_is_told(spark: Any, tmp_path: Path) -> None:
    logs = opslog.read(tmp_path)
    with pytest.raises(opslog.OpslogError, match="expected an id"):
        on_spark.trace(spark, logs, "a b")
    with pytest.raises(opslog.OpslogError, match="absolute path"):
        on_spark.trace(spark, opslog.read("logs"), "req-00000000")
    with pytest.raises(opslog.SourceError, match="is no file"):
        on_spark.trace(spark, opslog.read("/dev/null"), "req-00000000")
