"""Arrow IPC streams, and what pyarrow writes into."""

from __future__ import annotations

from opslog.model.arrow import pa
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Streaming
from opslog.outputs.tables import TableEncoder


class ArrowSink(Streaming):
    """An Arrow IPC stream; dictionaries are sent anew where they change."""

    def __init__(self, output: OutputStream, encoder: TableEncoder) -> None:
        super().__init__(output)
        self.columns, self.encode, self.rows = encoder.columns, encoder.encode, encoder.rows
        self.of_batch = encoder.of_batch
        self._writer = pa.ipc.new_stream(arrow_file(output), encoder.schema)

    def write(self, encoded: pa.RecordBatch) -> None:
        self._writer.write_batch(encoded)

    write_rows = write

    def close(self, complete: bool = True) -> None:
        self._writer.close()
        self.output.close()


def arrow_file(output: OutputStream) -> pa.NativeFile:
    """Return ``output`` as pyarrow takes it; to close it does not close ``output``."""
    return pa.PythonFile(_Writable(output), mode="w")


class _Writable:
    """What pyarrow needs of a Python file to write into it."""

    closed = False

    def __init__(self, output: OutputStream) -> None:
        self._output = output

    def write(self, data: bytes) -> int:
        view = memoryview(data).cast("B")
        self._output.write(view)
        return len(view)

    def tell(self) -> int:
        return self._output.size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Who opened the output closes it."""
