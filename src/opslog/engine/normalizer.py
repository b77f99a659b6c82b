"""A Normalizer: bytes of one source in, record batches out."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from opslog.engine.job import Job
from opslog.engine.run import in_this_thread
from opslog.engine.stream import Item, Stream
from opslog.filters.filter import Filter
from opslog.inputs.lines import BlockCutter
from opslog.kernel._block import Block
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.model.errors import OpslogError
from opslog.model.stats import Stats
from opslog.model.zones import Timezone, Zones, reference_of_year
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

if TYPE_CHECKING:
    import pyarrow.compute as pc


class Normalizer:
    """Bytes of one source in, batches of records out; no files, no threads of its own.

    Where bytes are cut between two calls of ``feed`` never changes the
    records.  Batches have the columns ``schema.names(original)`` and come in
    the order of the records' first lines.  Times without a year have that of the
    nearest envelope around them, else ``year``, else what the source's first line
    says, else they are the newest that are at most a day later than ``reference``;
    with none of these they are null: nothing here reads a clock.  ``where`` is a condition as
    ``Logs.filter`` takes them.
    """

    def __init__(
        self,
        *,
        source: str = "-",
        timezone: Timezone = "UTC",
        year: int | None = None,
        reference: datetime | None = None,
        where: pc.Expression | str | Filter | None = None,
        original: bool = False,
        catalog: Catalog | None = None,
    ) -> None:
        self.stats = Stats()
        zones = Zones(timezone)
        job: Job[pa.RecordBatch] = Job(
            catalog or Catalog.default(),
            schema.names(original),
            None if where is None else Filter.of(where, zones.default.name),
            Kept.batch,
        )
        zone = zones.of(source)
        stated = None if year is None else reference_of_year(year)
        self._stream = Stream(job, source, zone, self.stats, stated)
        if reference is not None:
            self._stream.dated(reference)
        self._spare: deque[Block] = deque()
        self._cutter = BlockCutter(self._spare)
        self._closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[pa.RecordBatch]:
        """Take the next bytes and return the batches complete with them, mostly none or one."""
        if self._closed:
            raise OpslogError("feed() after close(): a Normalizer reads one source once")
        out: list[pa.RecordBatch] = []
        view = memoryview(data).cast("B")
        while view:
            room = self._cutter.room()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            view = view[count:]
            block = self._cutter.filled(count)
            if block is not None:
                out += self._batches(Item(self._stream, block, final=False))
        return out

    def flush(self, close: bool = False) -> list[pa.RecordBatch]:
        """Return the batches complete with the whole lines fed so far.

        A record of which more lines may come stays open, unless ``close`` says
        that these will not be waited for: it then has the attribute
        ``closed`` = ``hold``.
        """
        if self._closed:
            return []
        block = self._cutter.lines()
        if block is None:
            block = self._cutter.fresh()
            block.reset(self._cutter.offset)
        held = self._cutter.offset if close else -1
        return self._batches(Item(self._stream, block, final=False, held=held))

    def close(self) -> list[pa.RecordBatch]:
        """Say that the source has ended and return the last batches."""
        if self._closed:
            return []
        self._closed = True
        return self._batches(Item(self._stream, self._cutter.rest(), final=True))

    def _batches(self, item: Item[pa.RecordBatch]) -> list[pa.RecordBatch]:
        found = list(in_this_thread(item, self._spare))
        self.stats.kept += sum(rows for rows, _ in found)
        return [batch for _, batch in found]
