"""A loop over the lines that takes off what stands around them: loop.py for logs in envelopes.

    python unwrap.py QUESTION INPUT OUTPUT

QUESTION is all or severity.  Lines are text, or in envelopes of RFC 3164 syslog,
Docker's json-file, CRI or ``journalctl -o json``, which may change from line to
line.  Each stream (a process, a container's output) is assembled by loop.py.
"""

from __future__ import annotations

import re
import sys
from typing import Any, BinaryIO

import orjson
from loop import KEEP_WARNINGS, Record, Text, Writer, service

ENVELOPE = re.compile(
    r"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+) ([^\s\[\]:]+)(?:\[(\d+)\])?: (.*)"
    r"|(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) F (.*)"
)
BARE: tuple[str, ...] = ()
"""The stream of lines that stand in no envelope."""

NAMED = {
    "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_COMM",
    "_PID", "SYSLOG_PID", "_SYSTEMD_UNIT", "UNIT", "MESSAGE", "PRIORITY", "SYSLOG_FACILITY",
}  # fmt: skip
"""The keys of the journal that fill a column or an attribute of another name."""


class Stream(Text):
    """The text of one stream, whose envelopes say more about its records."""

    def __init__(self, out: Writer, source: str, least: int) -> None:
        super().__init__(out, source, bool if least else None)
        self.least = least
        self.columns: Record = {}
        """What the envelope of the line at hand says."""

    def head(self, fields: tuple[str | Any, ...], offset: int) -> None:
        super().head(fields, offset)
        if fields[2] in self.open:
            record = self.open[fields[2]][0]
            record.update(self.columns)
            if record["service_name"] is None and "program" in record:
                record["service_name"] = service(record["program"].replace("-", "."))


class Unwrapped:
    """The streams of a log."""

    def __init__(self, out: Writer, source: str, least: int) -> None:
        self.out = out
        self.source = source
        self.least = least
        self.streams: dict[tuple[str, ...], Stream] = {}

    def read(self, file: BinaryIO) -> None:
        offset = 0
        for raw in file:
            if raw.startswith(b"{"):
                self.json(orjson.loads(raw), offset)
            else:
                self.text(raw.rstrip(b"\n").decode("utf-8", "replace"), offset)
            offset += len(raw)
        for stream in self.streams.values():
            for pid in list(stream.open):
                stream.close(pid)

    def take(self, key: tuple[str, ...], columns: Record, line: str, offset: int) -> None:
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = Stream(self.out, self.source, self.least)
        stream.columns = columns
        stream.line(line, offset)

    def json(self, data: dict[str, Any], offset: int) -> None:
        if "log" in data:
            name, line = data["stream"], data["log"].removesuffix("\n")
            attributes = {"container.docker.timestamp": data["time"], "stream": name}
            self.take(("docker", name), {"attributes": attributes}, line, offset)
            return
        host, program = data["_HOSTNAME"], data["SYSLOG_IDENTIFIER"]
        columns = {
            "host_name": host,
            "program": program,
            "attributes": {
                "journal.json.timestamp": data["__REALTIME_TIMESTAMP"],
                "systemd_unit": data["_SYSTEMD_UNIT"],
                "syslog_facility": data["SYSLOG_FACILITY"],
                **{key: value for key, value in data.items() if value and key not in NAMED},
            },
        }
        self.take(("journal", host, program, data["_PID"]), columns, data["MESSAGE"], offset)

    def text(self, line: str, offset: int) -> None:
        match = ENVELOPE.fullmatch(line)
        if match is None:
            self.take(BARE, {}, line, offset)
            return
        time, host, program, pid, text, nanoseconds, name, rest = match.groups()
        if time is None:
            attributes = {"container.cri.timestamp": nanoseconds, "stream": name}
            self.take(("cri", name), {"attributes": attributes}, rest, offset)
            return
        attributes = {"syslog.rfc3164.timestamp": time}
        columns = {"host_name": host, "program": program, "attributes": attributes}
        self.take(("syslog", host, program, pid), columns, text, offset)


def main() -> None:
    """Read INPUT and write the records to OUTPUT."""
    question, source, output = sys.argv[1:4]
    with open(source, "rb") as file, open(output, "wb") as target:
        out = Writer(target)
        Unwrapped(out, source, KEEP_WARNINGS if question == "severity" else 0).read(file)
        out.flush()


if __name__ == "__main__":
    main()
