"""The records that belong to an id, wherever they stand.

The story of a resource is that of the requests that are about it by their own records
(filters/about.py), with what these called, and of its neighbours (neighbours.py).

A record of a call names the called request, so that a search for an id finds
the ids beside it.  These are searched for next, until nothing new is found.
Only blocks that hold one of the ids are parsed: to read at the speed of a search
costs less than to parse.  The first reading leaves an index behind, by which the
others go past the blocks that cannot hold an id of theirs (index.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

import pyarrow as pa

from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.graph import RequestGraph
from opslog.correlate.roots import ids_of, root_of
from opslog.engine.watch import Watch, unwatched
from opslog.filters.about import about
from opslog.filters.filter import Filter, evaluate
from opslog.filters.ids import is_whole
from opslog.filters.joined import joined
from opslog.logs import Logs
from opslog.model import arrays, schema
from opslog.model.errors import OpslogError, SourceError
from opslog.model.stats import Stats
from opslog.reading.index import Index
from opslog.trace.neighbours import neighbours, of_another_instance
from opslog.trace.notes import notes
from opslog.trace.quotes import too_many
from opslog.trace.readings import Readings
from opslog.trace.served import served_calls
from opslog.trace.story import Story, add_calls, ordered_by_place, story_of

MOST = 100_000
"""Records of a story that are kept."""

_LOOP = 60_000_000
"""Longest life (microseconds) of a request without a user that is about one resource."""

_AT_ONCE = 250
"""Ids searched for in one reading: patterns of many more are slow."""

_HEX = re.compile("([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")
_UUID = re.compile("(?i)(?:req-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ID = re.compile(r"[0-9A-Za-z_.:-]{8,200}")


def trace(
    logs: Logs,
    id: str,  # noqa: A002
    most: int = MOST,
    stats: Stats | None = None,
    watch: Watch = unwatched,
) -> Story:
    """Return the story of a request, a transaction, a resource or any UUID.

    ``id`` may be the beginning of a request id, as text shows it (``req-`` and eight
    digits), or a trace id.  Filters of ``logs`` hold for the records that are shown; stages,
    as one that masks, see all that is found.  A story
    without records is that of an id nobody mentions.  Of more than ``most``
    records the first read are kept.  Sources are read several times: ``stats``
    counts what was parsed in all readings, ``watch`` is told of each block in each
    of them.  Raises OpslogError for what can be no id and for a short one of several
    requests, SourceError for sources that can be read only once; what else cannot
    be read is in ``Story.unread``.
    """
    index = Index(logs._pass.index_files)
    return story_in(Readings(logs, stats or Stats(), watch, index), id, most)


def story_in(readings: Readings, id: str, most: int = MOST) -> Story:  # noqa: A002
    """Return the story of an id as ``readings`` tell it; raises as ``trace`` does."""
    if not _ID.fullmatch(id):
        raise OpslogError(
            "id: expected an id (req- and a UUID, a Swift transaction tx... or a UUID), "
            f"found {id!r}"
        )
    is_whole(id)  # which raises FilterError for one that is too short
    if _UUID.fullmatch(id):
        id = id.lower()  # noqa: A001  as services print it
    return _Search(readings, id, most).story()


@dataclass
class _Search:
    readings: Readings
    id: str
    most: int
    graph: RequestGraph = field(default_factory=RequestGraph)
    batches: list[pa.RecordBatch] = field(default_factory=list)
    places: set[tuple[str, int]] = field(default_factory=set)
    """Where the records stand that are kept."""
    found: pa.RecordBatch = field(init=False)
    """The records of ``batches``, source by source, each in its order."""
    left: list[bool] = field(default_factory=list)
    """Which of them were left behind: they are of later calls than those whose ids they carry."""
    seeds: dict[str, None] = field(default_factory=dict)
    """Requests that are about the id, or in whose records it stands if none is."""
    about: Filter | None = None
    """The records about the resource; None for a request, and where none is."""
    near: set[str] = field(default_factory=set)
    """Ids of the resource's neighbours."""
    left_out: int = 0
    """Records that were too many, of those that were found until then: nothing more is searched."""
    unread: BaseException | None = None

    @property
    def stats(self) -> Stats:
        """What is counted in all readings."""
        return self.readings.stats

    def story(self) -> Story:
        ids = self._spellings()
        self._search(ids)
        self._settle()
        self._resolve()
        searched, wanted = set(ids), set(self._connected())
        while (new := wanted - searched) and not self.left_out:
            searched |= new
            # Neighbours in the logs are searched for together: in few blocks.
            places = {one: number for number, one in enumerate(self.seeds)}
            ordered = sorted(new, key=lambda one: (places.get(one, len(places)), one))
            for start in range(0, len(ordered), _AT_ONCE):
                if not self.left_out:  # what else there is finds no room
                    self._search(ordered[start : start + _AT_ONCE])
            self._settle()
            self._find_seeds()
            wanted = set(self._connected())
        roots = self._roots()
        table = pa.Table.from_batches([self._belonging(roots)])
        ids_left = (
            own
            for own, left in zip(self.found["request_id"].to_pylist(), self.left, strict=True)
            if left
        )
        left_behind = sum(own in self.seeds for own in ids_left)
        self.batches.clear()
        self.found = self.found.slice(0, 0)
        story = story_of(self.id, table, self.graph, roots, self.left_out, self.unread, left_behind)
        self.graph.count_in(self.stats)
        self.stats.leave_out("exceptions", too_many(story.records))
        add_calls(story, served_calls(story, self.readings))
        story.notes += notes(story, self.readings, request=self.about is None)
        return story

    def _settle(self) -> None:
        """Put all records that were found in order, and find out what they tell together.

        Answers come behind calls; a record is another call's by what came before it.
        """
        columns = schema.arrow_schema(original=True)
        whole = ordered_by_place(pa.Table.from_batches(self.batches, columns)).combine_chunks()
        [self.found] = whole.to_batches() or [pa.RecordBatch.from_pylist([], schema=columns)]
        self.graph = self.graph.without_links()
        self.left = []
        if not len(self.found):
            return
        owned = OwnedRecords()
        self.left = owned.other_calls(self.found).is_valid().to_pylist()
        self.stats.leave_out("contexts", owned.forgotten)
        start = 0
        for _, run in groupby(self.found["source"].dictionary_encode().indices.to_pylist()):
            size = len([*run])
            self.graph.link(self.found.slice(start, size))
            start += size

    def _find_seeds(self) -> None:
        """Find the requests that are about the resource or its ports alone, and its neighbours."""
        if self.about is None:
            return
        owned = _rows_of(self.found, [row for row, left in enumerate(self.left) if not left])
        ids = _ids_in(owned.take(self.about.select(owned)))
        # What is left behind names neighbours, too: it is about the resource all the same.
        about_it = self.found.take(self.about.select(self.found))
        ports, volumes, more = neighbours(about_it, self.id)
        self.stats.leave_out("neighbours", more)
        self.near = ports | volumes
        if ports:
            # A port is one instance's; a volume has a life of its own.
            others = of_another_instance(owned, self.id)
            also = about(*ports)
            ids += [one for one in _ids_in(owned.take(also.select(owned))) if one not in others]
        self.seeds = dict.fromkeys(ids)
        self.graph.focus(self.seeds)

    def _spellings(self) -> list[str]:
        as_trace = _HEX.fullmatch(self.id)
        return [self.id, f"req-{'-'.join(as_trace.groups())}"] if as_trace else [self.id]

    def _search(self, ids: list[str]) -> None:
        """Read all for records with one of these ids."""
        found = self.readings.found(_filter_of_ids(tuple(ids)), schema.names(original=True))
        try:
            for batch in found:
                self._add(batch)
            self.unread = None
        except SourceError as error:
            self.unread = error

    def _add(self, batch: pa.RecordBatch) -> None:
        """Take records that were not found before."""
        fresh = [row for row, at in enumerate(_places(batch)) if at not in self.places]
        batch = _rows_of(batch, fresh)
        self.graph.see(batch)
        # Of a task that goes on for weeks only what names the id is of use.
        numbers, ids = ids_of(batch)
        tasks = [own is not None and own != self.id and self.graph.is_task(own) for own, _ in ids]
        if any(tasks):
            holds = self._mentions(batch)
            rows = [
                row
                for row, number in enumerate(numbers.to_pylist())
                if holds[row] or not tasks[number]
            ]
            batch = _rows_of(batch, rows)
        room = max(0, self.most - sum(map(len, self.batches)))
        self.left_out += max(0, len(batch) - room)
        batch = batch.slice(0, room)
        if len(batch):
            self.batches.append(batch)
            self.places.update(_places(batch))

    def _mentions(self, batch: pa.RecordBatch) -> list[bool]:
        return _mentions_any(batch, [*self._spellings(), *self.near])

    def _resolve(self) -> None:
        """Find the whole id of a short id or a trace id, and the requests the story is of."""
        known = {one for pair in ids_of(self.found)[1] for one in pair if one is not None}
        if not is_whole(self.id):
            fitting = [one for one in known if one.startswith(self.id)]
            if len(fitting) > 1:
                raise OpslogError(
                    f"{self.id}: expected one request, found {len(fitting)} that begin so: "
                    f"{', '.join(sorted(fitting)[:5])}; give the whole id"
                )
            self.id = fitting[0] if fitting else self.id
        elif (other := self._spellings()[-1]) in known:
            self.id = other
        if (
            self.id in known
            or self.graph.named_callers(self.id)
            or self.graph.named_callees(self.id)
        ):
            self.seeds[self.id] = None
            return
        self.about = about(self.id)
        self._find_seeds()
        if not self.seeds:
            self.about = None
            self.seeds = dict.fromkeys(_ids_in(self.found))

    def _connected(self) -> Iterator[str]:
        """Yield all ids that must be searched for until the tree of requests is complete."""
        yield from self.near
        waiting, found = [s for s in self.seeds if self._has_whole_request(s)], set(self.seeds)
        while waiting:  # upwards, whoever is named
            one = waiting.pop()
            yield one
            above = {
                c
                for c in self.graph.named_callers(one)
                if c not in found and self._has_whole_request(c)
            }
            found |= above
            waiting += above
        for root in self._roots():
            for member in self.graph.members(root):
                yield member
                # The answers to calls that were sent for it stand in others' contexts.
                yield from self.graph.open_callers(member)
                # Whose a call is, is known only when all are known who claim it.
                yield from filter(self._has_whole_request, self.graph.named_callers(member))
                if self._has_whole_request(member):
                    yield from filter(self._has_whole_request, self.graph.named_callees(member))

    def _has_whole_request(self, one: str) -> bool:
        """Whether all records of a request belong to the story, not only those that name the id."""
        if one == self.id:
            return True
        if self.id in self.seeds:
            return not self.graph.is_task(one)
        return not self.graph.is_task(one, _LOOP)

    def _roots(self) -> dict[str, None]:
        return dict.fromkeys(
            self.graph.root(one) for one in self.seeds if self._has_whole_request(one)
        )

    def _belonging(self, roots: Iterable[str]) -> pa.RecordBatch:
        """Return the records of these requests, and those of no request that name the id."""
        wanted, batch = set(roots), self.found
        numbers, ids = ids_of(batch)
        belongs = [root_of(own, cause, self.graph) in wanted for own, cause in ids]
        nobody = [own is None and cause is None for own, cause in ids]
        holds = self._mentions(batch)
        tasks = [own is not None and not self._has_whole_request(own) for own, _ in ids]
        about = set(self.about.select(batch).to_pylist()) if self.about is not None else set()
        rows = [
            row
            for row, (number, left) in enumerate(zip(numbers.to_pylist(), self.left, strict=True))
            if (not left and (belongs[number] or (holds[row] and tasks[number])))
            or (holds[row] and nobody[number])
            or (left and row in about and not belongs[number])
        ]
        batch = _rows_of(batch, rows)
        if (where := self.readings.logs._pass.where) is not None:
            batch = batch.take(where.select(batch))
        return batch


