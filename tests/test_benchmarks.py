"""The benchmarks' log is what its truth says, and the loop's answers are opslog's."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from helpers import ROOT, opslog

BENCHMARKS = ROOT / "benchmarks"
OWNERS = {
    "oslo": "oslo.text", "rabbitmq": "rabbitmq.log", "ceph": "ceph.daemon",
    "apache": "apache.access", "ovs": "ovs.vlog", "syslog": "syslog.rfc3164",
}  # fmt: skip
"""The format that takes each log of recognition.py."""

KINDS = ["text", "json", "docker", "journal", "mixed"]
UNUSUAL = [
    "traceback-lists", "loggers", "json-loggers", "hosts", "programs", "bare-times", "empty-oslo",
    "empty-syslog", "nuls", "nested", "two-bytes", "blank-lines", "lines-100kb", "lines-1mb",
    "lines-10mb", "alternating",
]  # fmt: skip
NOT_COMPARED = {kind: {"format"} for kind in KINDS} | {"json": {"format", "attributes"}}
"""The loop does not name the format, and writes the JSON in attributes without blanks."""


@pytest.fixture(scope="module", params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of one megabyte."""
    path = tmp_path_factory.mktemp("corpus") / f"oslo-{request.param}.log"
    run("corpus.py", request.param, "1", str(path))
    return path


@pytest.fixture
def truth(log: Path) -> dict[str, Any]:
    """What was counted when the log was written."""
    counts: dict[str, Any] = json.loads(log.with_name(f"{log.name}.truth.json").read_text())
    return counts


def test_opslog_finds_what_the_truth_counts(log: Path, truth: dict[str, Any]) -> None:
    rows = kept(log)
    assert len(rows) == truth["records"]
    assert sum("exception_type" in row for row in rows) == truth["exceptions"] > 0
    assert sum("request_id" in row for row in rows) == truth["with_request"]
    assert len(kept(log, "--severity", "WARNING")) == truth["warnings"] > 0
    assert len(kept(log, "--request", truth["request"])) == truth["request_records"] > 0
    inside = "json" if kind(log) == "json" else "text"
    assert {row["format"] for row in rows} == {f"oslo.{inside}"}
    assert log.stat().st_size == truth["bytes"]


@pytest.mark.parametrize("kind", UNUSUAL)
def test_an_unusual_log_has_as_many_records_as_its_truth_says(kind: str, tmp_path: Path) -> None:
    run("unusual_logs.py", kind, "0.5", str(tmp_path / "log"))
    truth = int((tmp_path / "log.truth.json").read_text())
    assert int(opslog("filter", "-c", str(tmp_path / "log")).stdout) == truth > 0


