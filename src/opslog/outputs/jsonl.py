"""JSON lines: from records, or from batches made of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from opslog.kernel._screen import Screen
from opslog.model import names as naming
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Rows, Streaming
from opslog.rows._jsonl import JsonLines
from opslog.rows.kept import Kept


class JsonEncoder:
    """Records as JSON lines, their columns' names spelled."""

    def __init__(self, columns: tuple[str, ...], names: str) -> None:
        self.columns = columns
        self._names = tuple(naming.spelled(columns, names))
        self._spelled = dict(zip(columns, self._names, strict=True))
        self._spare: deque[JsonLines] = deque()

    def _writer(self) -> JsonLines:
        try:  # another thread may take the last one between a look and a pop
            return self._spare.popleft()
        except IndexError:
            return JsonLines()

    def encode(self, kept: Kept) -> JsonLines:
        writer = self._writer()
        kept.json_lines(writer, self._names)
        return writer

    def changed(
        self, kept: Kept, screen: Screen, change: Callable[[bytes], bytes | None]
    ) -> JsonLines | None:
        """Return the lines with what ``change`` makes of texts that ``screen`` holds back.

        None if they cannot be written so.
        """
        writer = self._writer()
        if kept.json_lines(writer, self._names, screen=screen, change=change):
            return writer
        self._spare.append(writer)
        return None

    def rows(self, kept: Kept) -> memoryview:
        writer = self._writer()
        if writer.exports:  # rows in it are still in use
            writer = JsonLines()
        kept.json_lines(writer, self._names, merged=True)
        rows = memoryview(writer)
        self._spare.append(writer)
        return rows

    def of_batch(self, batch: pa.RecordBatch) -> JsonLines:
        writer = self._writer()
        found = columns_of(batch.select(self.columns))
        columns = ((self._spelled[name], *rest) for name, *rest in found)
        writer.encode(list(columns), batch.num_rows)
        return writer

    def reuse(self, writer: JsonLines) -> None:
        """Take back what was encoded and is written."""
        self._spare.append(writer)

    def forget(self) -> None:
        """Free what could be used again: all is encoded."""
        self._spare.clear()


class JsonlSink(Streaming):
    """JSON lines, one object a record, nulls left out."""

    def __init__(self, output: OutputStream, encoder: JsonEncoder) -> None:
        super().__init__(output)
        self.columns, self.encode, self.rows = encoder.columns, encoder.encode, encoder.rows
        self.of_batch, self.changed = encoder.of_batch, encoder.changed
        self._encoder = encoder

    def write(self, encoded: JsonLines) -> None:
        with memoryview(encoded) as data:
            self.output.write(data)
        self._encoder.reuse(encoded)

    def write_rows(self, rows: Rows) -> None:
        self._encoder.forget()
        self.output.write(rows)


def columns_of(batch: pa.RecordBatch) -> list[tuple[str, str, pa.Array]]:
    """Return (name, kind, array) of the columns that hold a value."""
    return [
        (name, schema.BY_NAME[name].kind, plain(column, schema.BY_NAME[name]))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if column.null_count < len(column)
    ]


def plain(array: pa.Array, column: schema.Column) -> pa.Array:
    """Return ``array`` in the column's type and without slices inside, as kernels read it."""
    if column.kind == "dictionary":
        same = array.type == column.type and not array.dictionary.null_count
        if same and len(array.dictionary) <= len(array):
            return array  # its entries, each of which is rendered, are no more than the rows
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        return array.cast(pa.string()).dictionary_encode()
    if array.type != column.type:
        array = array.cast(column.type)
    if column.kind == "map":
        array = pa.concat_arrays([array.slice(0, 0), array])
    return array


def to_json_lines(batch: pa.RecordBatch) -> bytes:
    """Return ``batch`` as UTF-8 JSON lines, one object a row, as ``opslog filter`` writes them.

    The batch has columns of schema.py; other columns raise KeyError.  Their
    values are cast to the columns' types; what cannot be raises ValueError.
    """
    writer = JsonLines()
    writer.encode(columns_of(batch), batch.num_rows)
    return bytes(writer)
