"""A loop over the lines with re and orjson: what a careful script of one's own does.

    python loop.py QUESTION INPUT OUTPUT [REQUEST]

QUESTION is all, severity, severity-words, request, json-all or json-severity.
It fills opslog's columns and folds tracebacks into the record of the same time,
process and logger; for severity it keeps what is serious of all records.  For
severity-words and request it passes over lines without the words or the id
while no record is open.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

Record = dict[str, Any]

HEAD = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) (\d+) ([A-Z]+) (\S+) "
    r"\[(?:-|(?:(None|req-\S+) )?(req-\S+) (\S+) (\S+) (\S+) (?:(\S+) )?(\S+) (\S+))\] "
    r"(?:\[instance: (\S+)\] )?(.*)"
)
TRACEBACK = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) (\d+) ERROR (\S+) (?:\[instance: \S+\] )?(.*)"
)
SUFFIX = re.compile(r"(.*) (\S+) (\S+):(\d+)", re.DOTALL)
HTTP = re.compile(
    r'(?P<client>[\da-f.:,]+) "(?P<method>[A-Z]+) (?P<target>\S+)(?: HTTP/(?P<version>[\d.]+))?" '
    r"status: (?P<status>\d+) +len: (?P<size>\d+)(?: microversion: (?P<micro>\S+))?"
    r"(?: time: (?P<time>[\d.]+))?$"
    r'|([\da-f.:,]+) - - \[[^]]*\] "([A-Z]+) (\S+) HTTP/([\d.]+)" (\d+) (\d+) ([\d.]+)$'
    r"|([A-Z]+) (https?://\S+)$"
    r"|(https?://\S+) returned with HTTP (\d+)$"
    r"|(?P<call>[A-Z]+) call to (?P<peer>\S+) for (?P<url>https?://\S+) used request id "
    r"(?P<id>\S+)$"
)
LEVELS = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
SERVICES = {
    "aodh", "barbican", "cinder", "designate", "glance", "heat", "ironic", "keystone", "magnum",
    "manila", "neutron", "nova", "octavia", "placement", "swift", "trove",
}  # fmt: skip
KEEP_WARNINGS = 13
BATCH = 4096
"""Records written at once."""


class Writer:
    """JSON lines, written some thousand at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.lines: list[bytes] = []

    def add(self, record: Record) -> None:
        present = {key: value for key, value in record.items() if value is not None}
        self.lines.append(orjson.dumps(present, option=orjson.OPT_APPEND_NEWLINE))
        if len(self.lines) == BATCH:
            self.flush()

    def flush(self) -> None:
        self.file.write(b"".join(self.lines))
        self.lines.clear()


def null(value: str | None) -> str | None:
    """Return None for what oslo.log prints where it has no value."""
    return None if value in ("-", "None") else value


def service(logger: str) -> str | None:
    """Return the service a logger belongs to."""
    name = logger.partition(".")[0]
    return name if name in SERVICES else None


def trace_id(request: str | None) -> str | None:
    """Return the 32 hex digits of a request id."""
    digits = request[4:].replace("-", "") if request else ""
    return digits if len(digits) == 32 else None


def add_http(record: Record, body: str) -> None:
    """Fill what a request line says."""
    match = HTTP.match(body)
    if match is None:
        return
    if match["client"]:
        client, method, target, version, status, size, micro, seconds = match.groups()[:8]
        found = {"network_protocol_version": version, "api_microversion": micro}
    else:
        client, method, target, version, status, size, seconds = match.groups()[8:15]
        found = {"network_protocol_version": version, "peer_service": match["peer"],
                 "peer_request_id": match["id"]}  # fmt: skip
        method = method or match[16] or match["call"]
        target = target or match[17] or match[18] or match["url"]
        status = status or match[19]
    if attributes := {key: value for key, value in found.items() if value}:
        record["attributes"] = {**record.get("attributes", {}), **attributes}
    record["http_method"] = method
    record["http_target"] = target
    record["http_status"] = int(status) if status else None
    record["http_response_size"] = int(size) if size else None
    record["duration"] = float(seconds) if seconds else None
    record["client_address"] = client


def add_exception(record: Record, lines: list[str]) -> None:
    """Fill what a traceback says: the last of a chain is the exception raised."""
    while lines and not lines[-1]:
        lines.pop()
    start = len(lines) - 1 - lines[::-1].index("Traceback (most recent call last):") + 1
    while start < len(lines) and lines[start].startswith(" "):
        start += 1
    kind, _, message = "\n".join(lines[start:]).partition(": ")
    record["exception_type"] = kind
    record["exception_message"] = message
    record["exception_stacktrace"] = "\n".join(lines)


