"""How long the answer about a single line takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_RUNS = 21


def ask(folder: Path) -> list[dict[str, Any]]:
    """Return the median wall and CPU seconds of opslog and of Python alone."""
    log, _ = corpus.cached("text", 1, folder)
    line = folder / "one-line-text.log"
    with log.open("rb") as file:
        line.write_bytes(file.readline())
    opslog = f"{sys.executable} -m opslog filter {line}"
    commands = {
        "python -c pass": f"{sys.executable} -c pass",
        "python -c 'import pyarrow'": f"{sys.executable} -c 'import pyarrow'",
        "opslog --version": f"{sys.executable} -m opslog --version > /dev/null",
        "opslog filter LINE": f"{opslog} > /dev/null",
        "opslog filter --severity INFO LINE": f"{opslog} --severity INFO > /dev/null",
        "opslog filter --to parquet LINE": f"{opslog} -o {folder / 'answer.parquet'}",
    }
    rows = []
    for title, times in measure.in_turn(commands, _RUNS).items():
        if isinstance(times, measure.CommandError):
            raise times
        middle = measure.median(times)
        rows.append({"title": title, "wall": middle.wall, "cpu": middle.cpu})
    (folder / "answer.parquet").unlink(missing_ok=True)
    return rows
