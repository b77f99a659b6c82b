"""Arrow IPC streams."""

from __future__ import annotations

import pyarrow as pa

from opslog.outputs.output import Output
from opslog.outputs.sink import Streaming
from opslog.outputs.tables import TableEncoder


class ArrowSink(Streaming):
    """An Arrow IPC stream; dictionaries are sent anew where they change."""

    def __init__(self, path: str, encoder: TableEncoder) -> None:
        self.columns, self.encode, self.rows = encoder.columns, encoder.encode, encoder.rows
        self.of_batch = encoder.of_batch
        self._output = Output(path)
        self._file = pa.PythonFile(_Writable(self._output), mode="w")
        self._writer = pa.ipc.new_stream(self._file, encoder.schema)

    @property
    def size(self) -> int:
        return self._output.size

    def write(self, encoded: pa.RecordBatch) -> None:
        self._writer.write_batch(encoded)

    write_rows = write

    def close(self, complete: bool = True) -> None:
        self._writer.close()
        self._output.close()

    def abort(self) -> None:
        self._output.close()


class _Writable:
    """What pyarrow needs of a Python file to write into it."""

    closed = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, data: bytes) -> int:
        view = memoryview(data).cast("B")
        self._output.write(view)
        return len(view)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The sink closes the output."""
