"""Rows into a file: JSON lines or Parquet."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from opslog.events.rows import arrow_schema, as_dict, batch_of
from opslog.model.errors import SinkError
from opslog.outputs.output import STDOUT
from opslog.outputs.sinks import format_of

_ROWS = 8192


class Writer(Protocol):
    """Takes rows of one kind."""

    def __call__(self, row: Any) -> None:
        """Write a row."""


@contextmanager
def writer(path: str, kind: type) -> Iterator[Writer]:
    """Give what writes rows of ``kind`` to ``path`` (``-``: standard output), by its suffix.

    A Parquet file appears when it is complete.  Raises SinkError.
    """
    form = "jsonl" if path == STDOUT else format_of(path)
    if form not in ("jsonl", "parquet"):
        raise SinkError(path, "expected a name that ends with .jsonl or .parquet")
    try:
        with _parquet(path, kind) if form == "parquet" else _jsonl(path) as write:
            yield write
    except OSError as error:
        raise SinkError(path, error.strerror or str(error)) from None


@contextmanager
def _jsonl(path: str) -> Iterator[Writer]:
    def line(row: Any) -> bytes:
        # A name of a file may hold bytes that are no text.
        text = json.dumps(as_dict(row), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"

    if path == STDOUT:
        yield lambda row: _said(sys.stdout.buffer.write(line(row)))
        return
    with open(path, "wb") as file:
        yield lambda row: _said(file.write(line(row)))


@contextmanager
def _parquet(path: str, kind: type) -> Iterator[Writer]:
    import pyarrow.parquet as pq  # start-up: other outputs need not pay for it

    partial = f"{path}.partial"
    rows: list[Any] = []
    done = False
    try:
        with pq.ParquetWriter(partial, arrow_schema(kind), compression="zstd") as file:

            def write(row: Any) -> None:
                rows.append(row)
                if len(rows) == _ROWS:
                    flush()

            def flush() -> None:
                file.write_batch(batch_of(rows, kind))
                rows.clear()

            yield write
            flush()
        os.replace(partial, path)
        done = True
    finally:
        if not done:
            with suppress(OSError):
                os.unlink(partial)


def _said(count: int) -> None:
    """Nobody asks how many bytes were written."""
