"""What others call a column: the names people type by habit."""

from __future__ import annotations

from collections.abc import Iterable

from opslog.model import names

_HABITS = {
    "timestamp": "time ts t date datetime when asctime @timestamp event_time",
    "severity": "level lvl loglevel log_level levelname level_name priority severity_level sev",
    "body": "message msg text line log event short_message raw payload",
    "service_name": "service svc component app application",
    "program": "programname process_name process binary unit identifier syslog_identifier comm",
    "host_name": "host hostname node server machine",
    "process_pid": "pid process_id processid procid",
    "thread_id": "tid thread threadid",
    "logger": "module logger_name loggername",
    "request_id": "request req reqid req_id requestid x_openstack_request_id",
    "global_request_id": "global_request global_id",
    "trace_id": "trace traceid",
    "user_id": "user userid",
    "project_id": "project projectid tenant tenant_id",
    "resource_id": "resource instance instance_id instance_uuid uuid server_id volume_id port_id",
    "exception_type": "exception error error_class exc_type",
    "exception_message": "exc error_message",
    "exception_stacktrace": "traceback stacktrace stack stack_trace exc_info exc_text backtrace",
    "http_method": "method verb",
    "http_target": "path url uri target request_uri endpoint route",
    "http_status": "status status_code code response_code http_code",
    "http_response_size": "size bytes len length response_size",
    "duration": "latency elapsed took response_time time_taken seconds",
    "client_address": "client ip client_ip remote_addr remote remote_address clientip",
    "code_file": "pathname",
    "code_line": "lineno line_number",
    "code_function": "function func funcname",
    "source": "file filename file_name source_file log_file",
    "source_offset": "offset position",
    "attributes": "attrs fields labels tags extra",
}
"""Column to the words for it, with blanks between."""

_MEANT = {word: column for column, words in _HABITS.items() for word in words.split()}


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the one of the ``known`` columns that ``name`` most likely is, None if none is near.

    A name of another spelling (OpenTelemetry, ECS, kolla) is that of its column.
    """
    known = list(known)
    said = name.lower()
    if _MEANT.get(said) == "severity" and "severity" not in known:
        return "severity_text"
    for column in (_MEANT.get(said.replace("-", "_")), names.column_of(name)):
        if column is not None and column in known:
            return column
    import difflib  # start-up: most names are known

    near = difflib.get_close_matches(said, known, n=1, cutoff=0.5)
    return near[0] if near else None
