"""Kinds of files that opslog writes, and what tells each of them from any other file.

A file that is not empty is replaced without asking only by an output of its own
kind.  Its content decides, not its name: a log may be called out.jsonl, and a
shell's glob may put a log where an output was meant to stand.  Of a file only the
beginning is read (of Parquet, its footer).
"""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

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
            self.refuse(path, file, size)

    def refuse(self, path: str, file: BinaryIO, size: int) -> None:
        """Do so for an opened file, at its beginning, of so many bytes."""
        if self.wrote(file):
            return
        file.seek(0)
        found = file.read(4 * _SHOWN).decode(errors="replace")[:_SHOWN]
        raise SinkError(
            path,
            f"expected {self.name} or no file, found {size:,} bytes that begin with {found!r}; "
            "write to another file, or insist with --overwrite (in Python overwrite=True)",
        )


def json_lines(
    name: str, *shapes: tuple[Sequence[str], Collection[str]], comma: str = ", ", colon: str = ": "
) -> OwnKind:
    """Return the kind of JSON lines of one of the ``shapes``: all keys in order, those needed.

    ``comma`` and ``colon`` are what stands between the members of an object, and in them.
    """

    def wrote(file: BinaryIO) -> bool:
        line = file.readline(_LONGEST_LINE)
        keys = _keys(line)
        if keys is not None:
            return any(keys <= set(known) and keys >= set(needed) for known, needed in shapes)
        # A run that was killed, or a full disk, may have left a part of the first line.
        if line.endswith(b"\n") or len(line) == _LONGEST_LINE:
            return False
        try:
            # The cut may have gone through a character.
            text = codecs.getincrementaldecoder("utf-8")().decode(line)
        except UnicodeDecodeError:
            return False
        return any(_is_torn(text, known, comma, colon) for known, _ in shapes)

    return OwnKind(name, wrote)


_STRING_BEGINNING = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+'
_TORN_TOKEN = (
    rf"(?:{_STRING_BEGINNING}(?:\\(?:u[0-9a-fA-F]{{0,3}})?)?"
    r"|-|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)?"
)
_TORN = re.compile(_TORN_TOKEN)
_TOKENS = re.compile(
    rf'(?:[][{{}},: ]|{_STRING_BEGINNING}"|-?[0-9][0-9.eE+-]*|true|false|null)*+{_TORN_TOKEN}'
)
"""Of JSON; the last one may lack its end."""
_STRINGS = re.compile(rf'{_STRING_BEGINNING}"?')


def _is_torn(text: str, known: Sequence[str], comma: str, colon: str) -> bool:
    """Return whether ``text`` is an object as it is written here, of which the end is missing.

    The first key is there at least, and all keys stand in the order of ``known``.
    """
    import json  # start-up: most runs replace no file

    decoder = json.JSONDecoder()
    later = iter(known)
    place = 1
    while match := re.compile(rf'"([^"\\]+)"{colon}').match(text, place):
        if match[1] not in later:  # takes from ``later`` up to this key
            return False
        place = match.end()
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return _is_beginning(text[place:])
        if _NUMBER_BEGINNING.match(text, place):
            return True
        if not text.startswith(comma, end):
            return comma.startswith(text[end:])
        place = end + len(comma)
    rest = text[place:]
    return place > 1 and any(f'"{key}"{colon}'.startswith(rest) for key in later)


_NUMBER_BEGINNING = re.compile(r"-?[0-9][0-9.eE+-]*\Z")


def _is_beginning(value: str) -> bool:
    """Return whether ``value``, which is no JSON, lacks only its end."""
    if value[:1] not in ("[", "{"):
        return _TORN.fullmatch(value) is not None
    brackets = _STRINGS.sub("", value)
    opened, closed = (sum(map(brackets.count, pair)) for pair in ("[{", "]}"))
    return _TOKENS.fullmatch(value) is not None and opened > closed


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
        import pyarrow as pa  # start-up: most runs replace no file
        import pyarrow.parquet as pq

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
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(io.BytesIO(file.read(_LONGEST_LINE))) as reader:
            return b"opslog.schema" in (reader.schema.metadata or {})
    except (pa.ArrowException, OSError):
        return False


_COLOR = re.compile(rb"\x1b\[[0-9;]*m")
_TEXT_LINE = re.compile(
    rb"(?:\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)|- {23}(?: {5})?)  "
    rb"(?:(?=\S{0,8}  ).{8}|\S{9,})  |\?(?: |$)"
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


def _is_table(file: BinaryIO, tab: bool) -> bool:
    """Whether the first line has names of columns, and those of where a record stands."""
    line = file.readline(_BEGINNING).decode(errors="replace").rstrip("\r\n")
    cells = set(line.split("\t" if tab else ","))
    return any(
        cells <= set(known) and cells >= set(needed)
        for known, needed in map(_spelled, names.SPELLINGS)
    )


NOTHING = OwnKind("an empty file", lambda file: False)
"""What cannot be told from the files of others: only an empty file is replaced."""

OF_RECORDS = {
    "jsonl": json_lines(
        "JSON lines of records", *map(_spelled, names.SPELLINGS), comma=",", colon=":"
    ),
    "parquet": parquet("Parquet of records", "opslog.schema"),
    "arrow": OwnKind("an Arrow stream of records", _is_arrow),
    "csv": OwnKind("CSV of records", partial(_is_table, tab=False)),
    "tsv": OwnKind("TSV of records", partial(_is_table, tab=True)),
    "text": OwnKind("records as text", _is_text),
    # These are lines of logs.
    "original": NOTHING,
    # Whose a number is, as that of a process in a PID file, cannot be told.
    "count": NOTHING,
}
"""What `opslog filter` writes, by sinks.FORMATS."""

METRICS = beginning("metrics of a run of opslog", r"# HELP opslog_(?!stats_)")
CHECKPOINT = beginning("a checkpoint of opslog", r'\{"kind": "opslog checkpoint"')
OTLP = beginning(
    "OTLP of opslog",
    # A story without times has no spans.
    r'(?s)\{"resourceSpans": \[(?:\]\}\n\{"resourceLogs": \[|.*?"scope": \{"name": "opslog")',
)
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
