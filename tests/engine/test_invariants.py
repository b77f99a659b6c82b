"""What holds for any input, however it arrives."""

from __future__ import annotations

import datetime
import io
import json
import random
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from any_logs import HEADS, LOGS, OTHERS
from helpers import ROOT, plain, records, table
from opslog.engine.normalizer import Normalizer
from opslog.engine.pool import SMALL_BYTES
from opslog.inputs import lines as cutting
from opslog.model import schema
from opslog.outputs.jsonl import to_json_lines


@given(LOGS)
def test_every_byte_belongs_to_exactly_one_record(data: bytes) -> None:
    normalizer = Normalizer(original=True)
    batches = normalizer.feed(data) + normalizer.close()
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert sum(len(row["original"]) for row in rows) == len(data)
    assert normalizer.stats.bytes == len(data)
    assert sum(counts[2] for counts in normalizer.stats.formats.values()) == len(data)
    assert sum(counts[0] for counts in normalizer.stats.formats.values()) == len(rows)
    assert normalizer.stats.records == normalizer.stats.kept == len(rows)
    # In the order of their first bytes, and what is between two records' lines is in order, too.
    offsets = [row["source_offset"] for row in rows]
    assert offsets == sorted(set(offsets))
    for row in rows:
        assert data[row["source_offset"] :].startswith(row["original"].split(b"\n")[0])


