"""Records on their way through stages, with what stood beside their lines.

Stages ask for batches, and give what they can before they ask again; so what reads
the events is asked by them, and no queue stands between.  The fields beside a
record's line are a column more, which no stage looks at: they are dropped, held
back and put in another order together with their record.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator

import orjson
import pyarrow as pa

from opslog.fluentd.events import Event, plain
from opslog.fluentd.masking import Masking
from opslog.model import schema
from opslog.model.arrays import binaries
from opslog.model.stats import Stats
from opslog.outputs.jsonl import JsonEncoder
from opslog.reading.pipeline import Stage, through_stages
from opslog.rows.kept import Kept
from opslog.stages.rows import together

_BESIDE = "beside"


class Staged:
    """Puts records through ``stages`` and makes events of what comes out.

    ``columns`` are those that events have; ``names`` is their spelling.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...],
        columns: tuple[str, ...],
        names: str,
        masking: Masking | None = None,
    ) -> None:
        self._stages = stages
        self._encoder = JsonEncoder(columns, names)
        self._masking = masking
        self.columns = schema.names("original" in columns)

    def rows(self, kept: Kept) -> pa.RecordBatch:
        """Return records with all columns, which stages need."""
        return kept.batch()

    def joined(self, beside: Iterable[Event], rows: pa.RecordBatch) -> list[pa.RecordBatch]:
        """Return records with what stood beside them."""
        return [rows.append_column(_BESIDE, binaries(list(map(_packed, beside))))]

    def gathered(self, records: list[Event | pa.RecordBatch]) -> pa.RecordBatch:
        """Return the same records in one batch."""
        return together(_records(records))

    def through(
        self,
        parts: Iterable[list[Event | pa.RecordBatch]],
        write: Callable[[list[Event]], None],
        stats: Stats,
    ) -> Iterator[list[Event]]:
        """Yield the events of records; those that are none of one are written at once."""

        def batches() -> Generator[pa.RecordBatch, str | None, None]:
            for part in parts:
                if marked := [item for item in part if isinstance(item, dict)]:
                    write(marked)
                if records := _records(part):
                    yield together(records)

        for batch in through_stages(batches(), self._stages, None, stats):
            yield self._events(batch)

    def _events(self, batch: pa.RecordBatch) -> list[Event]:
        encoded = self._encoder.of_batch(batch)
        with memoryview(encoded) as lines:
            text = bytes(lines[:-1])
        self._encoder.reuse(encoded)
        rows = orjson.loads(b"[%b]" % text.replace(b"\n", b","))
        beside: Iterable[Event] = map(pickle.loads, batch.column(_BESIDE).to_pylist())
        if self._masking is not None:
            beside = map(self._masking.event, beside)
        return [{**fields, **row} for fields, row in zip(beside, rows, strict=True)]


def _records(items: list[Event | pa.RecordBatch]) -> list[pa.RecordBatch]:
    return [item for item in items if not isinstance(item, dict)]


def _packed(event: Event) -> bytes:
    """Return the event as bytes that keep every type; they never leave this process."""
    try:
        return pickle.dumps(event)
    except RecursionError:
        return pickle.dumps(plain(event))
