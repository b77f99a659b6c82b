"""All requests of some logs: one row for what one call set off, in whatever services."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from opslog.correlate import contexts
from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.roots import HEAD
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.stats import Stats
from opslog.reading.groups import MOST, Groups, readable, with_values
from opslog.reading.sorted_rows import Order, SortedRows, whole_keys
from opslog.trace.request_parts import ORDER, PARTS, TOLD, WAYS, records_and_calls
from opslog.trace.request_rows import LIKELY, SCHEMA, rows_of, with_likely_callers

if TYPE_CHECKING:
    import pyarrow.compute as pc

_ORDER_OF_ROWS = (("start", "ascending"), ("request_id", "ascending"))
"""The order of rows whose sort keys are equal."""

COLUMNS = tuple(dict.fromkeys((
    "timestamp", "service_name", "severity_number", "request_id", "global_request_id",
    "root_request_id", HEAD, "user_id", "user_name", "project_id", "project_name",
    "program", "logger", "duration", "format", "http_method", "http_target", "http_status",
    *contexts.COLUMNS,
)))  # fmt: skip
"""The columns of records that tell of requests."""

_IDS = 64
"""Bytes of memory by which the ids of wanted requests are counted."""


def requests(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    unread: list[Exception] | None = None,
) -> pa.Table:
    """Return a row (SCHEMA) for each request, in the order they began; they must fit into memory.

    With a condition those of which one record fulfils it; they are told by all of
    their records.  ``user`` and ``project`` are ids, or names where only those are
    logged; the call is that of the API that was called first; the duration of a
    task that goes on is null.  The logs are read twice.  What cannot be read is
    raised, or added to ``unread`` if that is given: then the rows tell of the rest.
    """
    with sorted_requests(logs, condition, unread=unread) as rows:
        return rows.table()


def sorted_requests(
    logs: Logs,
    condition: pc.Expression | str | Filter | None = None,
    order: Order = (),
    unread: list[Exception] | None = None,
    stats: Stats | None = None,
    most: int = MOST,
    guess: bool = False,
) -> SortedRows:
    """Return the same rows in ``order``, then in the order they began, however many there are.

    Memory holds a few times ``most`` bytes; the rest lies in temporary files until the rows
    are closed.  With ``guess`` they have the columns LIKELY, must fit into memory, and the logs
    are read once more.  ``stats`` counts what is read; a called request that is ``forgotten`` may
    have a row of its own.  Raises SinkError if a temporary file cannot be written.
    """
    with SortedRows(PARTS, [("request_id", "ascending")], most) as parts:
        logs = replace(logs, _root=True, _servers=True)._changed(merge=False, follow=None)
        columns, wanted_records = COLUMNS, None
        graph = logs.graph() if guess else None
        chosen = False

        def choose(ids: list[str]) -> None:
            nonlocal chosen
            chosen = True
            wanted = [pa.array(ids, pa.string()), pa.repeat(True, len(ids))]
            parts.add(pa.table(wanted, ["request_id", "wanted"]))

        if condition is not None:
            logs = logs.with_requests(condition)
            assert logs._relation is not None
            relation = replace(logs._relation, many=choose, most=most // _IDS)
            logs = replace(logs, _relation=relation)
            if logs._pass.where is None:
                wanted_records = relation.condition
                columns = tuple(dict.fromkeys((*COLUMNS, *wanted_records.columns)))
        sums = RequestSums(parts, wanted_records, most)
        for batch in readable(logs._batches(columns, logs._begun(stats)), unread):
            sums.add(batch)
        sums.finish()
        if stats is not None:
            stats.leave_out("contexts", sums.forgotten)
        tables = whole_keys(parts.tables(), "request_id")
        if chosen:
            tables = map(_chosen_parts, tables)
        found = map(sums.rows, tables)
        order = (*order, *_ORDER_OF_ROWS)
        if graph is None:
            return SortedRows.of(found, SCHEMA, order, most)
        rows = pa.concat_tables([SCHEMA.empty_table(), *found])
        return SortedRows.of([with_likely_callers(rows, graph, stats)], LIKELY, order, most)


class RequestSums:
    """Sums up what records tell of their requests, and puts the sums into ``parts`` (PARTS).

    It is shown all records (COLUMNS, with roots), those of a source in their order.  Sums of the
    same may come several times: ``rows`` takes all of some requests.
    """

    def __init__(self, parts: SortedRows, wanted: Filter | None = None, most: int = MOST) -> None:
        self.users = False
        """Whether records name users or projects."""
        self._by_service = Groups(("request_id", "head", "service"), WAYS, parts, most=most)
        self._calls = Groups(("request_id", "head", "id", "service"), TOLD, parts, ORDER, most)
        self._owned = OwnedRecords()
        self._wanted = wanted

    def add(self, batch: pa.RecordBatch) -> None:
        """Take records."""
        records, answers = records_and_calls(batch, self._owned, self._wanted)
        self._by_service.add(records)
        self._calls.add(answers)
        self.users = self.users or _named(records)

    @property
    def forgotten(self) -> int:
        """How many processes it was forgotten of that a request of theirs has ended."""
        return self._owned.forgotten

    def finish(self) -> None:
        """Put all sums into ``parts``."""
        self._by_service.finish()
        self._calls.finish()

    def rows(self, parts: pa.Table) -> pa.Table:
        """Return the rows (SCHEMA) of requests of which these are all sums."""
        return rows_of(
            self._by_service.again(with_values(parts, "records")),
            self._calls.again(with_values(parts, "began")),
            self.users,
        )


def rows_of_sums(sums: Iterable[pa.Table], users: Callable[[], bool], most: int = MOST) -> pa.Table:
    """Return the rows of requests, in the order they began, of sums from elsewhere.

    Those of each source come in the order of sources.  ``users``, asked when all have come:
    whether records name users.  The rows must fit into memory, the sums need not.
    """
    with SortedRows(PARTS, [("request_id", "ascending")], most) as parts:
        for table in sums:
            parts.add(table)
        together = RequestSums(parts, most=most)
        together.users = users()
        found = map(together.rows, whole_keys(parts.tables(), "request_id"))
        with SortedRows.of(found, SCHEMA, _ORDER_OF_ROWS, most) as rows:
            return rows.table()


def _chosen_parts(parts: pa.Table) -> pa.Table:
    """Return the parts of the wanted requests."""
    import pyarrow.compute as pc

    ids = with_values(parts, "wanted")["request_id"].combine_chunks()
    return parts.filter(pc.is_in(parts["request_id"], ids))


def _named(records: pa.Table) -> bool:
    """Return whether some records name a user or project."""
    return any(records[name].null_count < len(records) for name in ("user", "project"))
