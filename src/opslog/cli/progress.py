"""A bar on standard error that says how far a long run is."""

from __future__ import annotations

import argparse
import math
import os
import stat
import sys
import time
from typing import Any

from opslog.inputs.paths import STDIN, expand, in_archive
from opslog.inputs.remote import is_url
from opslog.model.stats import Stats

_DELAY = 0.5
"""Seconds a run goes on without a bar."""


def wanted(options: argparse.Namespace, apart: bool) -> bool:
    """Return whether there is somebody to see it, and nothing it would disturb.

    ``apart`` says that the output is not written to the terminal meanwhile.
    """
    seen = os.isatty(2) and os.environ.get("TERM") != "dumb"
    return seen and (apart or not os.isatty(1)) and not options.no_progress


class Progress:
    """Bytes read of those there are, records a second and the time left.

    Bytes are counted as they lie in the files, so of a compressed file the
    compressed ones; a pipe has no end that is known.
    """

    def __init__(self, paths: tuple[str, ...], stats: Stats, wanted: bool) -> None:
        self._paths = paths
        self._stats = stats
        self._begin = time.monotonic() + (_DELAY if wanted else math.inf)
        self._bar: Any = None

    def watch(self, position: int) -> None:
        """Take note of a block read; see ``logs.Watch``."""
        now = time.monotonic()
        if now < self._begin:
            return
        elapsed = now - self._begin + _DELAY
        if self._bar is None:
            self._bar = self._opened(elapsed)
        self._bar.set_postfix_str(f"{self._stats.records / elapsed:,.0f} records/s", refresh=False)
        self._bar.update(position - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _opened(self, elapsed: float) -> Any:
        from tqdm import tqdm  # start-up: a short run shows no bar

        tqdm.monitor_interval = 0  # no thread of its own
        # A terminal that does not tell its size says 0.
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
        bar = tqdm(
            total=_size(self._paths), unit="B", unit_scale=True, leave=False,
            ncols=columns or 80, nrows=lines or 24,
        )  # fmt: skip
        bar.start_t -= elapsed
        return bar


def _size(paths: tuple[str, ...]) -> int | None:
    """Return the bytes of all files, None if there is something else than files."""
    size = 0
    if any(map(is_url, paths)):
        return None
    for name in expand(paths):
        file, _ = in_archive(name)
        try:
            found = os.fstat(0) if file == STDIN else os.stat(file)
        except OSError:
            continue  # it will be complained about where it is read
        if not stat.S_ISREG(found.st_mode):
            return None
        size += found.st_size
    return size
