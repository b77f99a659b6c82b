"""The oldest record: from when on sources tell anything."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice

from opslog.inputs.remote import is_url
from opslog.model.errors import SourceError
from opslog.model.stats import Stats
from opslog.reading.passes import Pass
from opslog.rows.kept import Kept

_BLOCKS = 4
"""Blocks at the beginning of a file that are looked at."""


def oldest(logs: Pass) -> int | None:
    """Return the time of the oldest record, microseconds since the epoch, UTC; None without one.

    Looks at the beginning of each file, up to the first block with a time.  What is no regular
    file is not touched.
    """
    streams = set(logs.sources.readable_once())
    names = [name for name in logs.sources.names if name not in streams and not is_url(name)]
    with logs.sources.only(names).standard_input_kept():
        found = [_oldest_of(replace(logs, sources=logs.sources.only([name]))) for name in names]
    return min((time for time in found if time is not None), default=None)


def _oldest_of(logs: Pass) -> int | None:
    import pyarrow.compute as pc

    start = replace(logs, where=None, merge=False, most=None, stats=Stats())
    try:
        with closing(start.batches(Kept.batch, ("timestamp",))) as batches:
            for batch in islice(batches, _BLOCKS):
                time: int | None = pc.min(batch.column(0).cast("int64")).as_py()
                if time is not None:
                    return time
    except SourceError:
        pass  # reading it says so
    return None