@given(LOGS, st.data())
def test_where_the_bytes_are_cut_changes_nothing(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6))
    assert table(data, cuts, original=True).equals(table(data, original=True))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several blocks of every kind of line, workers interleaved, records across block ends."""
    rng = random.Random(5)
    out = io.BytesIO()
    while out.tell() < 4 * cutting.BLOCK_BYTES:
        number = rng.randrange(12)
        if number < 7:
            head = HEADS[rng.randrange(len(HEADS))]
            out.write(
                head.replace(b" 1 ", b" %d " % rng.randrange(1, 9), 1)
                + b" "
                + b"y" * rng.randrange(200)
                + b"\n"
            )
        elif number < 11:
            line = OTHERS[rng.randrange(len(OTHERS))]
            out.write(line.replace(b" 1 ", b" %d " % rng.randrange(1, 9), 1) + b"\n")
        elif rng.randrange(3000) == 0:
            out.write(b"z" * rng.randrange(1, 3_000_000) + b"\n")
    path = tmp_path_factory.mktemp("large") / "mixed.log"
    path.write_bytes(out.getvalue())
    return path


def test_threads_change_nothing(large: Path, tmp_path: Path) -> None:
    outputs = []
    for threads in (1, 2, 5):
        path = tmp_path / f"{threads}.jsonl"
        opslog.read(large, threads=threads, original=True).write_jsonl(path)
        outputs.append(path.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_threads_change_nothing_of_files_of_any_size(large: Path, tmp_path: Path) -> None:
    rng, data, at = random.Random(6), large.read_bytes(), 0
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(60):
        size = rng.choice([0, 1, 20_000, SMALL_BYTES, SMALL_BYTES + 1, 600_000])
        (folder / f"{number:02d}.log").write_bytes(data[at : at + size])
        at += size
    for condition in (None, "severity >= ERROR", "request_id = 'req-0'"):
        outputs = []
        for threads in (1, 2, 5):
            logs = opslog.read(folder, threads=threads, original=True)
            path = tmp_path / f"{threads}.jsonl"
            stats = (logs if condition is None else logs.filter(condition)).write_jsonl(path)
            outputs.append((path.read_bytes(), stats))
        assert outputs[0] == outputs[1] == outputs[2]


def test_the_size_of_blocks_changes_nothing(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plain(opslog.read(large, original=True).to_table())
    monkeypatch.setattr(cutting, "BLOCK_BYTES", 3_333_333)
    assert plain(opslog.read(large, original=True).to_table()).equals(wanted)
    monkeypatch.undo()
    # The same through small feeds.
    modified = datetime.datetime.fromtimestamp(large.stat().st_mtime, datetime.UTC)
    data = large.read_bytes()
    normalizer = Normalizer(source=str(large), original=True, reference=modified)
    batches = [
        b for at in range(0, len(data), 70_001) for b in normalizer.feed(data[at : at + 70_001])
    ]
    batches += normalizer.close()
    assert plain(pa.Table.from_batches(batches)).equals(wanted)


def test_parquet_does_not_depend_on_threads(large: Path, tmp_path: Path) -> None:
    for threads in (1, 3):
        opslog.read(large, threads=threads).write_parquet(tmp_path / f"{threads}.parquet")
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "3.parquet").read_bytes()


def test_all_outputs_say_the_same(large: Path, tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    path.write_bytes(large.read_bytes()[: 2 << 20])
    logs = opslog.read(path)
    logs.write_jsonl(tmp_path / "a.jsonl")
    logs.write_parquet(tmp_path / "a.parquet")
    logs.write_arrow(tmp_path / "a.arrow")
    wanted = [shown(row) for row in logs.to_table().to_pylist()]
    parquet = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    with pa.ipc.open_stream(tmp_path / "a.arrow") as stream:
        arrow = stream.read_all()
    assert [shown(row) for row in parquet.to_pylist()] == wanted
    assert [shown(row) for row in arrow.to_pylist()] == wanted
    with (tmp_path / "a.jsonl").open("rb") as file:
        assert [orjson.loads(line) for line in file] == wanted
    assert parquet.schema.remove_metadata().equals(schema.arrow_schema())
    assert parquet.schema.metadata[b"opslog.schema"] == schema.VERSION.encode()
    assert [shown(vars_of(record)) for record in logs] == wanted


def vars_of(record: opslog.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in schema.names()}


def shown(row: dict[str, object]) -> dict[str, object]:
    """A row as JSON lines show it."""
    out = {}
    for name, value in row.items():
        if name == "timestamp" and value is not None:
            value = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")  # type: ignore[attr-defined]
        if name == "attributes" and value:
            value = dict(value)  # type: ignore[call-overload]
        if value not in (None, {}, []):
            out[name] = value
    return out


MOMENTS = st.datetimes(datetime.datetime(1, 1, 3), datetime.datetime(9999, 12, 29))


@given(st.lists(MOMENTS, min_size=1, max_size=20))
def test_every_time_datetime_knows_comes_back(moments: list[datetime.datetime]) -> None:
    data = b"".join(
        f"{moment.isoformat(' ', 'microseconds')} INFO a.b [-] x\n".encode() for moment in moments
    )
    found = table(data).column("timestamp").to_pylist()
    assert [value.replace(tzinfo=None) for value in found] == moments
    texts = [json.loads(line)["timestamp"] for line in direct(data).splitlines()]
    assert texts == [moment.isoformat("T", "microseconds") + "Z" for moment in moments]


@pytest.mark.parametrize("day", ["0000-12-31", "0001-01-01", "9999-12-31", "2023-02-29"])
def test_a_time_beyond_datetime_is_null(day: str) -> None:
    [row] = table(f"{day} 00:00:00.000 INFO a.b [-] x\n".encode()).to_pylist()
    assert row["timestamp"] is None
    assert row["body"] == "x"


@given(LOGS)
def test_json_from_batches_and_from_records_is_the_same(data: bytes) -> None:
    normalizer = Normalizer()
    batches = normalizer.feed(data) + normalizer.close()
    wanted = b"".join(to_json_lines(batch) for batch in batches)
    assert wanted == direct(data)
    for line in wanted.splitlines():
        json.loads(line)


def direct(data: bytes) -> bytes:
    """JSON lines written without columns between, as the command does."""
    from collections import deque

    from opslog.engine.job import Job
    from opslog.engine.stream import Stream
    from opslog.inputs.lines import BlockCutter
    from opslog.model.stats import Stats
    from opslog.model.zones import Zone
    from opslog.rows._jsonl import JsonLines
    from opslog.rows.kept import Kept
    from opslog.scanner.catalog import Catalog

    def encode(kept: Kept) -> bytes:
        out = JsonLines()
        kept.json_lines(out)
        return bytes(out)

    stream = Stream(Job(Catalog.default(), schema.names(), None, encode), "-", Zone("UTC"), Stats())
    cutter = BlockCutter(deque())
    cutter.room()[: len(data)] = data
    assert cutter.filled(len(data)) is None
    block = cutter.rest()
    assert stream.scan(block) is None
    result = stream.finish(stream.assemble(block, final=True))
    return b"" if result is None else result[1]


def test_a_record_closes_when_a_megabyte_has_gone_by() -> None:
    head = b"2024-01-01 00:00:00.000 1 ERROR a.b [-] head\n"
    trace = b"2024-01-01 00:00:00.000 1 ERROR a.b ValueError: x\n"
    other = b"2024-01-01 00:00:00.000 2 INFO a.b [-] other\n"
    near = table(head + other * 10_000 + trace).to_pylist()
    assert near[0]["exception_type"] == "ValueError"
    far = table(head + other * 30_000 + trace).to_pylist()
    assert far[0]["exception_type"] is None
    assert dict(far[-1]["attributes"]) == {"incomplete": "head"}


def test_a_record_owns_ten_thousand_lines_at_most() -> None:
    rows = table(b"2024-01-01 00:00:00.000 1 INFO a.b [-] head\n" + b"x\n" * 10_001).to_pylist()
    assert len(rows) == 3
    assert rows[0]["body"].count("\n") == 9_999
    assert [row["format"] for row in rows[1:]] == [None, None]


def test_an_overlong_line_is_cut_into_records_that_say_so() -> None:
    rows = records(b"2024-01-01 00:00:00.000 1 INFO a.b [-] " + b"x" * 2_500_000 + b"\nnext\n")
    assert [row.get("attributes") for row in rows] == [
        None,
        {"incomplete": "line"},
        {"incomplete": "line"},
        None,
    ]
    assert sum(len(row["body"]) for row in rows[:3]) == 2_500_000
    assert rows[0]["severity_text"] == "INFO"


def test_the_checkout_has_no_copy_of_the_formats() -> None:
    assert not (ROOT / "src" / "opslog" / "formats").exists()
