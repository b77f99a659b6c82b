"""chDB, the engine of ClickHouse: regular expressions over a column of lines.

    python chdb_.py QUESTION INPUT OUTPUT [REQUEST]

QUESTION is all, severity, request, parquet, json-all or json-severity.
It runs on one thread.  A line is a row: SQL over lines in any order does not fold tracebacks.
"""

from __future__ import annotations

import os
import sys

import chdb
from patterns import HTTP, LINE, SERIOUS, SERVICES, SEVERITIES, SUFFIX


def quoted(pattern: str) -> str:
    """Return a pattern as a string literal of ClickHouse."""
    return "'" + pattern.replace("\\", "\\\\").replace("'", "\\'") + "'"


SEVERITY_NUMBER = (
    f"transform({{0}}, {list(SEVERITIES)}, {list(SEVERITIES.values())}, NULL)::Nullable(UInt8)"
)
SERVICE = f"if(splitByChar('.', {{0}})[1] IN {SERVICES}, splitByChar('.', {{0}})[1], NULL)"

TEXT = f"""
SELECT parseDateTime64BestEffortOrNull(f[1], 3, 'UTC') AS timestamp,
    {SEVERITY_NUMBER.format("level")} AS severity_number,
    nullIf(f[3], '') AS severity_text,
    multiIf(notEmpty(s), s[1], empty(f), line, f[7]) AS body,
    {SERVICE.format("f[4]")} AS service_name,
    toInt64OrNull(f[2]) AS process_pid,
    nullIf(f[4], '') AS logger,
    nullIf(nullIf(c[1 + shift], '-'), '') AS request_id,
    root AS global_request_id,
    replaceAll(substring(coalesce(root, request_id), 5), '-', '') AS trace_id,
    nullIf(nullIf(c[2 + shift], '-'), '') AS user_id,
    nullIf(nullIf(c[3 + shift], '-'), '') AS project_id,
    nullIf(nullIf(c[4 + shift], '-'), '') AS domain_id,
    if(shift = 1, nullIf(c[6], '-'), NULL) AS system_scope,
    nullIf(nullIf(c[5 + 2 * shift], '-'), '') AS user_domain_id,
    nullIf(nullIf(c[6 + 2 * shift], '-'), '') AS project_domain_id,
    if(f[6] != '', 'instance', NULL) AS resource_type,
    nullIf(f[6], '') AS resource_id,
    nullIf(h[2], '') AS http_method,
    nullIf(h[3], '') AS http_target,
    toInt64OrNull(h[4]) AS http_status,
    toInt64OrNull(h[5]) AS http_response_size,
    toFloat64OrNull(h[6]) AS duration,
    nullIf(h[1], '') AS client_address,
    nullIf(s[3], '') AS code_file,
    toInt64OrNull(s[4]) AS code_line,
    nullIf(s[2], '') AS code_function
FROM (
    SELECT line, extractGroups(line, {quoted(LINE)}) AS f, f[3] AS level,
        splitByChar(' ', f[5]) AS c,
        toUInt8(length(c) = 8) AS shift,
        if(shift = 1, nullIf(c[1], 'None'), NULL) AS root,
        if(level = 'DEBUG', extractGroups(f[7], {quoted(SUFFIX)}), []) AS s,
        if(level = 'INFO' AND position(f[7], '" ') > 0, extractGroups(f[7], {quoted(HTTP)}), [])
            AS h
    FROM file('$input', 'LineAsString', 'line String')
    WHERE $where
)
"""

_STRINGS = ", ".join(
    f"{name} Nullable(String)"
    for name in ("request_id", "global_request_id", "user", "project", "domain", "user_domain",
                 "project_domain")
)  # fmt: skip
JSON = f"""
SELECT fromUnixTimestamp64Micro(toInt64(created * 1e6), 'UTC') AS timestamp,
    {SEVERITY_NUMBER.format("levelname")} AS severity_number,
    levelname AS severity_text,
    message AS body,
    {SERVICE.format("name")} AS service_name,
    hostname AS host_name,
    process AS process_pid,
    thread AS thread_id,
    name AS logger,
    context.request_id AS request_id,
    context.global_request_id AS global_request_id,
    replaceAll(substring(coalesce(context.global_request_id, context.request_id), 5), '-', '')
        AS trace_id,
    context.user AS user_id,
    context.project AS project_id,
    context.domain AS domain_id,
    context.user_domain AS user_domain_id,
    context.project_domain AS project_domain_id,
    if(extra.instance_uuid IS NULL, NULL, 'instance') AS resource_type,
    extra.instance_uuid AS resource_id,
    nullIf(extract(coalesce(traceback, ''), '\\\\n(\\\\S+): [^\\\\n]*$'), '') AS exception_type,
    traceback AS exception_stacktrace,
    pathname AS code_file,
    lineno AS code_line,
    funcname AS code_function
FROM file('$input', 'JSONEachRow', 'message String, name String, levelname String, levelno UInt8,
    pathname String, lineno Int64, funcname String, created Float64, process Int64, thread Int64,
    traceback Nullable(String), hostname String, context Tuple({_STRINGS}),
    extra Tuple(instance_uuid Nullable(String))')
WHERE $where
"""


def main() -> None:
    """Read INPUT and write the rows to OUTPUT."""
    question, source, output = sys.argv[1:4]
    where = {
        "severity": f"match(line, {quoted(SERIOUS)})",
        "request": f"position(line, '{sys.argv[-1]}') > 0",
        "json-severity": "levelno >= 30",
    }.get(question, "1")
    query = (JSON if question.startswith("json") else TEXT).replace("$where", where)
    query = query.replace("$input", os.path.abspath(source))
    form = "Parquet" if question == "parquet" else "JSONEachRow"
    settings = (
        "engine_file_truncate_on_insert = 1, output_format_json_escape_forward_slashes = 0, "
        "output_format_parquet_compression_method = 'zstd', max_threads = 1"
    )
    target = f"INSERT INTO FUNCTION file('{os.path.abspath(output)}', '{form}')"
    chdb.query(f"{target} {query} SETTINGS {settings}")  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
