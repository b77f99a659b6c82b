"""Names of the columns in the output: opslog's own and the spellings of others.

Only names are spelled, never values.  A column without a counterpart of the
same meaning and unit keeps its own name.
"""

from __future__ import annotations

from collections.abc import Iterable

from opslog.model.errors import OpslogError

OPSLOG = "opslog"

# OpenTelemetry: fields of the log data model, else attributes of the semantic
# conventions, flat.  ECS: Elastic Common Schema, flat.  kolla: the fields that
# kolla-ansible's Fluentd sends.
_SPELLINGS: dict[str, dict[str, str]] = {
    OPSLOG: {},
    "otel": {
        "timestamp": "Timestamp",
        "severity_number": "SeverityNumber",
        "severity_text": "SeverityText",
        "body": "Body",
        "trace_id": "TraceId",
        "service_name": "service.name",
        "program": "process.executable.name",
        "host_name": "host.name",
        "process_pid": "process.pid",
        "thread_id": "thread.id",
        "logger": "otel.scope.name",
        "user_id": "user.id",
        "user_name": "user.name",
        "exception_type": "exception.type",
        "exception_message": "exception.message",
        "exception_stacktrace": "exception.stacktrace",
        "http_method": "http.request.method",
        "http_target": "url.original",
        "http_status": "http.response.status_code",
        "http_response_size": "http.response.body.size",
        "client_address": "client.address",
        "code_file": "code.file.path",
        "code_line": "code.line.number",
        "code_function": "code.function.name",
        "attributes": "Attributes",
        "source": "log.file.path",
        "original": "log.record.original",
    },
    "ecs": {
        "timestamp": "@timestamp",
        "severity_text": "log.level",
        "body": "message",
        "trace_id": "trace.id",
        "service_name": "service.name",
        "program": "process.name",
        "host_name": "host.name",
        "process_pid": "process.pid",
        "thread_id": "process.thread.id",
        "logger": "log.logger",
        "request_id": "http.request.id",
        "user_id": "user.id",
        "user_name": "user.name",
        "exception_type": "error.type",
        "exception_message": "error.message",
        "exception_stacktrace": "error.stack_trace",
        "http_method": "http.request.method",
        "http_target": "url.original",
        "http_status": "http.response.status_code",
        "http_response_size": "http.response.body.bytes",
        "client_address": "client.address",
        "code_file": "log.origin.file.name",
        "code_line": "log.origin.file.line",
        "code_function": "log.origin.function",
        "attributes": "labels",
        "source": "log.file.path",
        "original": "event.original",
    },
    "kolla": {
        "timestamp": "Timestamp",
        "severity_text": "log_level",
        "body": "Payload",
        "program": "programname",
        "host_name": "Hostname",
        "process_pid": "Pid",
        "logger": "python_module",
        "project_id": "tenant_id",
        "user_domain_id": "user_domain",
        "project_domain_id": "project_domain",
        "http_target": "http_url",
        "http_response_size": "http_bytes",
        "client_address": "clientip",
    },
}

SPELLINGS = tuple(_SPELLINGS)

_OTLP = {
    "service_name": "openstack.service_name",  # the name of OTLP's service is the program's
    "source_offset": "log.file.offset",
    "format": "opslog.format",
}


def spelled(columns: Iterable[str], spelling: str) -> list[str]:
    """Return the names of ``columns`` in ``spelling``; raises OpslogError for an unknown one."""
    if spelling not in _SPELLINGS:
        raise OpslogError(f"unknown names {spelling!r}: expected one of {', '.join(SPELLINGS)}")
    return [_SPELLINGS[spelling].get(column, column) for column in columns]


def column_of(name: str) -> str | None:
    """Return the column that has this name in one of the spellings, None if none has."""
    for spelling in _SPELLINGS.values():
        for column, other in spelling.items():
            if other.lower() == name.lower():
                return column
    return None


def otlp_attribute(column: str) -> str:
    """Return the name of a column as an attribute of OTLP: the conventions', or OpenStack's own."""
    known = _OTLP.get(column) or _SPELLINGS["otel"].get(column, "")
    return known if "." in known else f"openstack.{column}"
