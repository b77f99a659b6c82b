"""Polars: regular expressions over a column of lines, streamed.

    python polars_.py QUESTION INPUT OUTPUT [REQUEST]

QUESTION is all, severity, request, parquet, json-all or json-severity.
POLARS_MAX_THREADS=1 gives it one thread.  A line is a row: its streaming engine
does not fold tracebacks between whose lines others stand.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import polars as pl
from patterns import (
    HTTP,
    HTTP_FIELDS,
    LINE,
    LINE_FIELDS,
    SERIOUS,
    SERVICES,
    SEVERITIES,
    SUFFIX,
    SUFFIX_FIELDS,
)

ID = pl.String
JSON_SCHEMA: dict[str, Any] = {
    "message": pl.String, "name": pl.String, "levelname": pl.String, "levelno": pl.Int64,
    "pathname": pl.String, "lineno": pl.Int64, "funcname": pl.String, "created": pl.Float64,
    "process": pl.Int64, "thread": pl.Int64, "traceback": pl.String, "hostname": pl.String,
    "context": pl.Struct({
        "request_id": ID, "global_request_id": ID, "user": ID, "project": ID, "domain": ID,
        "user_domain": ID, "project_domain": ID,
    }),
    "extra": pl.Struct({"instance_uuid": ID}),
}  # fmt: skip


def groups(column: str, pattern: str, names: tuple[str, ...]) -> pl.Expr:
    """Return the pattern's groups as fields ``names`` of a struct."""
    named = pattern
    for name in names:
        named = re.sub(r"(?<!\\)\((?!\?)", f"(?P<{name}>", named, count=1)
    return pl.col(column).str.extract_groups(named)


def severity(word: pl.Expr) -> pl.Expr:
    """Return the severity number of a level word."""
    return word.replace_strict(SEVERITIES, default=None, return_dtype=pl.UInt8)


def service(logger: pl.Expr) -> pl.Expr:
    """Return the service a logger belongs to."""
    first = logger.str.extract(r"^(\w+)")
    return pl.when(first.is_in(SERVICES)).then(first)


def known(value: pl.Expr) -> pl.Expr:
    """Return null for what oslo.log prints where it has no value."""
    return pl.when((value != "-") & (value != "None")).then(value)


def trace(root: pl.Expr, request: pl.Expr) -> pl.Expr:
    """Return the 32 hex digits of a request id."""
    return pl.coalesce(root, request).str.slice(4).str.replace_all("-", "", literal=True)


def text(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Return the columns of the lines of a text log."""
    column = pl.col
    split = lines.with_columns(groups("line", LINE, LINE_FIELDS).alias("f")).unnest("f")
    split = split.with_columns(
        column("context").str.split(" ").alias("c"),
        pl.when(column("level") == "DEBUG")
        .then(groups("message", SUFFIX, SUFFIX_FIELDS)).alias("s"),
        pl.when((column("level") == "INFO") & column("message").str.contains('" ', literal=True))
        .then(groups("message", HTTP, HTTP_FIELDS)).alias("h"),
    )  # fmt: skip
    c, count = column("c").list, column("c").list.len()
    shift = pl.when(count == 8).then(1).when(count == 6).then(0)

    def identity(place: int) -> pl.Expr:
        return known(c.get(shift + place, null_on_oob=True))

    root = known(pl.when(count == 8).then(c.get(0, null_on_oob=True)))
    request = identity(0)
    s, h = column("s").struct, column("h").struct
    return split.select(
        column("time").str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", strict=False).alias("timestamp"),
        severity(column("level")).alias("severity_number"),
        column("level").alias("severity_text"),
        pl.coalesce(s.field("body"), "message", "line").alias("body"),
        service(column("logger")).alias("service_name"),
        column("pid").cast(pl.Int64).alias("process_pid"),
        column("logger"),
        request.alias("request_id"),
        root.alias("global_request_id"),
        trace(root, request).alias("trace_id"),
        identity(1).alias("user_id"),
        identity(2).alias("project_id"),
        identity(3).alias("domain_id"),
        known(pl.when(count == 8).then(c.get(5, null_on_oob=True))).alias("system_scope"),
        known(c.get(shift * 2 + 4, null_on_oob=True)).alias("user_domain_id"),
        known(c.get(shift * 2 + 5, null_on_oob=True)).alias("project_domain_id"),
        pl.when(column("instance").is_not_null()).then(pl.lit("instance")).alias("resource_type"),
        column("instance").alias("resource_id"),
        h.field("method").alias("http_method"),
        h.field("target").alias("http_target"),
        h.field("status").cast(pl.Int64).alias("http_status"),
        h.field("size").cast(pl.Int64).alias("http_response_size"),
        h.field("seconds").cast(pl.Float64).alias("duration"),
        h.field("client").alias("client_address"),
        s.field("file").alias("code_file"),
        s.field("line").cast(pl.Int64).alias("code_line"),
        s.field("function").alias("code_function"),
    )


def json(objects: pl.LazyFrame) -> pl.LazyFrame:
    """Return the columns of the objects of a JSON log."""
    column, context = pl.col, pl.col("context").struct
    root, request = context.field("global_request_id"), context.field("request_id")
    return objects.select(
        pl.from_epoch((column("created") * 1e6).cast(pl.Int64), "us").alias("timestamp"),
        severity(column("levelname")).alias("severity_number"),
        column("levelname").alias("severity_text"),
        column("message").alias("body"),
        service(column("name")).alias("service_name"),
        column("hostname").alias("host_name"),
        column("process").alias("process_pid"),
        column("thread").alias("thread_id"),
        column("name").alias("logger"),
        request.alias("request_id"),
        root.alias("global_request_id"),
        trace(root, request).alias("trace_id"),
        context.field("user").alias("user_id"),
        context.field("project").alias("project_id"),
        context.field("domain").alias("domain_id"),
        context.field("user_domain").alias("user_domain_id"),
        context.field("project_domain").alias("project_domain_id"),
        pl.when(column("extra").struct.field("instance_uuid").is_not_null())
        .then(pl.lit("instance"))
        .alias("resource_type"),
        column("extra").struct.field("instance_uuid").alias("resource_id"),
        column("traceback").str.extract(r"\n(\S+): [^\n]*$").alias("exception_type"),
        column("traceback").alias("exception_stacktrace"),
        column("pathname").alias("code_file"),
        column("lineno").alias("code_line"),
        column("funcname").alias("code_function"),
    )


def main() -> None:
    """Read INPUT and write the rows to OUTPUT."""
    question, source, output = sys.argv[1:4]
    if question.startswith("json"):
        objects = pl.scan_ndjson(source, schema=JSON_SCHEMA, low_memory=True)
        if question == "json-severity":
            objects = objects.filter(pl.col("levelno") >= 30)
        rows = json(objects)
    else:
        lines = pl.scan_lines(source, name="line")
        if question == "severity":
            lines = lines.filter(pl.col("line").str.contains(SERIOUS))
        elif question == "request":
            lines = lines.filter(pl.col("line").str.contains(sys.argv[4], literal=True))
        rows = text(lines)
    if question == "parquet":
        rows.sink_parquet(output, compression="zstd")
    else:
        rows.sink_ndjson(output)


if __name__ == "__main__":
    main()
