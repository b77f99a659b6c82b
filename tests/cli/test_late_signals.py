"""A SIGTERM that comes when all is done."""

from __future__ import annotations

import os
import signal
from types import FrameType

from opslog.process.stop import at_signals


def test_a_sigterm_that_comes_late_does_nothing_more() -> None:
    """timeout(1) tells a process, then its group: the second may come behind the end of the run."""
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with at_signals():
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert told == []
        os.kill(os.getpid(), signal.SIGINT)
        assert told == [signal.SIGINT]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
