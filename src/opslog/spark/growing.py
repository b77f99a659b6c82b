"""Files that grow, are rotated and come into being between two batches of a stream.

Contents are followed, not names, as `opslog --follow` does (following/content.py), but with
nothing that must be remembered besides how far they were read: a driver that is killed goes on
from that.  What is remembered besides only saves work.
"""

from __future__ import annotations

import os
import stat
import time
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from opslog.following.content import (
    MARK_BYTES,
    START_BYTES,
    Position,
    end_of_lines,
    first_line,
    unpacked_start,
)
from opslog.following.rotation import LogPlace, log_place, rotated_in
from opslog.inputs.compression import compressed
from opslog.inputs.extent import Extent
from opslog.inputs.paths import FileId, expand
from opslog.inputs.remote import is_url
from opslog.inputs.source import Source
from opslog.logs import Logs
from opslog.model.errors import OpslogError, SourceError
from opslog.reading.growth import last_cut
from opslog.reading.parts import margin_of
from opslog.spark.contents import has_content, is_packed, is_part, position_at
from opslog.spark.progress import Progress, Progresses, fingerprint

_FORGET = 3600.0
"""Seconds after which a content that is in no file is forgotten."""

_TOLD = 30.0
"""Seconds for which a copy of a truncated file is looked for before anything is said."""

_SECOND = 1_000_000_000


class _File(NamedTuple):
    """A file as it was found."""

    name: str
    id: FileId
    size: int
    modified: int

    @classmethod
    def at(cls, name: str) -> _File | None:
        """Return the regular file of this name, None if there is none."""
        try:
            status = os.stat(name)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return cls(name, FileId.of(status), status.st_size, status.st_mtime_ns)

    @property
    def state(self) -> tuple[FileId, int, int]:
        """What changes when the file does."""
        return self.id, self.size, self.modified


