"""What each stage, or text, costs over a plain filter, and --mask against a loop over lines.

Secrets are few in most logs; one log has some in every line.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import corpus
import measure
import uniform

_FLAGS = {
    "nothing": "",
    "--to text": "--to text",
    "-C": "--severity ERROR -C 3",
    "--dedup": "--dedup",
    "--rate-limit": "--rate-limit 1000/s",
    "--sample all": "--sample 1",
    "--sample": "--sample 1%",
    "--mask": "--mask",
    "--mask=share": "--mask=share",
}
_MASKS = {title: _FLAGS[title] for title in ("nothing", "--mask", "--mask=share")}
LOOP = "a loop with mask_password"
_LOOP = Path(__file__).parent / "peers" / "mask.py"


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds that JSON lines take with each stage, and the loop's."""
    log, _ = corpus.cached("text", megabytes, folder)
    secrets = uniform.cached("secrets", megabytes, folder)
    return [
        *_rows("any", log, _FLAGS, runs),
        *_rows("a secret in every line", secrets, _MASKS, runs),
    ]


def _rows(title_of_log: str, log: Path, flags: dict[str, str], runs: int) -> list[dict[str, Any]]:
    commands = {
        title: f"{sys.executable} -m opslog filter --threads 1 {flag} {log} > /dev/null"
        for title, flag in flags.items()
    }
    commands[LOOP] = f"{sys.executable} {_LOOP} {log} > /dev/null"
    rows = []
    for title, times in measure.in_turn(commands, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        rows.append({
            "log": title_of_log,
            "title": title,
            "flags": flags.get(title, ""),
            "cpu": statistics.median(t.cpu for t in times),
            "peak": max(t.peak for t in times),
            "bytes": log.stat().st_size,
        })  # fmt: skip
    return rows
