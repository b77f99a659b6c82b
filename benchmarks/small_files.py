"""What many small files cost, beside one large file of the same bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import corpus
import measure

FILES, SIZE = 10_000, 20_000
"""How many files, and of how many bytes each is about."""


def ask(folder: Path, files: int, runs: int) -> list[dict[str, Any]]:
    """Return the median wall and CPU seconds beyond start-up, and bytes, of each command."""
    log, _ = corpus.cached("text", files * SIZE // 1_000_000, folder)
    many = written(log, folder / f"{files}-files")
    line = many / min(path.name for path in many.iterdir())
    opslog = f"{sys.executable} -m opslog filter"
    commands = {
        "cat": f"sh -c 'cat {many}/*' > /dev/null",
        "grep -c": f"grep -rc ' ERROR ' {many} > /dev/null",
        "opslog filter -c --severity ERROR": f"{opslog} -c --severity ERROR --exit-zero {many}"
        " > /dev/null",
        "opslog filter": f"{opslog} {many} > /dev/null",
        "opslog filter, one file": f"{opslog} {log} > /dev/null",
        "start-up": f"{opslog} -n 1 {line} > /dev/null",
    }
    found = measure.in_turn(commands, runs)
    rows = []
    for title, times in found.items():
        if isinstance(times, measure.CommandError):
            raise times
        middle = measure.median(times)
        rows.append({"title": title, "wall": middle.wall, "cpu": middle.cpu})
    start = rows.pop()
    for row in rows:
        if row["title"].startswith("opslog"):
            row["wall"], row["cpu"] = row["wall"] - start["wall"], row["cpu"] - start["cpu"]
        row["bytes"] = log.stat().st_size
    return rows


def written(log: Path, folder: Path) -> Path:
    """Cut a log into files of about SIZE bytes that end with whole lines, on first use."""
    if folder.exists():
        return folder
    partial = folder.with_name(f"{folder.name}.partial")
    partial.mkdir(exist_ok=True)
    with log.open("rb") as file:
        number = 0
        while data := file.read(SIZE):
            name = f"node-{number // 100:03d}.service-{number % 100:02d}.log"
            (partial / name).write_bytes(data + file.readline())
            number += 1
    return partial.rename(folder)
