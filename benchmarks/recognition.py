"""What it costs to recognise a log with all formats loaded, over the one it is in alone.

Records are counted: nothing but to find what a line is is done to every line, so
that no work that is the same for both hides a difference.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import corpus
import measure
import uniform

AIM = 1.1
"""How many times what one format takes all may take, at most."""

TIMES = 4
"""How often each log is read, so that start-up is little beside it."""

_PEER = Path(__file__).resolve().parent / "peers" / "recognise.py"
_MOST_MEGABYTES = 100
_STARTS = 11
"""Runs of which start-up is the median."""

OWNERS = {
    "oslo": "oslo.text",
    "rabbitmq": "rabbitmq.log",
    "ceph": "ceph.daemon",
    "apache": "apache.access",
    "ovs": "ovs.vlog",
    "syslog": "syslog.rfc3164",
}
"""The format that takes each log."""


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds beyond start-up with one format and with all, for each log."""
    size = min(megabytes, _MOST_MEGABYTES)
    logs = {kind: uniform.cached(kind, size, folder) for kind in OWNERS if kind != "oslo"}
    logs["oslo"], truth = corpus.cached("text", size, folder)
    rows = []
    for kind, owner in OWNERS.items():
        log = logs[kind]
        one_line = folder / "one-line.log"
        with log.open("rb") as file:
            one_line.write_bytes(file.readline())
        starts = _times(one_line, owner, max(runs, _STARTS))
        times = _times(log, owner, runs)
        rows.append({
            "log": kind,
            "format": owner,
            "bytes": log.stat().st_size,
            "expected": truth.records if kind == "oslo" else _lines(log),
            "records": {name: _count(log, formats) for name, formats in _formats(owner).items()},
            "cpu": {name: times[name] - starts[name] for name in times},
        })  # fmt: skip
    return rows


def _formats(owner: str) -> dict[str, str]:
    return {"one": owner, "all": "all"}


def _times(log: Path, owner: str, runs: int) -> dict[str, float]:
    """Return the median of the CPU seconds with one format and with all."""
    commands = {name: f"{_command(log, f)} > /dev/null" for name, f in _formats(owner).items()}
    found = {}
    for name, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        found[name] = measure.median(times).cpu
    return found


def _command(log: Path, formats: str) -> str:
    return f"{sys.executable} {_PEER} {log} {TIMES} {formats}"


def _count(log: Path, formats: str) -> int:
    told = subprocess.run(_command(log, formats), shell=True, capture_output=True, check=True)
    return int(told.stdout.split()[0])


def _lines(log: Path) -> int:
    with log.open("rb") as file:
        return sum(1 for _ in file)
