"""What the kernels built, as Arrow arrays; nulls and constants are shared by all blocks."""

from __future__ import annotations

from typing import Any

from opslog.model import schema
from opslog.model.arrays import texts
from opslog.model.arrow import pa
from opslog.rows._columns import Memory


def column_of(column: schema.Column, count: int, built: tuple[Any, ...]) -> pa.Array:
    """Return a column of ``count`` rows; ``built`` is what Columns.column gave."""
    nulls, *buffers = built
    if column.kind == "map":
        entries = nulls
        ends, key_ends, keys, value_ends, values = buffers
        return pa.MapArray.from_arrays(
            array_of(pa.int32(), count + 1, 0, None, ends),
            array_of(pa.string(), entries, 0, None, key_ends, keys),
            array_of(pa.string(), entries, 0, None, value_ends, values),
        )
    if nulls == count:
        return null_array(column.kind, count)
    if column.kind == "dictionary":
        validity, indices, entries, ends, data = buffers
        entry_texts = array_of(pa.string(), entries, 0, None, ends, data)
        return encoded(array_of(pa.int32(), count, nulls, validity, indices), entry_texts)
    return array_of(column.type, count, nulls, *buffers)


def array_of(
    kind: pa.DataType, count: int, nulls: int, validity: Memory | None, *buffers: Memory
) -> pa.Array:
    """Return an array made of buffers, none copied."""
    known = pa.py_buffer(validity) if nulls else None
    return pa.Array.from_buffers(kind, count, [known, *map(pa.py_buffer, buffers)], nulls)


def encoded(indices: pa.Array, dictionary: pa.Array) -> pa.DictionaryArray:
    """Return the entries of a dictionary that ``indices`` (int32, nullable) name."""
    if indices.null_count == len(indices):
        return null_array("dictionary", len(indices))
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)


_whole: dict[tuple[str, str | None], pa.Array] = {}


def null_array(kind: schema.Kind, count: int) -> pa.Array:
    """Return ``count`` nulls, a slice of an array kept for all blocks."""
    whole = _whole.get((kind, None))
    if whole is None or len(whole) < count:
        whole = _whole[(kind, None)] = pa.nulls(max(count, 32768), schema.arrow_types()[kind])
    return whole.slice(0, count)


def _zeros(count: int) -> pa.Array:
    """Return at least so many zeros, the same ones for all constants: there may be many."""
    whole = _whole.get(("zeros", None))
    if whole is None or len(whole) < count:
        size = max(count, 32768)
        whole = pa.Array.from_buffers(pa.int32(), size, [None, pa.py_buffer(bytes(4 * size))], 0)
        _whole[("zeros", None)] = whole
    return whole


def constant(text: str | None, count: int) -> pa.Array:
    """Return ``text`` ``count`` times, dictionary-encoded, likewise."""
    if text is None:
        return null_array("dictionary", count)
    whole = _whole.get(("constant", text))
    if whole is None or len(whole) < count:
        if len(_whole) > 1000:
            _whole.clear()
        whole = pa.DictionaryArray.from_arrays(_zeros(count), texts([text]))
        _whole[("constant", text)] = whole
    return whole.slice(0, count)
