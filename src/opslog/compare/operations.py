"""The operations of one side: how their requests were answered, and in how many each step comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from opslog.compare.operation import (
    BAD,
    CALL,
    MESSAGE,
    PROGRAM,
    Answer,
    Counts,
    Operation,
    Said,
    Step,
    Tie,
)  # fmt: skip
from opslog.compare.visits import UNDER, WITHOUT_ID, Visits
from opslog.correlate.graph import RequestGraph
from opslog.reading.groups import with_values
from opslog.reading.sorted_rows import SortedRows, whole_keys
from opslog.stats.routes import routes

MOST = 10_000
"""Operations that are told apart, the first."""

MOST_STEPS = 200_000
"""Steps of operations that are told apart, the first."""

MOST_TIMES = 1_000
"""Durations of an operation that are kept: those of the first requests in the order of ids."""

MOST_FAILURES = 5_000
"""Requests that failed, of each operation's answers the first 64 in the order of ids."""

_KEPT = 64
"""Requests that are named of those that lack a step, or were answered badly."""

_TIES = pa.schema([
    ("key", pa.string()),
    ("own", pa.int32()),
    ("kind", pa.int32()),
    ("what", pa.int32()),
    ("time", pa.int64()),
    ("place", pa.int64()),
    ("said", pa.string()),
    ("root", pa.string()),
])  # fmt: skip
"""Rows of two kinds: operations of requests (``own``), with their beginning and last record, and
their steps (``kind``).
"""

_BY_ROOT = pa.schema([
    ("root", pa.string()),
    ("own", pa.int32()),
    ("start", pa.int64()),
    ("end", pa.int64()),
])  # fmt: skip


