"""Places of records as numbers, so that tables of them need no texts."""

from __future__ import annotations

import pyarrow as pa

_BITS = 44
"""Bits of an offset: 16 TiB; what is left are half a million sources."""


class Places:
    """Numbers that stand for a source and an offset in it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._sources: list[str] = []

    def of(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the place of each record (int64)."""
        import pyarrow.compute as pc

        column = batch["source"]
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        numbers = (self._number(name or "") << _BITS for name in column.dictionary.to_pylist())
        known = pa.array(numbers, pa.int64())
        return pc.add(known.take(column.indices), batch["source_offset"])

    def at(self, place: int) -> tuple[str, int]:
        """Return the source and the offset that a number stands for."""
        return self._sources[place >> _BITS], place & ((1 << _BITS) - 1)

    def _number(self, source: str) -> int:
        number = self._numbers.setdefault(source, len(self._sources))
        if number == len(self._sources):
            self._sources.append(source)
        return number
