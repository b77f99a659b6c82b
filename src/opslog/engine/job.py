"""A job: what is wanted of every record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from opslog.assembly._records import Records
from opslog.filters.filter import Filter
from opslog.filters.needles import COLUMNS
from opslog.rows.kept import BatchBuilder, Kept
from opslog.scanner.catalog import Catalog
from opslog.scanner.slots import CHANGED, CHANGES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """What is wanted of every record: formats, columns, filter, and what becomes of a batch."""

    catalog: Catalog
    names: tuple[str, ...]
    where: Filter | None
    finish: Callable[[Kept], T]
    skip: bool = False
    """Whether blocks that cannot hold a kept record need not be scanned."""

    ordered: bool = False
    """Whether each record is told its place in the order of time: what is merged needs it."""

    @property
    def needles(self) -> tuple[frozenset[bytes], ...]:
        """What a kept record holds and a block must be searched for, if anything."""
        if not self.skip or self.where is None or self.ordered or not self.where.needles:
            return ()
        if _decodes_ids(self.catalog):
            return ()
        # What a layout states itself need not stand in the line.
        stated = {text.encode() for text in self.catalog.lines.constants}
        return tuple(texts for texts in self.where.needles if not texts & stated)

    @property
    def reads(self) -> tuple[str, ...] | None:
        """The columns that are read of a record, None if it may be any."""
        if self.finish is not Kept.batch:
            return None
        return self.names if self.where is None else (*self.names, *self.where.columns)

    def kept(self, records: Records, builder: BatchBuilder) -> Kept | None:
        """Return the kept records, None if there are none."""
        if not records.count:
            return None
        kept = builder.kept(records, self.names)
        if self.where is None:
            return kept
        if self.where.bounds:
            bounds = self.where.bounds
            kept = kept.within(bounds.least, bounds.since, bounds.until)
        for one in self.where.texts:
            kept = kept.having(one.columns, one.whole, one.beginnings) if kept.count else kept
        if kept.count and self.where.said is not None:
            needed = kept.with_columns(self.where.columns).batch()
            kept = kept.among(self.where.select(needed))
        return kept if kept.count else None

    @property
    def floor(self) -> int:
        """The severity number below which no record is kept, 0 if any may be."""
        return 0 if self.where is None else self.where.bounds.least


@lru_cache(maxsize=8)
def _decodes_ids(catalog: Catalog) -> bool:
    """Return whether a format has ids that do not stand in its lines as they are."""
    return any(
        slot & CHANGES == CHANGED["percent"] and name in COLUMNS
        for leaf in catalog.lines.slots
        for name, slot in leaf.slots.items()
    )