class Operations:
    """Operations of all requests, of their visits; closes what it keeps in files."""

    def __init__(self) -> None:
        self.names: list[Operation] = []
        self.programs: list[str] = []
        self.counts: list[Counts] = []
        self.steps: dict[Step, tuple[int, float]] = {}
        """In how many requests, and how many seconds after their beginning, together."""
        self.failed: list[Answer] = []
        self.said: list[Said] = []
        """What messages are as steps."""
        self.ended: dict[Step, int] = {}
        """In how many requests a message was the last that the program said."""
        self.ends: dict[Step, list[Tie]] = {}
        """The first of these, up to _KEPT."""
        self.left_out = 0
        """Requests of operations that came after the first MOST, or failures after the first."""
        self._numbers: dict[Operation, int] = {}
        self._said_numbers: dict[str, int] = {}
        self._program_numbers: dict[str, int] = {}
        self._answers: dict[tuple[int, int], int] = {}
        self._ties = SortedRows(_TIES, [("key", "ascending")])

    def close(self) -> None:
        """Remove temporary files."""
        self._ties.close()

    def fill(self, visits: Visits, rows: SortedRows, said: SortedRows, graph: RequestGraph) -> None:
        """Count the operations of all visits, which were called as the graph says."""
        with SortedRows(_BY_ROOT, [("root", "ascending")]) as by_root:
            for parts in whole_keys(rows.tables(), "node"):
                self._take(visits.whole(parts), graph, by_root)
            for some in whole_keys(by_root.tables(), "root"):
                self._take_roots(some)
        for one in self.counts:
            one.settle()
        for some in said.tables():
            what = self._said(some["program"], some["template"])
            self._ties.add(pa.table({
                "key": some["node"],
                "kind": pa.array([MESSAGE] * len(some), pa.int32()),
                "what": what,
                "time": some["time"],
            }))  # fmt: skip
        for some in whole_keys(self._ties.tables(), "key"):
            self._take_steps(some)

    def _take(self, found: pa.Table, graph: RequestGraph, by_root: SortedRows) -> None:
        """Take all visits of some requests."""
        import pyarrow.compute as pc

        found = found.sort_by(
            [("node", "ascending"), ("time", "ascending"), ("place", "ascending")]
        )
        calls = with_values(found, "target")
        route = routes(calls["target"].combine_chunks()).cast(pa.string())
        calls = calls.set_column(calls.schema.get_field_index("target"), "target", route)
        named = pa.TableGroupBy(calls, "node", use_threads=False).aggregate([
            (name, "first") for name in ("service", "method", "target")
        ])  # fmt: skip
        nodes = pa.TableGroupBy(found, "node", use_threads=False).aggregate([
            ("root", "first"), ("start", "min"), ("end", "max"), ("status", "first"),
            ("seconds", "first"), ("answer", "first"), ("error", "min"),
            ("place", "first"),
        ])  # fmt: skip
        at = pc.index_in(nodes["node"], named["node"].combine_chunks())
        labels = (named[f"{name}_first"].take(at).to_pylist()
                  for name in ("service", "method", "target"))  # fmt: skip
        own = [self._operation(*label) for label in zip(*labels, strict=True)]
        # What was done last, and the first error, may be another program's than the first.
        last = found.sort_by([("node", "ascending"), ("end", "descending")])
        last = pa.TableGroupBy(last, "node", use_threads=False).aggregate([
            ("last_place", "first"), ("last_said", "first")
        ])  # fmt: skip
        errors = with_values(found, "error").sort_by([("error", "ascending")])
        errors = pa.TableGroupBy(errors, "node", use_threads=False).aggregate([
            ("error_place", "first"), ("error_said", "first")
        ])  # fmt: skip
        at_last = last.take(pc.index_in(nodes["node"], last["node"].combine_chunks()))
        at_error = errors.take(pc.index_in(nodes["node"], errors["node"].combine_chunks()))
        owns = pa.array(own, pa.int32())
        with_id = pc.invert(pc.starts_with(nodes["node"], WITHOUT_ID))
        self._ties.add(pa.table({
            "key": nodes["node"], "own": owns, "time": nodes["start_min"],
            "place": at_last["last_place_first"], "said": at_last["last_said_first"],
            "root": nodes["root_first"],
        }).filter(pc.and_(pc.is_valid(owns), with_id)))  # fmt: skip
        by_root.add(pa.table({
            "root": nodes["root_first"], "own": owns, "start": nodes["start_min"],
            "end": nodes["end_max"],
        }).filter(pc.is_valid(nodes["root_first"])))  # fmt: skip
        columns = (nodes["node"], nodes["root_first"], nodes["status_first"],
                   nodes["seconds_first"], nodes["start_min"], nodes["end_max"],
                   nodes["answer_first"], nodes["place_first"], nodes["error_min"],
                   at_error["error_place_first"], at_error["error_said_first"])  # fmt: skip
        parents: list[tuple[str, int, int | None]] = []
        for number, (node, root, status, seconds, start, end, answer, place, *error) in zip(
            own, zip(*(column.to_pylist() for column in columns), strict=True), strict=True
        ):
            if number is not None:
                self._count(
                    self.counts[number], status, seconds, start, place, node[0] != WITHOUT_ID
                )
                caller, under, _ = node.partition(UNDER)
                parent = caller if under else graph.parent(node)
                if parent is not None:
                    parents.append((parent, number, start))
            if error[0] is not None or (number is not None and (status or 0) >= BAD):
                moment = error[0] if error[0] is not None else end
                where = answer if answer is not None else place
                self._fail(Answer(number, node, root or node, status, moment or 0, where, *error))
        self._ties.add(
            _steps(CALL, *zip(*parents, strict=True)) if parents else _TIES.empty_table()
        )
        ends = with_values(found, "last")
        at = pc.index_in(ends["node"], nodes["node"].combine_chunks())
        self._take_ends(ends, owns.take(at))
        programs = with_values(found, "program")
        known = [self._program(name) for name in programs["program"].to_pylist()]
        self._ties.add(
            _steps(PROGRAM, programs["node"].to_pylist(), known, programs["start"].to_pylist())
        )

    def _take_ends(self, visits: pa.Table, own: pa.ChunkedArray) -> None:
        """Take what programs said last in requests of known operations."""
        what = self._said(visits["program"], visits["last"])
        names = ("node", "root", "end", "last_place", "last_said")
        ties = zip(*(visits[name].to_pylist() for name in names), strict=True)
        for operation, said, tie in zip(own.to_pylist(), what.to_pylist(), ties, strict=True):
            if operation is not None and said is not None:
                self._end(Step(operation, MESSAGE, said), Tie(*tie))

    def _end(self, step: Step, tie: Tie) -> None:
        if step in self.ended or len(self.ended) < MOST_STEPS:
            self.ended[step] = self.ended.get(step, 0) + 1
            ties = self.ends.setdefault(step, [])
            ties.append(tie)
            if len(ties) > 2 * _KEPT:
                ties.sort(key=lambda one: (one.time is None, one.time, one.node))
                del ties[_KEPT:]

    def _said(self, programs: pa.ChunkedArray, templates: pa.ChunkedArray) -> pa.Array:
        """Return what was said as numbers of steps, null if there are too many."""
        import pyarrow.compute as pc

        text = pc.binary_join_element_wise(
            templates.cast(pa.string()), pc.fill_null(programs, ""), UNDER
        ).combine_chunks().dictionary_encode()  # fmt: skip
        numbers = []
        for one in text.dictionary.to_pylist():
            number = self._said_numbers.get(one)
            if number is None and len(self.said) < MOST_STEPS:
                number = self._said_numbers[one] = len(self.said)
                template, _, program = one.partition(UNDER)
                self.said.append((program, int(template)))
            numbers.append(number)
        return pa.array(numbers, pa.int32()).take(text.indices)

    def _operation(self, service: str | None, method: str | None, route: str | None) -> int | None:
        if route is None:
            return None
        name = Operation(service or "", method or "", route)
        number = self._numbers.get(name)
        if number is None:
            if len(self.names) == MOST:
                self.left_out += 1
                return None
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
            self.counts.append(Counts())
        return number

    def _program(self, name: str) -> int:
        number = self._program_numbers.setdefault(name, len(self.programs))
        if number == len(self.programs):
            self.programs.append(name)
        return number

    def _count(
        self, counts: Counts, status: int | None, seconds: float | None, start: int | None,
        place: int, named: bool,
    ) -> None:  # fmt: skip
        counts.named += named
        statuses = counts.statuses if named else counts.others
        statuses[status or 0] = statuses.get(status or 0, 0) + 1
        good = status is None or status < BAD
        if seconds is not None and good and len(counts.seconds) < MOST_TIMES:
            counts.seconds.append(seconds)
        if start is not None and (counts.first is None or (start, place) < counts.first):
            counts.first = start, place

    def _fail(self, answer: Answer) -> None:
        key = -1 if answer.operation is None else answer.operation, answer.status or 0
        self._answers[key] = self._answers.get(key, 0) + 1
        if self._answers[key] > _KEPT or len(self.failed) >= MOST_FAILURES:
            self.left_out += 1
        else:
            self.failed.append(answer)

    def _take_roots(self, rows: pa.Table) -> None:
        """Take how long all lasted that each of some requests of users set off."""
        rows = rows.sort_by([("root", "ascending"), ("start", "ascending")])
        found = pa.TableGroupBy(rows, "root", use_threads=False).aggregate([
            ("own", "first"), ("start", "min"), ("end", "max")
        ])  # fmt: skip
        columns = (found[name].to_pylist() for name in ("own_first", "start_min", "end_max"))
        for own, start, end in zip(*columns, strict=True):
            if own is None or start is None:
                continue
            whole = self.counts[own].whole
            if len(whole) < MOST_TIMES:
                whole.append((end - start) / 1e6)

    def _take_steps(self, ties: pa.Table) -> None:
        for key, counted in _counted(ties):
            if key not in self.steps and len(self.steps) == MOST_STEPS:
                self.left_out += 1
                continue
            count, offset = self.steps.get(key, (0, 0.0))
            self.steps[key] = count + counted[0], offset + counted[1]

    def lacking(self, wanted: Iterable[Step]) -> dict[Step, list[Tie]]:
        """Return for each step the requests of its operation without it, those that came first."""
        import pyarrow.compute as pc

        found: dict[Step, list[Tie]] = {step: [] for step in wanted}
        if not found:
            return found
        names = ("key", "root", "time", "place", "said")
        for some in whole_keys(self._ties.tables(), "key"):
            own = with_values(some, "own")
            for step, ties in found.items():
                mine = own.filter(pc.equal(own["own"], step.operation))
                same = pc.and_(pc.equal(some["kind"], step.kind), pc.equal(some["what"], step.what))
                have = some.filter(pc.fill_null(same, False))["key"].combine_chunks()
                mine = mine.filter(pc.invert(pc.is_in(mine["key"], have)))
                first = mine.sort_by([("time", "ascending"), ("key", "ascending")]).slice(0, _KEPT)
                ties += (
                    Tie(*row) for row in zip(*(first[n].to_pylist() for n in names), strict=True)
                )
                ties.sort(key=lambda tie: (tie.time is None, tie.time, tie.node))
                del ties[_KEPT:]
        return found


