"""The column of fingerprints, where records are columns already (_fingerprint.pyx)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from opslog.model import schema
from opslog.model.arrow import pa
from opslog.rows._fingerprint import fingerprints_of

NAME = "fingerprint"

OF = (
    "severity_number", "service_name", "logger", "body", "exception_type", "exception_message",
    "exception_stacktrace", "attributes",
)  # fmt: skip
"""The columns that a fingerprint is made of."""

_SUMMARY = "error_summary"
"""The attribute in which oslo.log's JSON has the exception that its text has in the body."""

_DIGITS = 16


def with_sources(columns: Iterable[str]) -> tuple[str, ...]:
    """Return these columns, and those that a fingerprint among them is made of."""
    chosen = tuple(columns)
    return tuple(dict.fromkeys((*chosen, *OF))) if NAME in chosen else chosen


def fingerprints(batch: pa.RecordBatch) -> pa.Array:
    """Return each record's fingerprint (string) of a batch with the columns ``OF``."""
    import pyarrow.compute as pc

    numbers = batch.column("severity_number").fill_null(0).cast(pa.uint8())
    severities = memoryview(numbers.buffers()[1] or b"").cast("B")[numbers.offset :]
    texts = [_texts(batch.column(name)) for name in OF[1:-1]]
    attributes = batch.column("attributes")
    texts.append(_texts(pc.map_lookup(attributes, pa.scalar(_SUMMARY), "first")))
    ids = fingerprints_of(severities[: len(batch)], texts)
    ends = array("i", range(0, len(ids) + 1, _DIGITS))
    return pa.Array.from_buffers(
        pa.string(), len(batch), [None, pa.py_buffer(ends), pa.py_buffer(ids)]
    )


def with_fingerprints(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with the column, made anew if it has one."""
    column = fingerprints(batch).dictionary_encode()
    field = pa.field(NAME, schema.BY_NAME[NAME].type)
    at = batch.schema.get_field_index(NAME)
    return batch.append_column(field, column) if at < 0 else batch.set_column(at, field, column)


def _texts(column: pa.Array) -> tuple[memoryview, memoryview]:
    """Return offsets (int32) and bytes of a column; null is the empty text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    column = column.fill_null("")
    _, offsets, data = column.buffers()
    ends = memoryview(offsets or bytes(4)).cast("B").cast("i")[column.offset :]
    return ends, memoryview(data or b"").cast("B")
