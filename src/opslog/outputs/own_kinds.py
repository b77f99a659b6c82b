"""Kinds of files that opslog writes, and what tells each of them from any other file.

A file that is not empty is replaced without asking only by an output of its own
kind.  Its content decides, not its name: a log may be called out.jsonl, and a
shell's glob may put a log where an output was meant to stand.  Of a file only the
beginning is read (of Parquet, its footer).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from opslog.model import names, schema
from opslog.model.errors import SinkError

_BEGINNING = 64 << 10
"""Bytes in which a file says what it is."""

_LONGEST_LINE = 16 << 20
"""Bytes of a first line of JSON; no record is as long."""

_SHOWN = 60
"""Characters of a foreign file that an error shows."""


@dataclass(frozen=True, slots=True)
class OwnKind:
    """A kind of file that opslog writes.

    ``name`` is what an error calls it.  ``wrote`` tells whether a file that is not
    empty, at its beginning, is one; it may raise OSError.
    """

    name: str
    wrote: Callable[[BinaryIO], bool]

    def refuse_foreign(self, path: str, fd: int) -> None:
        """Raise SinkError if a file is neither empty nor of this kind; it may raise OSError.

        ``fd`` is open for reading; where it stands afterwards is not said.
        """
        if not (size := os.fstat(fd).st_size):
            return
        with open(fd, "rb", closefd=False) as file:
            file.seek(0)
            if self.wrote(file):
                return
            file.seek(0)
            found = file.read(4 * _SHOWN).decode(errors="replace")[:_SHOWN]
        raise SinkError(
            path,
            f"expected {self.name} or no file, found {size:,} bytes that begin with {found!r}; "
            "write to another file, or insist with --overwrite (in Python overwrite=True)",
        )


def json_lines(name: str, *shapes: tuple[Collection[str], Collection[str]]) -> OwnKind:
    """Return the kind of JSON lines of one of the ``shapes``: the keys there are, those needed."""

    def wrote(file: BinaryIO) -> bool:
        line = file.readline(_LONGEST_LINE)
        keys = _keys(line)
        if keys is not None:
            return any(keys <= set(known) and keys >= set(needed) for known, needed in shapes)
        # A run that was killed, or a full disk, may have left a part of the first line.
        torn = re.match(rb'\{"([^"\\]+)":', line)
        return (
            torn is not None
            and not line.endswith(b"\n")
            and any(torn[1].decode(errors="replace") in known for known, _ in shapes)
        )

    return OwnKind(name, wrote)


def _keys(line: bytes) -> set[str] | None:
    import json  # start-up: most runs replace no file

    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return set(value) if isinstance(value, dict) else set()


def parquet(name: str, key: str, value: str | None = None) -> OwnKind:
    """Return the kind of Parquet files whose metadata has ``key``, with ``value`` if it is given.

    Files of opslog have keys that begin with ``opslog.``.
    """

    def wrote(file: BinaryIO) -> bool:
        if file.read(4) != b"PAR1":
            return False
        import pyarrow.parquet as pq  # start-up: most runs replace no Parquet file

        try:
            found = (pq.read_schema(file).metadata or {}).get(key.encode())
        except (pa.ArrowException, OSError):
            return False
        return found is not None and value in (None, found.decode(errors="replace"))

    return OwnKind(name, wrote)


def beginning(name: str, pattern: str) -> OwnKind:
    """Return the kind of files at whose beginning ``pattern`` (a regular expression) matches."""
    compiled = re.compile(pattern.encode())
    return OwnKind(name, lambda file: compiled.match(file.read(_BEGINNING)) is not None)


def _is_arrow(file: BinaryIO) -> bool:
    try:
        with pa.ipc.open_stream(io.BytesIO(file.read(_LONGEST_LINE))) as reader:
            return b"opslog.schema" in (reader.schema.metadata or {})
    except (pa.ArrowException, OSError):
        return False


_COLOR = re.compile(rb"\x1b\[[0-9;]*m")
_TEXT_LINE = re.compile(
    rb"(?:\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z|- {23})  (?:(?=\S{0,8}  ).{8}|\S{9,})  |\?(?: |$)"
)
_FOLLOWING_LINE = re.compile(rb" {4}|$")


def _is_text(file: BinaryIO) -> bool:
    """Whether lines are records as text.py writes them; follow-on lines are indented."""
    first, *others = _COLOR.sub(b"", file.read(_BEGINNING)).split(b"\n")
    return _is_record(first) and all(
        _is_record(line) or _FOLLOWING_LINE.match(line) for line in others[:-1]
    )


def _is_record(line: bytes) -> bool:
    # Blanks at the end are not written.
    return _TEXT_LINE.match(line.ljust(40)) is not None


def _spelled(spelling: str) -> tuple[list[str], list[str]]:
    needed = ("source", "source_offset")
    return names.spelled(schema.BY_NAME, spelling), names.spelled(needed, spelling)


OF_RECORDS = {
    "jsonl": json_lines("JSON lines of records", *map(_spelled, names.SPELLINGS)),
    "parquet": parquet("Parquet of records", "opslog.schema"),
    "arrow": OwnKind("an Arrow stream of records", _is_arrow),
    "text": OwnKind("records as text", _is_text),
    "count": beginning("a number of records", r"[0-9]{1,20}\n\Z"),
}
"""What `opslog filter` writes, by sinks.FORMATS."""

METRICS = beginning("metrics of opslog", r"# HELP opslog_")
CHECKPOINT = beginning("a checkpoint of opslog", r'\{"kind": "opslog checkpoint"')
OTLP = beginning("OTLP of opslog", r'(?s)\{"resourceSpans": \[.*?"scope": \{"name": "opslog"')
LOG = beginning(
    "a log of opslog fluentd",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00 opslog\[\d+\]: ",
)


def page(command: str) -> OwnKind:
    """Return the kind of HTML pages of a command, which name what generated them."""
    return beginning(
        f"a page of opslog {command}",
        rf'(?is)<!doctype html>.{{0,1000}}<meta name="generator" content="opslog {command}">',
    )