def _steps(
    kind: int, keys: Iterable[str], what: Iterable[int], times: Iterable[int | None]
) -> pa.Table:
    keys = list(keys)
    return pa.table({
        "key": pa.array(keys, pa.string()),
        "kind": pa.array([kind] * len(keys), pa.int32()),
        "what": pa.array(list(what), pa.int32()),
        "time": pa.array(list(times), pa.int64()),
    })  # fmt: skip


def _counted(ties: pa.Table) -> Iterator[tuple[Step, tuple[int, float]]]:
    """Yield the steps of some requests, of which these are all ties, counted by operation."""
    import pyarrow.compute as pc

    own = with_values(ties, "own")
    steps = with_values(ties, "kind")
    at = pc.index_in(steps["key"], own["key"].combine_chunks())
    steps = steps.set_column(1, "own", own["own"].take(at))
    began = own["time"].take(at)
    steps = steps.set_column(4, "time", pc.subtract(steps["time"], began))
    steps = with_values(steps, "own")
    each = steps.group_by(["key", "own", "kind", "what"], use_threads=False).aggregate(
        [("time", "min")]
    )
    found = each.group_by(["own", "kind", "what"], use_threads=False).aggregate(
        [([], "count_all"), ("time_min", "sum")]
    )
    names = ("own", "kind", "what", "count_all", "time_min_sum")
    for own_, kind, what, count, offset in zip(*(found[n].to_pylist() for n in names), strict=True):
        yield Step(own_, kind, what), (count, (offset or 0) / 1e6)
