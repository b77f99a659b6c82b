"""Parquet files."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from opslog.model.arrow import pa
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import OutputStream
from opslog.outputs.tables import TableEncoder

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 131072
"""Rows of a Parquet row group, unless its bytes are too many."""

BYTES_PER_GROUP = 128 << 20
"""Bytes of columns in memory that make a row group of fewer rows."""

_SMALL = 8192
"""Rows of a batch worth keeping alone: what comes by the line would be all overhead."""


class ParquetSink:
    """A Parquet file: zstd, dictionary-encoded where the schema says so; no use before its end.

    A row group has about ``group`` bytes of columns at most.
    """

    def __init__(
        self, output: OutputStream, encoder: TableEncoder, group: int = BYTES_PER_GROUP
    ) -> None:
        import pyarrow.parquet as pq  # costs start-up that other outputs need not pay

        self.columns, self.encode, self.rows = encoder.columns, encoder.encode, encoder.rows
        self.of_batch = encoder.of_batch
        self.pending = False
        self.held = 0
        self._output = output
        self._group = group
        self._rows: list[pa.RecordBatch] = []
        self._count = 0
        dictionaries = [f.name for f in encoder.schema if pa.types.is_dictionary(f.type)]
        self._writer = pq.ParquetWriter(
            arrow_file(output),
            encoder.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionaries,
        )

    @property
    def fd(self) -> None:
        return None

    @property
    def size(self) -> int:
        return self._output.size

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
        self._writer.write_table(table, row_group_size=len(table))

    def tick(self, now: float) -> None:
        """Nothing is ever due."""

    def close(self, complete: bool = True) -> None:
        if not complete:
            self.abort()
            return
        self.flush()
        self._writer.close()
        self._output.close()
        self.pending = False

    def abort(self) -> None:
        abandon(self._writer)
        self._output.abort()


def abandon(writer: pq.ParquetWriter) -> None:
    """Leave a file as it is, which is no Parquet then: else it would be closed by and by."""
    with contextlib.suppress(Exception):
        writer.close()
    writer.is_open = False


def _worth_joining(before: pa.RecordBatch, last: pa.RecordBatch) -> bool:
    """Return whether two batches are small and alike, so that each row is copied seldom."""
    older, newer = int(before.num_rows), int(last.num_rows)
    return older + newer <= _SMALL and older <= 2 * newer


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]
