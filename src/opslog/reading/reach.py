"""How far back and forth the records of sources reach, told by the ends of files.

The newest record is what a time of day, or a day without a year, is counted back from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from opslog.inputs.given import Given
from opslog.inputs.paths import STDIN, in_archive
from opslog.inputs.remote import is_url
from opslog.model.errors import SourceError
from opslog.model.instants import micros_of
from opslog.model.stats import Stats
from opslog.reading.parts import divided
from opslog.reading.passes import Pass
from opslog.rows.kept import Kept

_TAIL = 1 << 24
"""Bytes at the end of a file that are looked at: the least that can be read alone."""

_BLOCKS = 4
"""Blocks at the beginning of a file that are looked at."""

_ALL = (1 << 63) - 1


def newest(logs: Pass, future: bool = False) -> int | None:
    """Return the time of the newest record, microseconds since the epoch, UTC; None without one.

    Looks at the ends of plain files and at whole compressed ones, the last changed first, as
    long as they were changed after the newest record that was found.  What is no regular file
    is not touched, and a record of the day after tomorrow or later counts only with ``future``.
    """
    found: int | None = None
    with _files(logs) as names:
        for changed, name in sorted(((_changed(name), name) for name in names), reverse=True):
            if found is not None and changed * 1e6 < found:
                break
            own = _newest_of(_alone(logs, name), future)
            found = max((time for time in (found, own) if time is not None), default=None)
    return found


def oldest(logs: Pass) -> int | None:
    """Return the time of the oldest record, likewise.

    Looks at the beginning of each file, up to the first block with a time.
    """
    with _files(logs) as names:
        found = [_oldest_of(_alone(logs, name)) for name in names]
    return min((time for time in found if time is not None), default=None)


def untimed(logs: Pass) -> int:
    """Return how many records have no time, in the same files, which are read whole for it."""
    found = 0
    with _files(logs) as names:
        for name in names:
            try:
                for batch in _alone(logs, name).batches(Kept.batch, ("timestamp",)):
                    found += batch.column(0).null_count
            except SourceError:
                pass  # reading it says so
    return found


@contextmanager
def _files(logs: Pass) -> Iterator[list[str]]:
    """Give the names of the regular files among the sources; standard input stays where it is."""
    streams = set(logs.sources.readable_once())
    names = [name for name in logs.sources.names if name not in streams and not is_url(name)]
    with logs.sources.only(names).standard_input_kept():
        yield names


def _alone(logs: Pass, name: str) -> Pass:
    """Return the pass over all records of one source."""
    sources = logs.sources.only([name])
    return replace(logs, sources=sources, where=None, merge=False, most=None, stats=Stats())


def _changed(name: str) -> float:
    file, _ = in_archive(name)
    if isinstance(file, Given):
        return file.content.modified.timestamp()
    try:
        return os.stat(0 if file == STDIN else file).st_mtime
    except OSError:
        return 0.0


def _newest_of(logs: Pass, future: bool) -> int | None:
    """Return the newest time in the last part of one source."""
    import pyarrow.compute as pc

    latest = _ALL if future else micros_of(datetime.now(UTC) + timedelta(days=1))
    *_, last = divided(logs.sources, _TAIL, logs.times, logs.catalog)
    part = replace(logs, sources=logs.sources.part(last))
    found: int | None = None
    try:
        for batch in part.batches(Kept.batch, ("timestamp",)):
            times = batch.column(0).cast("int64")
            own = pc.max(times.filter(pc.less_equal(times, latest))).as_py()
            found = max((time for time in (found, own) if time is not None), default=None)
    except SourceError:
        pass  # reading it says so
    return found


def _oldest_of(logs: Pass) -> int | None:
    """Return the oldest time in the first block of one source that has any."""
    import pyarrow.compute as pc

    try:
        with closing(logs.batches(Kept.batch, ("timestamp",))) as batches:
            for batch in islice(batches, _BLOCKS):
                time: int | None = pc.min(batch.column(0).cast("int64")).as_py()
                if time is not None:
                    return time
    except SourceError:
        pass  # reading it says so
    return None
