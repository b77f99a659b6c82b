"""The lines as they were read, without what a filter drops."""

from __future__ import annotations

import pyarrow.compute as pc

from opslog.model.arrow import pa
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Streaming
from opslog.rows.kept import Kept


class OriginalSink(Streaming):
    """The lines of each record; one without its line end, the last of a file, is given it."""

    columns: tuple[str, ...] = ("original",)

    def __init__(self, output: OutputStream) -> None:
        super().__init__(output)

    def encode(self, kept: Kept) -> memoryview:
        return self.of_batch(kept.batch())

    def of_batch(self, batch: pa.RecordBatch) -> memoryview:
        lines = pc.drop_null(batch.column("original"))
        ended = pc.ends_with(lines, b"\n")
        if not pc.all(ended).as_py():
            lines = pc.if_else(ended, lines, pc.binary_join_element_wise(lines, b"\n", b""))
        whole = pa.concat_arrays([lines])  # no slice: its values begin at the first
        data = whole.buffers()[2]
        size = pc.sum(pc.binary_length(whole)).as_py() or 0
        return memoryview(b"" if data is None else data.slice(0, size))

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self.write(self.of_batch(rows))

    def write(self, encoded: memoryview) -> None:
        self.output.write(encoded)
