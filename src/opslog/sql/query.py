"""A question in SQL and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pyarrow as pa

from opslog.logs import Logs
from opslog.model.errors import OpslogError
from opslog.sql.tables import tables

_ROWS = 8192
"""Rows of an answer that are handed on at a time."""


def query(logs: Logs, sql: str, unread: list[Exception] | None = None) -> pa.RecordBatchReader:
    """Return the answer to ``sql``, made as it is read; times are in UTC.

    The tables are ``records`` (the columns of opslog.schema), ``requests``, ``resources`` and
    ``events`` (notifications).  Of records only the columns that the query names are built, and
    those left out that its conditions leave out.  The query can neither read nor write a file.
    What cannot be read is added to ``unread``, if that is given, and else raised when the answer
    ends.  Raises OpslogError for SQL that DuckDB refuses, or without DuckDB.
    """
    duckdb = _duckdb()
    failed: list[Exception] = [] if unread is None else unread
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET lock_configuration = true")
    for name, table in tables(logs, failed).items():
        connection.register(name, table)
    try:
        relation = connection.sql(sql)
        if relation is None:
            raise OpslogError(
                f"sql: expected a query that has an answer, such as SELECT, found {sql!r}"
            )
        answer = relation.to_arrow_reader(_ROWS)
    except duckdb.Error as error:
        raise _refused(error) from None
    return pa.RecordBatchReader.from_batches(
        answer.schema, _batches(answer, duckdb, failed, raises=unread is None)
    )


def _batches(
    answer: Any, duckdb: Any, failed: list[Exception], raises: bool
) -> Iterator[pa.RecordBatch]:
    try:
        yield from answer
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise _refused(error) from None
    if raises and failed:
        raise failed[0]


def _refused(error: Exception) -> OpslogError:
    """Return what DuckDB said in one line, without the stack of what it called."""
    said = str(error).strip()
    if "OpslogError: " in said:
        return OpslogError(said.rpartition("OpslogError: ")[2])
    lines = said.partition("\nLINE ")[0].split("\n")
    told = "; ".join(line.strip() for line in lines if line.strip())
    return OpslogError(f"sql: expected a query that DuckDB can answer, found: {told}")


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError:
        raise OpslogError(
            "sql: expected the package duckdb, found none: pip install 'opslog[sql]'"
        ) from None
