"""DataFusion: functions over the words of a column of lines.

    python datafusion_.py QUESTION INPUT OUTPUT [REQUEST]

QUESTION is all, severity, request, parquet, json-all or json-severity.
TOKIO_WORKER_THREADS=1 gives it one thread.  A line is a row: SQL over lines in any order does
not fold tracebacks.  Words are cut at blanks: that costs a fourth of what a pattern with groups
does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from datafusion import SessionConfig, SessionContext
from patterns import HTTP, SERIOUS, SERVICES, SEVERITIES

HEAD = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ [A-Z]+ \S+ "
"""What every prefixed line begins with."""

SUFFIX = r" (\S+) (/\S+):(\d+)$"
"""The place that logged a message at DEBUG."""

SEVERITY_NUMBER = (
    "CASE {0} " + " ".join(f"WHEN '{w}' THEN {n}" for w, n in SEVERITIES.items()) + " END"
)
SERVICE = "CASE WHEN split_part({0}, '.', 1) IN " + f"{SERVICES} THEN split_part({{0}}, '.', 1) END"

LINES = """
CREATE EXTERNAL TABLE log (line VARCHAR) STORED AS CSV LOCATION '{source}' OPTIONS (
    'format.has_header' 'false', 'format.delimiter' '\x01', 'format.quote' '\x02',
    'format.terminator' '\n')
"""
"""A table of lines: neither byte occurs in the log."""

TEXT = f"""
WITH words AS (
    SELECT line, known,
        CASE WHEN known THEN split_part(line, ' ', 3) END AS pid,
        CASE WHEN known THEN split_part(line, ' ', 4) END AS level,
        CASE WHEN known THEN split_part(line, ' ', 5) END AS logger
    FROM (SELECT line, line ~ '{HEAD}' AS known FROM log WHERE {{where}})
), heads AS (
    SELECT *, substr(line, 28 + length(pid) + length(level) + length(logger)) AS rest FROM words
), contexts AS (
    SELECT *, CASE WHEN starts_with(rest, '[-] ') THEN '-'
        WHEN starts_with(rest, '[req-') OR starts_with(rest, '[None ')
        THEN split_part(substr(rest, 2), '] ', 1) END AS context
    FROM heads
), follows AS (
    SELECT *, CASE WHEN context IS NULL THEN rest ELSE substr(rest, 4 + length(context)) END
            AS follow,
        CASE WHEN context LIKE '% %' THEN string_to_array(context, ' ') END AS c
    FROM contexts
), instances AS (
    SELECT *, array_length(c) = 8 AS long,
        CASE WHEN starts_with(follow, '[instance: ')
            THEN split_part(substr(follow, 12), '] ', 1) END AS instance
    FROM follows
), messages AS (
    SELECT *, CASE WHEN instance IS NULL THEN follow ELSE substr(follow, 14 + length(instance)) END
            AS message,
        CASE WHEN long THEN nullif(c[1], 'None') END AS root,
        CASE WHEN long THEN c[2] ELSE c[1] END AS request
    FROM instances
), split AS (
    SELECT *, CASE WHEN level = 'DEBUG' THEN regexp_match(message, '{SUFFIX}') END AS s,
        CASE WHEN level = 'INFO' AND contains(message, '" ')
            THEN regexp_match(message, '{HTTP}') END AS h
    FROM messages
)
SELECT CAST(CASE WHEN known THEN left(line, 23) END AS TIMESTAMP) AS timestamp,
    {SEVERITY_NUMBER.format("level")} AS severity_number,
    level AS severity_text,
    CASE WHEN s IS NOT NULL
        THEN left(message, length(message) - length(s[1]) - length(s[2]) - length(s[3]) - 3)
        ELSE coalesce(message, line) END AS body,
    {SERVICE.format("logger")} AS service_name,
    CAST(pid AS BIGINT) AS process_pid,
    logger,
    nullif(request, '-') AS request_id,
    root AS global_request_id,
    replace(substr(coalesce(root, request), 5), '-', '') AS trace_id,
    nullif(CASE WHEN long THEN c[3] ELSE c[2] END, '-') AS user_id,
    nullif(CASE WHEN long THEN c[4] ELSE c[3] END, '-') AS project_id,
    nullif(CASE WHEN long THEN c[5] ELSE c[4] END, '-') AS domain_id,
    nullif(CASE WHEN long THEN c[6] END, '-') AS system_scope,
    nullif(c[-2], '-') AS user_domain_id,
    nullif(c[-1], '-') AS project_domain_id,
    CASE WHEN instance IS NOT NULL THEN 'instance' END AS resource_type,
    instance AS resource_id,
    h[2] AS http_method,
    h[3] AS http_target,
    CAST(h[4] AS BIGINT) AS http_status,
    CAST(h[5] AS BIGINT) AS http_response_size,
    CAST(h[6] AS DOUBLE) AS duration,
    h[1] AS client_address,
    s[2] AS code_file,
    CAST(s[3] AS BIGINT) AS code_line,
    s[1] AS code_function
