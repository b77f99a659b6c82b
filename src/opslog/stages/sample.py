"""A part of the records, chosen by chance but always the same: whole requests, or none of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa

from opslog.model.errors import OpslogError
from opslog.rows.kept import Kept
from opslog.stages.rows import coded, indices, ints, taken, values

_COLUMNS = ("global_request_id", "request_id", "source", "source_offset")


@dataclass(frozen=True, slots=True)
class Sample:
    """Passes ``rate`` (0 to 1) of the records, whatever their severity.

    Records of one request are kept or dropped together, in all services:
    global_request_id decides, else request_id; where there is neither, the place
    in the source.  What a smaller rate keeps, a larger one keeps too.  Raises
    OpslogError for a rate that is none.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise OpslogError(f"sample: expected a part above 0 and up to 1, found {self.rate:g}")

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what passes."""
        for batch in batches:
            if passed := self._passed(batch):
                yield taken(batch, passed)

    def choose(self, kept: Kept) -> Kept:
        """Return the records that pass."""
        passed = self._passed(kept.with_columns(_COLUMNS).batch())
        return kept if len(passed) == kept.count else kept.among(indices(passed))

    def _passed(self, batch: pa.RecordBatch) -> list[int]:
        import pyarrow.compute as pc

        below = math.ceil(self.rate * 2**64)
        requests = pc.coalesce(batch.column("global_request_id"), batch.column("request_id"))
        numbers, ids = coded(requests)
        kept = [_hash(text) < below for text in ids[:-1]]
        sources = values(batch.column("source"))
        offsets = ints(batch.column("source_offset").fill_null(0))
        return [
            row
            for row, number in enumerate(numbers)
            if (kept[number] if number >= 0 else _hash(f"{sources[row]}\0{offsets[row]}") < below)
        ]


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
