"""What every sink can do."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from opslog.model.arrow import pa
from opslog.outputs.output import OutputStream
from opslog.rows.kept import Kept

Rows: TypeAlias = "memoryview | pa.RecordBatch"
"""Lines (before they are merged each behind its head, see _merge.pxd), or columns."""


class Encoder(Protocol):
    """How records become what a file takes; of no file in particular."""

    columns: tuple[str, ...]
    """The columns it takes."""

    def encode(self, kept: Kept) -> Any:
        """Turn records into what ``write`` takes; called from any thread."""

    def rows(self, kept: Kept) -> Rows:
        """Turn records into rows to be merged; from any thread."""

    def of_batch(self, batch: pa.RecordBatch) -> Any:
        """Turn a batch that has ``columns``, and may have others, into what ``write`` takes."""


class Sink(Protocol):
    """What the engine's results are handed to."""

    columns: tuple[str, ...]
    """The columns it takes."""

    @property
    def pending(self) -> bool:
        """Whether records were written that a killed run would lose: in a file not yet complete."""

    @property
    def fd(self) -> int | None:
        """The descriptor that all is written to, None if each file has its own."""

    def encode(self, kept: Kept) -> Any:
        """Turn records into what ``write`` takes; called from any thread."""

    def of_batch(self, batch: pa.RecordBatch) -> Any:
        """Turn a batch that has ``columns``, and may have others, into what ``write`` takes."""

    def write(self, encoded: Any) -> None:
        """Write what ``encode`` returned, in order; raises SinkError."""

    def rows(self, kept: Kept) -> Rows:
        """Turn records into rows to be merged; from any thread."""

    def write_rows(self, rows: Rows) -> None:
        """Write merged rows; raises SinkError."""

    def tick(self, now: float) -> None:
        """Do what is due by ``now`` (time.monotonic()); raises SinkError.

        A live run calls it every second at least, in the thread that writes.
        """

    def close(self, complete: bool = True) -> None:
        """End the output; raises SinkError.  What is not ``complete`` may be given up."""

    def abort(self) -> None:
        """Give up: an incomplete output that cannot be used is removed."""


class FileSink(Sink, Protocol):
    """A sink into one file, of which there may be many (rolling.py)."""

    @property
    def size(self) -> int:
        """Bytes in the file so far."""

    @property
    def held(self) -> int:
        """Bytes of memory that wait to be written."""

    def flush(self) -> None:
        """Write what waits; raises SinkError."""


class Streaming:
    """What sinks into one ``output`` have in common that hold nothing back."""

    held = 0

    def __init__(self, output: OutputStream) -> None:
        self.output = output

    @property
    def fd(self) -> int:
        return self.output.fd

    @property
    def size(self) -> int:
        return self.output.size

    @property
    def pending(self) -> bool:
        return False

    def tick(self, now: float) -> None:
        """Nothing is ever due."""

    def flush(self) -> None:
        """Nothing waits."""

    def close(self, complete: bool = True) -> None:
        if complete or not self.output.whole:
            self.output.close()
        else:
            self.output.abort()

    def abort(self) -> None:
        self.output.abort()
