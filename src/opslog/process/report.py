"""Reports of a run that goes on: SIGUSR1 asks for one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


def on_stderr(text: str) -> None:
    """Write lines to standard error, whatever is being written there."""
    data = f"{text}\n".encode()
    # The descriptor itself: a signal may have come while sys.stderr is being written.
    with suppress(OSError):
        while data:
            data = data[os.write(2, data) :]


@contextmanager
def at_signal(text: Callable[[], str], say: Callable[[str], None] = on_stderr) -> Iterator[None]:
    """Say ``text()`` whenever SIGUSR1 arrives; afterwards the signal is ignored.

    Signals that come while it is said are one more, answered when the run has gone on.
    """
    telling = again = False

    def tell(number: int, frame: FrameType | None) -> None:
        nonlocal telling, again
        if telling:
            again = True  # they may come faster than they are answered
            return
        telling, again = True, False
        try:
            say(text())
        finally:
            telling = False
        if again:
            signal.raise_signal(signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, tell)
    try:
        yield
    finally:
        # One that comes late must not end what is all but done.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
