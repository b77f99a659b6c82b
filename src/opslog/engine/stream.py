"""A stream: one source on its way through the steps, and its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Generic, TypeVar

from opslog.assembly._assemble import Assembler
from opslog.assembly._records import Records
from opslog.engine.job import Job
from opslog.inputs.extent import Extent
from opslog.kernel._block import Block
from opslog.model import schema
from opslog.model.first_line import LONGEST, reference_of_first_line
from opslog.model.stats import Stats
from opslog.model.zones import Zone
from opslog.rows.kept import BatchBuilder
from opslog.scanner._scan import recognise, scan
from opslog.scanner.catalog import Catalog

T = TypeVar("T")

_NEVER = -(1 << 63)
_OTHERS = "opslog.record"
"""The name that records as opslog wrote them are counted under where those of formats are many."""

MOST_FORMATS = 1000
"""Names of formats that are counted; what is read may say any."""

_FORMAT = tuple(schema.BY_NAME).index("format")

MOST_LINES = 65536
"""Lines of a block scanned at once, so that blank lines do not fill the memory."""


class Stream(Generic[T]):
    """One source on its way through the steps.

    Times without a year are of the year that ``reference`` tells; without it of that which
    the first line states, else of that of the moment it is ``dated``.  ``live`` says that its
    blocks may be long in coming, ``source`` what it is called in records where that is not its
    ``name``.  ``note`` is told, in any thread, of each block that is searched for needles.
    """

    def __init__(
        self,
        job: Job[T],
        name: str,
        zone: Zone,
        stats: Stats,
        reference: int | None = None,
        live: bool = False,
        source: str | None = None,
    ) -> None:
        self.job = job
        self.live = live
        self.reference = reference
        self._told = reference is not None
        self.stats = stats
        self.assembler = Assembler(job.catalog.lines.program)
        self.builder = BatchBuilder(job.catalog, name, zone, source)
        self.note: Callable[[Block], None] | None = None
        self.extent: Extent | None = None
        self._late: list[str] = []
        self._latest: int = _NEVER

    def bound(self, extent: Extent) -> None:
        """Give only the records of this part of the source; before its first block."""
        self.begins_with(extent.first)
        self.extent = extent
        stop = -1 if extent.end is None else extent.end
        if extent.dated is None:
            self.assembler.bound(extent.begin, stop)
        else:
            self.assembler.go_on(extent.begin, stop, extent.dated)
        if extent.begin:
            self.assembler.quoted = extent.margin

    def dated(self, moment: datetime) -> None:
        """Read times without a year as at ``moment`` from now on, if nothing else says the year."""
        if not self._told:
            self.reference = self.builder.zone.reference(moment)

    def begins_with(self, start: bytes) -> None:
        """Read times without a year as the source's first line says, if it does."""
        if not self._told:
            stated = reference_of_first_line(start)
            if stated is not None:
                self.reference, self._told = stated, True

    def scan(self, block: Block) -> Block | None:
        """Find and match the lines of ``block``; return what it has too many lines for."""
        lines = self.job.catalog.lines
        done = scan(lines.program, block, MOST_LINES, self.reference, self.job.floor)
        if lines.patterns is not None:
            find = partial(lines.patterns.find, late=self._late)
            recognise(lines.program, block, find, self.reference)
        if done == block.size:
            return None
        rest = Block(0)
        block.split(done, rest)
        return rest

    def assemble(self, block: Block, final: bool, held: int = -1) -> Records:
        """Return the records complete with the next scanned block of the source.

        Open records whose last line ends at the offset ``held`` or before are complete, too.
        """
        records = self.assembler.feed(block, final, held)
        self.stats.bytes += 0 if self.extent else block.size
        while self._late:
            name = self._late.pop()
            self.stats.timeouts[name] = self.stats.timeouts.get(name, 0) + 1
        lines = self.job.catalog.lines
        for number, counts in records.counts(lines.program).items():
            self.stats.bytes += counts[2] if self.extent else 0
            if number < 0:
                self.stats.count(None, counts)
                continue
            known = lines.names[number]
            self.stats.count(known.name, counts)
            if known.dated:
                self.stats.catch_alls.add(known.name)
        for told, counts in records.stored_counts(lines.program, _FORMAT).items():
            self.stats.bytes += counts[2] if self.extent else 0
            few = told in self.stats.formats or len(self.stats.formats) < MOST_FORMATS
            self.stats.count(told if few else _OTHERS, counts)
            if few and told is not None and told in _dated(self.job.catalog):
                self.stats.catch_alls.add(told)
        if self.job.ordered and records.count:
            self._place(records)
        if records.count:
            last = self.builder.last_time(records)
            self.stats.last_time = self.stats.last_time if last is None else last
        return records

    def records(self, block: Block, final: bool, held: int = -1) -> Iterator[Records]:
        """Yield the records complete with the next block, which is not scanned, of the source."""
        part: Block | None = block
        while part is not None:
            rest = self.scan(part)
            last = rest is None
            yield self.assemble(part, final and last, held if last else -1)
            part = rest

    def only(self, block: Block, spans: tuple[tuple[int, int], ...]) -> Iterator[Records]:
        """Yield the records of some parts of a block, each of whole ones; the rest is skipped."""
        self._left_out(block.size - sum(end - begin for begin, end in spans))
        for begin, end in spans:
            yield from self.records(block.part(begin, end), final=True)
            self._left_out(0)

    def _place(self, records: Records) -> None:
        """Tell records, kept or not, their places: as late as the latest record up to them."""
        import pyarrow.compute as pc  # start-up: most runs need it not

        times = self.builder.kept(records, ()).times()
        latest = pc.cumulative_max(times, start=self._latest, skip_nulls=True)
        records.places = pc.fill_null_forward(latest).fill_null(self._latest)
        self._latest = records.places[-1].as_py()

    def finish(self, records: Records) -> tuple[int, T] | None:
        """Return (rows, result) of the kept records, None if there are none."""
        kept = self.job.kept(records, self.builder)
        return None if kept is None else (kept.count, self.job.finish(kept))

    def gone_past(self, count: int) -> None:
        """Count bytes that are not even read."""
        self.stats.bytes += count
        self.stats.skipped_bytes += count

    def skipped(self, block: Block) -> None:
        """Count a block that cannot hold a kept record; what is open cannot be kept either."""
        self._left_out(block.size)

    def _left_out(self, count: int) -> None:
        """Close what is open and go on so many bytes further as if nothing had been before."""
        self.assemble(Block(0), final=True)
        self.gone_past(count)
        before, self.assembler = self.assembler, Assembler(self.job.catalog.lines.program)
        if self.extent:
            self.assembler.go_past(before)
            self.assembler.quoted = self.extent.margin


@lru_cache(maxsize=8)
def _dated(catalog: Catalog) -> frozenset[str]:
    """Return the formats that only date a record."""
    return frozenset(one.name for one in catalog.lines.names if one.dated)


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A block of a stream; ``skip`` says that it is only counted, ``needed`` that it must not be.

    Of one with ``only`` no more than these parts are read, each by itself.
    Behind it the open records close whose last line ends at the offset ``held``
    or before.  With ``flush`` more may be long in coming: what is complete leaves
    before the next item is asked for.
    """

    stream: Stream[T]
    block: Block
    final: bool
    skip: bool = False
    held: int = -1
    flush: bool = False
    needed: bool = False
    only: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        # Here, where blocks come one after the other: they are scanned in any order.
        if self.block.offset == 0 and self.block.size:
            self.stream.begins_with(self.block.start(LONGEST))