FROM split
"""

OBJECTS = """
CREATE EXTERNAL TABLE log (
    message VARCHAR, name VARCHAR, levelname VARCHAR, levelno BIGINT, pathname VARCHAR,
    lineno BIGINT, funcname VARCHAR, created DOUBLE, process BIGINT, thread BIGINT,
    traceback VARCHAR, hostname VARCHAR,
    context STRUCT<request_id VARCHAR, global_request_id VARCHAR, "user" VARCHAR, project VARCHAR,
        "domain" VARCHAR, user_domain VARCHAR, project_domain VARCHAR>,
    extra STRUCT<instance_uuid VARCHAR>
) STORED AS JSON LOCATION '{source}'
"""

JSON = f"""
SELECT to_timestamp_micros(CAST(created * 1e6 AS BIGINT)) AS timestamp,
    {SEVERITY_NUMBER.format("levelname")} AS severity_number,
    levelname AS severity_text,
    message AS body,
    {SERVICE.format("name")} AS service_name,
    hostname AS host_name,
    process AS process_pid,
    thread AS thread_id,
    name AS logger,
    context['request_id'] AS request_id,
    context['global_request_id'] AS global_request_id,
    replace(substr(coalesce(context['global_request_id'], context['request_id']), 5), '-', '')
        AS trace_id,
    context['user'] AS user_id,
    context['project'] AS project_id,
    context['domain'] AS domain_id,
    context['user_domain'] AS user_domain_id,
    context['project_domain'] AS project_domain_id,
    CASE WHEN extra['instance_uuid'] IS NOT NULL THEN 'instance' END AS resource_type,
    extra['instance_uuid'] AS resource_id,
    regexp_match(traceback, '\\n(\\S+): [^\\n]*$')[1] AS exception_type,
    traceback AS exception_stacktrace,
    pathname AS code_file,
    lineno AS code_line,
    funcname AS code_function
FROM log
WHERE {{where}}
"""


def main() -> None:
    """Read INPUT and write the rows to OUTPUT."""
    question, source, output = sys.argv[1:4]
    where = {
        "severity": f"line ~ '{SERIOUS}'",
        "request": f"contains(line, '{sys.argv[-1]}')",
        "json-severity": "levelno >= 30",
    }.get(question, "true")
    table, query = (OBJECTS, JSON) if question.startswith("json") else (LINES, TEXT)
    query = query.replace("{where}", where)
    form = "PARQUET OPTIONS ('format.compression' 'zstd(3)')" if question == "parquet" else "JSON"
    context = SessionContext(SessionConfig().with_target_partitions(1))
    context.sql(table.replace("{source}", source))
    with tempfile.TemporaryDirectory() as folder:
        # It renames what it wrote to its place, so would put a file where /dev/null was.
        target = f"{folder}/answer.jsonl" if Path(output).is_char_device() else output
        context.sql(f"COPY ({query}) TO '{target}' STORED AS {form}").collect()


if __name__ == "__main__":
    main()
