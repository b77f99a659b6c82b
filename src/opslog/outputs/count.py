"""How many records there are."""

from __future__ import annotations

from opslog.model.arrow import pa
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Streaming
from opslog.rows.kept import Kept


class CountSink(Streaming):
    """Only how many records there are, as a line of its own."""

    columns: tuple[str, ...] = ()

    def __init__(self, output: OutputStream) -> None:
        super().__init__(output)
        self._count = 0

    @property
    def pending(self) -> bool:
        return self._count > 0

    def encode(self, kept: Kept) -> int:
        return kept.count

    def of_batch(self, batch: pa.RecordBatch) -> int:
        return len(batch)

    def write(self, encoded: int) -> None:
        self._count += encoded

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self._count += len(rows)

    def close(self, complete: bool = True) -> None:
        self.output.write(b"%d\n" % self._count)
        self._count = 0
        if complete:
            self.output.close()
        else:
            self.output.abort()
