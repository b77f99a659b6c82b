"""Records before and after those a filter keeps, as grep's -A, -B and -C have lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.filters.filter import Filter
from opslog.model.arrays import texts
from opslog.model.errors import OpslogError
from opslog.model.stats import LetGo
from opslog.rows.fingerprint import NAME, with_fingerprints
from opslog.stages.held import Held
from opslog.stages.marks import marked
from opslog.stages.rows import ints, values

if TYPE_CHECKING:
    import pyarrow.compute as pc

MOST_SOURCES = 10_000
"""Sources that are remembered; the one that came first is forgotten first."""


@dataclass(slots=True)
class _Source:
    """What is known of one source."""

    waiting: deque[int]
    """The last records not shown, which come before the next one the condition keeps."""
    left: int = 0
    """How many records are shown yet behind the last one it kept."""


@dataclass(frozen=True, slots=True)
class Context:
    """Passes what ``condition`` keeps, and of the same source so many records before and after.

    None comes twice.  What is there for the context only has the attribute
    ``context``: ``before`` or ``after``.  A source's records stay in their order;
    among several sources those before come together with the one they belong to.
    ``let_go`` counts the sources that were forgotten while records of theirs might
    have been shown yet.
    Raises FilterError and OpslogError for what makes no sense.
    """

    condition: Filter | pc.Expression
    before: int = 0
    after: int = 0
    let_go: LetGo = field(default_factory=LetGo, init=False, repr=False, compare=False)
    _filter: Filter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0:
            found = min(self.before, self.after)
            raise OpslogError(f"context: expected a number of records from 0, found {found}")
        object.__setattr__(self, "_filter", Filter.of(self.condition))

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what passes."""
        sources: dict[str | None, _Source] = {}
        held = Held()
        for batch in batches:
            if not len(batch):
                continue
            first = held.add(batch)
            kept = {first + row for row in ints(self._filter.select(self._told(batch)))}
            shown: list[int] = []
            marks: dict[int, str] = {}
            for row, name in enumerate(values(batch.column("source")), first):
                source = sources.get(name)
                if source is None:
                    source = sources[name] = _Source(deque(maxlen=self.before))
                    if len(sources) > MOST_SOURCES:
                        oldest = sources.pop(next(iter(sources)))
                        self.let_go.count += bool(oldest.waiting or oldest.left)
                if row in kept:
                    for before in source.waiting:
                        marks[len(shown)] = "before"
                        shown.append(before)
                    source.waiting.clear()
                    source.left = self.after
                    shown.append(row)
                elif source.left:
                    source.left -= 1
                    marks[len(shown)] = "after"
                    shown.append(row)
                else:
                    source.waiting.append(row)
            if shown:
                yield marked(held.taken(shown), [*marks], {"context": texts([*marks.values()])})
            held.hold([row for source in sources.values() for row in source.waiting])
            number = 0
            for source in sources.values():
                count = len(source.waiting)
                source.waiting = deque(range(number, number + count), self.before)
                number += count

    def _told(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with all that the condition asks for."""
        asked = NAME in self._filter.columns and NAME not in batch.schema.names
        return with_fingerprints(batch) if asked else batch
