"""What is asked of every candidate, and the command each answers it with.

In a command {input} is the log, {output} where the answer goes, {request} a
request id, {python} the interpreter and {peers} the folder of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_OPSLOG = "{python} -m opslog filter --threads 1 {input}"
_LNAV = (
    "lnav -n -q -c ';SELECT log_time, log_level, logger, pid, tid, log_body "
    "FROM openstack_log{where}' -c ':write-jsonlines-to {output}' {input}"
)
_SERIOUS = "' (WARNING|ERROR|CRITICAL) '"
_MILLER = "env GOMAXPROCS=1 mlr -S --inidx --ifs ascii_soh --ojsonl"
_MILLER_JSON = "env GOMAXPROCS=1 mlr --ijsonl --ojsonl"
_MILLER_SERIOUS = (
    """filter 'ssub($1, " WARNING ", "") != $1 || ssub($1, " ERROR ", "") != $1 """
    """|| ssub($1, " CRITICAL ", "") != $1' """
    """then filter '$1 =~ "^[^ ]+ [^ ]+ [0-9]+ (?:WARNING|ERROR|CRITICAL) "'"""
)
"""It takes out words many times sooner than it matches a pattern."""


@dataclass(frozen=True)
class Question:
    """One thing to do with a log."""

    name: str
    title: str
    corpus: Literal["text", "json", "docker", "journal", "mixed"]
    suffix: Literal["jsonl", "parquet"]
    expects: Literal["records", "warnings", "request_records"]
    """The number of the truth that the answer must have."""
    commands: dict[str, str]


def _engines(question: str, request: str = "") -> dict[str, str]:
    """Return the commands of the table engines, on one thread."""
    asked = f"{question} {{input}} {{output}}{request}"
    return {
        "polars": f"env POLARS_MAX_THREADS=1 {{python}} {{peers}}/polars_.py {asked}",
        "duckdb": f"{{python}} {{peers}}/duckdb_.py {asked}",
        "chdb": f"{{python}} {{peers}}/chdb_.py {asked}",
        "datafusion": f"env TOKIO_WORKER_THREADS=1 {{python}} {{peers}}/datafusion_.py {asked}",
    }


QUESTIONS = [
    Question(
        "all", "Every field of every line, as JSON lines", "text", "jsonl", "records",
        {
            "opslog": f"{_OPSLOG} > {{output}}",
            "loop": "{python} {peers}/loop.py all {input} {output}",
            **_engines("all"),
            "mawk": "env LC_ALL=C mawk -v mode=all -f {peers}/oslo.awk {input} > {output}",
            "miller": f"{_MILLER} put -f {{peers}}/oslo.mlr {{input}} > {{output}}",
            "lognormalizer": "lognormalizer -r {peers}/oslo.rulebase -e json < {input} > {output}",
            "lnav": _LNAV.replace("{where}", ""),
        },
    ),
    Question(
        "severity", "Keep WARNING and above, as JSON lines", "text", "jsonl", "warnings",
        {
            "opslog": f"{_OPSLOG} --severity WARNING > {{output}}",
            "loop": "{python} {peers}/loop.py severity {input} {output}",
            "loop-words": "{python} {peers}/loop.py severity-words {input} {output}",
            **_engines("severity"),
            "mawk": "env LC_ALL=C mawk -v mode=severity -f {peers}/oslo.awk {input} > {output}",
            "miller": f"{_MILLER} {_MILLER_SERIOUS} then put -f {{peers}}/oslo.mlr {{input}} "
                      "> {output}",
            "lnav": _LNAV.replace(
                "{where}", ' WHERE log_level IN ("warning", "error", "critical")'),
            "grep": f"env LC_ALL=C grep -E {_SERIOUS} {{input}} > {{output}}",
            "rg": f"rg --no-config -N -j 1 {_SERIOUS} {{input}} > {{output}}",
        },
    ),
    Question(
        "request", "Keep one request id, as JSON lines", "text", "jsonl", "request_records",
        {
            "opslog": f"{_OPSLOG} --request {{request}} > {{output}}",
            "loop": "{python} {peers}/loop.py request {input} {output} {request}",
            **_engines("request", " {request}"),
            "mawk": "env LC_ALL=C mawk -v mode=request -v id={request} -f {peers}/oslo.awk {input} "
                    "> {output}",
            "miller": f"{_MILLER} filter 'ssub($1, \"{{request}}\", \"\") != $1' "
                      "then put -f {peers}/oslo.mlr {input} > {output}",
            "lnav": _LNAV.replace("{where}", ' WHERE tid LIKE "%{request}%"'),
            "grep": "env LC_ALL=C grep -F {request} {input} > {output}",
            "rg": "rg --no-config -N -j 1 -F {request} {input} > {output}",
        },
    ),
    Question(
        "parquet", "Every field of every line, as Parquet (zstd)", "text", "parquet", "records",
        {"opslog": f"{_OPSLOG} --overwrite -o {{output}}", **_engines("parquet")},
    ),
    Question(
        "json-severity", "JSON of oslo.log: keep WARNING and above, as JSON lines", "json", "jsonl",
        "warnings",
        {
            "opslog": f"{_OPSLOG} --severity WARNING > {{output}}",
            "loop": "{python} {peers}/loop.py json-severity {input} {output}",
            **_engines("json-severity"),
            "jq": "jq -c 'select(.levelno >= 30)' {input} > {output}",
            "miller": f"{_MILLER_JSON} filter '$levelno >= 30' {{input}} > {{output}}",
        },
    ),
    Question(
        "json-all", "JSON of oslo.log: every field of every line, as JSON lines", "json", "jsonl",
        "records",
        {
            "opslog": f"{_OPSLOG} > {{output}}",
            "loop": "{python} {peers}/loop.py json-all {input} {output}",
            **_engines("json-all"),
            "jq": "jq -c '{timestamp: .created, severity_text: .levelname, body: .message, "
                  "host_name: .hostname, process_pid: .process, thread_id: .thread, logger: .name, "
                  "request_id: .context.request_id, global_request_id: .context.global_request_id, "
                  "user_id: .context.user, project_id: .context.project, "
                  "resource_type: (if .extra.instance_uuid then \"instance\" else null end), "
                  "resource_id: .extra.instance_uuid, exception_stacktrace: .traceback, "
                  "code_file: .pathname, code_line: .lineno, code_function: .funcname}' "
                  "{input} > {output}",
            "miller": f"{_MILLER_JSON} put -f {{peers}}/oslo_json.mlr {{input}} > {{output}}",
        },
    ),
]  # fmt: skip


def filled(command: str, **values: object) -> str:
    """Return a command with its holes filled; other braces stay."""
    for name, value in values.items():
        command = command.replace(f"{{{name}}}", str(value))
    return command
