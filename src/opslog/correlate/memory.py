"""Columns as they lie in memory, which is what kernels take."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa


def numbers_of(column: pa.Array, form: Literal["q", "Q", "i", "B"] = "q") -> memoryview:
    """Return a column of numbers; null is 0."""
    if column.null_count:
        import pyarrow.compute as pc

        column = pc.fill_null(column, 0)
    data = column.buffers()[1] if len(column) else None
    whole = memoryview(data).cast("B").cast(form) if data else memoryview(b"").cast(form)
    return whole[column.offset : column.offset + len(column)]


def text_of(column: pa.Array) -> tuple[memoryview, memoryview | None]:
    """Return where each text of a column ends in its bytes (int32), and the bytes."""
    _, ends, data = column.buffers()
    places = memoryview(ends).cast("B").cast("i")[column.offset :][: len(column) + 1]
    return places, memoryview(data).cast("B") if data and data.size else None
