"""What counting costs: `opslog stats` and `opslog events` beside reading and JSON lines."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_COMMANDS = {
    "`filter -c`: reading alone": "filter -c",
    "`filter`: JSON lines": "filter",
    "`stats`": "stats",
    "`stats --severity WARNING`": "stats --severity WARNING",
    "`events --rows pairs`": "events --exit-zero --rows pairs",
    "`events --rows orphans`": "events --exit-zero --rows orphans",
}


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds that each command takes, and its memory."""
    log, truth = corpus.cached("text", megabytes, folder)
    commands = {
        title: f"{sys.executable} -m opslog {command} --threads 1 {log} > /dev/null"
        for title, command in _COMMANDS.items()
    }
    rows = []
    for title, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        rows.append({
            "title": title,
            "cpu": statistics.median(t.cpu for t in times),
            "peak": max(t.peak for t in times),
            "bytes": truth.bytes,
        })  # fmt: skip
    return rows
