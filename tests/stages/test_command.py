"""Stages on the command line and in Logs: with every output, merged, limited, and damaged inputs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

import opslog as library
from helpers import ROOT, opslog
from opslog import F
from opslog.model.errors import SourceError
from opslog.stages import Dedup, RateLimit, Sample

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
LINE = "2024-01-01 00:{:02}:{:02}.000 {} {} nova.api [-] " + 100 * "x" + " {}\n"


def same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return batches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two logs of two blocks each, a minute of 1,500 records; every 1,000th is an error."""
    path = tmp_path_factory.mktemp("logs")
    for name, process in (("a.log", 1), ("b.log", 2)):
        lines = (
            LINE.format(n // 1500 % 60, n // 25 % 60, process, "INFO" if n % 1000 else "ERROR", n)
            for n in range(30_000)
        )
        (path / name).write_text("".join(lines))
    return path


@pytest.mark.parametrize("kind", ["jsonl", "text", "arrow", "count", "parquet"])
@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("most", [None, 3, 14])
def test_a_stage_that_does_nothing_changes_no_output(
    kind: str, merge: bool, most: int | None, tmp_path: Path
) -> None:
    (tmp_path / "copy.log").write_bytes(Path(LOG).read_bytes())
    logs = library.read(LOG, tmp_path / "copy.log", merge=merge, original=kind != "text")
    logs = logs if most is None else logs.limit(most)
    plain = logs.write(tmp_path / "plain", kind)
    piped = logs.pipe(same).write(tmp_path / "piped", kind)
    assert piped.kept == plain.kept == (most or 28)
    one, other = (content(tmp_path / name, kind) for name in ("plain", "piped"))
    assert one == other
    assert list(logs.pipe(same)) == list(logs)


def content(path: Path, kind: str) -> object:
    """Return what is in an output; of tables the rows, whose dictionaries may differ."""
    if kind == "parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    if kind == "arrow":
        return pa.ipc.open_stream(path.read_bytes()).read_all().to_pylist()
    return path.read_bytes()


@pytest.mark.parametrize("names", ["otel", "ecs", "kolla"])
def test_columns_are_spelled_behind_stages_too(names: str) -> None:
    arguments = ["filter", "--names", names, LOG]
    assert opslog(*arguments, "--sample", "1").stdout == opslog(*arguments).stdout


@pytest.mark.parametrize(
    "flags",
    [
        ["--severity", "ERROR", "-C", "2"],
        ["--dedup"],
        ["--rate-limit", "20/s"],
        ["--sample", "1/100"],
        ["--where", "body ~ '7$'", "-A1", "--dedup=2s", "--rate-limit", "3/min:process_pid", "--mask"],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize(
    "merge",
    [pytest.param([], id=""), pytest.param(["--merge"], id="merge", marks=pytest.mark.thorough)],
)
def test_all_outputs_and_threads_say_the_same(
    flags: list[str], merge: list[str], folder: Path, tmp_path: Path
) -> None:
    arguments = ["filter", *flags, *merge, str(folder)]
    lines = opslog(*arguments, "--threads", "1").stdout
    assert lines
    assert opslog(*arguments, "--threads", "3").stdout == lines
    assert opslog(*arguments, "-c").stdout == b"%d\n" % lines.count(b"\n")
    assert opslog(*arguments, "--to", "text").stdout.count(b"\n") == lines.count(b"\n")
    opslog(*arguments, "-o", str(tmp_path / "x.parquet"))
    assert pyarrow.parquet.read_metadata(tmp_path / "x.parquet").num_rows == lines.count(b"\n")
    limited = opslog(*arguments, "-n", "5").stdout
    assert limited == b"".join(lines.splitlines(keepends=True)[:5])


def test_stages_come_in_one_order_whatever_that_of_the_flags(folder: Path) -> None:
    flags = ["--sample=1/2", "--rate-limit=9/s", "--dedup=1s", "-n9", "--mask"]
    one = opslog("filter", *flags, str(folder)).stdout
    other = opslog("filter", *reversed(flags), str(folder)).stdout
    assert one == other != b""


def test_stats_say_what_each_stage_dropped(folder: Path) -> None:
    result = opslog("filter", "--stats", "-c", "--dedup", "--rate-limit", "1/h", str(folder))
    told = dict(line.rsplit("  ", 1) for line in result.stderr.decode().splitlines()[-4:])
    counts = {
        name.strip(): int(told[name].split()[-1].replace(",", ""))
        for name in told
        if "dropped" in name
    }
    assert list(counts) == ["dropped by --dedup", "dropped by --rate-limit"]
    assert sum(counts.values()) + int(result.stdout) == 60_000


def test_a_rate_limit_says_what_it_dropped() -> None:
    result = opslog("filter", "-c", "--rate-limit", "1/h", LOG)
    assert (result.stdout, result.stderr) == (
        b"1\n",
        b"opslog: --rate-limit: 13 record(s) dropped\n",
    )


def test_dedup_takes_no_file_for_its_window() -> None:
    assert opslog("filter", "-c", "--dedup", LOG).stdout == b"14\n"


def test_context_is_marked_and_not_what_was_asked_for() -> None:
    result = opslog("filter", "--severity", "ERROR", "-B", "2", LOG)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    marks = [row.get("attributes", {}).get("context") for row in rows]
    assert marks == ["before", "before", None]


def test_nothing_kept_is_nothing_kept() -> None:
    for flags in (["--severity", "CRITICAL", "-C", "3"], ["-n", "0", "--dedup"]):
        result = opslog("filter", *flags, LOG)
        assert (result.returncode, result.stdout) == (1, b"")


@pytest.mark.parametrize("merge", [[], ["--merge"]], ids=["", "merge"])
def test_what_is_held_back_is_written_before_trouble_is_told(
    merge: list[str], tmp_path: Path
) -> None:
    whole = gzip.compress("".join(LINE.format(0, 0, 1, "INFO", n) for n in range(9)).encode())
    (tmp_path / "x.gz").write_bytes(whole + whole[:-9])
    result = opslog("filter", "--dedup", *merge, str(tmp_path / "x.gz"), "/no/such")
    assert result.returncode == 2
    assert result.stderr.count(b"\n") == 2
    assert json.loads(result.stdout.splitlines()[-1])["attributes"]["repeated"] == "17"


def test_sources_behind_the_last_record_are_not_complained_about(tmp_path: Path) -> None:
    assert opslog("filter", "-c", "-n", "9", "--sample", "1", LOG, "/no/such").returncode == 0
    found = opslog("filter", "-c", "-n", "9", "--sample", "1", "/no/such", LOG)
    assert (found.returncode, found.stdout) == (2, b"9\n")
    assert found.stderr == b"opslog: /no/such: No such file or directory\n"
    merged = opslog("filter", "-c", "-n", "9", "--sample", "1", "--merge", LOG, "/no/such")
    assert (merged.returncode, merged.stdout) == (2, b"9\n")


def test_the_library_counts_what_stages_drop() -> None:
    logs = library.read(LOG).filter(F.severity >= "INFO").pipe(RateLimit(1, 3600)).pipe(Dedup())
    stats = logs.write("/dev/null", "jsonl")
    assert (stats.records, stats.kept, stats.dropped) == (14, 1, {"RateLimit": 10, "Dedup": 0})
    assert logs.to_table().num_rows == 1
    with pytest.raises(SourceError):
        library.read(LOG, "/no/such").pipe(Sample(1)).to_table()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--sample", "2"], "--sample: expected a part above 0 and up to 1, such as 0.01, 1% or 1/100, found '2'"),
        (["--sample", "0"], "--sample: expected"),
        (["--sample", "1/0"], "--sample: expected"),
        (["--sample", "half"], "--sample: expected"),
        (["--rate-limit", "x"], "--rate-limit: expected a number of records and a length of time such as 100/s or 20/5min, found 'x'"),
        (["--rate-limit", "0/s"], "--rate-limit: expected"),
        (["--rate-limit", "1/0s"], "--rate-limit: expected"),
        (["--rate-limit", "1/parsec"], "--rate-limit: expected"),
        (["--rate-limit", "1/s:nme"], "--rate-limit: expected a column, found 'nme'"),
        (["--dedup=x"], "--dedup: expected a length of time such as 30s, 1m or 2h (0.001 s to 30 years), found 'x'"),
        (["--dedup=0s"], "--dedup: expected"),
        (["--severity", "ERROR", "-A", "-1"], "-A/--after-context: expected"),
        (["--severity", "ERROR", "-A", "x"], "-A/--after-context: expected a number from 0 to 1,000,000, found 'x'"),
        (["-C", "1"], "-A, -B, -C: expected a condition beside it (--severity, --grep, ...), found none"),
        (["--mask-key", "/dev/null"], "--mask-key: /dev/null: expected a key of some bytes, found an empty file"),
        (["--mask-key", "/no/such"], "--mask-key: /no/such: No such file or directory"),
    ],
)  # fmt: skip
def test_nonsense_is_an_error_of_one_line(flags: list[str], reason: str) -> None:
    result = opslog("filter", *flags, LOG)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().startswith(f"opslog: {reason}")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("flag", "value", "rows"),
    [
        ("--sample", "100%", 14), ("--sample", "1/1", 14), ("--sample", "1.0", 14),
        ("--rate-limit", "2/min", 2), ("--rate-limit", "2/10s", 3), ("--rate-limit", "1/h:source,severity_text", 4),
    ],
)  # fmt: skip
def test_values_may_be_spelled_as_people_do(flag: str, value: str, rows: int) -> None:
    assert opslog("filter", "-c", flag, value, LOG).stdout == b"%d\n" % rows
