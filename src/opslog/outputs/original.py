"""The lines as they were read, without what a filter drops."""

from __future__ import annotations

import pyarrow.compute as pc

from opslog.model.arrow import pa
from opslog.outputs.columnar import ColumnarSink, joined


class OriginalSink(ColumnarSink):
    """The lines of each record; one without its line end, the last of a file, is given it."""

    columns: tuple[str, ...] = ("original",)

    def of_batch(self, batch: pa.RecordBatch) -> memoryview:
        lines = pc.drop_null(batch.column("original"))
        ended = pc.ends_with(lines, b"\n")
        if not pc.all(ended).as_py():
            lines = pc.if_else(ended, lines, pc.binary_join_element_wise(lines, b"\n", b""))
        return joined(lines)
