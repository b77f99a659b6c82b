"""How fast logs are read that are unlike others, beside plain text of oslo.log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import corpus
import measure
import unusual_logs

_MOST_MEGABYTES = 100
_STARTS = 11
"""Runs of which start-up is the median."""

TITLES = {
    "traceback-lists": "tracebacks printed as lists",
    "loggers": "a new logger in every line",
    "json-loggers": "a new logger and host in every line of JSON",
    "hosts": "a new host in every line of syslog",
    "programs": "a new program in every line of syslog",
    "bare-times": "times with nothing behind",
    "empty-oslo": "lines of oslo.log with an empty message",
    "empty-syslog": "lines of syslog with an empty message",
    "two-bytes": "lines of two bytes, each a record",
    "blank-lines": "blank lines",
    "lines-100kb": "lines of 100 KB",
    "lines-1mb": "lines of 1 MB",
    "lines-10mb": "lines of 10 MB, cut into records",
    "nuls": "runs of NULs between and in lines",
    "nested": "oslo.log in Docker's JSON in syslog",
    "alternating": "another format in every line",
}
assert set(TITLES) == set(unusual_logs.KINDS)


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds beyond start-up of each log to JSON lines, plain text first."""
    size = min(megabytes, _MOST_MEGABYTES)
    plain, truth = corpus.cached("text", size, folder)
    logs = [("plain text", plain, truth.records)]
    logs += [(title, *unusual_logs.cached(kind, size, folder)) for kind, title in TITLES.items()]
    one_line = folder / "one-line-text.log"
    with plain.open("rb") as file:
        one_line.write_bytes(file.readline())
    start = _median({"start": one_line}, max(runs, _STARTS))["start"]
    times = _median({title: log for title, log, _ in logs}, runs)
    return [
        {
            "title": title,
            "bytes": log.stat().st_size,
            "cpu": times[title].cpu - start.cpu,
            "peak": times[title].peak,
            "records": _count(log),
            "expected": expected,
        }
        for title, log, expected in logs
    ]


def _median(logs: dict[str, Path], runs: int) -> dict[str, measure.Run]:
    commands = {title: f"{_opslog()} {log} > /dev/null" for title, log in logs.items()}
    found = {}
    for title, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        found[title] = measure.median(times)
    return found


def _count(log: Path) -> int:
    command = [*_opslog().split(), "-c", str(log)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def _opslog() -> str:
    return f"{sys.executable} -m opslog filter --threads 1"
