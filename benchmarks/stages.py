"""What each stage costs over a plain filter, and --mask against a loop over lines."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_FLAGS = {
    "nothing": "",
    "-C": "--severity ERROR -C 3",
    "--dedup": "--dedup",
    "--rate-limit": "--rate-limit 1000/s",
    "--sample all": "--sample 1",
    "--sample": "--sample 1%",
    "--mask": "--mask",
}
LOOP = "a loop with mask_password"
_LOOP = Path(__file__).parent / "peers" / "mask.py"


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds that JSON lines take with each stage, and the loop's."""
    log, truth = corpus.cached("text", megabytes, folder)
    commands = {
        title: f"{sys.executable} -m opslog filter --threads 1 {flags} {log} > /dev/null"
        for title, flags in _FLAGS.items()
    }
    commands[LOOP] = f"{sys.executable} {_LOOP} {log} > /dev/null"
    rows = []
    for title, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        rows.append({
            "title": title,
            "flags": _FLAGS.get(title, ""),
            "cpu": statistics.median(t.cpu for t in times),
            "peak": max(t.peak for t in times),
            "bytes": truth.bytes,
        })  # fmt: skip
    return rows