class GrowingFiles:
    """The files of ``logs`` as they are from one look to the next.

    A record ends when the next one of its writer begins, or when nothing was written behind it
    for ``settle`` seconds.  A line without a newline waits for one until the file has not changed
    for ``quiet`` seconds.
    """

    def __init__(self, logs: Logs, settle: float, quiet: float) -> None:
        self._paths = logs._pass.sources.paths
        if urls := [path for path in self._paths if is_url(path)]:
            raise OpslogError(
                f"readStream: expected files that all tasks see, found {urls[0]}; URLs are read "
                "by spark.read"
            )
        self._times, self._catalog = logs._pass.times, logs._pass.catalog
        self._settle, self._quiet = settle, quiet
        self._places: dict[str, LogPlace] = {}
        self._arrivals: dict[FileId, deque[tuple[float, int]]] = {}
        self._same: dict[int, tuple[object, ...]] = {}
        """What files were like that were found to have a content."""
        self._left_out: dict[FileId, tuple[FileId, int, int]] = {}
        """What files were like that are copies, or no logs."""
        self._scanned: dict[int, tuple[object, Progress]] = {}
        """How far contents could be read, and with what: open records need not be scanned again."""
        self._missing: dict[int, float] = {}
        self._sizes: dict[int, int] = {}
        """How large the files were that last had contents."""
        self._said: set[str] = set()

    def look(self, known: Progresses) -> Progresses:
        """Return how far all can be read now: ``known`` itself if nothing has come."""
        now = time.monotonic()
        files = {file.id: file for name in expand(self._paths) if (file := _File.at(name))}
        held, lost = self._held(known, files)
        beside: dict[FileId, _File] = {}
        if lost:
            beside = self._beside({self._place(known.contents[one].path) for one in lost}, files)
            self._find(known, lost, {**files, **beside}, held, now)
        contents: dict[int, Progress] = {}
        for number, one in known.contents.items():
            if number in held:
                self._missing.pop(number, None)
                contents[number] = self._advanced(number, one, held[number], now)
            elif self._is_remembered(number, one, files, now):
                contents[number] = one
        number = known.next
        for progress, file in self._new(known, files, beside, held, now):
            contents[number] = self._advanced(number, progress, file, now)
            number += 1
        every = [*files.values(), *held.values()]
        changed = max([known.changed, *(file.modified for file in every)])
        self._forget({file.id for file in every}, contents)
        return known.with_files(contents, changed, number)

    def margin(self, name: str, before: int | None = None) -> int:
        """Return how many blanks stand before each line of a file, as the lines before tell.

        Raises SourceError.
        """
        source = Source(name)
        try:
            return margin_of(source, self._times, self._catalog, before)
        finally:
            source.close()

    # -- which file has which content --------------------------------------------------

    def _held(
        self, known: Progresses, files: dict[FileId, _File]
    ) -> tuple[dict[int, _File], list[int]]:
        """Return the files that have contents still, and the contents that have none."""
        held: dict[int, _File] = {}
        lost: list[int] = []
        for number, one in known.contents.items():
            file = files.get(one.file) or _File.at(one.name)
            if file is not None and file.id == one.file and self._has(number, one, file):
                held[number] = file
            else:
                lost.append(number)
        return held, lost

    def _find(
        self, known: Progresses, lost: list[int], files: dict[FileId, _File],
        held: dict[int, _File], now: float,
    ) -> None:  # fmt: skip
        """Put the files into ``held`` in which lost contents are now."""
        taken = {file.id for file in held.values()}
        by_place: dict[LogPlace, list[_File]] = {}
        for file in files.values():
            if file.id not in taken:
                by_place.setdefault(self._place(file.name), []).append(file)
        for number in lost:
            one = known.contents[number]
            for file in by_place.get(self._place(one.path), []):
                if file.id not in taken and self._has(number, one, file, now):
                    held[number] = file
                    taken.add(file.id)
                    break

    def _has(self, number: int, one: Progress, file: _File, now: float | None = None) -> bool:
        """Return whether a file has a content, up to where that was read."""
        state = (*file.state, one.position)
        if self._same.get(number) == state:
            return True
        if now is not None and is_packed(file.name) and self._unchanged(file, now) < self._settle:
            return False
        if not has_content(one, file.name):
            return False
        self._same[number] = state
        return True

    def _beside(self, places: set[LogPlace], files: dict[FileId, _File]) -> dict[FileId, _File]:
        """Return the files that logs in these places may have become, and were not asked for."""
        folders: dict[str, set[str]] = {}
        for folder, log in places:
            folders.setdefault(folder, set()).add(log)
        return {
            file.id: file
            for folder, logs in folders.items()
            for _, name in rotated_in(folder, frozenset(logs))
            if (file := _File.at(name)) and file.id not in files
        }

    def _place(self, name: str) -> LogPlace:
        if name not in self._places:
            self._places[name] = log_place(name)
        return self._places[name]

    # -- new contents ------------------------------------------------------------------

    def _new(
        self, known: Progresses, files: dict[FileId, _File], beside: dict[FileId, _File],
        held: dict[int, _File], now: float,
    ) -> Iterator[tuple[Progress, _File]]:  # fmt: skip
        taken = {file.id for file in held.values()}
        by_place: dict[LogPlace, list[int]] = {}
        for number, one in known.contents.items():
            by_place.setdefault(self._place(one.path), []).append(number)
        for file in (*files.values(), *beside.values()):
            if file.id in taken or self._left_out.get(file.id) == file.state:
                continue
            numbers = by_place.get(self._place(file.name), [])
            path = file.name
            if file.id in beside:
                # Of what lies beside a log that was rotated, only what was written later is new.
                unit = _SECOND if is_packed(file.name) else 1  # compressors keep seconds
                if file.modified // unit < known.changed // unit:
                    continue
                path = known.contents[numbers[0]].path
            kin = [(known.contents[number], held.get(number)) for number in numbers]
            try:
                found = self._begun(file, path, kin, now)
            except (OSError, SourceError) as error:
                self._say(file.name, str(error))
                continue
            if found is not None:
                yield found, file

    def _begun(
        self, file: _File, path: str, kin: list[tuple[Progress, _File | None]], now: float
    ) -> Progress | None:
        """Return the content of a file of none of which is known; None if it has none (yet)."""
        unchanged = self._unchanged(file, now)
        with open(file.name, "rb") as opened:
            start = opened.read(START_BYTES)
        if compressed(start):
            if unchanged < self._settle:
                return None
            start = unpacked_start(file.name)
        elif first_line(start) is None and unchanged < self._quiet:
            return None
        if not start:
            return None
        for one, its in kin:
            if not one.position.may_begin_with(start):
                continue
            if has_content(one, file.name) or (
                its is not None
                and file.size <= its.size
                and is_part(file.name, file.size, its.name)
            ):
                self._left_out[file.id] = file.state  # a copy
                return None
            if file.size < one.offset and file.id != one.file and unchanged < self._settle:
                return None  # a copy that is being made
        source = Source(file.name)
        try:
            if source.binary is not None:
                if file.name in self._paths:
                    self._say(file.name, f"is no log, but {source.binary}")
                self._left_out[file.id] = file.state
                return None
            whole = not source.can_seek
        finally:
            source.close()
        if whole and unchanged < self._settle:
            return None
        position = Position(fingerprint(start), 0, fingerprint(b""))
        return Progress(path, file.name, file.id, position, whole=whole)

    # -- how far contents can be read ----------------------------------------------------

    def _unchanged(self, file: _File, now: float) -> float:
        """Return for how many seconds a file has not changed."""
        arrivals = self._arrivals.setdefault(file.id, deque())
        if not arrivals or arrivals[-1][1] != file.size:
            arrivals.append((now, file.size))
        return max(now - arrivals[-1][0], time.time() - file.modified / _SECOND)

    def _advanced(self, number: int, one: Progress, file: _File, now: float) -> Progress:
        """Return how far a content in this file can be read."""
        one = replace(one, name=file.name, file=file.id)
        self._sizes[number] = file.size
        unchanged = self._unchanged(file, now)
        try:
            if one.whole or is_packed(file.name):
                return self._whole(one, file)
            if file.size <= one.offset:
                return one
            return self._cut(number, one, file, unchanged, now)
        except (OSError, SourceError) as error:
            self._say(file.name, str(error))
            return one

    def _whole(self, one: Progress, file: _File) -> Progress:
        """Return a content that is compressed, all of it."""
        if one.whole and one.offset:
            if file.size > one.offset:
                self._say(file.name, "grew after it was read; what came later is not read")
            return one
        count = min(MARK_BYTES, file.size)
        with open(file.name, "rb") as opened:
            mark = os.pread(opened.fileno(), count, file.size - count)
        position = Position(one.position.start, file.size, fingerprint(mark))
        return replace(one, position=position, dated=-1, whole=True)

    def _cut(
        self, number: int, one: Progress, file: _File, unchanged: float, now: float
    ) -> Progress:
        settled = self._settled(file, unchanged, now)
        source = Source(file.name)
        try:
            if FileId.of(os.fstat(source.fd)) != file.id or not one.position.in_file(source.fd):
                return one
            end = file.size
            if unchanged < self._quiet:
                end = min(end, end_of_lines(source.fd, one.position.start).offset)
            state = (one.offset, end, settled)
            if end <= one.offset:
                return one
            scanned, found = self._scanned.get(number, (None, one))
            if scanned == state:
                return replace(found, name=file.name, file=file.id)
            begin = one.offset
            extent = Extent(
                file.name, end, begin=begin, plain=True, dated=one.dated if begin else None,
                margin=self.margin(file.name, begin) if begin else 0,
            )  # fmt: skip
            cut = last_cut(source, extent, settled, self._times, self._catalog)
            position = position_at(source.fd, cut.offset)
            if not one.position.in_file(source.fd):
                return one  # truncated meanwhile
        finally:
            source.close()
        found = one
        if cut.offset > one.offset:
            found = replace(one, position=position, dated=cut.dated)
            self._same[number] = (*file.state, position)
        self._scanned[number] = state, found
        return found

    def _settled(self, file: _File, unchanged: float, now: float) -> int:
        """Return the offset before which all was written long enough ago, -1 without any."""
        if unchanged >= self._settle:
            return file.size
        arrivals = self._arrivals[file.id]
        while len(arrivals) > 1 and arrivals[1][0] <= now - self._settle:
            arrivals.popleft()
        when, size = arrivals[0]
        return size if when <= now - self._settle else -1

    # -- what is forgotten, and what is said ---------------------------------------------

    def _is_remembered(
        self, number: int, one: Progress, files: dict[FileId, _File], now: float
    ) -> bool:
        missing = now - self._missing.setdefault(number, now)
        unread = self._sizes.get(number, one.offset) - one.offset
        if missing < _TOLD or one.whole:
            pass
        elif one.file in files:
            self._say(
                one.path,
                f"was truncated when {one.offset:,} bytes of it had been read, and no copy of it "
                "was found; lines written behind them, if any, are lost",
            )
        elif unread > 0:
            self._say(
                one.path,
                f"is gone, and no copy of it was found; its last {unread:,} bytes are lost",
            )
        return missing < _FORGET

    def _forget(self, files: set[FileId], contents: dict[int, Progress]) -> None:
        """Drop what is remembered of files, and of contents, that are there no more."""
        for by_file in (self._arrivals, self._left_out):
            for gone in by_file.keys() - files:
                del by_file[gone]
        for by_number in (self._same, self._scanned, self._missing, self._sizes):
            for number in by_number.keys() - contents.keys():
                del by_number[number]
        if len(self._places) > 4 * (len(files) + len(contents)) + 1000:
            self._places.clear()

    def _say(self, name: str, text: str) -> None:
        """Say once what is wrong with a file, in the log of the driver."""
        said = f"{name}: {text}"
        if said not in self._said and len(self._said) < 10_000:
            self._said.add(said)
            warnings.warn(said, RuntimeWarning, stacklevel=2)
