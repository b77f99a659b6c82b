"""Stop: the wish that reading ends where it is, and what was read is finished.

It also knows whether anybody still reads the output: who waits for input is woken
when the reader has gone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from opslog.process import deadline


class Stop:
    """A wish that may come at any time, as a signal's, and wakes who waits for ``fd``."""

    def __init__(self) -> None:
        self._from, self._into = map(_apart, os.pipe())
        with select.epoll() as opened:
            self._epoll = select.epoll.fromfd(_copied(opened.fileno()))
        self._epoll.register(self._from, select.EPOLLIN)
        self.fd = self._epoll.fileno()
        self._output: int | None = None
        self._why: KeyboardInterrupt | None = None

    def watch_output(self, fd: int) -> None:
        """Have ``check`` raise once nobody reads ``fd`` any more, if it is a pipe or a socket."""
        mode = os.fstat(fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            # Errors and hang-ups are told without being asked for.
            self._epoll.register(fd, 0)
            self._output = fd

    def request(self, why: KeyboardInterrupt) -> None:
        """Wish it; where it was wished before, and did not help, raise ``why``."""
        if self._why is not None:
            raise why
        self._why = why
        os.write(self._into, b"\0")

    def check(self) -> None:
        """Raise what was given with the wish, if there is one.

        Raises BrokenPipeError when the reader of the output has gone.
        """
        if self._why is not None:
            raise self._why
        if self._output is not None and any(fd == self._output for fd, _ in self._epoll.poll(0)):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def close(self) -> None:
        """Close the descriptors."""
        self._epoll.close()
        os.close(self._from)
        os.close(self._into)


def _apart(fd: int) -> int:
    """Return a descriptor like ``fd``, which is closed, that is none of the standard ones.

    Where a standard one was closed, ``fd`` may have taken its place.
    """
    apart = _copied(fd)
    os.close(fd)
    return apart


def _copied(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled as an interrupt is."""


@contextmanager
def at_signals() -> Iterator[Stop]:
    """Give a Stop that is requested at SIGINT and SIGTERM; a second one raises.

    From SIGTERM on no write waits long for its reader (deadline.py).  A person, who
    sent SIGINT, sees that nothing goes on, and may send another.  Who ends a group of
    processes may tell each of them twice: a SIGTERM that comes late does nothing more.
    """
    stop = Stop()
    terminated = False

    def wish(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        if number == signal.SIGTERM:
            terminated = True
            deadline.start()
        stop.request(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            late = terminated and number == signal.SIGTERM
            signal.signal(number, signal.SIG_IGN if late else handler)
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
