"""Records of several sources in one batch: records that opslog wrote tell the sources they had."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa


def by_source(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the records of each source of a batch, in their order; a batch of one as it is."""
    rows = _rows(batch)
    yield from [batch] if rows is None else map(batch.take, rows)


def mapped(
    batch: pa.RecordBatch, change: Callable[[pa.RecordBatch], pa.RecordBatch]
) -> pa.RecordBatch:
    """Return what ``change``, which keeps rows, makes of the records of each source."""
    rows = _rows(batch)
    if rows is None:
        return change(batch)
    import pyarrow.compute as pc

    parts = [change(batch.take(one)) for one in rows]
    table = pa.Table.from_batches(parts).unify_dictionaries().combine_chunks()
    back = pc.sort_indices(pa.concat_arrays(rows))
    return table.take(back).to_batches()[0]


def _rows(batch: pa.RecordBatch) -> list[pa.Array] | None:
    """Return the numbers of each source's rows; None of one source, or if none is told."""
    at = batch.schema.get_field_index("source")
    if at < 0 or not len(batch):
        return None
    import pyarrow.compute as pc

    codes = batch.column(at)
    if not pa.types.is_dictionary(codes.type):
        codes = codes.dictionary_encode()
    numbers = codes.indices.cast(pa.int32()).fill_null(pa.scalar(-1, pa.int32()))
    span = pc.min_max(numbers)
    if span["min"].equals(span["max"]):
        return None
    return [
        pc.indices_nonzero(pc.equal(numbers, number)).cast(pa.int64())
        for number in pc.unique(numbers)
    ]
