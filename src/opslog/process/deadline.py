"""Patience: how long a run that was told to end waits for who reads its output.

A write that waits for its reader cannot be left by a flag that it would look at:
only what a signal's handler raises ends it.  So an alarm looks each second whether
the reader has taken anything.
"""

from __future__ import annotations

import signal
from time import monotonic
from types import FrameType

SECONDS = 8.0
"""Fluentd kills its children after 10, Kubernetes after 30, systemd after 90."""

_TICK = 1.0


class ImpatientError(Exception):
    """The reader has taken nothing for SECONDS."""


_wished: float | None = None
_waiting: float | None = None


def begin() -> None:
    """Raise ImpatientError in a write that waits too long from now on; may be called again."""
    global _wished
    if _wished is None:
        _wished = monotonic()
        signal.signal(signal.SIGALRM, _look)
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)


def end() -> None:
    """Have all patience again."""
    global _wished
    if _wished is not None:
        _wished = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def waits() -> None:
    """Say that a write begins, which may wait."""
    global _waiting
    _waiting = monotonic()


def goes_on() -> None:
    """Say that it waits no more."""
    global _waiting
    _waiting = None


def _look(number: int, frame: FrameType | None) -> None:
    if _wished is None or _waiting is None:
        return
    # Each alarm ends a write of which something was taken: the next one begins later.
    if monotonic() - max(_wished, _waiting) >= SECONDS:
        raise ImpatientError
