"""Rows into a file: JSON lines or Parquet."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from opslog.events.rows import ROWS, arrow_schema, batch_of_rows, json_row
from opslog.model.errors import SinkError, SourceError
from opslog.model.stats import Stats
from opslog.model.version import __version__
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import STDOUT, OutputStream
from opslog.outputs.own_kinds import OwnKind, json_lines, parquet
from opslog.outputs.parquet import abandon
from opslog.outputs.sinks import format_of
from opslog.outputs.whole_file import open_whole

_ROWS = 8192
_BYTES = 64 << 10
_METADATA = "opslog.rows"


class Writer(Protocol):
    """Takes rows of one kind."""

    def __call__(self, row: Any) -> None:
        """Write a row."""


@contextmanager
def writer(path: str, kind: type, stats: Stats, overwrite: bool = False) -> Iterator[Writer]:
    """Give what writes rows of ``kind`` to ``path`` (``-``: standard output), by its suffix.

    A file appears when it is complete.  What was read of sources of which one cannot be
    read is, unless ``stats`` counts nothing; what is interrupted is not.  A file that
    is not empty and holds no rows of events is left as it is, unless
    ``overwrite`` is true.  Raises SinkError.
    """
    form = "jsonl" if path == STDOUT else format_of(path)
    if form not in ("jsonl", "parquet"):
        raise SinkError(path, "expected a name that ends with .jsonl or .parquet")
    output = open_whole(path, _own_kind(form), overwrite)
    failed: BaseException | None = None
    try:
        with closing(_Parquet(output, kind) if form == "parquet" else _JsonLines(output)) as rows:
            try:
                yield rows.write
            except (SourceError, KeyboardInterrupt) as error:
                if isinstance(error, SourceError) and path != STDOUT and not stats.bytes:
                    raise  # nothing was read: what an earlier run wrote stays
                failed = error
            rows.end()
        if not isinstance(failed, KeyboardInterrupt):
            output.close()
    finally:
        output.abort()  # where it is not closed
    if failed is not None:
        raise failed


def _own_kind(form: str) -> OwnKind:
    """Return the kind of files with rows, of whatever kind those are."""
    if form == "parquet":
        return parquet("Parquet of opslog events", _METADATA, "events")
    return json_lines("JSON lines of opslog events", *map(_shape, ROWS))


def _shape(kind: type) -> tuple[list[str], list[str]]:
    """Return all keys, and those that no row lacks."""
    told = typing.get_type_hints(kind)
    return list(told), [k for k, of in told.items() if type(None) not in typing.get_args(of)]


class _JsonLines:
    """Rows as JSON lines, a few at a time."""

    def __init__(self, output: OutputStream) -> None:
        self._output = output
        self._lines = bytearray()

    def write(self, row: Any) -> None:
        # A name of a file may hold bytes that are no text.
        self._lines += json.dumps(json_row(row), ensure_ascii=False).encode("utf-8", "replace")
        self._lines += b"\n"
        if len(self._lines) >= _BYTES:
            self.end()

    def end(self) -> None:
        self._output.write(bytes(self._lines))
        self._lines.clear()

    def close(self) -> None:
        """What is not written is given up."""


class _Parquet:
    """Rows as row groups of Parquet."""

    def __init__(self, output: OutputStream, kind: type) -> None:
        import pyarrow.parquet as pq  # start-up: other outputs need not pay for it

        self._kind = kind
        self._rows: list[Any] = []
        metadata = {"opslog.version": __version__, _METADATA: "events"}
        schema = arrow_schema(kind).with_metadata(metadata)
        self._file = pq.ParquetWriter(arrow_file(output), schema, compression="zstd")

    def write(self, row: Any) -> None:
        self._rows.append(row)
        if len(self._rows) == _ROWS:
            self._flush()

    def _flush(self) -> None:
        self._file.write_batch(batch_of_rows(self._rows, self._kind))
        self._rows.clear()

    def end(self) -> None:
        self._flush()
        self._file.close()

    def close(self) -> None:
        if self._file.is_open:
            abandon(self._file)