def test_the_same_log_is_written_again(log: Path, tmp_path: Path) -> None:
    run("corpus.py", kind(log), "1", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == log.read_bytes()


def test_the_loop_answers_as_opslog_does(log: Path, truth: dict[str, Any], tmp_path: Path) -> None:
    questions = {
        "all": [],
        "severity": ["--severity", "WARNING"],
        "severity-words": ["--severity", "WARNING"],
        "request": ["--request", truth["request"]],
    }
    if kind(log) == "json":
        questions = {"json-all": [], "json-severity": ["--severity", "WARNING"]}
    script = "peers/loop.py"
    if kind(log) in ("docker", "journal", "mixed"):
        script = "peers/unwrap.py"
        questions = {"all": [], "severity": ["--severity", "WARNING"]}
    left_out = NOT_COMPARED[kind(log)]
    for question, flags in questions.items():
        run(script, question, str(log), str(tmp_path / "out"), truth["request"])
        theirs = [orjson.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
        theirs.sort(key=lambda row: row["source_offset"])
        ours = kept(log, *flags)
        assert len(theirs) == len(ours)
        for their, our in zip(theirs, ours, strict=True):
            assert their.keys() - left_out == our.keys() - left_out
            for column in our.keys() - left_out - {"timestamp"}:
                assert their[column] == our[column], column
            # Of a float's seconds opslog rounds the decimals, the loop the double.
            moments = [datetime.fromisoformat(row["timestamp"]) for row in (their, our)]
            assert abs(moments[0] - moments[1]) <= timedelta(microseconds=kind(log) == "json")


def test_the_loop_that_counts_counts_as_opslog_does(log: Path) -> None:
    if kind(log) != "text":
        return
    start, stop = "2026-03-02 00:00:01", "2026-03-02 00:00:02.5"
    for question, flags in (
        (["service", "neutron"], ["--service", "neutron"]),
        (["time", start, stop], ["--since", start, "--until", stop]),
    ):
        theirs = subprocess.run(
            [sys.executable, BENCHMARKS / "peers" / "count.py", log, *question],
            check=True, capture_output=True,
        )  # fmt: skip
        ours = opslog("filter", "-c", *flags, str(log))
        assert 0 < int(theirs.stdout) == int(ours.stdout)


@pytest.mark.parametrize(("shape", "owner"), OWNERS.items())
def test_a_log_of_one_format_is_all_its_own(shape: str, owner: str, tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    script = ["corpus.py", "text"] if shape == "oslo" else ["uniform.py", shape]
    run(*script, "0.2", str(path))
    rows = kept(path)
    assert {row["format"] for row in rows} == {owner}
    if shape != "oslo":
        assert len(rows) == path.read_bytes().count(b"\n")
    counts = [run("peers/recognise.py", str(path), "2", formats) for formats in ("all", owner)]
    assert counts == [f"{len(rows)}\n" * 2] * 2


@pytest.mark.thorough
def test_parts_are_asked_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    correlation, counting, envelopes, latency, recognition, report, stages, throughput, tracing = (
        map(
            importlib.import_module,
            (
                "correlation",
                "counting",
                "envelopes",
                "latency",
                "recognition",
                "report",
                "stages",
                "throughput",
                "tracing",
            ),
        )
    )
    small_files = importlib.import_module("small_files")
    assert recognition.OWNERS == OWNERS
    for module in (recognition, throughput):
        monkeypatch.setattr(module, "_STARTS", 1)
    monkeypatch.setattr(throughput, "CHECK_MB", 1)
    monkeypatch.setattr(recognition, "OWNERS", {"oslo": "oslo.text", "syslog": "syslog.rfc3164"})
    monkeypatch.setattr(envelopes, "ENVELOPES", envelopes.ENVELOPES[:1])
    asked = {
        "recognition": recognition.ask(tmp_path, 1, 1),
        "envelopes": envelopes.ask(tmp_path, 1, 1),
        "latency": latency.ask(1, 1),
        "stages": stages.ask(tmp_path, 1, 1),
        "counting": counting.ask(tmp_path, 1, 1),
    }
    asked["small_files"] = small_files.ask(tmp_path, 20, 1)
    asked["unusual"] = importlib.import_module("unusual").ask(tmp_path, 1, 1)
    asked["tracing"] = tracing.ask(tmp_path, [1], 1)
    asked["correlation"] = correlation.ask(tmp_path, 1, 10, 1)
    truth = json.loads((tmp_path / "oslo-text-1mb-v1.log.truth.json").read_text())
    others = {
        key: [] for key in ("questions", "filters", "merging", "threads", "memory", "start_up")
    }
    facts = {"command": "", "runs": 1, "check_mb": 1, "machine": {}, "versions": {}, "missing": []}
    page = report.render({**facts, **others, **asked, "truth": truth})
    page = page[page.index("## What loading all formats costs") :]
    assert "| `oslo.text` | 4,020 | 4,020 |" in page
    assert page.count("| Five kinds of lines in one log: every field |") == 3
    assert "| journal |" in page[page.index("## Who called whom") :]
    assert "50,000 lines a second for 1 seconds, of 8 workers: 0 lines lost" in page
    assert "| `--severity ERROR -C 3` |" in page
    assert "| `stats` |" in page
    assert "| `opslog trace --threads 2` |" in page
    assert (tmp_path / "trace.answer").read_bytes().count(b"req-") > 5
    assert f"| {stages.LOOP} |" in page
    assert page.count("| 2,696 | 2,696 | 1,358 | 11 |") == 2


def test_both_ways_to_otlp_are_measured() -> None:
    assert [line.split("MB/s  ")[1] for line in run("otlp.py", "1").splitlines()] == [
        "columns", "published classes", "gzip of the columns' requests",
    ]  # fmt: skip


def kind(log: Path) -> str:
    return log.stem.removeprefix("oslo-")


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, BENCHMARKS / script, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def kept(log: Path, *arguments: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(line) for line in opslog("filter", *arguments, str(log)).stdout.splitlines()
    ]
