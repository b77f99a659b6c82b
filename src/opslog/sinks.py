"""Sinks: where batches go.

A sink encodes records in any thread and writes what was encoded in order, in
one thread.  Parquet appears under its name only when it is complete; what
else there is grows as it comes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from opslog import names as naming
from opslog import schema
from opslog._jsonl import JsonLines
from opslog.errors import OpslogError, SinkError
from opslog.normalize import Kept
from opslog.output import STDOUT, Output
from opslog.version import __version__

ROWS_PER_GROUP = 131072
"""Rows of a Parquet row group."""


Rows: TypeAlias = memoryview | pa.RecordBatch
"""Lines (before they are merged each behind its head, see _merge.pxd), or columns."""


class Sink(Protocol):
    """What the engine's results are handed to."""

    columns: tuple[str, ...]
    """The columns it takes."""

    def encode(self, kept: Kept) -> Any:
        """Turn records into what ``write`` takes; called from any thread."""

    def write(self, encoded: Any) -> None:
        """Write what ``encode`` returned, in order; raises SinkError."""

    def rows(self, kept: Kept) -> Rows:
        """Turn records into rows to be merged; from any thread."""

    def write_rows(self, rows: Rows) -> None:
        """Write merged rows; raises SinkError."""

    def close(self, complete: bool = True) -> None:
        """End the output; raises SinkError.  What is not ``complete`` may be given up."""

    def abort(self) -> None:
        """Give up: an incomplete output that cannot be used is removed."""


FORMATS = ("jsonl", "parquet", "arrow", "text", "count")
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet",
             ".arrow": "arrow", ".arrows": "arrow", ".txt": "text"}  # fmt: skip


def format_of(path: str) -> str | None:
    """Return the output format the suffix of ``path`` says, None if it does not."""
    return _SUFFIXES.get(Path(path).suffix)


@dataclass(frozen=True, slots=True)
class Target:
    """Where records are written, and how.

    ``path`` is a file or ``-``, ``kind`` one of FORMATS.  ``names`` spells the
    columns' names (names.py).  ``colored``, ``full`` (whole tracebacks and request
    ids) and ``width`` (columns of the terminal it is for, 0 without one) are for
    text.
    """

    path: str
    kind: str
    names: str = naming.OPSLOG
    colored: bool = False
    full: bool = False
    width: int = 0


def open_sink(target: Target, columns: tuple[str, ...]) -> Sink:
    """Open ``target`` for records with ``columns``; raises SinkError."""
    path, kind = target.path, target.kind
    if kind == "jsonl":
        return JsonlSink(path, columns, target.names)
    if kind == "arrow":
        return ArrowSink(path, columns, target.names)
    if kind == "parquet":
        if path == STDOUT:
            raise SinkError(path, "Parquet is written at random places and needs a file: -o PATH")
        return ParquetSink(path, columns, target.names)
    if kind == "text":
        from opslog.text import TextSink  # other outputs need not pay for it

        return TextSink(path, target.colored, target.full, target.width)
    if kind == "count":
        return CountSink(path)
    raise OpslogError(f"unknown output format {kind!r}: expected one of {', '.join(FORMATS)}")


class JsonlSink:
    """JSON lines, one object a record, nulls left out."""

    def __init__(self, path: str, columns: tuple[str, ...], names: str) -> None:
        self.columns = columns
        self._names = tuple(naming.spelled(columns, names))
        self._output = Output(path)
        self._spare: deque[JsonLines] = deque()

    def _writer(self) -> JsonLines:
        try:  # another thread may take the last one between a look and a pop
            return self._spare.popleft()
        except IndexError:
            return JsonLines()

    def encode(self, kept: Kept) -> JsonLines:
        writer = self._writer()
        kept.json_lines(writer, self._names)
        return writer

    def write(self, encoded: JsonLines) -> None:
        with memoryview(encoded) as data:
            self._output.write(data)
        self._spare.append(encoded)

    def rows(self, kept: Kept) -> memoryview:
        writer = self._writer()
        if writer.exports:  # rows in it are still in use
            writer = JsonLines()
        kept.json_lines(writer, self._names, heads=True)
        rows = memoryview(writer)
        self._spare.append(writer)
        return rows

    def write_rows(self, rows: Rows) -> None:
        self._spare.clear()  # all is encoded
        self._output.write(rows)

    def close(self, complete: bool = True) -> None:
        self._output.close()

    def abort(self) -> None:
        self._output.close()


def columns_of(batch: pa.RecordBatch) -> list[tuple[str, str, pa.Array]]:
    """Return (name, kind, array) of the columns that hold a value."""
    return [
        (name, schema.BY_NAME[name].kind, _plain(column, schema.BY_NAME[name]))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if column.null_count < len(column)
    ]


