"""Outputs that are made of columns: bytes of each batch, one behind the other."""

from __future__ import annotations

import pyarrow.compute as pc

from opslog.model.arrow import pa
from opslog.outputs.sink import Streaming
from opslog.rows.kept import Kept


class ColumnarSink(Streaming):
    """What a sink of columns has in common; ``of_batch`` says how a batch becomes bytes."""

    def of_batch(self, batch: pa.RecordBatch) -> memoryview:
        raise NotImplementedError

    def encode(self, kept: Kept) -> memoryview:
        return self.of_batch(kept.batch())

    def write(self, encoded: memoryview) -> None:
        self.output.write(encoded)

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self.write(self.of_batch(rows))


def joined(values: pa.Array) -> memoryview:
    """Return the bytes of all texts or binaries, one behind the other."""
    whole = pa.concat_arrays([values])  # no slice: its values begin at the first
    data = whole.buffers()[2]
    size = pc.sum(pc.binary_length(whole)).as_py() or 0
    return memoryview(b"" if data is None else data.slice(0, size))
