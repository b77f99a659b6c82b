"""Stop: the wish that reading ends where it is, and what was read is finished."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from opslog.process import deadline


class Stop:
    """A wish that may come at any time, as a signal's, and wakes who waits for ``fd``."""

    def __init__(self) -> None:
        self.fd, self._into = map(_apart, os.pipe())
        self._why: KeyboardInterrupt | None = None

    def request(self, why: KeyboardInterrupt) -> None:
        """Wish it; where it was wished before, and did not help, raise ``why``."""
        if self._why is not None:
            raise why
        self._why = why
        os.write(self._into, b"\0")

    def check(self) -> None:
        """Raise what was given with the wish, if there is one."""
        if self._why is not None:
            raise self._why

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self.fd)
        os.close(self._into)


def _apart(fd: int) -> int:
    """Return a descriptor like ``fd``, which is closed, that is none of the standard ones.

    Where a standard one was closed, ``fd`` may have taken its place.
    """
    apart = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(fd)
    return apart


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled as an interrupt is."""


@contextmanager
def at_signals() -> Iterator[Stop]:
    """Give a Stop that is requested at SIGINT and SIGTERM; a second one raises.

    From SIGTERM on no write waits long for its reader (deadline.py).  A person, who
    sent SIGINT, sees that nothing goes on, and may send another.
    """
    stop = Stop()

    def wish(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            deadline.start()
        stop.request(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        deadline.cancel()
        stop.close()


def block_sigterm() -> None:
    """Have SIGTERM wait until at_end_of_input listens to it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


@contextmanager
def at_end_of_input() -> Iterator[int]:
    """Give a descriptor that is readable once SIGINT or SIGTERM came, for who reads on to the end.

    SIGTERM may come again, from the parent and from what manages its group, and
    late, when all is done: it does no more than the first.  From it on no write waits
    long for its reader (deadline.py).  A second SIGINT is a person's, and raises.
    """
    told, tell = map(_apart, os.pipe())
    before = signal.getsignal(signal.SIGINT)

    def wish(number: int, frame: FrameType | None) -> None:
        # Another signal may come in here: nothing is remembered but by the pipe.
        os.write(tell, b"\0")
        if number == signal.SIGINT:
            signal.signal(number, before)
        else:
            deadline.start()

    signal.signal(signal.SIGTERM, wish)
    signal.signal(signal.SIGINT, wish)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, before)
        deadline.cancel()
        os.close(told)
        os.close(tell)
