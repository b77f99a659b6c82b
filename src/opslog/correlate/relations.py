"""What is known of records only when all are read: what belongs together, and what began it.

The sources are read for that first, so each must be one that can be read twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import pyarrow as pa

from opslog.correlate.graph import RequestGraph
from opslog.correlate.links import LinkCandidates, link_candidates
from opslog.correlate.matching import PLACES
from opslog.correlate.related import FirstReading, Relation
from opslog.correlate.roots import IDS, ROOTS, rooted
from opslog.correlate.servers import COLUMNS, SET, Named, ServerLines
from opslog.correlate.tellers import RANKS
from opslog.engine.watch import unwatched
from opslog.inputs.paths import Sources
from opslog.model.errors import OpslogError, SourceError
from opslog.model.stats import Stats
from opslog.reading.passes import Pass
from opslog.rows.kept import Kept

T = TypeVar("T")


def graph(reading: Pass) -> RequestGraph:
    """Read for which request called which, whatever the filter; raises SourceError."""
    related = FirstReading(RequestGraph(), None)
    _, failed = _survey(reading, related, None)
    if failed is not None:
        raise failed
    return related.graph


def resolved(reading: Pass, relation: Relation) -> Pass:
    """Read all once; return the pass of the second reading, which keeps what belongs together."""
    related = FirstReading(RequestGraph(), relation)
    reading, _ = _survey(reading, related, relation)
    return replace(reading, where=related.filter(reading.where))


def with_roots(
    reading: Pass,
    relation: Relation | None,
    columns: tuple[str, ...],
    servers: bool = False,
    graph: RequestGraph | None = None,
) -> Generator[pa.RecordBatch, str | None, None]:
    """Yield ``columns`` of the kept records, with the roots of their requests.

    What can be read only once gets its roots as far as they are known by then.  With ``servers``
    lines of servers have the id and the service of the request they tell of, and no time; where
    there are such lines, the sources are read once more, and with ``relation`` those that have them
    yet again.  ``graph`` is filled with who called whom; it is known when the first batch comes,
    of what can be read only once when the last one does.
    """
    graph = RequestGraph() if graph is None else graph
    once = reading.sources.readable_once() and not (reading.merge or relation)
    if reading.follow or once:
        yield from _with_roots_so_far(reading, columns, graph)
        return
    related = FirstReading(graph, relation)
    formats: set[str | None] = set()
    second, _ = _survey(reading, related, relation, formats)
    named = _named(reading) if servers and tells_of_servers(formats) else None
    if relation:
        if named is not None:
            _find_named(reading, related, named)
        second = replace(second, where=related.filter(reading.where))
    yield from known_roots(second, related.graph, named, columns)


def known_roots(
    reading: Pass, graph: RequestGraph, named: Named | None, columns: tuple[str, ...]
) -> Generator[pa.RecordBatch, str | None, None]:
    """Yield ``columns`` of the kept records with the roots that the graph knows.

    With ``named`` lines of servers have the ids of their requests, as in with_roots.
    """
    built = _built(columns)
    if named is not None:
        built = tuple(dict.fromkeys([*built, *PLACES, *SET]))

    def finish(kept: Kept) -> pa.RecordBatch:
        batch = kept.batch() if named is None else named.name(kept.batch(), told=True)
        return rooted(batch, graph, columns)

    yield from reading.batches(finish, built)


def tells_of_servers(formats: set[str | None]) -> bool:
    """Return whether some of these formats are those of servers, whose lines name no request."""
    return bool(formats & {*RANKS})


def _built(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that those with roots are made of."""
    return tuple(dict.fromkeys([*(name for name in columns if name not in ROOTS), *IDS]))


def _named(reading: Pass) -> Named:
    """Read all for the requests that lines of servers tell of."""
    lines = ServerLines()
    for batch in _read_again(reading, Kept.batch, COLUMNS):
        lines.add(batch)
    return lines.named()


def _find_named(reading: Pass, related: FirstReading, named: Named) -> None:
    """Read the sources of named lines for those of them that fulfil the condition."""
    # Records as opslog wrote them tell other sources than the file they are read of.
    if named.sources.issubset(reading.sources.names):
        reading = replace(reading, sources=reading.sources.only(named.sources))

    def find(kept: Kept) -> pa.RecordBatch | None:
        return related.find_fulfilling(kept, named)

    for fulfilling in _read_again(reading, find, (*related.columns, *PLACES)):
        if fulfilling is not None:
            related.add_fulfilling(fulfilling)


def _read_again(
    reading: Pass, finish: Callable[[Kept], T], columns: tuple[str, ...]
) -> Iterator[T]:
    """Yield what ``finish`` makes of each block of all that can be read, and count nothing."""
    everything = replace(reading, where=None, most=None, stats=Stats(), watch=unwatched)
    with suppress(SourceError), reading.sources.standard_input_kept():
        yield from everything.results(finish, columns)


def _with_roots_so_far(
    reading: Pass, columns: tuple[str, ...], graph: RequestGraph
) -> Generator[pa.RecordBatch, str | None, None]:
    """Yield them in one reading, with the roots known so far; filters hide no links."""
    where = reading.where
    left = sys.maxsize if reading.most is None else reading.most

    def finish(kept: Kept) -> tuple[str, int, LinkCandidates, pa.RecordBatch]:
        batch = kept.batch()
        if where is not None:
            batch = batch.take(where.select(batch))
        return kept.source, kept.count, link_candidates(kept), batch

    needed = tuple(dict.fromkeys(_built(columns) + (where.columns if where else ())))
    sources = reading.sources if left else Sources()
    found = replace(reading, where=None, most=None, sources=sources).results(finish, needed)
    for source, count, links, batch in found:
        graph.add_candidates(links)
        taken = batch.slice(0, left)
        left -= len(taken)
        reading.stats.kept += len(taken) - count
        graph.count_in(reading.stats)
        if (yield rooted(taken, graph, columns)) is not None or not left:
            with suppress(StopIteration):
                found.send(source)
            return


def _survey(
    reading: Pass,
    related: FirstReading,
    relation: Relation | None,
    formats: set[str | None] | None = None,
) -> tuple[Pass, SourceError | None]:
    """Read all for what records say of each other; put the formats there are into ``formats``.

    Return the pass that is the second half, and what could not be read: that pass raises it again.
    """
    if reading.follow:
        raise OpslogError(
            "follow: not with requests or resources, for which logs are read twice: "
            "expected one of both"
        )
    if unsuitable := reading.sources.readable_once():
        raise SourceError(
            unsuitable[0], "is no file, but must be read twice; write it to a file first"
        )
    watch, half = reading.watch, 0

    def first(position: int) -> None:
        nonlocal half
        half = position // 2
        watch(half)

    everything = replace(reading, where=None, most=None, stats=Stats(), watch=first)
    failed: SourceError | None = None
    with reading.sources.standard_input_kept():
        try:
            for found in everything.results(related.find, related.columns):
                related.add(*found)
        except SourceError as error:
            failed = error
    related.settle()
    if formats is not None:
        formats.update(everything.stats.formats)
    related.graph.count_in(reading.stats)
    return replace(reading, watch=lambda position: watch(half + position // 2)), failed
