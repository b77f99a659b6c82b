"""The records of a source's parts are those of the source, wherever it is divided."""

from __future__ import annotations

import gzip
import os
import pickle
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

import opslog
from helpers import plain, table
from long_logs import FRAMES, HEAD, TRACE, long_logs, small
from opslog import F, OpslogError, SourceError
from opslog.filters.filter import Filter
from opslog.inputs import lines as cutting
from opslog.inputs.compression import compressed
from opslog.inputs.source import Source
from opslog.inputs.text import SAMPLE_BYTES, not_text
from opslog.kernel import _block
from opslog.outputs.sinks import Target


@given(long_logs(), st.integers(1, 30_000), st.integers(1, 5), st.sampled_from([1 << 13, 1 << 22]))
def test_all_parts_together_are_the_whole(data: bytes, size: int, heads: int, block: int) -> None:
    assume(len(data) > 4096 and not compressed(data[:6]) and not not_text(data[:SAMPLE_BYTES]))
    with tempfile.NamedTemporaryFile() as file, small(heads):
        file.write(data)
        file.flush()
        logs = opslog.read(file.name, original=True)
        wanted = plain(logs.to_table())
        parts = pickle.loads(pickle.dumps(logs.parts(size)))
        event(f"{min(len(parts), 5)} parts or more")
        cutting.BLOCK_BYTES = block
        found = [part.to_table() for part in parts]
        assert plain(pa.concat_tables(found)).equals(wanted)


@given(long_logs(), st.data())
def test_seams_are_told_by_bytes_alone(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6))
    with small():
        whole = table(data, original=True)
        assert sum(map(len, whole["original"].to_pylist())) == len(data)
        assert table(data, cuts, original=True).equals(whole)


def test_a_part_may_be_filtered_and_read_in_several_threads() -> None:
    wanted_id = "req-00000000-0000-0000-0000-000000000001"
    line = b"2024-01-01 00:00:00.000 1 INFO a.b [%s u p - - -] one\n" % wanted_id.encode()
    other = line.replace(b"0001 u", b"0002 u")
    with tempfile.NamedTemporaryFile() as file, small(block=1 << 14):
        for number in range(120):
            file.write(other * 100 + (line if number % 20 == 1 else b""))
            file.flush()
        logs = opslog.read(file.name)
        near = Filter.holding(F.request_id == wanted_id, wanted_id)
        wanted = plain(logs.filter(near).to_table())
        for threads in (1, 3):
            parts = opslog.read(file.name, threads=threads).parts(300_000)
            found = [part.filter(near).to_table() for part in parts]
            assert plain(pa.concat_tables(found)).equals(wanted)
            bodies = [part.filter(near).to_table(["body"]) for part in parts]
            assert pa.concat_tables(bodies)["body"].to_pylist() == ["one"] * 6
        counted = [part.filter(near)._write(Target(os.devnull, "count")) for part in parts]
        assert sum(stats.bytes for stats in counted) == os.stat(file.name).st_size
        assert sum(stats.skipped_bytes for stats in counted) > 0


MEBIBYTE = 1 << 20
CHAINS = {
    "tracebacks of eight workers, line by line between each other": b"".join(
        TRACE % (worker, line) + b"\n"
        for line in FRAMES * 900
        for worker in range(1, 9)
    ),
    "pieces of one text that never ends": b"".join(
        b"2024-01-01T00:00:00.0Z stdout P piece %d\n" % number for number in range(45_000)
    ),
    "a line without an end": b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" + b"x" * 2_200_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", CHAINS)
def test_what_depends_on_all_before_it_is_the_same_in_parts(kind: str) -> None:
    data = CHAINS[kind]
    assert len(data) > 1_200_000
    for shift in (0, 1, 70_001):
        with tempfile.NamedTemporaryFile() as file, small():
            _block.set_sizes(
                {"window": 1 << 17, "longest_line": 1 << 17, "seam_every": 1 << 18,
                 "seam_within": 1 << 17, "seam_heads": 16}
            )  # fmt: skip
            cutting.BLOCK_BYTES = 1 << 19
            file.write((HEAD % (9, b"y" * shift)) + b"\n" + data)
            file.flush()
            logs = opslog.read(file.name)
            parts = logs.parts(1)
            assert len(parts) > 4
            found = pa.concat_tables([part.to_table() for part in parts])
            assert plain(found).equals(plain(logs.to_table()))


