"""CSV and TSV: a line of names, then a line a record.

Times are those of JSON lines, attributes a JSON object, bytes are read as UTF-8.  A value that is
missing is an empty cell.  In CSV a text with a comma, a quote or a line break stands in
quotes (RFC 4180); in TSV a tab, a line break and a backslash are written as ``\\t``, ``\\n``,
``\\r`` and ``\\\\``, so that each line is one record to ``cut`` and ``awk``.
"""

from __future__ import annotations

from functools import reduce

import pyarrow.compute as pc
import pyarrow.csv as csv

from opslog.model import names as naming
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.outputs.columnar import ColumnarSink, joined
from opslog.outputs.jsonl import to_json_lines
from opslog.outputs.output import OutputStream

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


class DelimitedSink(ColumnarSink):
    """Lines with a cell a column; ``tabs`` for TSV, else CSV."""

    def __init__(
        self, output: OutputStream, columns: tuple[str, ...], names: str, tabs: bool
    ) -> None:
        super().__init__(output)
        self.columns = columns
        self._names = naming.spelled(columns, names)
        self._tabs = tabs
        self._begun = False

    def of_batch(self, batch: pa.RecordBatch) -> memoryview:
        cells = [_text(batch.column(name), schema.BY_NAME[name].kind) for name in self.columns]
        return _tsv(cells) if self._tabs else _csv(cells, self._names)

    def write(self, encoded: memoryview) -> None:
        self._begin()
        super().write(encoded)

    def close(self, complete: bool = True) -> None:
        self._begin()
        super().close(complete)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.output.write(("\t" if self._tabs else ",").join(self._names).encode() + b"\n")


def _tsv(cells: list[pa.Array]) -> memoryview:
    escaped = [
        reduce(lambda cell, pair: pc.replace_substring(cell, *pair), _ESCAPES, cell)
        for cell in cells
    ]
    lines = pc.binary_join_element_wise(
        *escaped, "\t", null_handling="replace", null_replacement=""
    )
    return joined(pc.binary_join_element_wise(lines, "", "\n"))


def _csv(cells: list[pa.Array], names: list[str]) -> memoryview:
    output = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays(cells, names)
    csv.write_csv(batch, output, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return memoryview(output.getvalue())


def _text(column: pa.Array, kind: str) -> pa.Array:
    """Return a column as text, null where it is."""
    if kind == "timestamp":
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if kind == "map":
        return _objects(column)
    if kind == "binary":
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:  # bytes that are no text
            rows = column.to_pylist()
            return pa.array([row and row.decode(errors="replace") for row in rows], pa.string())
    return column.cast(pa.string())


def _objects(column: pa.Array) -> pa.Array:
    """Return maps as the JSON objects that JSON lines have."""
    name = "attributes"
    lines = to_json_lines(pa.RecordBatch.from_arrays([column], [name])).split(b"\n")[:-1]
    texts = pa.array(lines, pa.binary()).cast(pa.string())
    objects = pc.utf8_slice_codeunits(texts, len(f'{{"{name}":'), -1)
    return pc.if_else(pc.equal(objects, ""), None, objects)
