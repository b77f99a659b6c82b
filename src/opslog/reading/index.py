"""The index: which ids may stand in which blocks of which files.

It is made while files are read, and lets later readings go past the blocks in
which none of the ids they look for can stand.  It takes a five-hundredth of what
was read at most, mostly a quarter of that.  What a file has got since is not in
it; of a file that is another by now, nothing is.  That of large files is kept
for later runs (index_files.py).
"""

from __future__ import annotations

import os
from itertools import compress

from opslog.engine._search import Ids
from opslog.engine.skipping import REACH
from opslog.inputs.source import Source
from opslog.kernel._block import Block
from opslog.reading.file_version import Version
from opslog.reading.index_files import IndexFiles
from opslog.reading.span import START, Span

_WORTH = 16 << 20
"""Bytes of which an index is kept: to search less takes milliseconds."""

_PACKED = 16
"""How much smaller a file may be that holds so many bytes compressed."""

_MOST_BLOCKS = 1 << 14
"""Blocks of a file whose index is kept: 64 GiB.  What is behind them is read each time."""

_PENDING = 2
"""Sources whose blocks may still be searched when the next one is opened (engine/skipping.py)."""


class Spans:
    """The blocks of one file: what is known of them before a reading, and what that adds.

    The last block ends where the file did, so that it is cut anew each time: it lies
    behind ``begin``, an offset and whether that is inside a line.  ``last`` is what is
    known of it, None if there may be something else now.  ``plain`` says that the file
    gives its bytes as they are, ``notes`` that blocks are to be taken note of.
    """

    def __init__(
        self,
        version: Version,
        spans: list[Span],
        whole: bool,
        plain: bool,
        notes: bool = True,
    ) -> None:
        self._known, end = spans[:-1], spans[-1] if spans else None
        self.begin = (end.offset, end.continued) if end else (0, False)
        self.last = end if whole else None
        self.version = version
        self.plain = plain
        self.notes = notes
        self._added: list[Span] = []
        self._end: int | None = None if self.last is None else self.last.end
        self._grown = False

    @property
    def known(self) -> bool:
        """Whether the file was read before."""
        return bool(self._known) or self.last is not None

    def add(self, block: Block) -> None:
        """Take note of a block that is read; may be called in any thread, in any order."""
        if block.size and block.offset >= self.begin[0]:
            head = b"" if self.plain else block.start(START)
            self._added.append(Span(block.offset, block.size, block.continued, Ids(block), head))

    def ended(self, source: Source) -> None:
        """Take note that the file ends where ``source`` is."""
        self._end = source.offset
        self._grown = os.fstat(source.fd).st_size != self.version.size

    def needed(self, needles: tuple[frozenset[bytes], ...]) -> tuple[list[Span], bool]:
        """Return the known blocks that are needed, and whether what lies behind them is.

        These may hold a part of a record that holds the needles, one of each set.
        """
        count = len(self._known) + 1
        found = [True] * count
        for texts in needles:
            held = [span.ids.may_hold(texts) for span in self._known]
            held.append(self.last is None or self.last.ids.may_hold(texts))
            for number in range(count):
                found[number] &= any(held[max(0, number - REACH) : number + REACH + 1])
        *near, behind = found
        return list(compress(self._known, near)), behind

    @property
    def worth_keeping(self) -> bool:
        """Whether so much was added that the index is to be kept."""
        return sum(span.size for span in self._added) >= _WORTH

    def all(self) -> tuple[list[Span], bool]:
        """Return all known blocks from the beginning on, and whether they are the whole file."""
        spans: list[Span] = []
        last = [] if self._added or self.last is None else [self.last]
        for span in sorted([*self._known, *self._added, *last], key=lambda one: one.offset):
            if span.offset == (spans[-1].end if spans else 0):
                spans.append(span)
        return spans, bool(spans) and spans[-1].end == self._end

    def of_version(self) -> tuple[list[Span], bool]:
        """Return those of ``all`` that were there when the file was looked at."""
        spans, whole = self.all()
        if self.plain:
            there = [span for span in spans if span.end <= self.version.size]
        else:
            there = spans if self._end is not None and not self._grown else []
        kept = there[:_MOST_BLOCKS]
        return kept, whole and len(kept) == len(spans) and not self._grown

    def later(self, version: Version, fd: int) -> Spans:
        """Return what is known of the file at its next reading, when it is of ``version``."""
        spans, whole = self.all()
        if not self.version.may_grow_to(version, fd):
            spans = []
        return Spans(version, spans, whole and self.version.is_same(version), self.plain)


class Index:
    """The blocks of files, whatever these are called by now.

    Those of large ones are kept in ``files``.  With ``every`` the index is of all
    files, for as long as it lives; without, only of large ones, which are read once,
    and with ``notes`` of those, too, of which nothing is known.
    """

    def __init__(
        self, files: IndexFiles | None = None, every: bool = True, notes: bool = True
    ) -> None:
        self.every = every
        self._files = files
        self._notes = notes
        self._spans: dict[tuple[int, ...], Spans] = {}
        self._noted: list[Spans] = []

    def of(self, source: Source) -> Spans | None:
        """Return what is known of a regular file that was opened just now, None if nothing is."""
        whole = source.place == (0,)  # neither a part nor a member of an archive
        keeps = self._files is not None and whole and source.size * _PACKED >= _WORTH
        if not (keeps or self.every):
            return None
        if not (self.every or self._notes or (self._files and self._files.holds(source.fd))):
            return None
        version = Version.of(source.fd)
        file = version.device, version.inode, *source.place
        if before := self._spans.get(file):
            spans = before.later(version, source.fd)
        elif keeps and self._files and (kept := self._files.load(version, source.fd)):
            spans = Spans(version, *kept, source.as_it_is, self._notes)
        elif self._notes:
            keeps = keeps and not source.is_table  # whose lines are those a job needs
            spans = Spans(version, [], False, source.as_it_is)
        else:
            return None
        if self.every:
            self._spans[file] = spans
        elif not keeps:
            return None
        if keeps and spans.notes:
            self._noted.append(spans)
        return spans

    def keep(self, ended: bool = True) -> None:
        """Keep what was noted of large files, unless it has not ``ended`` yet."""
        done = self._noted if ended else self._noted[:-_PENDING]
        for spans in done:
            if self._files and spans.worth_keeping:
                self._files.save(spans.version, *spans.of_version())
        del self._noted[: len(done)]
