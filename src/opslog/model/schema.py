"""The columns of a record: the only place that lists them.

OpenTelemetry's log data model, flat, in snake_case.  Everything that shows
columns (Arrow schema, JSON lines, docs, filters) is made from ``COLUMNS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "1"
"""Version of the columns' names and meanings; written into Parquet and Arrow files."""

Kind = Literal["timestamp", "uint8", "int64", "float64", "string", "dictionary", "map", "binary"]


@cache
def arrow_types() -> dict[Kind, pa.DataType]:
    """Return the Arrow type of each kind."""
    import pyarrow as pa  # the build knows columns, but has no Arrow

    return {
        "timestamp": pa.timestamp("us", tz="UTC"),
        "uint8": pa.uint8(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "string": pa.string(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "map": pa.map_(pa.string(), pa.string()),
        "binary": pa.binary(),
    }


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the record table."""

    name: str
    kind: Kind
    meaning: str
    context: bool = False
    """In a context column ``-``, ``None`` and the empty string are null."""

    @property
    def type(self) -> pa.DataType:
        """The Arrow type."""
        return arrow_types()[self.kind]


COLUMNS: tuple[Column, ...] = (
    Column("timestamp", "timestamp", "event time, UTC, microseconds; null if the line has none"),
    Column("severity_number", "uint8", "OpenTelemetry SeverityNumber 1-24; null if unknown"),
    Column("severity_text", "dictionary", "the source's own word for the level, untouched"),
    Column(
        "body",
        "string",
        "the message without prefix and debug suffix, follow-on lines joined with a newline, "
        "traceback and stack lines excluded; null if only a traceback was found",
    ),
    Column("service_name", "dictionary", "nova, neutron, ...: from logger, program or file name"),
    Column("program", "dictionary", "nova-compute, ...: from the line or the file name", True),
    Column(
        "host_name", "dictionary", "host the record was written on: from the line or the path", True
    ),
    Column("process_pid", "int64", "process id as printed"),
    Column("thread_id", "int64", "thread id as printed"),
    Column("logger", "dictionary", "Python logger or module (OpenTelemetry scope name)", True),
    Column("request_id", "string", "id of the request at this service, as written", True),
    Column("global_request_id", "string", "id of the request that caused it, as written", True),
    Column(
        "trace_id",
        "string",
        "32 hex digits: the UUID in global_request_id, else in request_id, if it is req-UUID",
    ),
    Column(
        "root_request_id",
        "string",
        "id of the request that began it all, whose UUID is then in trace_id (on request)",
    ),
    Column("user_id", "dictionary", "id of the acting user", True),
    Column("project_id", "dictionary", "id of the project (tenant) acted in", True),
    Column("domain_id", "dictionary", "id of the domain the token is scoped to", True),
    Column("system_scope", "dictionary", "system scope of the token (`all` or null)", True),
    Column("user_domain_id", "dictionary", "id of the domain that owns the user", True),
    Column("project_domain_id", "dictionary", "id of the domain that owns the project", True),
    Column("user_name", "dictionary", "name of the acting user, where names are logged", True),
    Column("project_name", "dictionary", "name of the project, where names are logged", True),
    Column("resource_type", "dictionary", "instance, volume, ...: what resource_id names", True),
    Column("resource_id", "string", "id of the resource the line is about", True),
    Column(
        "exception_type",
        "string",
        "type, as printed, of the exception finally raised; null without a traceback",
    ),
    Column("exception_message", "string", "str() of that exception; '' if it is empty"),
    Column("exception_stacktrace", "string", "the whole traceback and stack, lines joined by \\n"),
    Column(
        "fingerprint",
        "dictionary",
        "id of what it says but for its values, the same in every run and form: of severity, "
        "service, logger, the message's template, the exception's type, the traceback's files and "
        "functions and what it raised (on request)",
    ),
    Column("http_method", "dictionary", "method of the HTTP request a message reports"),
    Column("http_target", "string", "path and query of that request, as written"),
    Column("http_status", "int64", "status code of its response"),
    Column("http_response_size", "int64", "bytes of its response"),
    Column("duration", "float64", "seconds it took"),
    Column("client_address", "string", "its client address or list of addresses, as written", True),
    Column("code_file", "dictionary", "source file of the log call"),
    Column("code_line", "int64", "line in code_file"),
    Column("code_function", "dictionary", "function of the log call"),
    Column(
        "attributes",
        "map",
        "every other value the format names; `incomplete` marks what is damaged, "
        "`timestamp_ambiguous` a local time that comes twice or never, `attributes_left_out` how "
        "many were too many; empty, never null",
    ),
    Column("format", "dictionary", "name of the recognising format; null if none did"),
    Column("source", "dictionary", "file the record stands in; `-` is standard input"),
    Column("source_offset", "int64", "byte offset of its first byte in the decompressed source"),
    Column("original", "binary", "the record's lines as read, line ends included (on request)"),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}

NAMING = frozenset(
    [
        "host_name", "node_name", "service_name", "peer_service", "program", "logger",
        "resource_type", "process_name", "thread_name", "container_name", "tag", "log_alias",
        "log_file_name",
    ]
)  # fmt: skip
"""Columns and attributes that name something: a level word in a line is no value of them."""


def names(original: bool = False, root: bool = False) -> tuple[str, ...]:
    """Return the column names in order, with ``original`` and ``root_request_id`` if asked for."""
    left_out = {"original": not original, "root_request_id": not root, "fingerprint": True}
    return tuple(c.name for c in COLUMNS if not left_out.get(c.name, False))


def arrow_schema(original: bool = False, root: bool = False) -> pa.Schema:
    """Return the Arrow schema of record batches; every field is nullable."""
    import pyarrow as pa

    return pa.schema([pa.field(name, BY_NAME[name].type) for name in names(original, root)])
