"""Parquet files that tasks write themselves: no record passes the JVM."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import pyarrow as pa
from pyspark.sql import Row, SparkSession

from opslog.inputs.remote import is_url, opened, told
from opslog.logs import PART_BYTES, Logs
from opslog.model.errors import OpslogError
from opslog.outputs.collision import refuse_input_folder
from opslog.outputs.output import failed
from opslog.spark.tasks import refuse_unmatched

_WRITTEN = "number long, name string, records long"


def write_parquet(
    spark: SparkSession, logs: Logs, folder: str | os.PathLike[str], split_bytes: int = PART_BYTES
) -> int:
    """Write the records to new Parquet files in ``folder``, one for each part; return how many.

    The folder (or URL) and the logs must be where all tasks see them: their paths are absolute.
    What the folder holds stays.  The files appear when all are written: what failed attempts
    wrote does not.  Raises SinkError for a folder that is read or cannot be written, OpslogError
    for a path that is not absolute, SourceError for a pattern that matches nothing, and whatever a
    task raises.
    """
    target = os.fspath(folder)
    parts = logs.parts(split_bytes)
    read = (name for part in parts for name in part._pass.sources.names)
    for path in (target, *read):
        if not is_url(path) and not os.path.isabs(path):
            raise OpslogError(f"expected an absolute path, as tasks run elsewhere; found {path!r}")
    refuse_unmatched(parts)
    refuse_input_folder(target, logs._pass.sources.paths)
    job = uuid4().hex[:8]
    store = _Store(target if target.endswith("/") else f"{target}/", f"_temporary-{job}/")
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
    """A folder, here or at a URL, and the one in it in which files wait, with slashes behind."""

    def __init__(self, folder: str, waiting: str) -> None:
        self._folder = folder
        self._waiting = folder + waiting

    def place(self, name: str) -> str:
        """Return the path of a new file that waits."""
        if not is_url(self._folder):
            os.makedirs(self._waiting, exist_ok=True)
        return self._waiting + name

    def keep(self, name: str, as_name: str) -> None:
        """Move a file that waits to where it is read; raises SinkError."""
        source, target = self._waiting + name, self._folder + as_name
        try:
            if not is_url(self._folder):
                os.rename(source, target)
                return
            with told():
                system, waits = opened(source)
                system.cp_file(waits, opened(target)[1])
                system.rm_file(waits)
        except OSError as error:
            raise failed(source, error) from None

    def clear(self) -> None:
        """Remove what still waits, as far as that can be done."""
        if not is_url(self._folder):
            shutil.rmtree(self._waiting, ignore_errors=True)
            return
        with suppress(OSError), told():
            system, waiting = opened(self._waiting)
            for file in system.find(waiting):
                system.rm_file(file)
