"""Runs a command and measures what it used: CPU time, wall time, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LONG = 60
"""Seconds of CPU time: a command that takes longer is run once."""


class CommandError(Exception):
    """A command failed; its last words are the message."""


@dataclass(frozen=True)
class Run:
    """What one run of a command used."""

    cpu: float
    """Seconds of CPU time, user and system, of all its threads."""
    wall: float
    """Seconds from start to end."""
    peak: float
    """Largest resident memory in MB (10^6 bytes)."""


def run(command: str, feed: Callable[[IO[bytes]], None] | None = None) -> Run:
    """Run a shell command; ``feed`` writes its standard input.  Raises CommandError.

    This process must stay small: the peak of a child is never below its parent's.
    """
    with tempfile.TemporaryFile() as complaints:
        start = time.perf_counter()
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            stderr=complaints,
        )
        if feed is not None and process.stdin is not None:
            feed(process.stdin)
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace").strip()
    # grep and its like say with 1 that nothing was found.
    if process.returncode not in (0, 1) or (process.returncode and said):
        raise CommandError(said.splitlines()[-1] if said else f"exit code {process.returncode}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024 / 1e6)


def in_turn(commands: dict[str, str], times: int) -> dict[str, list[Run] | CommandError]:
    """Run all commands one after the other, ``times`` times.

    A command that fails is left out; one that takes longer than ``LONG`` is run once.
    """
    results: dict[str, list[Run] | CommandError] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            runs = results[name]
            if isinstance(runs, CommandError) or (runs and runs[0].cpu > LONG):
                continue
            try:
                runs.append(run(command))
            except CommandError as error:
                results[name] = error
    return results


def median(runs: list[Run]) -> Run:
    """Return the median of each value."""
    return Run(
        statistics.median(one.cpu for one in runs),
        statistics.median(one.wall for one in runs),
        statistics.median(one.peak for one in runs),
    )


def repeat(path: Path, size: int) -> Callable[[IO[bytes]], None]:
    """Return what writes a file again and again until about ``size`` bytes are written."""

    def feed(pipe: IO[bytes]) -> None:
        written = 0
        while written < size:
            with path.open("rb") as file:
                while written < size and (chunk := file.read(1 << 20)):
                    pipe.write(chunk)
                    written += len(chunk)

    return feed