def _ids_in(batch: pa.RecordBatch) -> list[str]:
    """Return the ids of the requests of records, each once; the cause where there is no own."""
    return [one for own, cause in ids_of(batch)[1] if (one := own or cause) is not None]


def _places(batch: pa.RecordBatch) -> Iterator[tuple[str, int]]:
    return zip(batch["source"].to_pylist(), batch["source_offset"].to_pylist(), strict=True)


def _rows_of(batch: pa.RecordBatch, rows: list[int]) -> pa.RecordBatch:
    return batch if len(rows) == len(batch) else batch.take(arrays.numbers(rows))


def _pattern(ids: Iterable[str]) -> str:
    return "|".join(map(re.escape, ids))


def _mentions_any(batch: pa.RecordBatch, ids: Iterable[str]) -> list[bool]:
    kept = evaluate(_filter_of_ids(tuple(ids)).expression, batch)
    found: list[bool] = kept.to_pylist()
    return found


@lru_cache(maxsize=8)
def _filter_of_ids(ids: tuple[str, ...]) -> Filter:
    """Return the filter of records in which one of the ids stands."""
    import pyarrow.compute as pc

    pattern = _pattern(ids)
    # A message may stand in the source as numbers; the source may hold more than the message.
    places = [
        pc.match_substring_regex(pc.field("original"), pattern),
        pc.match_substring_regex(pc.field("body"), pattern),
        pc.match_substring_regex(pc.field("request_id"), pattern),
        pc.match_substring_regex(pc.field("global_request_id"), pattern),
    ]
    never = pc.scalar(arrays.boolean(False))
    either = joined(lambda a, b: a | b, (pc.coalesce(one, never) for one in places))
    return Filter.holding(either, *ids)
