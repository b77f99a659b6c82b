"""Attributes that a stage adds to records, so that what it did shows in the output."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import pyarrow as pa

from opslog.model.arrays import texts
from opslog.stages.rows import ints


def marked(batch: pa.RecordBatch, marks: Mapping[int, Mapping[str, str]]) -> pa.RecordBatch:
    """Return ``batch`` with attributes added: by row, in order, names and values.

    An attribute of the same name is replaced.
    """
    if not marks:
        return batch
    import pyarrow.compute as pc

    place = batch.schema.get_field_index("attributes")
    column = batch.column(place)
    ends = ints(column.offsets)
    names = [name for added in marks.values() for name in added]
    values = [value for added in marks.values() for value in added.values()]
    chosen, new_ends, at = array("q"), array("i", [0]), 0
    new = len(column.keys)
    there = pc.any(pc.is_in(column.keys, texts([*set(names)]))).as_py()
    for row, added in sorted(marks.items()):
        grown = len(chosen) - ends[at]
        new_ends.extend(end + grown for end in ends[at + 1 : row + 1])
        chosen.extend(range(ends[at], ends[row]))
        entries = range(ends[row], ends[row + 1])
        if there:
            chosen.extend(entry for entry in entries if column.keys[entry].as_py() not in added)
        else:
            chosen.extend(entries)
        chosen.extend(range(new, new + len(added)))
        new_ends.append(len(chosen))
        new += len(added)
        at = row + 1
    grown = len(chosen) - ends[at]
    new_ends.extend(end + grown for end in ends[at + 1 :])
    chosen.extend(range(ends[at], ends[-1]))
    order = pa.Array.from_buffers(pa.int64(), len(chosen), [None, pa.py_buffer(chosen)], 0)
    offsets = pa.Array.from_buffers(pa.int32(), len(new_ends), [None, pa.py_buffer(new_ends)], 0)
    attributes = pa.MapArray.from_arrays(
        offsets,
        pa.concat_arrays([column.keys, texts(names)]).take(order),
        pa.concat_arrays([column.items, texts(values)]).take(order),
    )
    return batch.set_column(place, batch.schema.field(place), attributes)
