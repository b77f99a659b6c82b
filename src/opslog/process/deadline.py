"""How long a run that was told to end waits for a reader of its output that reads no further.

A blocked write checks no flag: only an exception from a signal's handler ends it.
So an alarm checks each second whether the reader has taken anything.
"""

from __future__ import annotations

import signal
from time import monotonic
from types import FrameType

SECONDS = 8.0
"""Fluentd kills its children after 10, Kubernetes after 30, systemd after 90."""

_TICK = 1.0


class ReaderTimeoutError(Exception):
    """The reader has taken nothing for SECONDS."""


_started: float | None = None
_write_since: float | None = None


def start() -> None:
    """Raise ReaderTimeoutError in a write that waits too long from now on; may be called again."""
    global _started
    if _started is None:
        _started = monotonic()
        signal.signal(signal.SIGALRM, _check)
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)


def cancel() -> None:
    """Let writes wait without limit again."""
    global _started
    if _started is not None:
        _started = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def write_begins() -> None:
    """Note that a write begins, which may block."""
    global _write_since
    _write_since = monotonic()


def write_ended() -> None:
    """Note that no write is going on."""
    global _write_since
    _write_since = None


def _check(number: int, frame: FrameType | None) -> None:
    if _started is None or _write_since is None:
        return
    # Each alarm ends a write of which something was taken: the next one begins later.
    if monotonic() - max(_started, _write_since) >= SECONDS:
        raise ReaderTimeoutError