def _plain(array: pa.Array, column: schema.Column) -> pa.Array:
    """Return ``array`` in the column's type and without slices inside, as the kernel reads it."""
    if column.kind == "dictionary":
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        return array.cast(pa.string()).dictionary_encode()
    if array.type != column.type:
        array = array.cast(column.type)
    if column.kind == "map":
        array = pa.concat_arrays([array.slice(0, 0), array])
    return array


def to_json_lines(batch: pa.RecordBatch) -> bytes:
    """Return ``batch`` as UTF-8 JSON lines, one object a row, as ``opslog filter`` writes them.

    The batch has columns of schema.py; other columns raise KeyError.  Their
    values are cast to the columns' types; what cannot be raises ValueError.
    """
    writer = JsonLines()
    writer.encode(columns_of(batch), batch.num_rows)
    return bytes(writer)


class CountSink:
    """Only how many records there are, as a line of its own."""

    columns: tuple[str, ...] = ()

    def __init__(self, path: str) -> None:
        self._output = Output(path)
        self._count = 0

    def encode(self, kept: Kept) -> int:
        return kept.count

    def write(self, encoded: int) -> None:
        self._count += encoded

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self._count += len(rows)

    def close(self, complete: bool = True) -> None:
        self._output.write(b"%d\n" % self._count)
        self._output.close()

    def abort(self) -> None:
        self._output.close()


class ArrowSink:
    """An Arrow IPC stream; dictionaries are sent anew where they change."""

    def __init__(self, path: str, columns: tuple[str, ...], names: str) -> None:
        self.columns = columns
        self._schema = _schema(columns, names)
        self._output = Output(path)
        self._file = pa.PythonFile(_Writable(self._output), mode="w")
        self._writer = pa.ipc.new_stream(self._file, self._schema)

    def encode(self, kept: Kept) -> pa.RecordBatch:
        return _renamed(kept.batch(), self._schema)

    rows = encode

    def write(self, encoded: pa.RecordBatch) -> None:
        self._writer.write_batch(encoded)

    write_rows = write

    def close(self, complete: bool = True) -> None:
        self._writer.close()
        self._output.close()

    def abort(self) -> None:
        self._output.close()


class _Writable:
    """What pyarrow needs of a Python file to write into it."""

    closed = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, data: bytes) -> int:
        view = memoryview(data).cast("B")
        self._output.write(view)
        return len(view)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The sink closes the output."""


class ParquetSink:
    """A Parquet file: zstd, dictionary-encoded where the schema says so, renamed when complete."""

    def __init__(self, path: str, columns: tuple[str, ...], names: str) -> None:
        import pyarrow.parquet as pq  # costs start-up that other outputs need not pay

        self.columns = columns
        self._schema = _schema(columns, names)
        # A link stays one: what it names is replaced.
        self._path = os.path.realpath(path)
        if os.path.exists(self._path) and not os.path.isfile(self._path):
            raise SinkError(path, "is no regular file, which Parquet needs")
        folder = os.path.dirname(self._path)
        try:
            fd, self._temporary = tempfile.mkstemp(
                ".tmp", os.path.basename(self._path) + ".", folder
            )
            os.close(fd)
            os.chmod(self._temporary, 0o666 & ~_umask())
        except OSError as error:
            raise SinkError(path, error.strerror or str(error)) from None
        dictionaries = [f.name for f in self._schema if pa.types.is_dictionary(f.type)]
        self._rows: list[pa.RecordBatch] = []
        self._count = 0
        self._writer = pq.ParquetWriter(
            pa.OSFile(os.fsencode(self._temporary), "wb"),
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionaries,
        )

    def encode(self, kept: Kept) -> pa.RecordBatch:
        return _renamed(kept.batch(), self._schema)

    rows = encode

    def write(self, encoded: pa.RecordBatch) -> None:
        self._rows.append(encoded)
        self._count += encoded.num_rows
        if self._count >= ROWS_PER_GROUP:
            self._flush()

    write_rows = write

    def _flush(self) -> None:
        if not self._rows:
            return
        table = pa.Table.from_batches(self._rows).unify_dictionaries()
        self._rows, self._count = [], 0
        try:
            self._writer.write_table(table, row_group_size=len(table))
        except OSError as error:
            self.abort()
            raise SinkError(self._path, f"{error}; nothing was written there") from None

    def close(self, complete: bool = True) -> None:
        if not complete:
            self.abort()
            return
        self._flush()
        try:
            self._writer.close()
            os.replace(self._temporary, self._path)
        except OSError as error:
            self.abort()
            raise SinkError(self._path, f"{error}; nothing was written there") from None

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()
        Path(self._temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _schema(columns: tuple[str, ...], names: str) -> pa.Schema:
    metadata = {"opslog.version": __version__, "opslog.schema": schema.VERSION}
    types = (schema.BY_NAME[column].type for column in columns)
    fields = map(pa.field, naming.spelled(columns, names), types)
    return pa.schema(list(fields), metadata=metadata)


def _renamed(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(batch.columns, schema=wanted)
