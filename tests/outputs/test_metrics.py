"""What a run tells of itself: a file for Prometheus, a table when a signal asks."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from helpers import ROOT
from helpers import opslog as run
from opslog import Normalizer
from opslog.model.stats import Stats
from opslog.outputs.metrics import MetricsFile, text

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
LINE = b"2024-01-01 00:00:00.500 1 INFO nova.api [-] number\n"


def read(metrics: str) -> dict[tuple[str, str], float]:
    """Return the values by name and format, as Prometheus reads them."""
    found = {}
    for family in text_string_to_metric_families(metrics):
        assert family.documentation
        assert family.type in ("counter", "gauge")
        for sample in family.samples:
            key = sample.name.removeprefix("opslog_"), sample.labels.get("format", "")
            assert key not in found
            found[key] = sample.value
    return found


def test_a_run_leaves_its_counts_for_prometheus(tmp_path: Path) -> None:
    path = tmp_path / "opslog.prom"
    before = time.time()
    result = run(
        "filter",
        "--severity",
        "WARNING",
        "--metrics",
        str(path),
        "-",
        str(LOG),
        stdin=b"?\n" + LINE,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    found = read(path.read_text())
    assert before - 1 <= found.pop(("start_time_seconds", "")) <= time.time()
    assert found == {
        ("input_bytes_total", ""): 6178 + len(LINE) + 2,
        ("input_lines_total", ""): 31,
        ("skipped_bytes_total", ""): 0,
        ("records_total", "oslo.text"): 15,
        ("records_total", "(unrecognised)"): 1,
        ("records_kept_total", ""): 2,
        ("dated_records_total", ""): 0,
        ("unrecognised_records_total", ""): 1,
        ("files_truncated_total", ""): 0,
        ("open_sources", ""): 0,
        # 2026-03-10T10:00:20.181Z, the last line of the example.
        ("last_record_timestamp_seconds", ""): 1773136820.181,
        ("build_info", ""): 1,
    }
    # Another user may read it, and nothing else is left.
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


@given(
    st.dictionaries(st.text(min_size=1), st.integers(0, 2**63)),
    st.dictionaries(st.text(min_size=1), st.integers(0)),
)
def test_any_name_of_a_format_is_read_back(
    records: dict[str, int], timeouts: dict[str, int]
) -> None:
    stats = Stats(
        formats={name: (count, 0, 0) for name, count in records.items()}, timeouts=timeouts
    )
    families = {f.name: f for f in text_string_to_metric_families(text(stats, 0.0))}
    for name, given_ in (("records", records), ("pattern_timeouts", timeouts)):
        samples = families[f"opslog_{name}"].samples
        assert {s.labels["format"]: s.value for s in samples} == given_


def test_the_file_is_replaced_as_a_whole_when_it_is_due(tmp_path: Path) -> None:
    path = tmp_path / "opslog.prom"
    stats = Stats()
    metrics = MetricsFile(str(path), stats)
    with path.open() as open_before:
        stats.kept = 7
        now = time.monotonic()
        metrics.tick(now)
        assert read(path.read_text())["records_kept_total", ""] == 0
        metrics.tick(now + 15)
        assert read(path.read_text())["records_kept_total", ""] == 7
        assert read(open_before.read())["records_kept_total", ""] == 0
        stats.kept = 8
        metrics.tick(now + 16)
        assert read(path.read_text())["records_kept_total", ""] == 7


def test_metrics_that_cannot_be_written_are_told_before_anything_is_read(tmp_path: Path) -> None:
    result = run("filter", "--metrics", str(tmp_path / "no" / "opslog.prom"), str(LOG))
    assert (result.returncode, result.stdout) == (2, b"")
    assert (
        result.stderr.decode() == f"opslog: {tmp_path}/no/opslog.prom: No such file or directory\n"
    )


def test_metrics_lost_later_do_not_harm_the_records(tmp_path: Path) -> None:
    metrics = MetricsFile(str(tmp_path / "opslog.prom"), Stats())
    (tmp_path / "opslog.prom").unlink()
    tmp_path.rmdir()
    metrics.tick(time.monotonic() + 100)
    assert not tmp_path.exists()


@pytest.mark.parametrize("zone", ["UTC", "+02:00", "-11:30", "Europe/Berlin"])
@pytest.mark.parametrize(
    "line",
    [
        b"2024-01-01 01:00:00.000 1 INFO nova.api [-] later\n",
        b"2024-10-27 02:30:00.000 1 INFO nova.api [-] twice that night\n",
        b'{"timestamp": "2024-01-01T01:00:00+01:00", "message": "said"}\n',
        b"no time\n",
    ],
)
def test_the_time_of_the_last_record_is_utc(zone: str, line: bytes) -> None:
    normalizer = Normalizer(timezone=zone)
    records = pa.Table.from_batches([*normalizer.feed(LINE + line), *normalizer.close()])
    times = [time for time in records["timestamp"].cast(pa.int64()).to_pylist() if time is not None]
    assert normalizer.stats.last_time == times[-1]


def test_a_signal_shows_the_table_and_the_run_goes_on() -> None:
    command = [sys.executable, "-m", "opslog", "filter", "-c", "--threads", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        # More than the pipe and a block hold: some of it is read, and the handler is there.
        process.stdin.write(LINE * 200_000)
        process.stdin.flush()
        for _ in range(3):
            process.send_signal(signal.SIGUSR1)
            shown = [process.stderr.readline().decode() for _ in range(4)]
            assert shown[0].split() == ["format", "records", "lines", "bytes"]
            assert re.fullmatch(r"oslo\.text( +[\d,]+){3}\n", shown[1])
            assert shown[2].split()[1:3] == shown[1].split()[1:3]
            assert shown[3].startswith("kept")
        process.stdin.close()
        assert process.stdout.read() == b"200000\n"
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_signals_in_any_number_change_nothing_and_tear_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINE * 400_000)
    command = [
        sys.executable,
        "-m",
        "opslog",
        "filter",
        "--stats",
        "-c",
        "-",
        str(tmp_path / "a.log"),
    ]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "told").open("wb"),
    ) as process:
        assert process.stdin
        process.stdin.write(LINE * 100_000)
        process.stdin.flush()
        process.send_signal(signal.SIGUSR1)
        process.stdin.close()
        while process.poll() is None:
            try:
                process.send_signal(signal.SIGUSR1)
            except ProcessLookupError:
                break
            if b"kept        500,000" in (tmp_path / "told").read_bytes():
                break
        assert process.stdout
        assert process.stdout.read() == b"500000\n"
    told = (tmp_path / "told").read_text()
    assert re.fullmatch(
        r"(format +records +lines +bytes\n(oslo\.text .*\n)?total .*\nkept .*\n)+", told
    )
