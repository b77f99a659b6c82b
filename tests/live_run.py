"""What tests of following need: the real command beside a writer, with deadlines but no timing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE = 60.0


def heads(start: int, stop: int, lines: int = 1) -> bytes:
    """Return numbered records, of so many lines each."""
    return b"".join(
        b"2024-01-01 00:00:00.%03d 1 INFO a.b [-] n%d\n" % (n % 1000, n) + b"more\n" * (lines - 1)
        for n in range(start, stop)
    )


def written(path: Path, data: bytes) -> None:
    """Write at the end of a file."""
    with open(path, "ab") as file:
        file.write(data)


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the records of an output; a last line that was torn by a kill is none."""
    if not path.exists():
        return []
    data = path.read_bytes()
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def bodies(found: list[dict[str, Any]]) -> list[str]:
    """Return the records' messages."""
    return [row["body"] for row in found]


class Run:
    """The command following; its output is added to ``out``."""

    def __init__(self, *arguments: str, out: Path, stdin: int | None = None) -> None:
        self.out = out
        named = "--to" in arguments or any(one.startswith("otlp:") for one in arguments)
        kind = () if named else ("--to", "jsonl")
        self.before = len(rows(out))
        self.said = out.with_suffix(".err")
        with open(out, "ab") as output, open(self.said, "ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "opslog", "filter", "-f", *kind, *arguments],
                stdin=subprocess.DEVNULL if stdin is None else stdin, stdout=output, stderr=errors,
            )  # fmt: skip

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def found(self) -> list[dict[str, Any]]:
        """Return the records of this run."""
        return rows(self.out)[self.before :]

    def until(self, count: int) -> None:
        """Wait until there are so many records."""
        wait_for(lambda: len(self.found()) >= count, self)

    def stop(self) -> int:
        """End it as a service manager does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(DEADLINE)


def wait_for(condition: Callable[[], bool], run: Run) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert run.process.poll() is None, f"it has ended: {run.said.read_text()}"
        assert time.monotonic() < end, f"in vain; {run.said.read_text()}; {run.out}"
        time.sleep(0.01)


def is_open(run: Run, path: Path) -> bool:
    """Return whether the process has the file open."""
    folder = f"/proc/{run.process.pid}/fd"
    for name in os.listdir(folder):
        try:
            if os.path.realpath(f"{folder}/{name}") == str(path.resolve()):
                return True
        except OSError:
            continue
    return False
