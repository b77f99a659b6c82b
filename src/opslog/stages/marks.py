"""Attributes that a stage adds to records, so that what it did shows in the output."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import pyarrow as pa

from opslog.model.arrays import text, texts
from opslog.stages._marks import places
from opslog.stages.rows import memory


def marked(
    batch: pa.RecordBatch, rows: Sequence[int], added: Mapping[str, pa.Array]
) -> pa.RecordBatch:
    """Return ``batch`` with attributes added to ``rows``, which ascend: names, and a text for each.

    An attribute of the same name is replaced.
    """
    if not rows:
        return batch
    import pyarrow.compute as pc

    place = batch.schema.get_field_index("attributes")
    column = batch.column(place)
    keys, known = column.keys, len(column.keys)
    same = pc.is_in(keys, texts([*added]))
    replaced = None
    if same.true_count:
        replaced = memoryview(same.cast(pa.uint8()).buffers()[1]).cast("B")
    order, ends = places(memory(column.offsets), known, array("i", rows), len(added), replaced)
    chosen = pa.Array.from_buffers(pa.int64(), len(order) // 8, [None, pa.py_buffer(order)])
    names = [pa.repeat(text(name), len(rows)) for name in added]
    attributes = pa.MapArray.from_arrays(
        pa.Array.from_buffers(pa.int32(), len(ends) // 4, [None, pa.py_buffer(ends)]),
        pa.concat_arrays([keys, *names]).take(chosen),
        pa.concat_arrays([column.items, *added.values()]).take(chosen),
    )
    return batch.set_column(place, batch.schema.field(place), attributes)
