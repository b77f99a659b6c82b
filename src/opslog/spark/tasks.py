"""What tasks of a cluster are given, parts of logs, and how the driver gets what they find."""

from __future__ import annotations

import glob
import io
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa
from pyspark.sql import SparkSession

from opslog.inputs.remote import is_url
from opslog.logs import Logs
from opslog.model.errors import OpslogError, SourceError, raise_all

T = TypeVar("T")

_FOUND = "number long, piece long, found binary"


def parts_of(logs: Logs, split_bytes: int) -> list[Logs]:
    """Return the parts of all records, whatever the filter; raises OpslogError."""
    if logs._relation is not None:
        raise OpslogError("requests: not of logs with with_requests or with_resources")
    parts = logs._changed(where=None).parts(split_bytes)
    for name in (name for part in parts for name in part._pass.sources.names):
        if not is_url(name) and not os.path.isabs(name):
            raise OpslogError(f"expected an absolute path, as tasks run elsewhere; found {name!r}")
    return parts


def refuse_unmatched(parts: list[Logs]) -> None:
    """Raise SourceError for a pattern that matches nothing: no task could read it."""
    errors: list[SourceError] = []
    for sources in (part._pass.sources for part in parts):
        patterns = [name for name in sources.paths if glob.has_magic(name)]
        errors += sources.only(patterns).unopenable()
    raise_all(errors)


def of_whole_sources(parts: list[Logs]) -> list[Logs]:
    """Return parts of which none begins or ends within a source."""
    found: list[Logs] = []
    for part in parts:
        extents = part._pass.sources.extents
        if extents[0].begin:
            continue
        whole = tuple(replace(extent, end=None) for extent in extents)
        found.append(part._changed(sources=part._pass.sources.part(whole)))
    return found


class _Pickler(pickle.Pickler):
    """Writes of records only what is theirs: they may share memory with many others."""

    def reducer_override(self, one: object) -> Any:
        if not isinstance(one, pa.RecordBatch | pa.Table):
            return NotImplemented
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, one.schema, options=options) as writer:
            writer.write(one)
        return (_table if isinstance(one, pa.Table) else _batch), (sink.getvalue().to_pybytes(),)


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()


def _batch(data: bytes) -> pa.RecordBatch:
    return pa.ipc.open_stream(data).read_next_batch()


def _packed(found: object) -> bytes:
    out = io.BytesIO()
    _Pickler(out, pickle.HIGHEST_PROTOCOL).dump(found)
    return out.getvalue()


def on_parts(
    spark: SparkSession, parts: list[Logs], work: Callable[[Logs], Iterable[T]]
) -> Iterator[T]:
    """Yield what tasks make of parts, in the order of the parts, as the driver gets to it."""
    if not parts:
        return

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for piece, found in enumerate(work(parts[number])):
                    yield pa.RecordBatch.from_pydict(
                        {"number": [number], "piece": [piece], "found": [_packed(found)]}
                    )

    frame = spark.range(0, len(parts), 1, len(parts)).mapInArrow(run, _FOUND).persist()
    try:
        frame.count()  # all tasks at once; what is read then comes one after the other
        for row in frame.toLocalIterator():
            yield pickle.loads(row.found)
    finally:
        frame.unpersist()
