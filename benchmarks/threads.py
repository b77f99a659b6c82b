"""How much sooner opslog is done with more threads."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path
from typing import Any

import corpus
import measure


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return wall and CPU seconds of each number of threads there are processors for."""
    log, truth = corpus.cached("text", megabytes, folder)
    processors = len(os.sched_getaffinity(0))
    commands = {
        str(threads): f"{sys.executable} -m opslog filter --threads {threads} {log} > /dev/null"
        for threads in (1, 2, 4)
        if threads <= max(2, processors)
    }
    rows = []
    for threads, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        rows.append({
            "threads": int(threads),
            "wall": statistics.median(t.wall for t in times),
            "cpu": statistics.median(t.cpu for t in times),
            "bytes": truth.bytes,
        })  # fmt: skip
    return rows