def test_windows_and_seams_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    one = b"".join(
        HEAD % (worker, b"failed %d" % number) + b"\n" + b"".join(
            TRACE % (worker, line) + b"\n" for line in (*FRAMES, b"ValueError: x")
        )
        for number in range(500) for worker in (1, 2)
    )  # fmt: skip
    path.write_bytes(one * (40 * MEBIBYTE // len(one)))
    logs = opslog.read(path)
    columns = ["source_offset", "exception_stacktrace"]
    parts = logs.parts(16 * MEBIBYTE)
    assert len(parts) == 3
    found = pa.concat_tables([part.to_table(columns) for part in parts])
    assert plain(found).equals(plain(logs.to_table(columns)))
    # Nothing was torn.
    assert found["exception_stacktrace"].null_count == 0


def test_what_cannot_be_divided_is_one_part(tmp_path: Path) -> None:
    lines = b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" * 2000
    (tmp_path / "a.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "b.log").write_bytes(lines.decode().encode("utf-16"))
    (tmp_path / "c.export").write_bytes(b"__CURSOR=x\nMESSAGE=y\n\n" * 1000)
    (tmp_path / "d.log").write_bytes(lines)
    with small():
        logs = opslog.read(tmp_path)
        parts = logs.parts(50_000)
        assert [str(extent) for part in parts[:3] for extent in part._pass.sources.extents] == [
            repr(str(tmp_path / name)) for name in ("a.gz", "b.log", "c.export")
        ]
        assert len(parts) == 5
        found = pa.concat_tables([part.to_table() for part in parts])
        assert plain(found).equals(plain(logs.to_table()))


def test_small_files_are_together_in_a_part(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.log").write_bytes(b"2024-01-01 00:00:00 1 INFO a.b [-] x\n" * 10)
    parts = opslog.read(tmp_path).parts(1500)
    assert [len(part._pass.sources.names) for part in parts] == [4, 4, 2]
    found = pa.concat_tables([part.to_table() for part in parts])
    assert plain(found).equals(plain(opslog.read(tmp_path).to_table()))


@pytest.mark.parametrize("first", [b"", b"-- Logs begin at Thu 2015-01-01 10:00:00 UTC. --\n"])
def test_the_year_of_a_part_is_that_of_its_file_when_it_was_planned(
    first: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(first + b"Jan  1 11:00:00 h p[1]: text\n" * 2000)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with small():
        logs = opslog.read(path)
        wanted, parts = plain(logs.to_table()), logs.parts(1)
        os.utime(path)
        assert plain(pa.concat_tables([part.to_table() for part in parts])).equals(wanted)
    assert wanted["timestamp"][-1].as_py().year == (2015 if first else 2023)


def test_a_small_file_is_read_as_it_was_planned_too(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"  2024-01-01 00:00:00.000 1 INFO a.b [-] one\n   raw\n" * 50)
    [part] = opslog.read(path).parts()
    wanted = plain(opslog.read(path).to_table())
    with path.open("ab") as file:
        file.write(b"  2024-01-01 00:00:00.000 1 INFO a.b [-] two\n" * 50)
    assert plain(part.to_table()).equals(wanted)


def test_to_plan_reads_nothing_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    line = b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n"
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(writer, line)
    [part] = opslog.read(tmp_path / "pipe").parts()
    reader = os.open(tmp_path / "pipe", os.O_RDONLY)
    os.close(writer)
    assert os.read(reader, 100) == line
    os.close(reader)
    assert [extent.name for extent in part._pass.sources.extents] == [str(tmp_path / "pipe")]


@pytest.mark.parametrize("name", ["/proc/self/status", "/proc/version"])
def test_a_file_that_does_not_tell_its_size_is_one_part(name: str) -> None:
    assert os.stat(name).st_size == 0
    [part] = opslog.read(name).parts(1)
    found = part.to_table()["body"]
    assert len(found) > 0
    assert len(found) == opslog.read(name).to_table().num_rows


def test_what_is_written_while_parts_are_planned_is_in_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, line = tmp_path / "a.log", b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n"
    path.write_bytes(line * 90)
    read = Source.read_into

    def read_and_write(source: Source, room: memoryview) -> int:
        with path.open("ab") as file:
            file.write(line * 500)
        return read(source, room)

    with small():
        with monkeypatch.context() as patch:
            patch.setattr(Source, "read_into", read_and_write)
            parts = opslog.read(path).parts(1)
        assert sum(part.to_table().num_rows for part in parts) == 90


def test_what_was_written_behind_a_plan_is_in_no_part(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" * 500)
    with small():
        wanted, parts = opslog.read(path).to_table(), opslog.read(path).parts(10_000)
        with path.open("ab") as file:
            file.write(b"2024-01-01 00:00:00.000 1 INFO a.b [-] two\n" * 500)
        assert plain(pa.concat_tables([part.to_table() for part in parts])).equals(plain(wanted))


def test_a_file_that_became_another_one_since_it_was_planned_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" * 500)
    with small():
        parts = opslog.read(path).parts(10_000)
        path.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n" * 400)
        with pytest.raises(SourceError, match="is not the file whose parts were planned"):
            parts[1].to_table()
        path.write_bytes(b"2024-01-01 00:00:00.000 1 INFO a.b [-] two\n" * 500)
        with pytest.raises(SourceError, match="is not the file whose parts were planned"):
            parts[1].to_table()


def test_logs_that_are_not_read_part_by_part_have_none(tmp_path: Path) -> None:
    logs = opslog.read(tmp_path)
    wholes = {
        "merge": opslog.read(tmp_path, merge=True),
        "follow": opslog.read(tmp_path, follow=True),
        "limit": logs.limit(3),
        "pipe": logs.pipe(iter),
        "with_requests": logs.with_requests(F.severity >= "ERROR"),
        "root": opslog.read(tmp_path, root=True),
    }
    for option, whole in wholes.items():
        with pytest.raises(OpslogError, match=f"parts: not of logs with {option}"):
            whole.parts()
    with pytest.raises(OpslogError, match="parts: expected a size from 1, found 0"):
        logs.parts(0)


def test_what_is_no_log_or_is_not_there_is_told_when_a_part_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" * 5000)
    with pytest.raises(SourceError, match="Parquet"):
        opslog.read(tmp_path / "a.parquet").parts(1)[0].to_table()
    with pytest.raises(SourceError, match="No such file"):
        opslog.read(tmp_path / "b.log").parts(1)[0].to_table()
