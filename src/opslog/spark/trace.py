"""The story of an id in logs that tasks read: the driver gets only records that may be of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa
from pyspark.sql import SparkSession

from opslog.filters.filter import Filter
from opslog.inputs.extent import Extent
from opslog.inputs.source import Source
from opslog.logs import PART_BYTES, Logs
from opslog.model.errors import SourceError, SourceErrors, raise_all
from opslog.reading.pipeline import staged
from opslog.reading.window import TimeWindow, beginnings
from opslog.rows.kept import Kept
from opslog.spark.tasks import on_parts, parts_of
from opslog.trace.readings import Readings, refuse_streams
from opslog.trace.search import MOST, story_in
from opslog.trace.story import Story

_HEAD = 2048
"""Bytes of the beginning of an extent, which tell its time."""


def trace(
    spark: SparkSession,
    logs: Logs,
    id: str,  # noqa: A002
    most: int = MOST,
    split_bytes: int = PART_BYTES,
) -> Story:
    """Return the story of an id, as ``opslog.trace.trace`` does, of logs that tasks read.

    Tasks find the records in which ids of the story stand, the driver makes the story of them:
    of at most ``most`` records, the first read; ``Story.left_out`` counts the others.  The logs
    are read several times.  Filters of the logs hold for the records that are shown, stages see
    all that is found.  What cannot be read is in ``Story.unread``.  Raises OpslogError for a path
    that is not absolute and what can be no id, SourceError for what is no file.
    """
    bare = replace(logs, _relation=None, _root=False, _stages=())
    parts = parts_of(bare._changed(merge=False, most=None, follow=None), split_bytes)
    for part in parts:
        refuse_streams(part._pass.sources)
    return story_in(TasksReadings(logs, spark=spark, parts=parts), id, most)


@dataclass(frozen=True, kw_only=True)
class TasksReadings(Readings):
    """Readings of logs by tasks, part by part; nothing is counted."""

    spark: SparkSession
    parts: list[Logs]
    begun: dict[Extent, datetime | None] = field(default_factory=dict)
    """With which times extents begin, once that was asked."""

    def found(
        self,
        where: Filter,
        columns: tuple[str, ...],
        source: str | None = None,
        window: TimeWindow | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Return the records of a filter as Readings does; what cannot be read is told behind."""
        errors: list[SourceError] = []
        parts = self.reached(source, window)

        def read(part: Logs) -> Iterator[pa.RecordBatch | SourceError]:
            reading = replace(part._begun(), where=where, window=window)
            try:
                yield from filter(len, reading.results(Kept.batch, columns))
            except SourceErrors as error:
                yield from error.exceptions
            except SourceError as error:
                yield error

        def batches() -> Iterator[pa.RecordBatch]:
            for one in on_parts(self.spark, parts, read):
                if isinstance(one, SourceError):
                    errors.append(one)
                else:
                    yield one

        yield from staged(batches(), self.logs._stages)
        raise_all(errors)

    def reached(self, source: str | None, window: TimeWindow | None) -> list[Logs]:
        """Return the parts of a source, or of all, that may hold records of a time."""
        extents = [part._pass.sources.extents for part in self.parts]
        if window is not None:
            self._ask_when_begun()
            late = self._late(window)
            extents = [tuple(one for one in part if one not in late) for part in extents]
        if source is not None:
            extents = [tuple(one for one in part if one.name == source) for part in extents]
        return [
            part if wanted == part._pass.sources.extents else _of(part, wanted)
            for part, wanted in zip(self.parts, extents, strict=True)
            if wanted
        ]

    def _late(self, window: TimeWindow) -> set[Extent]:
        """Return the extents that hold no records of a time, as the times tell."""
        of_files: dict[str, list[Extent]] = {}
        for one in self.begun:
            of_files.setdefault(one.name, []).append(one)
        return {
            one
            for extents in of_files.values()
            for one, held in zip(
                extents, window.reached([self.begun[one] for one in extents]), strict=True
            )
            if not held
        }

    def _ask_when_begun(self) -> None:
        if self.begun:
            return
        every = (one for part in self.parts for one in part._pass.sources.extents)
        times = (time for found in on_parts(self.spark, self.parts, _beginnings) for time in found)
        self.begun.update(zip(every, times, strict=True))


def _of(part: Logs, extents: tuple[Extent, ...]) -> Logs:
    return part._changed(sources=part._pass.sources.part(extents))


def _beginnings(part: Logs) -> Iterator[list[datetime | None]]:
    """Yield with which times the extents of a part begin, None where that is not told."""
    yield [_beginning(part, extent) for extent in part._pass.sources.extents]


def _beginning(part: Logs, extent: Extent) -> datetime | None:
    with suppress(SourceError):  # reading it says so
        source = Source(extent.name)
        try:
            head = source.start
            if extent.begin:
                source.seek_line(extent.begin)
                room = memoryview(bytearray(_HEAD))
                head = bytes(room[: source.read_into(room)])
            zone = part._pass.times.zones.of(extent.name)
            [time] = beginnings([head[:_HEAD]], source, zone, part._pass.catalog)
            return time
        finally:
            source.close()
    return None
