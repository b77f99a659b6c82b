"""Logs that programs of this folder write, and what is true of them: written on first use."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def truth_path(path: Path) -> Path:
    """Return where the truth about a log stands."""
    return path.with_name(path.name + ".truth.json")


def once(program: str, kind: str, megabytes: int, path: Path) -> Path:
    """Return ``path``, where the program has written the log and perhaps the truth about it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        # In another process: this one measures the memory of others and stays small.
        command = [sys.executable, program, kind, str(megabytes), str(partial)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        if truth_path(partial).exists():
            os.replace(truth_path(partial), truth_path(path))
        os.replace(partial, path)
    return path


def written(told: str, kinds: Iterable[str], write: Callable[[str, int, Path], T]) -> T:
    """Write the log that the program's arguments ask for; return what ``write`` returns."""
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("megabytes", type=float, metavar="SIZE_MB")
    parser.add_argument("path", type=Path, metavar="PATH")
    options = parser.parse_args()
    return write(options.kind, int(options.megabytes * 1_000_000), options.path)
