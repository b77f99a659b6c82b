"""Following: files that are written, rotated, truncated and removed while they are read.

All is found by looking: at each file that was active lately every 10 to 100 ms,
at all others less often, at names and folders once a second.  That works on every
file system, and a look costs a stat(2).  A file that lost its name is read on until
nothing has come for a while; the one that has its name now is read at once.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections import deque
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Generic, TypeVar

from opslog.engine.job import Job
from opslog.engine.live import FollowOptions, LiveStream
from opslog.engine.stream import Item, Stream
from opslog.engine.watch import Watch
from opslog.following.checkpoint import Checkpoint
from opslog.following.content import Content
from opslog.following.contents import MOST_READ, Contents
from opslog.following.followed import FollowedContent, ReplacedError
from opslog.following.watchlist import ROTATE_WAIT, Watchlist
from opslog.inputs.paths import STDIN
from opslog.inputs.source import Source
from opslog.inputs.text import TAR
from opslog.kernel._block import Block
from opslog.model.errors import SourceError
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.process.stop import Stop

T = TypeVar("T")

_LATE = 600.0
"""Seconds for which a file that has ended is kept open: some writers go on for long."""

_LOST_WAITS = 6
"""How much longer than for a file that lost its name is waited where none is known."""

_REST = 5.0
"""Seconds without new bytes after which a file is looked at less often."""

_QUICK, _SLOW, _SECOND = 0.01, 0.1, 1.0
_FILES, _NAMES = 80, 250
"""How much longer than a look at all files, or all names, the pause behind it is: idle, all that
takes less than 2 % of a processor, however many there are."""

_LONGEST = 5.0
"""Seconds of such a pause at most: a busy machine, not the files, may have made a look long."""

_SPARE = 4
"""Blocks kept for the next bytes."""


class Following(Generic[T]):
    """The items of many files, for as long as they are followed."""

    def __init__(
        self,
        paths: tuple[str, ...],
        job: Job[T],
        times: TimeDefaults,
        stats: Stats,
        how: FollowOptions,
        watch: Watch,
        hold: float,
        stop: Stop | None,
    ) -> None:
        self.paths = paths
        self.job = job
        self.times = times
        self.stats = stats
        self.how = how
        self.watch = watch
        self.hold = hold
        self.stop = stop
        self.spare: deque[Block] = deque()
        self._piped = False
        self._pipe: tuple[Source, LiveStream[T]] | None = None
        self._interrupt: KeyboardInterrupt | None = None
        self._pipe_error: SourceError | None = None
        self._changed = True
        self._told_forgotten = False

    def items(self) -> Generator[Item[T], None, None]:
        """Yield blocks as they come of what the paths name now and later, until stopped.

        Raises SourceError for a checkpoint that cannot be used.
        """
        path = self.how.checkpoint
        checkpoint = None if path is None else Checkpoint(path)
        patterns = tuple(path for path in self.paths if path != STDIN)
        watchlist: Watchlist[T] = Watchlist(
            patterns,
            self.how.warn,
            tuple(own for own in (path, self.how.metrics) if own is not None),
            self.how.from_end,
        )
        try:
            if checkpoint:
                contents = checkpoint.contents, checkpoint.sought
                watchlist.contents.restore(*contents, time.monotonic())
            self._piped = STDIN in self.paths
            try:
                yield from self._followed(watchlist, checkpoint, bool(patterns))
            except KeyboardInterrupt as interrupt:
                # What has been read is finished before the interrupt takes its way.
                self._interrupt = interrupt
                yield from self._last(watchlist, checkpoint)
        finally:
            watchlist.close()
            if checkpoint:
                checkpoint.close()

    def forget_behind(self, source: str) -> None:
        """Nothing is kept to be said at the end."""

    def close(self) -> None:
        """Raise what ended the following, if it did not end by itself."""
        if self._interrupt:
            raise self._interrupt
        if self._pipe_error:
            raise self._pipe_error

    def _followed(
        self, watchlist: Watchlist[T], checkpoint: Checkpoint | None, named: bool
    ) -> Iterator[Item[T]]:
        next_names = next_round = next_save = 0.0
        pause = _QUICK
        while named or self._piped:
            now = time.monotonic()
            if now >= next_names:
                watchlist.look_at_names(now)
                next_names = _after(now, _SECOND, _NAMES)
            whole = now >= next_round
            if whole:
                watchlist.look_at_new_files(now)
            self._add_new(watchlist.contents, checkpoint)
            files = watchlist.open if whole else watchlist.hot
            moved = yield from self._look(watchlist, list(files.values()), now)
            if whole:
                next_round = now + _SLOW if moved else _after(now, _SLOW, _FILES)
                while len(self.spare) > _SPARE:
                    self.spare.popleft()
            self.stats.sources = len(watchlist.open) + self._piped
            self.stats.binary = len(watchlist.seen.binary)
            self.stats.truncated = watchlist.cuts.count
            self.watch(self.stats.bytes)
            begin = time.monotonic()
            # What is not safe yet may be so for a moment only, when the output's files end.
            if checkpoint and begin >= next_save and (yield from self._save(watchlist, checkpoint)):
                next_save = _after(begin, _SECOND, _FILES)
            pause = _QUICK if moved else min(_SLOW, 1.5 * pause)
            until = min(next_names, next_round)
            if watchlist.hot or self._piped:
                until = min(until, time.monotonic() + pause)
            self._wait(watchlist, until)

    def _add_new(self, contents: Contents, checkpoint: Checkpoint | None) -> None:
        """Name new contents before their first records leave: after a kill they have that name."""
        if contents.added and checkpoint:
            checkpoint.add(contents.added, contents.sought())
        contents.added.clear()

    def _wait(self, watchlist: Watchlist[T], until: float) -> None:
        """Wait until then, or a record is due, or the wish comes to stop."""
        dues = (live.due() for live in self._live_streams(watchlist))
        until = min([until, *(due for due in dues if due is not None)])
        poll = select.poll()
        if self.stop:
            poll.register(self.stop.fd, select.POLLIN)
        self._check()
        poll.poll(max(0.0, 1000 * (until - time.monotonic())))
        self._check()

    def _check(self) -> None:
        if self.stop:
            self.stop.check()

    def _live_streams(self, watchlist: Watchlist[T]) -> list[LiveStream[T]]:
        lives = [file.live for file in watchlist.hot.values() if file.live]
        return [*lives, self._pipe[1]] if self._pipe else lives

    def _look(
        self, watchlist: Watchlist[T], files: list[FollowedContent[T]], now: float
    ) -> Generator[Item[T], None, bool]:
        """Yield what has come and return whether anything has."""
        moved = yield from self._look_at_pipe()
        for file in files:
            self._check()
            moved |= yield from self._look_at(watchlist, file, now)
        for live in self._live_streams(watchlist):
            due = live.due()
            if due is not None and due <= time.monotonic():
                yield from live.flush(time.monotonic())
        return moved

    def _look_at(
        self, watchlist: Watchlist[T], file: FollowedContent[T], now: float
    ) -> Generator[Item[T], None, bool]:
        before, modified, changed = file.size, file.content.modified, file.changed
        failed = cut = False
        try:
            status = watchlist.status(file, now)
            if file.packed is None:
                # Nothing of it may have been read when it was truncated, nor its time have changed.
                cut = status is not None and status.st_size < max(file.seen, len(file.start))
                # As large as before, it may have been truncated and written again.
                as_before = (file.seen, changed)
                if status is None or (
                    not cut and (status.st_size, status.st_mtime_ns) == as_before
                ):
                    yield from self._at_rest(watchlist, file, status, now)
                    return False
                if cut or not watchlist.reopened(file, now):
                    raise ReplacedError
                file.changed = status.st_mtime_ns
                if file.name is not None:
                    file.content.modified = status.st_mtime_ns
                if file.live:
                    self._date(file.live.stream, status.st_mtime_ns)
            watchlist.hot[file.content.source] = file
            yield from file.read(self._live)
        except ReplacedError:
            if cut or file.fd is not None:  # else its name is another file's
                watchlist.cuts.note(file.content.source, file.content.path, file.size, now)
            # What came between is older than the last change of what is there now.
            file.content.modified = modified
            watchlist.replaced(file, now)
            return True
        except (OSError, SourceError) as error:
            watchlist.complain(file.content.path, error)
            file.content.modified, file.changed = modified, changed
            if isinstance(error, OSError) and error.errno == errno.ESTALE:
                watchlist.stale(file, now)
                return False
            if file.packed is None or watchlist.sought_again(file, now):
                return False
            failed, before = True, file.size
        if file.size == before and file.packed:
            yield from file.end(self._live)
            watchlist.finish(file, done=not failed)
            self._changed = True
            return True
        file.grown = now
        if file.live:
            yield from file.live.flush(time.monotonic())
        return True

    def _at_rest(
        self,
        watchlist: Watchlist[T],
        file: FollowedContent[T],
        status: os.stat_result | None,
        now: float,
    ) -> Iterator[Item[T]]:
        """Give up what a file needs no more in which nothing new is."""
        if file.left is not None:
            quiet = now - max(file.left, file.grown)
            # What was truncated may go on in a copy, which may not be complete or readable yet.
            if quiet < (_LOST_WAITS * ROTATE_WAIT if file.lost else ROTATE_WAIT):
                return
            yield from file.end(self._live)
            watchlist.hot.pop(file.content.source, None)
            if quiet >= _LATE or status is None or status.st_nlink == 0:
                watchlist.finish(file, done=False)
                self._changed = True
        elif now - file.grown >= _REST:
            if file.live and file.live.due() is None:
                file.rest()
            if file.live is None:
                watchlist.hot.pop(file.content.source, None)

    def _save(
        self, watchlist: Watchlist[T], checkpoint: Checkpoint, last: bool = False
    ) -> Generator[Item[T], None, bool]:
        """Note how far all was read, once what is read so far is written; return whether it is."""
        for live in self._live_streams(watchlist):
            yield from live.flush(time.monotonic())
        if last:
            for file in watchlist.open.values():
                # The next run could not find what only this one can tell: it leaves now.
                if file.live and not file.marked():
                    yield file.live.end(whole=True, flush=True)
        if not self.how.safe(last):
            return False
        for file in watchlist.open.values():
            self._changed |= file.note()
        contents = watchlist.contents
        if self._changed or contents.sought() != checkpoint.sought:
            checkpoint.save(contents.remembered(watchlist.open), contents.sought())
            self._changed = False
            if contents.forgotten and not self._told_forgotten:
                self._told_forgotten = True
                self.how.warn(
                    f"{checkpoint.path}: more than {MOST_READ:,} rotated files are remembered; "
                    "those gone for longest are forgotten, and read again if they appear once more"
                )
        return True

    def _last(self, watchlist: Watchlist[T], checkpoint: Checkpoint | None) -> Iterator[Item[T]]:
        """Finish what was read; with a checkpoint an open record is left to the next run."""
        watchlist.cuts.tell_all(time.monotonic(), goes_on=checkpoint is not None)
        self.stats.truncated = watchlist.cuts.count
        if checkpoint:
            yield from self._save(watchlist, checkpoint, last=True)
        elsewhere = watchlist.hot.values() if checkpoint is None else ()
        lives = [file.live for file in elsewhere if file.live]
        for live in [*lives, *([self._pipe[1]] if self._pipe else [])]:
            yield live.end(whole=True)

    def _live(self, content: Content, offset: int, tail: bytes) -> LiveStream[T]:
        zone = self.times.zones.of(content.path)
        reference = self.times.reference
        stream = Stream(
            self.job, content.path, zone, self.stats, reference, live=True, source=content.source
        )
        self._date(stream, content.modified)
        inside = tail[-1:] not in (b"", b"\n")
        return LiveStream(stream, self.spare, self.hold, offset, inside, tail)

    def _date(self, stream: Stream[T], modified: int) -> None:
        """Read times without a year as at the file's last change."""
        stream.dated(datetime.fromtimestamp(min(max(modified, 0) / 1e9, time.time()), UTC))

    # -- standard input ----------------------------------------------------------------

    def _open_pipe(self) -> None:
        """Open it once there is something: to see what it is, a source waits for its start."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        if not poll.poll(0):
            return
        try:
            source = Source(STDIN, self.stop)
            if source.is_archive:
                raise SourceError(STDIN, f"is {TAR}")
        except SourceError as error:
            self._pipe_failed(error)
            self._piped = False
            return
        zone = self.times.zones.of(STDIN)
        stream = Stream(self.job, STDIN, zone, self.stats, self.times.reference, live=True)
        self._pipe = source, LiveStream(stream, self.spare, self.hold)

    def _pipe_failed(self, error: SourceError) -> None:
        """Say at once what ended standard input too early: files may be followed for long yet."""
        self.how.warn(str(error))
        self._pipe_error = error

    def _look_at_pipe(self) -> Generator[Item[T], None, bool]:
        if self._piped and self._pipe is None:
            self._open_pipe()
        if self._pipe is None:
            return False
        source, live = self._pipe
        if source.ready(0):
            self._date(live.stream, time.time_ns())
        item: Item[T] | None = None
        while item is None and source.ready(0):
            try:
                count = source.read_into(live.room())
            except SourceError as error:
                self._pipe_failed(error)
                count = 0
            if not count:
                self._pipe, self._piped = None, False
                source.close()
                yield live.end(flush=True)
                return True
            item = live.filled(count)
        if item is not None:
            yield item
        moved = live.moved
        yield from live.flush(time.monotonic())
        return moved


def _after(begin: float, pause: float, share: int) -> float:
    """Return when to do again what began then: in ``pause`` seconds, or later if it took long."""
    end = time.monotonic()
    return end + max(pause, min(_LONGEST, share * (end - begin)))
