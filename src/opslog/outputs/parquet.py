"""Parquet files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pyarrow as pa

from opslog.model.errors import SinkError
from opslog.outputs.tables import TableEncoder

ROWS_PER_GROUP = 131072
"""Rows of a Parquet row group, unless its bytes are too many."""

BYTES_PER_GROUP = 128 << 20
"""Bytes of columns in memory that make a row group of fewer rows."""

_SMALL = 8192
"""Rows of a batch worth keeping alone: what comes by the line would be all overhead."""


class ParquetFile:
    """A Parquet file: zstd, dictionary-encoded where the schema says so; no use before its end.

    A row group has about ``group`` bytes of columns at most.
    """

    def __init__(self, path: str, encoder: TableEncoder, group: int = BYTES_PER_GROUP) -> None:
        import pyarrow.parquet as pq  # costs start-up that other outputs need not pay

        self.columns, self.encode, self.rows = encoder.columns, encoder.encode, encoder.rows
        self.of_batch = encoder.of_batch
        self.pending = False
        self.held = 0
        self._path = path
        self._group = group
        self._rows: list[pa.RecordBatch] = []
        self._count = 0
        try:
            self._file = pa.OSFile(os.fsencode(path), "wb")
        except OSError as error:
            raise self._failed(error) from None
        dictionaries = [f.name for f in encoder.schema if pa.types.is_dictionary(f.type)]
        self._writer = pq.ParquetWriter(
            self._file,
            encoder.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionaries,
        )

    @property
    def size(self) -> int:
        return int(self._file.tell())

    def write(self, encoded: pa.RecordBatch) -> None:
        self.pending = True
        self._rows.append(encoded)
        self._count += encoded.num_rows
        self.held += encoded.nbytes
        while len(self._rows) > 1 and _worth_joining(*self._rows[-2:]):
            self._rows[-2:] = [_joined(self._rows[-2:])]
        if self._count >= ROWS_PER_GROUP or self.held >= self._group:
            self.flush()

    write_rows = write

    def flush(self) -> None:
        if not self._rows:
            return
        table = pa.Table.from_batches(self._rows).unify_dictionaries()
        self._rows, self._count, self.held = [], 0, 0
        try:
            self._writer.write_table(table, row_group_size=len(table))
        except OSError as error:
            raise self._failed(error) from None

    def tick(self, now: float) -> None:
        """Nothing is ever due."""

    def close(self, complete: bool = True) -> None:
        self.flush()
        try:
            self._writer.close()
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None
        self.pending = False

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._file.close()

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(self._path, f"{error}; nothing was written there")


class ParquetSink(ParquetFile):
    """A Parquet file that appears under its name when it is complete."""

    def __init__(self, path: str, encoder: TableEncoder) -> None:
        # A link stays one: what it names is replaced.
        self._final = os.path.realpath(path)
        if os.path.exists(self._final) and not os.path.isfile(self._final):
            raise SinkError(path, "is no regular file, which Parquet needs")
        folder = os.path.dirname(self._final)
        try:
            fd, self._temporary = tempfile.mkstemp(
                ".tmp", os.path.basename(self._final) + ".", folder
            )
            os.close(fd)
            os.chmod(self._temporary, 0o666 & ~_umask())
        except OSError as error:
            raise SinkError(path, error.strerror or str(error)) from None
        super().__init__(self._temporary, encoder)
        self._path = self._final

    def close(self, complete: bool = True) -> None:
        if not complete:
            self.abort()
            return
        super().close()
        try:
            os.replace(self._temporary, self._final)
        except OSError as error:
            raise self._failed(error) from None

    def abort(self) -> None:
        super().abort()
        Path(self._temporary).unlink(missing_ok=True)


def _worth_joining(before: pa.RecordBatch, last: pa.RecordBatch) -> bool:
    """Return whether two batches are small and alike, so that each row is copied seldom."""
    older, newer = int(before.num_rows), int(last.num_rows)
    return older + newer <= _SMALL and older <= 2 * newer


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
