"""Sinks: where batches go, one module for each kind.

A sink encodes records in any thread and writes what was encoded in order, in
one thread.  Parquet appears under its name only when it is complete; what
else there is grows as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opslog import names as naming
from opslog.errors import OpslogError, SinkError
from opslog.output import STDOUT
from opslog.sinks.arrow import ArrowSink
from opslog.sinks.count import CountSink
from opslog.sinks.jsonl import JsonlSink
from opslog.sinks.parquet import ParquetSink
from opslog.sinks.sink import Sink

FORMATS = ("jsonl", "parquet", "arrow", "text", "count")
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet",
             ".arrow": "arrow", ".arrows": "arrow", ".txt": "text"}  # fmt: skip


def format_of(path: str) -> str | None:
    """Return the output format the suffix of ``path`` says, None if it does not."""
    return _SUFFIXES.get(Path(path).suffix)


@dataclass(frozen=True, slots=True)
class Target:
    """Where records are written, and how.

    ``path`` is a file or ``-``, ``kind`` one of FORMATS.  ``names`` spells the
    columns' names (names.py).  ``colored``, ``full`` (whole tracebacks and request
    ids) and ``width`` (columns of the terminal it is for, 0 without one) are for
    text.
    """

    path: str
    kind: str
    names: str = naming.OPSLOG
    colored: bool = False
    full: bool = False
    width: int = 0


def open_sink(target: Target, columns: tuple[str, ...]) -> Sink:
    """Open ``target`` for records with ``columns``; raises SinkError."""
    path, kind = target.path, target.kind
    if kind == "jsonl":
        return JsonlSink(path, columns, target.names)
    if kind == "arrow":
        return ArrowSink(path, columns, target.names)
    if kind == "parquet":
        if path == STDOUT:
            raise SinkError(path, "Parquet is written at random places and needs a file: -o PATH")
        return ParquetSink(path, columns, target.names)
    if kind == "text":
        from opslog.sinks.text import TextSink  # other outputs need not pay for it

        return TextSink(path, target.colored, target.full, target.width)
    if kind == "count":
        return CountSink(path)
    raise OpslogError(f"unknown output format {kind!r}: expected one of {', '.join(FORMATS)}")
