"""Parquet files that tasks write themselves: no record passes the JVM."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import Row, SparkSession

from opslog.inputs.remote import opened, told
from opslog.logs import PART_BYTES, Logs

_WRITTEN = "number long, name string, records long"


def write_parquet(
    spark: SparkSession, logs: Logs, folder: str | os.PathLike[str], split_bytes: int = PART_BYTES
) -> int:
    """Write the records to new Parquet files in ``folder``, one for each part; return how many.

    The folder (or URL) must be one that all tasks see.  What it holds stays.  The files
    appear when all are written: what failed attempts wrote does not.  Raises SinkError for
    a folder that is read, and whatever a task raises.
    """
    target = os.fspath(folder).rstrip("/")
    logs._refuse_input(f"{target}/")
    job = uuid4().hex[:8]
    store = _Store(target, f"_temporary-{job}")
    parts = logs.parts(split_bytes)
    try:
        tasks = spark.range(0, len(parts), 1, max(1, len(parts)))
        rows = tasks.mapInArrow(_writing(parts, store), _WRITTEN).collect()
        kept = _kept(rows)
        for row in kept:
            store.keep(row.name, f"part-{job}-{row.number:05}.parquet")
    finally:
        store.clear()
    return sum(row.records for row in kept)


def _kept(rows: list[Row]) -> list[Row]:
    """Return the rows of files with records; of none, the first, which tells the columns."""
    return [row for row in rows if row.records] or rows[:1]


def _writing(
    parts: list[Logs], store: _Store
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what a task does with the numbers of its parts."""

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                name = f"{number}-{uuid4().hex}.parquet"
                records = parts[number].write_parquet(store.place(name)).kept
                yield pa.RecordBatch.from_pydict(
                    {"number": [number], "name": [name], "records": [records]}
                )

    return write


class _Store:
    """A folder, here or at a URL, and the one in it in which files wait to be kept."""

    def __init__(self, folder: str, waiting: str) -> None:
        self._folder = folder
        self._waiting = f"{folder}/{waiting}"

    def place(self, name: str) -> str:
        """Return the path of a new file that waits."""
        with told():
            system, waiting = opened(self._waiting)
            system.makedirs(waiting, exist_ok=True)
        return f"{self._waiting}/{name}"

    def keep(self, name: str, as_name: str) -> None:
        """Move a file that waits to where it is read."""
        with told():
            system, folder = opened(self._folder)
            system.mv(opened(f"{self._waiting}/{name}")[1], f"{folder}/{as_name}")

    def clear(self) -> None:
        """Remove what still waits."""
        with told():
            system, waiting = opened(self._waiting)
            if system.exists(waiting):
                system.rm(waiting, recursive=True)
