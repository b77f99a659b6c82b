"""What every sink can do."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from opslog.normalize import Kept

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
