"""All records of a request, or of a resource, of which one record fulfils a condition.

The records are read twice: first for who called whom and which records fulfil
the condition, then for the records that belong to these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from opslog.correlate import links
from opslog.correlate.graph import RequestGraph
from opslog.correlate.roots import IDS, ids_of, root_of
from opslog.correlate.servers import Named
from opslog.engine._search import Needles
from opslog.filters.filter import Filter, evaluate
from opslog.reading.sorted_rows import SortedRows
from opslog.rows.kept import Kept

MOST = 1 << 17
"""Pairs of ids that are kept in memory, if ``Relation.many`` takes more."""

_RESOURCE = "resource_id"

_TOGETHER = 16
"""Blocks whose links go into the graph at once: one by one they would miss the CPU's cache."""

_PAIRS = pa.schema([(name, pa.string()) for name in IDS])


@dataclass(frozen=True, slots=True)
class Relation:
    """What is wanted with each record that fulfils a condition: its request, its resource.

    Memory grows with the number of requests that are wanted.  With ``many`` it does not: if
    more than ``most`` pairs of ids fulfil the condition, ``many`` is called with the ids of
    the wanted requests, some at a time, and the filter keeps the records of all requests.
    """

    condition: Filter
    requests: bool = False
    resources: bool = False
    many: Callable[[list[str]], None] | None = field(default=None, repr=False, compare=False)
    most: int = field(default=MOST, repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are needed."""
        ids = (IDS if self.requests else ()) + ((_RESOURCE,) if self.resources else ())
        return tuple(dict.fromkeys(self.condition.columns + ids))


class FirstReading:
    """Collects links and records of a condition; makes the filter of the second reading."""

    def __init__(self, graph: RequestGraph, relation: Relation | None) -> None:
        self.graph = graph
        self._relation = relation
        self.columns = relation.columns if relation else ()
        """The columns that are needed."""
        self._ids: set[tuple[str | None, str | None]] = set()
        self._more: SortedRows | None = None
        """Ids that were too many for memory."""
        self._resources: set[str] = set()
        self._waiting: list[links.LinkCandidates] = []
        self._needles = [Needles(texts) for texts in relation.condition.needles] if relation else []

    def find(self, kept: Kept) -> tuple[links.LinkCandidates, pa.RecordBatch | None]:
        """Return links of a block and its records that fulfil the condition; from any thread."""
        return links.link_candidates(kept), self.find_fulfilling(kept)

    def find_fulfilling(self, kept: Kept, named: Named | None = None) -> pa.RecordBatch | None:
        """Return the records of a block that fulfil the condition, None without any.

        ``named`` tells of which requests the lines of servers are; the block has PLACES, too.
        """
        if self._relation is None or not self._may_fulfil(kept):
            return None
        batch = kept.batch() if named is None else named.name(kept.batch())
        rows = self._relation.condition.select(batch)
        return batch.take(rows) if len(rows) else None

    def _may_fulfil(self, kept: Kept) -> bool:
        """Whether the block holds the texts without which no record fulfils the condition."""
        return all(needles.may_be_in(kept.records.block) for needles in self._needles)

    def add(self, found: links.LinkCandidates, fulfilling: pa.RecordBatch | None) -> None:
        """Take what ``find`` returned, block by block."""
        self._waiting.append(found)
        if len(self._waiting) == _TOGETHER:
            self.settle()
        if fulfilling is not None:
            self.add_fulfilling(fulfilling)

    def settle(self) -> None:
        """Put all links into the graph; to be called before the graph is asked."""
        for found in self._waiting:
            self.graph.add_candidates(found)
        self._waiting.clear()

    def add_fulfilling(self, batch: pa.RecordBatch) -> None:
        """Take records that fulfil the condition."""
        assert self._relation is not None
        if self._relation.requests:
            self._ids.update(ids_of(batch)[1])
            if self._relation.many is not None and len(self._ids) > self._relation.most:
                self._spill()
        if self._relation.resources:
            import pyarrow.compute as pc  # start-up: most runs ask for no resources

            self._resources.update(filter(None, pc.unique(_column(batch, _RESOURCE)).to_pylist()))

    def _spill(self) -> None:
        if self._more is None:
            self._more = SortedRows(_PAIRS, [(name, "ascending") for name in IDS])
        columns = [pa.array([pair[n] for pair in self._ids], pa.string()) for n in range(2)]
        self._more.add(pa.table(columns, _PAIRS))
        self._ids.clear()

    def _roots(self) -> frozenset[str] | None:
        """Return the roots of the wanted requests, None when ``Relation.many`` is given them."""
        assert self._relation is not None
        if self._more is None or self._relation.many is None:
            if self._relation.condition.own:
                self.graph.focus(filter(None, (own or cause for own, cause in self._ids)))
            found = filter(None, (root_of(*pair, self.graph) for pair in self._ids))
            # A task is no request: it goes on for weeks under one id.
            return frozenset(root for root in found if not self.graph.is_task(root))
        self._spill()
        with self._more as more:
            for rows in more.tables():
                pairs = zip(*(rows[name].to_pylist() for name in IDS), strict=True)
                roots = {root_of(own, cause, self.graph) for own, cause in pairs}
                self._relation.many([root for root in roots if root is not None])
        return None

    def filter(self, also: Filter | None = None) -> Filter:
        """Return the filter of the records that belong together, and fulfil ``also``."""
        self.settle()
        assert self._relation is not None
        columns = self._relation.columns + (also.columns if also else ())
        return _RelatedFilter(
            self._relation.condition.expression,
            tuple(dict.fromkeys(columns)),
            relation=self._relation,
            graph=self.graph,
            roots=self._roots(),
            resources=frozenset(self._resources),
            also=also,
        )


@dataclass(frozen=True, slots=True)
class _RelatedFilter(Filter):
    """Keeps what fulfils the condition, and what belongs to it."""

    relation: Relation = field(kw_only=True)
    graph: RequestGraph = field(kw_only=True)
    roots: frozenset[str] | None = field(kw_only=True)
    """Those of the requests that are wanted, None: of all."""
    resources: frozenset[str] = field(kw_only=True)
    also: Filter | None = field(kw_only=True)

    def select(self, batch: pa.RecordBatch) -> pa.Array:
        import pyarrow.compute as pc  # start-up: most runs ask for no relations

        kept = pc.fill_null(evaluate(self.expression, batch), False)
        if self.relation.requests:
            numbers, ids = ids_of(batch)
            belongs = [self._is_wanted(root_of(*pair, self.graph)) for pair in ids]
            kept = pc.or_(kept, _booleans(belongs).take(numbers))
        if self.relation.resources:
            found = _column(batch, _RESOURCE).dictionary_encode("encode")
            belongs = [name in self.resources for name in found.dictionary.to_pylist()]
            kept = pc.or_(kept, _booleans(belongs).take(found.indices))
        if self.also is not None:
            kept = pc.and_(kept, pc.fill_null(evaluate(self.also.expression, batch), False))
        return pc.indices_nonzero(kept).cast(pa.int32())

    def _is_wanted(self, root: str | None) -> bool:
        if self.roots is None:
            return root is not None and not self.graph.is_task(root)
        return root in self.roots


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(batch.schema.get_field_index(name)).cast(pa.string())


def _booleans(values: list[bool]) -> pa.Array:
    # pa.array would import pandas where it is installed.
    data = pa.Array.from_buffers(pa.uint8(), len(values), [None, pa.py_buffer(bytes(values))])
    return data.cast(pa.bool_())
