"""Processes that outlive the command that started them, and end when they are told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PATIENCE = 15.0
"""Seconds until a process that was told to end is killed."""


class Processes:
    """The processes of one file of ids: each leads a group, which ends with it."""

    def __init__(self, run: Path, name: str) -> None:
        self._run = run
        self._list = run / f"{name}.pids"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process in a session of its own; what it prints goes to `NAME.out`."""
        with (self._run / f"{name}.out").open("ab") as out:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        with self._list.open("a") as ids:
            ids.write(f"{process.pid} {_began(process.pid)} {name}\n")

    def stop(self) -> None:
        """End all: politely, then not."""
        groups = self._living()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in groups:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, number)
            end = time.monotonic() + _PATIENCE
            while (
                groups := [group for group in groups if _lives(group)]
            ) and time.monotonic() < end:
                time.sleep(0.2)
        self._list.unlink(missing_ok=True)

    def _living(self) -> list[int]:
        if not self._list.exists():
            return []
        lines = [line.split() for line in self._list.read_text().splitlines()]
        return [int(pid) for pid, began, _ in lines if _began(int(pid)) in (began, "")]


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the machine did: an id may be used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _lives(group: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(what: str, happened: Callable[[], bool], seconds: float) -> None:
    """Wait until something happened; raises RuntimeError where it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise RuntimeError(f"expected that {what} within {seconds:.0f} s; it did not")
        time.sleep(0.5)
