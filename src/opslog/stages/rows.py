"""Rows of batches as Python numbers and values, and batches of chosen rows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from opslog.model.arrow import pa


def memory(numbers: pa.Array) -> memoryview[int]:
    """Return the values of an int32 or int64 array without nulls, as they lie in memory."""
    data = memoryview(numbers.buffers()[1] if len(numbers) else b"").cast("B")
    every = data.cast("i") if pa.types.is_int32(numbers.type) else data.cast("q")
    return every[numbers.offset : numbers.offset + len(numbers)]


def ints(numbers: pa.Array) -> list[int]:
    """Return the values of such an array."""
    return memory(numbers).tolist()


def codes(column: pa.Array) -> tuple[memoryview, pa.Array]:
    """Return each row's number (int32) and the values the numbers stand for; that of null is -1."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    numbers = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    return memory(numbers), encoded.dictionary


def coded(column: pa.Array) -> tuple[list[int], list[Any]]:
    """Return the same as lists; null is the last value."""
    numbers, known = codes(column)
    return numbers.tolist(), [*known.to_pylist(), None]


def text_bytes(column: pa.Array) -> tuple[memoryview, memoryview] | None:
    """Return the offsets (int32, before a slice's offset) and the bytes of texts; None for none."""
    if column.null_count == len(column):
        return None
    _, offsets, data = column.buffers()
    if data is None or not data.size:
        return None
    return memoryview(offsets).cast("B").cast("i"), memoryview(data).cast("B")


def with_dictionary(
    column: pa.DictionaryArray, change: Callable[[pa.Array], pa.Array]
) -> pa.DictionaryArray:
    """Return the column with its dictionary changed, in which no value is twice."""
    known = column.dictionary
    new = change(known)
    if new is known or new.equals(known):
        return column
    changed = pa.DictionaryArray.from_arrays(column.indices, new)
    return changed.dictionary_decode().dictionary_encode().cast(column.type)


def values(column: pa.Array) -> list[Any]:
    """Return the column's values; quick where they repeat."""
    numbers, known = coded(column)
    return [known[number] for number in numbers]


def moments(times: pa.Array, before: int) -> memoryview:
    """Return ``times``, in microseconds; ``before`` is that of the record before.

    A record without a time is as late as the one before it.
    """
    times = times.view(pa.int64())
    if times.null_count:
        import pyarrow.compute as pc

        times = pc.fill_null_forward(times).fill_null(before)
    return memory(times)


def taken(batch: pa.RecordBatch, rows: Sequence[int]) -> pa.RecordBatch:
    """Return the rows of ``batch`` with these numbers, in this order."""
    if len(rows) == len(batch) and all(a == b for a, b in enumerate(rows)):
        return batch
    return batch.take(indices(rows))


def indices(rows: Sequence[int]) -> pa.Int32Array:
    """Return the numbers of rows as an array."""
    numbers = pa.py_buffer(array("i", rows))
    return pa.Array.from_buffers(pa.int32(), len(rows), [None, numbers], 0)


def together(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return the rows of all ``batches`` as one batch; there is at least one row."""
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def own(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return ``batch`` with dictionaries of no more than its own values, to be held for long."""
    columns = [
        column.dictionary_decode().dictionary_encode().cast(column.type)
        if pa.types.is_dictionary(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def sizes(batch: pa.RecordBatch) -> memoryview:
    """Return about how many bytes of text each row has (int64)."""
    import pyarrow.compute as pc

    total = pc.add(pa.nulls(len(batch), pa.int64()).fill_null(0), 512)
    for column in batch.columns:
        is_text = pa.types.is_string(column.type) or pa.types.is_binary(column.type)
        if is_text and column.null_count < len(column):
            total = pc.add(total, pc.binary_length(column).fill_null(0).cast(pa.int64()))
    attributes = batch.column("attributes")
    ends = attributes.offsets
    for entries in (attributes.keys, attributes.items):
        lengths = pc.binary_length(entries).fill_null(0).cast(pa.int64())
        upto = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)]).take(ends)
        total = pc.add(total, pc.subtract(upto[1:], upto[:-1]))
    return memory(total)