class Text:
    """Assembles records from the lines of a log."""

    def __init__(self, out: Writer, source: str, wanted: Callable[[bytes], bool] | None) -> None:
        self.out = out
        self.source = source
        self.wanted = wanted
        """Whether a line may begin a record that is kept: a cheap test."""
        self.least = 0
        self.request: str | None = None
        self.open: dict[str, tuple[Record, list[str], list[str]]] = {}
        """By process: its last record, the record's body and its traceback."""
        self.last: list[str] | None = None
        """Where a line without a prefix belongs."""

    def read(self, file: BinaryIO) -> None:
        offset = 0
        for raw in file:
            if self.wanted is None or self.open or self.wanted(raw):
                self.line(raw.rstrip(b"\n").decode("utf-8", "replace"), offset)
            offset += len(raw)
        for pid in list(self.open):
            self.close(pid)

    def line(self, line: str, offset: int) -> None:
        if match := HEAD.match(line):
            self.head(match.groups(), offset)
        elif match := TRACEBACK.match(line):
            day, time, pid, logger, text = match.groups()
            self.last = None
            if pid in self.open:
                record, body, traceback = self.open[pid]
                if record["timestamp"] == f"{day}T{time}000Z" and record["logger"] == logger:
                    traceback.append(text)
                    self.last = body
        elif self.last is not None:
            self.last.append(line)

    def head(self, fields: tuple[str | Any, ...], offset: int) -> None:
        (day, time, pid, level, logger, root, request, user, project, domain, scope,
         user_domain, project_domain, instance, body) = fields  # fmt: skip
        if pid in self.open:
            self.close(pid)
        self.last = None
        severity = LEVELS.get(level)
        if severity is None or (self.wanted and severity < self.least):
            return
        if self.request and self.request not in (request, root):
            return
        root = null(root)
        record: Record = {
            "timestamp": f"{day}T{time}000Z",
            "severity_number": severity,
            "severity_text": level,
            "body": None,
            "service_name": service(logger),
            "process_pid": int(pid),
            "logger": logger,
            "request_id": request,
            "global_request_id": root,
            "trace_id": trace_id(root or request),
            "user_id": null(user),
            "project_id": null(project),
            "domain_id": null(domain),
            "system_scope": null(scope),
            "user_domain_id": null(user_domain),
            "project_domain_id": null(project_domain),
            "resource_type": "instance" if instance else None,
            "resource_id": instance,
            "source": self.source,
            "source_offset": offset,
        }
        self.last = [body]
        self.open[pid] = record, self.last, []

    def close(self, pid: str) -> None:
        record, lines, traceback = self.open.pop(pid)
        body = "\n".join(lines)
        if record["severity_text"] == "DEBUG" and (match := SUFFIX.fullmatch(body)):
            body, record["code_function"], record["code_file"], line = match.groups()
            record["code_line"] = int(line)
        record["body"] = body
        add_http(record, body)
        if traceback:
            add_exception(record, traceback)
        if record["severity_number"] >= self.least:
            self.out.add(record)


def read_json(file: BinaryIO, out: Writer, source: str, least: int) -> None:
    """Turn oslo.log's JSON lines into records."""
    offset = 0
    for raw in file:
        data = orjson.loads(raw)
        severity = LEVELS[data["levelname"]]
        if severity >= least:
            out.add(record_of(data, severity, source, offset))
        offset += len(raw)


def record_of(data: dict[str, Any], severity: int, source: str, offset: int) -> Record:
    """Return the columns of one object of oslo.log's JSONFormatter."""
    context = data["context"]
    root, request = context.get("global_request_id"), context.get("request_id")
    created = datetime.fromtimestamp(data["created"], UTC)
    record: Record = {
        "timestamp": created.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "severity_number": severity,
        "severity_text": data["levelname"],
        "body": data["message"],
        "service_name": service(data["name"]),
        "host_name": data["hostname"],
        "process_pid": data["process"],
        "thread_id": data["thread"],
        "logger": data["name"],
        "request_id": request,
        "global_request_id": root,
        "trace_id": trace_id(root or request),
        "user_id": context.get("user"),
        "project_id": context.get("project"),
        "domain_id": context.get("domain"),
        "system_scope": context.get("system_scope"),
        "user_domain_id": context.get("user_domain"),
        "project_domain_id": context.get("project_domain"),
        "resource_type": "instance" if data["extra"].get("instance_uuid") else None,
        "resource_id": data["extra"].get("instance_uuid"),
        "code_file": data["pathname"],
        "code_line": data["lineno"],
        "code_function": data["funcname"],
        "source": source,
        "source_offset": offset,
    }
    add_http(record, data["message"])
    attributes = {key: data[key] for key in ("process_name", "thread_name", "error_summary")}
    attributes["extra"] = orjson.dumps(data["extra"]).decode()
    record["attributes"] = {**record.get("attributes", {}), **attributes}
    if data["traceback"]:
        add_exception(record, data["traceback"].split("\n"))
    return record


def main() -> None:
    """Read INPUT and write the records to OUTPUT."""
    question, source, output = sys.argv[1:4]
    least = KEEP_WARNINGS if "severity" in question else 0
    with open(source, "rb") as file, open(output, "wb") as target:
        out = Writer(target)
        if question.startswith("json"):
            read_json(file, out, source, least)
        else:
            text = Text(out, source, None)
            text.least = least
            if question == "severity-words":
                words = b" WARNING ", b" ERROR ", b" CRITICAL "
                text.wanted = lambda raw: words[0] in raw or words[1] in raw or words[2] in raw
            elif question == "request":
                text.request = sys.argv[4]
                needle = text.request.encode()
                text.wanted = lambda raw: needle in raw
            text.read(file)
        out.flush()


if __name__ == "__main__":
    main()
