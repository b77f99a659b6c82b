"""Folders of files: whole or not there, of their own, read by others as one table."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from helpers import ROOT
from helpers import opslog as run
from opslog.model import names, schema
from opslog.model.errors import OpslogError, SinkError
from opslog.outputs import parquet, partition, rolling, sinks
from opslog.outputs.output import open_growing
from opslog.outputs.own_kinds import OF_RECORDS
from opslog.outputs.rolled_file import FileNames, RolledFile, sweep
from opslog.outputs.rolling import Roll

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
LINE = b"2024-01-0%d 00:00:00.000 1 INFO %s.api [-] number %d\n"
NAME = re.compile(r"(part-)?\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}-\d{5}\.(jsonl|parquet|arrow)")
KINDS = ["jsonl", "parquet", "arrow"]


def lines(count: int, service: bytes = b"nova") -> bytes:
    return b"".join(LINE % (1 + n % 2, service, n) for n in range(count))


def files(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names; the hidden ones, too."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda p: p.name)


def bodies(path: Path) -> list[str]:
    if path.suffix == ".jsonl":
        return [json.loads(line)["body"] for line in path.read_text().splitlines()]
    table = (
        pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_stream(path).read_all()
    )
    return list(table["body"].to_pylist())


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    wanted = schema.arrow_schema()
    return pa.RecordBatch.from_pylist([dict.fromkeys(wanted.names) | row for row in rows], wanted)


def opened(folder: Path, kind: str = "parquet", **options: Any) -> sinks.Sink:
    return sinks.open_sink(sinks.Target(f"{folder}/", kind, **options), schema.names())


@pytest.mark.parametrize("kind", KINDS)
def test_files_end_at_a_size_and_hold_all_records_in_order(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(150_000))
    out = tmp_path / "out"
    result = run(
        "filter", "-o", f"{out}/", "--to", kind, "--roll", "64KiB", str(tmp_path / "a.log")
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    found = files(out)
    assert len(found) > 1
    assert all(NAME.fullmatch(path.name) for path in found)
    assert [body for path in found for body in bodies(path)] == [
        f"number {n}" for n in range(150_000)
    ]
    # All but the last are as large as was asked for, whatever the blocks were.
    assert all(path.stat().st_size >= 64 << 10 for path in found[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_adds_to_a_folder_and_changes_nothing_there(kind: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    before: dict[Path, bytes] = {}
    for count in range(1, 4):
        assert run("filter", "-o", str(tmp_path), "--to", kind, str(LOG)).returncode == 0
        there = {path: path.read_bytes() for path in files(tmp_path)}
        assert len(there) == 1 + count
        assert there.items() >= before.items()
        before = there


def test_a_run_that_keeps_nothing_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "lake.parquet"
    result = run("filter", "-o", f"{out}/", "--severity", "CRITICAL", str(LOG))
    assert (result.returncode, files(out)) == (1, [])


def test_names_sort_as_they_were_given() -> None:
    one = FileNames("", "jsonl")
    given_ = [next(one) for _ in range(1000)]
    assert given_ == sorted(set(given_))


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_end_when_the_time_is_over(kind: str, tmp_path: Path) -> None:
    sink = opened(tmp_path, kind, roll=Roll(seconds=300), keys=("service",))
    begin = time.monotonic()
    rows = [{"service_name": name, "body": name} for name in ("nova", "glance", "nova")]
    sink.write_rows(batch(rows))
    sink.tick(begin + 299)
    assert sink.pending
    # Nothing is visible but what a reader passes by.
    assert all(path.name.startswith(".") for path in files(tmp_path))
    sink.tick(time.monotonic() + 300)
    assert not sink.pending
    assert sorted(body for path in files(tmp_path) for body in bodies(path)) == [
        "glance",
        "nova",
        "nova",
    ]
    sink.tick(time.monotonic() + 3000)
    sink.write_rows(batch(rows[:1]))
    assert sink.pending
    sink.close()
    assert not sink.pending
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("merged", [(), ("--merge",)])
def test_others_read_partitions_as_one_table(
    kind: str, merged: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(b"nobody knows\n" + lines(20) + lines(10, b"glance"))
    out = tmp_path / "out"
    options = ("--to", kind, "--partition-by", "service,date", *merged)
    assert run("filter", "-o", f"{out}/", *options, str(tmp_path / "a.log")).returncode == 0
    none = "__HIVE_DEFAULT_PARTITION__"
    assert {str(path.parent.relative_to(out)) for path in files(out)} == {
        "service=nova/date=2024-01-01", "service=nova/date=2024-01-02",
        "service=glance/date=2024-01-01", "service=glance/date=2024-01-02",
        f"service={none}/date={none}",
    }  # fmt: skip
    assert all(path.name.startswith("part-") and NAME.fullmatch(path.name) for path in files(out))
    expected = Counter({("nova", "2024-01-01"): 10, ("nova", "2024-01-02"): 10,
                        ("glance", "2024-01-01"): 5, ("glance", "2024-01-02"): 5, (None, None): 1})  # fmt: skip
    if kind == "arrow":  # an IPC stream is no file format of a dataset
        assert sum(len(bodies(path)) for path in files(out)) == 31
        return
    if kind == "parquet":
        table = ds.dataset(out, partitioning="hive").to_table()
        assert (
            Counter(zip(table["service"].to_pylist(), table["date"].to_pylist(), strict=True))
            == expected
        )
        frame = pl.read_parquet(
            out / "**/*.parquet", hive_partitioning=True, try_parse_hive_dates=False
        )
        assert Counter(frame.select("service", "date").rows()) == expected
        assert table.schema.metadata[b"opslog.schema"] == schema.VERSION.encode()
    reader = {"parquet": "read_parquet", "jsonl": "read_json"}[kind]
    # What it reads as JSON has no type of its own for a folder without a value.
    rows = duckdb.sql(
        f"SELECT service, date, count(*) FROM {reader}('{out}/**/*.{kind}', hive_partitioning=true,"
        " hive_types_autocast=false, union_by_name=true) GROUP BY ALL"
    ).fetchall()
    assert Counter({(service, date): count for service, date, count in rows}) == expected


HOSTILE = ["../x", "..", ".", "/etc", "a/b", "a=b", "a b", "%2F", "50%", "ä€😀", "*?[", 'q"\'', "a\\b",
           "x\n\ty", "~", "-", "x" * 200]  # fmt: skip


def test_a_hostile_service_stays_in_the_folder_and_is_read_back(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    sink = opened(out, keys=("service",))
    rows = [{"service_name": name, "body": name} for name in HOSTILE]
    sink.write_rows(batch(rows))
    sink.close()
    assert {path.relative_to(out).parts[0].partition("=")[0] for path in files(tmp_path)} == {
        "service"
    }
    assert len(list(out.iterdir())) == len(HOSTILE)
    table = ds.dataset(out, partitioning="hive").to_table()
    assert sorted(table["body"].to_pylist()) == sorted(HOSTILE)
    assert table["service"].cast(pa.string()).to_pylist() == table["body"].to_pylist()
    found = duckdb.sql(
        f"SELECT service, body FROM read_parquet('{out}/**/*.parquet', hive_partitioning=true)"
    )
    assert {service for service, _ in found.fetchall()} == set(HOSTILE)
    frame = pl.read_parquet(out / "**/*.parquet", hive_partitioning=True)
    assert set(frame["service"]) == set(HOSTILE)


VALUES = st.sampled_from([None, "__HIVE_DEFAULT_PARTITION__"]) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@given(VALUES, VALUES)
def test_every_value_has_a_folder_of_its_own(one: str | None, other: str | None) -> None:
    rows = batch([{"service_name": one}, {"service_name": other}])
    paths = [path for path, part in partition.split(rows, ("service",)) for _ in range(len(part))]
    assert (len(set(paths)) == 1) == ((one or None) == (other or None))  # to Hive nothing is none
    for path in paths:
        assert path.startswith("service=")
        assert "/" not in path
        assert len(path.encode()) <= 255
        assert path.isprintable()


def test_a_value_too_long_for_a_name_loses_nothing(tmp_path: Path) -> None:
    long = ["€" * 500, "€" * 501, "a" * 5000]
    sink = opened(tmp_path, keys=("service", "host"))
    sink.write_rows(batch([{"service_name": name, "host_name": name} for name in long]))
    sink.close()
    table = ds.dataset(tmp_path, partitioning="hive").to_table()
    assert sorted(table["service_name"].to_pylist()) == sorted(long)
    assert len(set(table["service"].to_pylist())) == 3


@given(st.lists(st.sampled_from(["nova", "glance", None]), max_size=30))
def test_partitions_hold_each_record_once_and_in_order(services: list[str | None]) -> None:
    rows = batch([{"service_name": name, "process_pid": n} for n, name in enumerate(services)])
    found: dict[str | None, list[int]] = {}
    for _, part in partition.split(rows, ("service", "date")):
        # No value of another partition is left in the dictionaries.
        assert set(part["service_name"].dictionary.to_pylist()) <= set(services) - {None}
        assert len(set(part["service_name"].to_pylist())) == 1
        found[part["service_name"][0].as_py()] = part["process_pid"].to_pylist()
    assert found == {
        name: [n for n, other in enumerate(services) if other == name] for name in set(services)
    }


def test_no_key_is_a_column_in_any_spelling() -> None:
    for spelling in names.SPELLINGS:
        assert not set(partition.KEYS) & set(names.spelled(schema.names(original=True), spelling))


def test_few_files_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "MOST_OPEN", 3)
    sink = opened(tmp_path, keys=("service",))
    for round_ in range(2):
        for name in "abcde":
            sink.write_rows(batch([{"service_name": name, "process_pid": round_}]))
            hidden = [path for path in files(tmp_path) if path.name.startswith(".")]
            assert len(hidden) <= 3
    sink.close()
    table = ds.dataset(tmp_path, partitioning="hive").to_table()
    found = Counter(
        zip(table["service"].to_pylist(), table["process_pid"].to_pylist(), strict=True)
    )
    assert found == Counter({(name, round_): 1 for name in "abcde" for round_ in range(2)})


def test_rows_wait_in_memory_up_to_a_limit_and_small_batches_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "MOST_HELD", 100_000)
    sink = opened(tmp_path, keys=("service",))
    assert isinstance(sink, rolling.RollingSink)
    for number in range(300):
        rows = [{"service_name": name, "body": "x" * 500, "process_pid": number} for name in "ab"]
        sink.write_rows(batch(rows))
        held = [file for _, file in sink._open.values()]
        assert sum(file.held for file in held) <= 100_000
        assert all(isinstance(file, parquet.ParquetSink) and len(file._rows) < 12 for file in held)
    sink.close()
    for path in files(tmp_path):
        assert pq.read_table(path)["process_pid"].to_pylist() == list(range(300))
        assert 1 < pq.read_metadata(path).num_row_groups < 10


def test_what_a_killed_run_left_is_removed_and_what_lives_is_not(tmp_path: Path) -> None:
    living = opened(tmp_path, "jsonl", keys=("service",))
    living.write_rows(batch([{"service_name": "nova"}]))
    killed = (
        "import os, sys, pyarrow as pa; sys.path[:0] = ['tests', 'tests/outputs']; from pathlib import Path\n"
        "from test_rolling import batch, opened\n"
        "sink = opened(Path(sys.argv[1]), 'jsonl', keys=('service',))\n"
        "sink.write_rows(batch([{'service_name': 'nova'}, {'service_name': 'glance'}]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", killed, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / ".hidden.tmp").write_text("of somebody else")
    (tmp_path / "service=nova" / "mine.jsonl").write_text("mine")
    assert len(files(tmp_path)) == 5
    assert run("filter", "-o", f"{tmp_path}/", "--to", "jsonl", str(LOG)).returncode == 0
    left = [path.name for path in files(tmp_path)]
    assert len(left) == 4
    assert {".hidden.tmp", "mine.jsonl"} <= set(left)
    living.close()
    assert not [
        path
        for path in files(tmp_path)
        if path.name.endswith(".tmp") and path.name != ".hidden.tmp"
    ]


def test_a_file_swept_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    asked = []

    def swept_first(fd: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        asked.append(how)
        sweep(str(tmp_path))
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", swept_first)
    file = RolledFile(str(tmp_path), next(FileNames("", "jsonl")))
    assert asked
    assert os.path.exists(file.temporary)
    file.close()
    assert [path.name for path in files(tmp_path)] == [os.path.basename(file.path)]


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    file = RolledFile(str(tmp_path), "a.jsonl")
    (tmp_path / "a.jsonl").write_text("there")
    with pytest.raises(FileExistsError):
        file.close()
    file.abort()
    assert [path.read_text() for path in files(tmp_path)] == ["there"]


@pytest.mark.parametrize("kind", KINDS)
def test_interrupted_it_leaves_whole_files(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "opslog", "filter", "-o", f"{tmp_path}/", "--to", kind,
               "--threads", "1"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(lines(200_000))  # blocks and a part of the next
        process.stdin.flush()
        while not files(tmp_path):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    [path] = files(tmp_path)
    assert NAME.fullmatch(path.name)
    assert bodies(path) == [f"number {n}" for n in range(len(bodies(path)))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_written_is_told_and_removed(kind: str, tmp_path: Path) -> None:
    """The limit stands for a full disk: the file being written may not grow."""
    (tmp_path / "a.log").write_bytes(b"".join(LINE % (1, b"nova", n**7) for n in range(200_000)))
    out = tmp_path / "out"
    result = subprocess.run(
        [sys.executable, "-m", "opslog", "filter", "-o", f"{out}/", "--to", kind, "--roll", "1MiB", str(tmp_path / "a.log")],
        capture_output=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
    )  # fmt: skip
    assert result.returncode == 2
    text = result.stderr.decode()
    assert text.startswith(f"opslog: {out}/: ")
    assert (
        "File too large; 0 files of this run are complete; what came later is not written\n" in text
    )
    assert text.count("\n") == 1
    assert files(out) == []


def test_an_error_says_which_files_are_complete(tmp_path: Path) -> None:
    sink = opened(tmp_path, "jsonl", roll=Roll(size=1024))
    sink.write_rows(memoryview(b'{"body":"a"}\n' * 1000))
    [complete] = files(tmp_path)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, old[1]))
    try:
        with pytest.raises(SinkError) as raised:
            sink.write_rows(memoryview(b'{"body":"b"}\n' * 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert str(raised.value) == (
        f"{tmp_path}/: File too large; 1 file of this run is complete, the last is {complete}; "
        "what came later is not written"
    )
    sink.abort()
    assert files(tmp_path) == [complete]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out/", "--to", "jsonl", "--roll", "5"],
         "--roll: expected a size (KiB, MiB, GiB), a time (s, m, h) or both, as in 128MiB,5m; found '5'"),
        (["-o", "out/", "--to", "jsonl", "--roll", "5m,6m"],
         "--roll: expected a size (KiB, MiB, GiB), a time (s, m, h) or both, as in 128MiB,5m; found '5m,6m'"),
        (["-o", "out/", "--to", "jsonl", "--roll", "0s"],
         "--roll: expected a size (KiB, MiB, GiB), a time (s, m, h) or both, as in 128MiB,5m; found '0s'"),
        (["-o", "out.jsonl", "--roll", "5m"], "out.jsonl: --roll needs a folder of files: -o out.jsonl/"),
        (["--partition-by", "date"], "-: --partition-by needs a folder of files: -o DIR/"),
        (["-o", "out/", "--to", "jsonl", "--partition-by", "date,body"],
         "--partition-by: expected some of service, host, date, found 'body'"),
        (["-o", "out/", "--to", "jsonl", "--partition-by", "date,date"], "--partition-by: expected each key once, found 'date' twice"),
        (["-o", "out/", "-c"], "out/: a folder takes jsonl, parquet or arrow, not count: say it with --to"),
        (["-o", "out/"], "out/: cannot tell the output format from this name: use a suffix .jsonl, .parquet, .arrow, .csv, .tsv or .txt, or --to"),
        (["-o", "/dev/null/out/", "--to", "jsonl"], "/dev/null/out/: Not a directory"),
    ],
)  # fmt: skip
def test_a_wrong_wish_is_told(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = run("filter", *arguments, str(LOG), cwd=tmp_path)
    assert (result.returncode, result.stderr.decode()) == (2, f"opslog: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_roll_says() -> None:
    assert Roll.parse("128MiB,5m") == Roll(128 << 20, 300)
    assert Roll.parse("2h") == Roll(None, 7200)
    assert Roll.parse(" 1GiB ") == Roll(1 << 30)
    with pytest.raises(OpslogError, match="--roll"):
        Roll.parse("")


@pytest.mark.parametrize("kind", ["jsonl", "text"])
def test_appended_lines_follow_the_whole_ones(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    stats = opslog.read(LOG)._write(sinks.Target(str(path), kind))
    once = path.read_bytes()
    path.write_bytes(once + b'{"body":"torn' * 10_000)
    assert opslog.read(LOG)._write(sinks.Target(str(path), kind, append=True)) == stats
    assert path.read_bytes() == once * 2


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_only_a_torn_line_is_cut(
    tmp_path_factory: pytest.TempPathFactory, there: bytes, new: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "appended"
    path.write_bytes(there)
    output = open_growing(str(path), OF_RECORDS["jsonl"], overwrite=True, append=True)
    output.write(new)
    output.close()
    assert path.read_bytes() == there[: there.rfind(b"\n") + 1] + new
    assert output.size == path.stat().st_size


@pytest.mark.parametrize("kind", ["parquet", "arrow", "count"])
def test_to_a_file_that_has_an_end_nothing_is_appended(kind: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"there")
    with pytest.raises(
        SinkError, match=r"nothing can be appended to .*: use -o DIR/ --roll 128MiB,5m"
    ):
        opslog.read(LOG)._write(sinks.Target(str(tmp_path / "out"), kind, append=True))
    assert (tmp_path / "out").read_bytes() == b"there"


@pytest.mark.parametrize("kind", ["jsonl", "text", "arrow", "parquet", "count"])
def test_only_what_is_written_at_once_is_never_pending(kind: str, tmp_path: Path) -> None:
    sink = sinks.open_sink(sinks.Target(str(tmp_path / "out"), kind), schema.names())
    assert not sink.pending
    rows = batch([{"body": "a"}]).select(sink.columns)
    sink.write_rows(memoryview(b"{}\n") if kind == "jsonl" else rows)
    sink.tick(time.monotonic())
    assert sink.pending == (kind in ("parquet", "count"))
    sink.close()
    assert not sink.pending


def test_a_terminal_that_went_away_is_told() -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    result = subprocess.run(
        [sys.executable, "-m", "opslog", "filter", str(LOG)],
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    assert result.returncode == 2
    assert result.stderr.startswith(b"opslog: -: Input/output error; the first 0 bytes are written")
