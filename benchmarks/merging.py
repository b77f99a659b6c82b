"""What it costs to put the records of many files in the order of time."""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_FILES = 200
_MEGABYTES = 5


def ask(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Return seconds and peak memory of files of one time read one by one, and merged."""
    log, truth = corpus.cached("text", _MEGABYTES, folder)
    logs = folder / "many"
    logs.mkdir(exist_ok=True)
    for number in range(_FILES):
        copy = logs / f"nova-api-{number}.log"
        if not copy.exists():
            shutil.copyfile(log, copy)
    commands = {
        f"{title}, {threads} thread{'s' * (threads > 1)}": f"{sys.executable} -m opslog filter "
        f"--threads {threads} {flag} {logs} > /dev/null"
        for threads in (1, 2)
        for title, flag in (("one by one", ""), ("merged", "--merge"))
    }
    rows = []
    for title, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        rows.append({
            "title": title,
            "files": _FILES,
            "bytes": truth.bytes,
            "wall": statistics.median(t.wall for t in times),
            "cpu": statistics.median(t.cpu for t in times),
            "peak": max(t.peak for t in times),
        })  # fmt: skip
    return rows
