"""Requests of logs that tasks read: who called whom, and what one call set off.

Who called whom is told by few records.  Tasks find these, and the driver makes of them the graph
that opslog makes alone.  With it tasks sum up what the records of each source tell of their
requests; the driver puts the sums together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import SparkSession

from opslog.correlate import servers
from opslog.correlate.graph import RequestGraph
from opslog.correlate.related import FirstReading, Relation
from opslog.correlate.relations import known_roots, tells_of_servers
from opslog.correlate.servers import Named, ServerLines
from opslog.filters.filter import Filter
from opslog.logs import PART_BYTES, Logs
from opslog.model.stats import Stats
from opslog.reading.sorted_rows import SortedRows
from opslog.rows.kept import Kept
from opslog.spark.tasks import of_whole_sources, on_parts, parts_of, refuse_unmatched
from opslog.trace.request_parts import PARTS
from opslog.trace.requests import COLUMNS, RequestSums, rows_of_sums

if TYPE_CHECKING:
    import pyarrow.compute as pc


def graph(spark: SparkSession, logs: Logs, split_bytes: int = PART_BYTES) -> RequestGraph:
    """Return which request called which, as ``Logs.graph`` does, of logs that tasks read."""
    return _surveyed(spark, logs, None, split_bytes)[0].graph


def with_requests(
    spark: SparkSession,
    logs: Logs,
    condition: pc.Expression | str | Filter,
    split_bytes: int = PART_BYTES,
) -> Logs:
    """Return every record of each request of which one record fulfils ``condition``.

    As ``Logs.with_requests`` does, but the logs are read by tasks once, at once, for who called
    whom: what is returned can be read in parts, and written by ``write_parquet``.
    """
    relation = Relation(logs._condition(condition), requests=True)
    related, _ = _surveyed(spark, logs, relation, split_bytes)
    return logs._changed(where=related.filter(logs._pass.where))


def requests(spark: SparkSession, logs: Logs, split_bytes: int = PART_BYTES) -> pa.Table:
    """Return a row for each request, as ``opslog requests`` does, of logs that tasks read.

    ``severity_number`` is an int32, as Spark has it.  The rows must fit into the driver's memory.
    Filters of the logs hold for what is summed up.
    They are read two or three times; for all but the first a source is not divided.
    """
    related, formats = _surveyed(spark, logs, None, split_bytes)
    wholes = of_whole_sources(parts_of(logs, split_bytes))
    named: Named | None = None
    if tells_of_servers(formats):
        lines = ServerLines()
        for told in on_parts(spark, wholes, _told_by_lines):
            lines.add_told(told)
        named = lines.named()
    wholes = [part._changed(where=logs._pass.where) for part in wholes]
    known, users = related.graph, False

    def summed(part: Logs) -> Iterator[tuple[pa.Table, bool]]:
        with SortedRows(PARTS, [("request_id", "ascending")]) as rows:
            sums = RequestSums(rows)
            for batch in known_roots(part._begun(), known, named, COLUMNS):
                sums.add(batch)
            sums.finish()
            for table in rows.tables():
                yield table, sums.users

    def tables() -> Iterator[pa.Table]:
        nonlocal users
        for table, some in on_parts(spark, wholes, summed):
            users = users or some
            yield table

    rows = rows_of_sums(tables(), lambda: users)
    at = rows.schema.get_field_index("severity_number")
    return rows.set_column(at, "severity_number", rows["severity_number"].cast(pa.int32()))


def _surveyed(
    spark: SparkSession, logs: Logs, relation: Relation | None, split_bytes: int
) -> tuple[FirstReading, set[str | None]]:
    """Return what records say of each other, whatever the filter, and the formats there are."""
    parts = parts_of(logs, split_bytes)
    refuse_unmatched(parts)
    related = FirstReading(RequestGraph(), relation)
    formats: set[str | None] = set()

    def survey(part: Logs) -> Iterator[Any]:
        finder, stats = FirstReading(RequestGraph(), relation), Stats()
        for found in part._begun(stats).results(finder.find, finder.columns):
            yield found, ()
        yield None, tuple(stats.formats)

    for found, some in on_parts(spark, parts, survey):
        formats.update(some)
        if found is not None:
            related.add(*found)
    related.settle()
    return related, formats


def _told_by_lines(part: Logs) -> Iterator[servers.Told]:
    lines = ServerLines()
    for batch in part._begun().results(Kept.batch, servers.COLUMNS):
        lines.add(batch)
    yield from lines.told()
