"""The data source as a stream: what is new in files between two batches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from opslog.inputs.extent import Extent
from opslog.inputs.source import Source
from opslog.kernel._block import sizes
from opslog.logs import Logs
from opslog.model.errors import SourceError
from opslog.spark import options as given
from opslog.spark.contents import has_content, located
from opslog.spark.growing import GrowingFiles
from opslog.spark.progress import Offset, Progress, Progresses
from opslog.spark.types import arrow_schema, column_names

_LOOK = 0.2
"""Seconds from one look at all files to the next, at least."""

_SHARE = 20
"""How much longer than a look the time to the next is: Spark asks again at once."""

_LONGEST = 5.0
"""Seconds of such a time at most."""


@dataclass
class NewPart(InputPartition):
    """What one task reads: extents of ``logs``, and of each the content it is of."""

    logs: Logs
    contents: tuple[Progress, ...]


class LogStreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Reads what is new in files.

    An offset says of each content how far it was read (Progresses).  What is between two
    of them depends on nothing else, so a batch that is done again has the same records.
    """

    def __init__(self, schema: StructType, options: dict[str, str]) -> None:
        self._columns = column_names(schema)
        self._schema = arrow_schema(schema)
        self._options = options
        self._made: tuple[Logs, GrowingFiles] | None = None
        self._next_look = 0.0
        self._once = False
        self._last: Offset | None = None

    def initialOffset(self) -> Offset:  # noqa: N802 - Spark's name
        """Return the offset before everything."""
        return Progresses().offset()

    def latestOffset(self, start: Offset, limit: object) -> Offset:  # noqa: N802
        """Return how far files can be read now; ``start`` itself if nothing has come."""
        if self._once:
            self._last = self._last or self._latest(start)
            return self._last
        return self._latest(start)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802
        """Have the next look be the last."""
        self._once = True

    def _latest(self, start: Offset) -> Offset:
        time.sleep(max(0.0, self._next_look - time.monotonic()))
        _, files = self._opened()
        begun = time.monotonic()
        known = Progresses.of(start)
        found = files.look(known)
        now = time.monotonic()
        self._next_look = now + min(_LONGEST, max(_LOOK, _SHARE * (now - begun)))
        return start if found is known else found.offset()

    def partitions(self, start: Offset, end: Offset) -> Sequence[NewPart]:
        """Return the parts of what is between two offsets; raises SourceError for what is gone."""
        logs, files = self._opened()
        split = given.split_bytes(self._options)
        before = Progresses.of(start).contents
        found: list[NewPart] = []
        together: list[tuple[Extent, Progress]] = []
        size = 0
        for number, one in Progresses.of(end).contents.items():
            old = before.get(number)
            if old is not None and old.position == one.position and old.whole == one.whole:
                continue
            extents = self._extents(files, old, one, split)
            length = extents[0].size - extents[0].begin
            if len(extents) == 1 and size + length <= split:
                together += ((extent, one) for extent in extents)
                size += length
                continue
            found += (_part(logs, [(extent, one)]) for extent in extents)
        if together:
            found.append(_part(logs, together))
        return found

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield the records of one part."""
        if not isinstance(partition, NewPart):
            return
        sources = partition.logs._pass.sources
        extents = tuple(map(_found_again, sources.extents, partition.contents))
        logs = partition.logs._changed(sources=sources.part(extents))
        for batch in logs.batches(self._columns):
            yield batch.cast(self._schema)

    def _opened(self) -> tuple[Logs, GrowingFiles]:
        if self._made is None:
            logs = given.logs_of(self._options, self._columns)
            self._made = logs, GrowingFiles(logs, *given.patience(self._options))
        return self._made

    def _extents(
        self, files: GrowingFiles, old: Progress | None, new: Progress, split: int
    ) -> list[Extent]:
        name = located(new)
        if name is None:
            raise SourceError(
                new.path,
                f"of it {new.offset:,} bytes were found, but the file is gone, and none beside it "
                "has them; put it back, or start the query with a new checkpoint",
            )
        begin, dated = (old.offset, old.dated) if old else (0, -1)
        source = Source(name)
        try:
            known = Extent(
                name, source.size, source.modified, source.first, begin,
                dated=dated if begin else None, called=new.path,
            )  # fmt: skip
            if new.whole:
                return [known]
            known = replace(known, size=new.offset, plain=True)
            if not source.can_seek:  # compressed since
                return [replace(known, first=b"")]
        finally:
            source.close()
        first = replace(known, margin=files.margin(name, begin) if begin else 0)
        every = sizes()["seam_every"]
        step = max(1, -(-split // every)) * every
        cuts = [*range((begin // step + 1) * step, new.offset, step)]
        if not cuts:
            return [first]
        seamed = replace(known, margin=files.margin(name), dated=None)
        return [
            replace(first, end=cuts[0]),
            *(
                replace(seamed, begin=at, end=end)
                for at, end in zip(cuts, [*cuts[1:], None], strict=True)
            ),
        ]


def _part(logs: Logs, pieces: list[tuple[Extent, Progress]]) -> NewPart:
    extents = tuple(extent for extent, _ in pieces)
    part = logs._changed(sources=logs._pass.sources.part(extents))
    return NewPart(part, tuple(one for _, one in pieces))


def _found_again(extent: Extent, one: Progress) -> Extent:
    """Return an extent of the file that has a content by now: it may be renamed or compressed."""
    if has_content(one, extent.name):
        return extent
    name = located(one)
    if name is None:
        return extent  # reading it says so
    with suppress(SourceError, OSError):
        source = Source(name)
        packed = extent.plain and not source.can_seek
        source.close()
        return replace(extent, name=name, first=b"" if packed else extent.first)
    return extent
