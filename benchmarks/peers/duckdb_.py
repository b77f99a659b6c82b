"""DuckDB: regular expressions over a column of lines.

    python duckdb_.py QUESTION INPUT OUTPUT [REQUEST]

QUESTION is all, severity, request, parquet, json-all or json-severity.
It runs on one thread.  A line is a row: SQL over lines in any order does not fold tracebacks.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb
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

SEVERITY_NUMBER = (
    "CASE {0} " + " ".join(f"WHEN '{w}' THEN {n}" for w, n in SEVERITIES.items()) + " END"
)
SERVICE = "CASE WHEN split_part({0}, '.', 1) IN " + f"{SERVICES} THEN split_part({{0}}, '.', 1) END"

TEXT = f"""
WITH found AS (
    SELECT regexp_extract(line, '{LINE}', {list(LINE_FIELDS)}) AS f, line
    FROM read_csv($input, columns={{'line': 'VARCHAR'}}, delim=chr(1), header=false, quote='',
                  escape='', auto_detect=false, null_padding=false, parallel=true)
    WHERE {{where}}
), split AS (
    SELECT f, line, f.time != '' AS known, string_split(f.context, ' ') AS c,
        CASE WHEN f.level = 'DEBUG'
            THEN regexp_extract(f.message, '{SUFFIX}', {list(SUFFIX_FIELDS)}) END AS s,
        CASE WHEN f.level = 'INFO' AND f.message LIKE '%" %'
            THEN regexp_extract(f.message, '{HTTP}', {list(HTTP_FIELDS)}) END AS h
    FROM found
), named AS (
    SELECT *, CASE WHEN len(c) IN (6, 8) THEN list_reverse(c) END AS r,
        nullif(CASE WHEN len(c) = 8 THEN c[1] END, 'None') AS root,
        CASE len(c) WHEN 8 THEN c[2] WHEN 6 THEN c[1] END AS request
    FROM split
)
SELECT try_cast(f.time AS TIMESTAMP) AS timestamp,
    {SEVERITY_NUMBER.format("f.level")} AS severity_number,
    nullif(f.level, '') AS severity_text,
    CASE WHEN s.function != '' THEN s.body WHEN known THEN f.message ELSE line END AS body,
    {SERVICE.format("f.logger")} AS service_name,
    try_cast(f.pid AS BIGINT) AS process_pid,
    nullif(f.logger, '') AS logger,
    request AS request_id,
    root AS global_request_id,
    replace(substr(coalesce(root, request), 5), '-', '') AS trace_id,
    nullif(CASE len(c) WHEN 8 THEN c[3] WHEN 6 THEN c[2] END, '-') AS user_id,
    nullif(CASE len(c) WHEN 8 THEN c[4] WHEN 6 THEN c[3] END, '-') AS project_id,
    nullif(CASE len(c) WHEN 8 THEN c[5] WHEN 6 THEN c[4] END, '-') AS domain_id,
    nullif(CASE len(c) WHEN 8 THEN c[6] END, '-') AS system_scope,
    nullif(r[2], '-') AS user_domain_id,
    nullif(r[1], '-') AS project_domain_id,
    CASE WHEN f.instance != '' THEN 'instance' END AS resource_type,
    nullif(f.instance, '') AS resource_id,
    nullif(h.method, '') AS http_method,
    nullif(h.target, '') AS http_target,
    try_cast(h.status AS BIGINT) AS http_status,
    try_cast(h.size AS BIGINT) AS http_response_size,
    try_cast(h.seconds AS DOUBLE) AS duration,
    nullif(h.client, '') AS client_address,
    nullif(s.file, '') AS code_file,
    try_cast(s.line AS BIGINT) AS code_line,
    nullif(s.function, '') AS code_function
FROM named
"""

JSON = f"""
SELECT to_timestamp(created) AS timestamp,
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
    replace(substr(coalesce(context.global_request_id, context.request_id), 5), '-', '')
        AS trace_id,
    context.user AS user_id,
    context.project AS project_id,
    context.domain AS domain_id,
    context.user_domain AS user_domain_id,
    context.project_domain AS project_domain_id,
    CASE WHEN extra.instance_uuid IS NOT NULL THEN 'instance' END AS resource_type,
    extra.instance_uuid AS resource_id,
    regexp_extract(traceback, '\\n(\\S+): [^\\n]*$', 1) AS exception_type,
    traceback AS exception_stacktrace,
    pathname AS code_file,
    lineno AS code_line,
    funcname AS code_function
FROM read_ndjson($input, columns={{
    'message': 'VARCHAR', 'name': 'VARCHAR', 'levelname': 'VARCHAR', 'levelno': 'INTEGER',
    'pathname': 'VARCHAR', 'lineno': 'BIGINT', 'funcname': 'VARCHAR', 'created': 'DOUBLE',
    'process': 'BIGINT', 'thread': 'BIGINT', 'traceback': 'VARCHAR', 'hostname': 'VARCHAR',
    'context': 'STRUCT(request_id VARCHAR, global_request_id VARCHAR, "user" VARCHAR,
                       project VARCHAR, "domain" VARCHAR, user_domain VARCHAR,
                       project_domain VARCHAR)',
    'extra': 'STRUCT(instance_uuid VARCHAR)'}})
WHERE {{where}}
"""


def main() -> None:
    """Read INPUT and write the rows to OUTPUT."""
    question, source, output = sys.argv[1:4]
    where = {
        "severity": f"regexp_matches(line, '{SERIOUS}')",
        "request": f"contains(line, '{sys.argv[-1]}')",
        "json-severity": "levelno >= 30",
    }.get(question, "true")
    query = (JSON if question.startswith("json") else TEXT).replace("{where}", where)
    query = query.replace("$input", f"'{source}'")
    form = "FORMAT parquet, COMPRESSION zstd" if question == "parquet" else "FORMAT json"
    settings: dict[str, Any] = {"preserve_insertion_order": "false", "threads": 1}
    with duckdb.connect(config=settings) as connection:
        connection.execute(f"COPY ({query}) TO '{output}' ({form})")


if __name__ == "__main__":
    main()
