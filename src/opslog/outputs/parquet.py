"""Parquet files."""

from __future__ import annotations

import contextlib
from inspect import signature
from typing import TYPE_CHECKING, Any

from opslog.model import schema
from opslog.model.arrow import pa
from opslog.outputs import partition
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import OutputStream
from opslog.outputs.tables import TableEncoder

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 98304
"""Rows of a Parquet row group, unless its bytes are too many."""

BYTES_PER_GROUP = 128 << 20
"""Bytes of columns in memory that make a row group of fewer rows."""

PAGE_BYTES = 2 << 20
"""Bytes of a column that are compressed together: what repeats is found no farther away."""

_ASCENDING = ("timestamp", "source_offset")
"""Written as differences, which are small."""

_UNLIKE = (
    "body", "http_target", "exception_message", "exception_stacktrace", "original", *_ASCENDING,
)  # fmt: skip
"""Written value by value: a dictionary of them would be about as long."""

_SMALL = 8192
"""Rows of a batch worth keeping alone: what comes by the line would be all overhead."""


class ParquetSink:
    """A Parquet file: zstd, dictionary-encoded where values repeat; no use before its end.

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
        self._writer = pq.ParquetWriter(
            arrow_file(output), encoder.schema, **_encodings(encoder, pq)
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


def _encodings(encoder: TableEncoder, pq: Any) -> dict[str, Any]:
    """Return how the columns are written, for a ParquetWriter."""
    names = dict(zip(encoder.columns, encoder.schema.names, strict=True))
    # Statistics are read to leave out row groups, which are rarely of one id or one text.
    told = {c.name for c in schema.COLUMNS if c.kind in ("timestamp", "uint8", "int64", "float64")}
    told |= {*partition.KEYS.values()}
    chosen: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 2,
        "use_dictionary": [
            leaf
            for column, name in names.items()
            if column not in _UNLIKE
            for leaf in _leaves(name, schema.BY_NAME[column].kind)
        ],
        "column_encoding": {names[c]: "DELTA_BINARY_PACKED" for c in _ASCENDING if c in names},
        "write_statistics": [name for column, name in names.items() if column in told],
        "data_page_size": PAGE_BYTES,
    }
    if "max_rows_per_page" in signature(pq.ParquetWriter).parameters:
        chosen["max_rows_per_page"] = ROWS_PER_GROUP  # as in older releases, which have no limit
    return chosen


def _leaves(name: str, kind: schema.Kind) -> tuple[str, ...]:
    """Return the columns of Parquet that a column of this kind becomes."""
    return (f"{name}.key_value.key", f"{name}.key_value.value") if kind == "map" else (name,)


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
