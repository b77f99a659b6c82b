"""Tables that DuckDB asks: each is read, or made from the logs, when a query first needs it.

DuckDB takes a dataset of pyarrow and asks it for columns and a condition, so a subclass that
gives both to opslog reads only what a query needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from opslog.events import Notification, batch_of_rows, event_rows
from opslog.inputs.paths import STDIN
from opslog.logs import Logs
from opslog.model import schema
from opslog.model.errors import OpslogError, SourceError, SourceErrors
from opslog.trace.request_rows import SCHEMA as REQUESTS
from opslog.trace.requests import requests
from opslog.trace.resources import SCHEMA as RESOURCES
from opslog.trace.resources import resources

_EVENTS = 4096
"""Events that become a batch."""

Rows = Callable[[Sequence[str], pc.Expression | None], Iterator[pa.RecordBatch]]
"""Yields the columns of these names, of rows that may fulfil the condition, if there is one."""


class Table(ds.Dataset):  # type: ignore[misc]
    """A table of ``columns``, whose ``rows`` are read anew by each scan."""

    def __init__(self, columns: pa.Schema, rows: Rows, unread: list[Exception]) -> None:
        self._columns, self._rows, self._unread = columns, rows, unread

    @property
    def schema(self) -> pa.Schema:
        """The columns there are."""
        return self._columns

    def scanner(
        self,
        columns: Sequence[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002  # as pyarrow calls it
        **options: Any,
    ) -> ds.Scanner:
        """Return what gives the columns of the rows for which ``filter`` is true."""
        wanted = self._columns.names if columns is None else list(columns)
        read = pa.schema([self._columns.field(name) for name in wanted])
        return ds.Scanner.from_batches(self._told(wanted, filter), schema=read)

    def _told(
        self, wanted: Sequence[str], condition: pc.Expression | None
    ) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._rows(wanted, condition)
        except SourceErrors as group:
            self._unread.extend(group.exceptions)
        except SourceError as error:
            self._unread.append(error)


def tables(logs: Logs, unread: list[Exception]) -> dict[str, Table]:
    """Return the tables of some logs; what cannot be read while one is scanned joins ``unread``."""
    once = _Once(logs)
    made: dict[str, tuple[pa.Schema, Rows]] = {
        "records": (schema.arrow_schema(), partial(_records, once)),
        "requests": (REQUESTS, partial(_made, lambda: requests(once(), unread=unread))),
        "resources": (RESOURCES, partial(_made, lambda: resources(once(), unread=unread))),
        "events": (batch_of_rows([], Notification).schema, partial(_events, once)),
    }
    return {name: Table(columns, rows, unread) for name, (columns, rows) in made.items()}


class _Once:
    """Gives logs, but those of a pipe only once."""

    def __init__(self, logs: Logs) -> None:
        self._logs, self._given = logs, False

    def __call__(self) -> Logs:
        streams = self._logs._begun().sources.readable_once()
        if streams and self._given:
            name = "standard input" if streams[0] == STDIN else streams[0]
            raise OpslogError(
                f"sql: {name} can be read only once, and this query reads it again: write it to "
                "a file first"
            )
        self._given = True
        return self._logs


def _records(
    once: _Once, wanted: Sequence[str], condition: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    logs = once()
    yield from (logs if condition is None else logs.filter(condition)).batches(wanted)


def _made(
    make: Callable[[], pa.Table], wanted: Sequence[str], condition: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    table = make()
    table = table if condition is None else table.filter(condition)
    yield from table.select(list(wanted)).to_batches()


def _events(
    once: _Once, wanted: Sequence[str], condition: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    told = (row for row in event_rows(once()) if isinstance(row, Notification))
    while some := list(islice(told, _EVENTS)):
        batch = batch_of_rows(some, Notification)
        yield from _made(partial(pa.Table.from_batches, [batch]), wanted, condition)
