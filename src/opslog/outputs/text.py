"""Records as text for people: one line a record, what follows it indented.

A line has the time, in UTC or another zone that it shows, the source's word for the severity,
the program, the beginning of the request id and the message.  From the second host on that is
met, the program has its host behind an @; of several files, the name stands where no program
is known.  The id is that of the request
that caused it all where it is known, so that the lines of one cause look alike
in all services.  In a narrow terminal a message that would be wrapped stands
below.  A line that no format recognised stands as it is behind a
question mark.  No character of a log reaches the terminal as a command, and
no line of a message can pass for a record: both are escaped.
"""

from __future__ import annotations

from typing import Protocol

from opslog.model import schema
from opslog.model.arrow import pa
from opslog.model.zones import Zone
from opslog.outputs._text_lines import TextLines
from opslog.outputs._text_rows import TextRows
from opslog.outputs.jsonl import plain
from opslog.outputs.marks import Marks
from opslog.outputs.output import OutputStream
from opslog.outputs.sink import Streaming
from opslog.rows.kept import Kept

_COLUMNS = (
    "format", "timestamp", "severity_number", "severity_text", "service_name", "program",
    "host_name", "request_id", "global_request_id", "body", "exception_type", "exception_message",
    "exception_stacktrace", "source",
)  # fmt: skip

_NARROW = 120
"""In a terminal of fewer columns, too few are left for a message that must be wrapped."""


class Words(Protocol):
    """Says messages in words; ``columns`` are those that it reads."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def bodies(self, batch: pa.RecordBatch) -> pa.Array:
        """Return what is shown as the messages of records."""


class TextSink(Streaming):
    """Aligned text; ``full`` shows whole tracebacks and request ids.

    ``width`` is that of the terminal it is for, 0 if it is for none; with ``hosts`` the
    first record has its host, too, with ``files`` a record without a program its file.  Times are
    in ``zone``, messages as ``words`` says them, and what ``marks`` says is marked in messages,
    exceptions and tracebacks.
    """

    columns: tuple[str, ...] = _COLUMNS

    def __init__(
        self,
        output: OutputStream,
        colored: bool,
        full: bool,
        width: int,
        hosts: bool = False,
        files: bool = False,
        zone: Zone | None = None,
        marks: Marks | None = None,
        words: Words | None = None,
    ) -> None:
        super().__init__(output)
        self._words = words
        if words is not None:
            self.columns = (*_COLUMNS, *(name for name in words.columns if name not in _COLUMNS))
        self._colored, self._full, self._files = colored, full, files
        self._zone = None if zone is None or zone.offset == 0 else zone
        self._marks = marks if colored else None
        self._narrow = width if width < _NARROW else 0
        # Widths depend on the records before only, not on how they came in batches.
        self._lines = TextLines(self._narrow, hosts)

    def encode(self, kept: Kept) -> TextRows:
        batch = kept.batch()
        return self._made(self._said(batch, batch.columns), kept.count)

    def rows(self, kept: Kept) -> pa.RecordBatch:
        return kept.batch()

    def write_rows(self, rows: pa.RecordBatch) -> None:
        self.write(self.of_batch(rows))

    def of_batch(self, batch: pa.RecordBatch) -> TextRows:
        columns = [plain(batch.column(name), schema.BY_NAME[name]) for name in _COLUMNS]
        return self._made(self._said(batch, columns), len(batch))

    def write(self, encoded: TextRows) -> None:
        self._lines.put(encoded)
        with memoryview(self._lines) as data:
            self.output.write(data)

    def _said(self, batch: pa.RecordBatch, columns: list[pa.Array]) -> list[pa.Array]:
        """Return the columns that lines are made of, the messages of ``batch`` in words."""
        columns = columns[: len(_COLUMNS)]
        if self._words is not None:
            columns[_COLUMNS.index("body")] = self._words.bodies(batch)
        return columns

    def _made(self, columns: list[pa.Array], count: int) -> TextRows:
        if not self._files:
            columns = [*columns[:-1], pa.nulls(count)]
        local = None
        if self._zone is not None:
            local = self._zone.to_local(columns[_COLUMNS.index("timestamp")].cast(pa.int64()))
        if self._marks is not None:
            columns = self._marks.columns(columns, _COLUMNS)
        return TextRows(
            columns,
            count,
            self._colored,
            self._full,
            self._narrow > 0,
            local,
            self._marks is not None,
        )
