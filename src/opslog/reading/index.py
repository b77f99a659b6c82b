"""The index: which ids may stand in which blocks of which files.

It is made while files are read, and lets later readings go past the blocks in
which none of the ids they look for can stand.  It takes a five-hundredth of what
was read at most, mostly a quarter of that.  What a file has got since is not in
it; of a file that is another by now, nothing is.
"""

from __future__ import annotations

import os
from itertools import compress
from typing import NamedTuple

from opslog.engine._search import Ids
from opslog.engine.skipping import REACH
from opslog.inputs.source import Source
from opslog.kernel._block import Block

_HEAD = 256
"""Bytes of a file's beginning that tell it from another that took its place."""


_START = 2048
"""Bytes of a block's beginning that are kept: they tell its time."""


class _Version(NamedTuple):
    """What shows whether a file was changed."""

    size: int
    modified: int
    head: bytes

    @classmethod
    def of(cls, fd: int) -> _Version:
        status = os.fstat(fd)
        return cls(status.st_size, status.st_mtime_ns, os.pread(fd, _HEAD, 0))

    def may_grow_to(self, later: _Version) -> bool:
        """Return whether ``later`` may have the same bytes, and maybe more behind them."""
        return self.size <= later.size and later.head.startswith(self.head)


class Span(NamedTuple):
    """A block as it was cut, its ids and its first bytes."""

    offset: int
    size: int
    continued: bool
    ids: Ids
    head: bytes

    @classmethod
    def of(cls, block: Block) -> Span:
        """Return what is to be known of a block."""
        return cls(block.offset, block.size, block.continued, Ids(block), block.start(_START))

    @property
    def end(self) -> int:
        """Offset behind it."""
        return self.offset + self.size


class Spans:
    """The blocks of one file: what is known of them before a reading, and what that adds.

    The last block ends where the file did, so that it is cut anew each time: it lies
    behind ``begin``, an offset and whether that is inside a line.  ``last`` is what is
    known of it, None if there may be something else now.
    """

    def __init__(
        self, version: _Version, known: list[Span], begin: tuple[int, bool], last: Span | None
    ) -> None:
        self.begin = begin
        self._version = version
        self._known = known
        self.last = last
        self._added: list[Span] = []
        self._end: int | None = None if last is None else last.end

    @property
    def known(self) -> bool:
        """Whether the file was read before."""
        return bool(self._known) or self.last is not None

    def add(self, block: Block) -> None:
        """Take note of a block that is read; may be called in any thread, in any order."""
        if block.size and block.offset >= self.begin[0]:
            self._added.append(Span.of(block))

    def ended(self, offset: int) -> None:
        """Take note that the file ends there."""
        self._end = offset

    def needed(self, needles: tuple[frozenset[bytes], ...]) -> tuple[list[Span], bool]:
        """Return the known blocks that are needed, and whether what lies behind them is.

        These may hold a part of a record that holds the needles.
        """
        held = [not needles or span.ids.may_hold(needles[0]) for span in self._known]
        held.append(not needles or self.last is None or self.last.ids.may_hold(needles[0]))
        *near, behind = (
            any(held[max(0, number - REACH) : number + REACH + 1]) for number in range(len(held))
        )
        return list(compress(self._known, near)), behind

    def later(self, version: _Version) -> Spans:
        """Return what is known of the file at its next reading, when it is of ``version``."""
        spans: list[Span] = []
        last = [] if self._added or self.last is None else [self.last]
        for span in sorted([*self._known, *self._added, *last]):
            if span.offset == (spans[-1].end if spans else 0):
                spans.append(span)
        if not spans or not self._version.may_grow_to(version):
            return Spans(version, [], (0, False), None)
        *known, end = spans
        same = version == self._version and end.end == self._end
        return Spans(version, known, (end.offset, end.continued), end if same else None)


class Index:
    """The blocks of files, whatever these are called by now."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, ...], Spans] = {}

    def of(self, source: Source) -> Spans:
        """Return what is known of a regular file that was opened just now."""
        status = os.fstat(source.fd)
        file = status.st_dev, status.st_ino, *source.place
        version = _Version.of(source.fd)
        before = self._files.get(file) or Spans(version, [], (0, False), None)
        spans = self._files[file] = before.later(version)
        return spans
