"""What a filter of each kind costs over reading alone, and two against a loop that only counts."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_FLAGS = {
    "nothing filtered": "",
    "--severity": "--severity WARNING",
    "--service": "--service neutron",
    "--logger": "--logger 'nova.compute.*'",
    "--request": "--request {request}",
    "--project": "--project 0123456789abcdef0123456789abcdef",
    "--status": "--status 5xx",
    "--since and --until": "--since '2026-03-02 01:00' --until '2026-03-02 02:00'",
    "--grep": "--grep 'heart.*beat'",
    "--where": "--where \"severity >= WARNING and not body ~ 'timeout'\"",
    "-v": "-v --severity WARNING",
}

_LOOPS = {
    "--service": "service neutron",
    "--since and --until": "time '2026-03-02 01:00' '2026-03-02 02:00'",
}
_LOOP = Path(__file__).parent / "peers" / "count.py"


def ask(folder: Path, megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return the CPU seconds that counting the records each filter keeps takes."""
    log, truth = corpus.cached("text", megabytes, folder)
    commands = {
        title: f"{sys.executable} -m opslog filter --threads 1 -c {flags} {log}".format(
            request=truth.request
        )
        for title, flags in _FLAGS.items()
    }
    for title, question in _LOOPS.items():
        commands[f"a loop for `{title}`"] = f"{sys.executable} {_LOOP} {log} {question}"
    rows = []
    quiet = {title: f"{command} > /dev/null" for title, command in commands.items()}
    for title, times in measure.in_turn(quiet, runs).items():
        if isinstance(times, measure.CommandError):
            raise times
        told = subprocess.run(commands[title], shell=True, capture_output=True, check=False)
        rows.append({
            "title": title,
            "flags": _FLAGS.get(title, "").format(request="ID"),
            "kept": int(told.stdout),
            "cpu": statistics.median(t.cpu for t in times),
            "bytes": truth.bytes,
        })  # fmt: skip
    return rows
