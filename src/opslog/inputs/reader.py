"""Readers: each fills a buffer with the next bytes of a source, or with what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

Reader: TypeAlias = Callable[[memoryview], int]
"""Fills the beginning of a buffer and returns how many bytes these are; 0 at the end."""


def start_of(read: Reader, undecided: Callable[[bytes], bool], most: int) -> bytes:
    """Return as few of the first bytes as tell what they begin, ``most`` of them at most."""
    start, room = b"", memoryview(bytearray(most))
    while (not start or undecided(start)) and (count := read(room[: most - len(start)])):
        start += bytes(room[:count])
    return start


def sample_of(read: Reader, size: int) -> tuple[bytes, Reader]:
    """Return the first ``size`` bytes, and a reader of all bytes from the first on.

    What kept the sample from being longer is raised behind it.
    """
    room, count = memoryview(bytearray(size)), 0
    failed: Exception | None = None
    try:
        while count < size and (more := read(room[count:])):
            count += more
    except Exception as error:
        failed = error

    def rest(room: memoryview) -> int:
        if failed is not None:
            raise failed
        return read(room)

    return bytes(room[:count]), behind(bytes(room[:count]), rest)


def behind(start: bytes, read: Reader) -> Reader:
    """Return a reader of ``start`` and what ``read`` gives behind it."""

    def whole(room: memoryview) -> int:
        nonlocal start
        if not start:
            return read(room)
        count = min(len(start), len(room))
        room[:count] = start[:count]
        start = start[count:]
        return count

    return whole


def deferred_reader(make: Callable[[], Reader]) -> Reader:
    """Return a reader that is made when it is asked for the first bytes."""
    made: Reader | None = None

    def read(room: memoryview) -> int:
        nonlocal made
        if made is None:
            made = make()
        return made(room)

    return read


def of_chunks(chunks: Iterator[bytes]) -> Reader:
    """Return a reader of ``chunks``, one behind the other."""
    pending = b""

    def read(room: memoryview) -> int:
        nonlocal pending
        while not pending:
            chunk = next(chunks, None)
            if chunk is None:
                return 0
            pending = chunk
        count = min(len(pending), len(room))
        room[:count] = pending[:count]
        pending = pending[count:]
        return count

    return read
