"""Parquet files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pyarrow as pa

from opslog.errors import SinkError
from opslog.normalize import Kept
from opslog.sinks import tables

ROWS_PER_GROUP = 131072
"""Rows of a Parquet row group."""


class ParquetSink:
    """A Parquet file: zstd, dictionary-encoded where the schema says so, renamed when complete."""

    def __init__(self, path: str, columns: tuple[str, ...], names: str) -> None:
        import pyarrow.parquet as pq  # costs start-up that other outputs need not pay

        self.columns = columns
        self._schema = tables.schema_of(columns, names)
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
        return tables.renamed(kept.batch(), self._schema)

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
