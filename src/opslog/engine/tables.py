"""Tables of records as JSON lines: what opslog wrote as Parquet or Arrow is read as it wrote it.

pyarrow reads them, a few thousand rows at a time; nothing of a file is believed before
it was validated.  A table is opslog's if all its columns are, whatever they are called
(names.py), and it has those of the records' places, or says that opslog wrote it.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from opslog.filters.filter import Filter
from opslog.inputs.tables import TableKind
from opslog.model import names as naming
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.rows._jsonl import JsonLines
from opslog.rows.fingerprint import NAME, with_sources

if TYPE_CHECKING:
    import pyarrow.compute as pc

_ROWS = 16384
"""Rows that are read at a time."""
_BYTES = 8 << 20
"""Bytes of columns that are made lines at a time, about."""

_BUFFER = 1 << 16

_OF_LAKE = re.compile(r"part-\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}-\d{5,}\.parquet")
"""The name of a file of a lake."""
_TOLD = {"service": "service_name", "host": "host_name"}
"""Of the keys of a lake's folders those that statistics do not tell, and their columns."""
_NONE = "__HIVE_DEFAULT_PARTITION__"

_PLACE = ("source", "source_offset")


@dataclass(frozen=True, slots=True)
class StoredTables:
    """Reads tables of records; those that do not fulfil ``where`` are left out where columns tell.

    Of ``columns`` alone, and those of a record's place, lines are made.
    """

    where: Filter | None = None
    columns: tuple[str, ...] | None = None

    def lines(self, name: str, kind: TableKind, file: BinaryIO) -> Iterator[bytes]:
        """Yield the records of a table as JSON lines, some at a time; raises OSError."""
        try:
            with pa.PythonFile(file, mode="r") as opened:
                before, lines = 0, JsonLines()
                for batch in self._batches(name, kind, opened):
                    for part in _parts(batch):
                        found = self._kept(_stored(part, name, before))
                        before += len(part)
                        if len(found):
                            yield _encoded(found, lines)
        except (pa.ArrowException, MemoryError, UnicodeError, OverflowError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the file's, or said here
            reason = str(error).split("\n")[0]
            raise OSError(errno.EINVAL, f"is damaged: expected {kind} ({reason})") from None

    def foreign(self, kind: TableKind, file: BinaryIO) -> str | None:
        """Return what a table is if its columns are not opslog's; None if not, or damaged."""
        import pyarrow.parquet as pq

        opened = {TableKind.PARQUET: pq.ParquetFile, TableKind.FILE: pa.ipc.open_file}
        try:
            table = opened.get(kind, pa.ipc.open_stream)(pa.PythonFile(file, mode="r"))
            found = table.schema_arrow if kind == TableKind.PARQUET else table.schema
        except (pa.ArrowException, OSError, MemoryError, UnicodeError):
            return None  # reading it says so
        try:
            _columns(found, kind)
        except UnicodeError:
            return None
        except OSError as error:
            return (error.strerror or "").removeprefix("is ")
        return None

    def _batches(self, name: str, kind: TableKind, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        """Yield the rows as they are stored, under the names of their columns here."""
        if kind == TableKind.STREAM:
            with pa.ipc.open_stream(file) as reader:
                called = _columns(reader.schema, kind)
                for batch in reader:
                    yield self._chosen(batch, called)
        elif kind == TableKind.FILE:
            with pa.ipc.open_file(file) as reader:
                called = _columns(reader.schema, kind)
                for number in range(reader.num_record_batches):
                    yield self._chosen(reader.get_batch(number), called)
        else:
            yield from self._of_parquet(name, kind, file)

    def _of_parquet(
        self, name: str, kind: TableKind, file: pa.NativeFile
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of those row groups that may hold kept records."""
        import pyarrow.parquet as pq  # start-up: most runs read no Parquet

        with pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as table:
            called = _columns(table.schema_arrow, kind)
            groups: list[int] = [*range(table.num_row_groups)]
            own = (one for one, column in called.items() if one == column)
            if self.where is not None and self._told(own):
                groups = _may_hold(self.where.expression, name, file)
            chosen = [one for one, column in called.items() if self._wants(column)]
            for batch in table.iter_batches(_ROWS, groups, chosen, use_threads=False):
                yield self._chosen(batch, called)

    def _kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows that the filter keeps, if their columns tell."""
        if self.where is None or not self._told(batch.schema.names):
            return batch
        kept = self.where.select(batch)
        return batch if len(kept) == len(batch) else batch.take(kept)

    def _told(self, columns: Iterable[str]) -> bool:
        """Return whether these columns tell if the filter keeps a record."""
        # A fingerprint that is null is made of others.
        return (
            self.where is not None
            and NAME not in self.where.columns
            and set(self.where.columns) <= set(columns)
        )

    def _wants(self, column: str) -> bool:
        wanted = None if self.columns is None else with_sources(self.columns)
        return wanted is None or column in wanted or column in _PLACE

    def _chosen(self, batch: pa.RecordBatch, called: dict[str, str]) -> pa.RecordBatch:
        wanted = [one for one in batch.schema.names if self._wants(called[one])]
        found = batch.select(wanted)
        return found.rename_columns([called[one] for one in wanted])


def _may_hold(condition: pc.Expression, name: str, file: pa.NativeFile) -> list[int]:
    """Return the row groups of a Parquet file that may hold rows for which a condition is true."""
    import pyarrow.dataset as ds  # start-up: runs without a filter need none

    fragment = ds.ParquetFileFormat().make_fragment(file, partition_expression=_partition(name))
    found = fragment.subset(condition, schema=fragment.physical_schema)
    return [group.id for group in found.row_groups]


def _partition(name: str) -> pc.Expression:
    """Return what the folders of a lake say of a file that opslog wrote there (partition.py)."""
    import pyarrow.compute as pc

    said = pc.scalar(True)
    *folders, file = name.split("/")
    for folder in folders if _OF_LAKE.fullmatch(file) else []:
        key, _, value = folder.partition("=")
        # A long value is cut there.
        if key in _TOLD and value != _NONE and "~" not in value:
            said = said & (pc.field(_TOLD[key]) == pc.scalar(unquote(value)))
    return said


def _columns(stored: pa.Schema, kind: TableKind) -> dict[str, str]:
    """Return the column of a record that each column of a table is; raises OSError."""
    called: dict[str, str] = {}
    for one in stored.names:
        column = one if one in schema.BY_NAME else naming.column_of(one)
        if column is None or column in called.values():
            raise OSError(
                errno.EINVAL,
                f"is {kind} of other records than opslog writes: expected its columns, "
                f"found {one!r}",
            )
        called[one] = column
    said = b"opslog.schema" in (stored.metadata or {})
    if not said and not set(_PLACE) <= set(called.values()):
        raise OSError(
            errno.EINVAL,
            f"is {kind} of other records than opslog writes: expected the columns "
            f"{' and '.join(_PLACE)}",
        )
    return called


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces of a few MiB."""
    batch.validate(full=True)
    rows = len(batch)
    step = max(1, min(_ROWS, _BYTES * rows // max(1, batch.nbytes)))
    for at in range(0, rows, step):
        yield batch.slice(at, step)


def _encoded(batch: pa.RecordBatch, lines: JsonLines) -> bytes:
    """Return rows as JSON lines."""
    ordered = [one for one in schema.COLUMNS if one.name in batch.schema.names]
    lines.encode([(one.name, one.kind, batch.column(one.name)) for one in ordered], len(batch))
    return bytes(memoryview(lines))


def _stored(batch: pa.RecordBatch, name: str, before: int) -> pa.RecordBatch:
    """Return rows as records have them; one without a place stands in its row of the table."""
    names = batch.schema.names
    columns = {one: _as_stored(batch.column(one), schema.BY_NAME[one]) for one in names}
    rows = len(batch)
    source = columns.get("source")
    if source is None or source.null_count:
        told = pa.nulls(rows, pa.string()) if source is None else source.cast(pa.string())
        text = name.encode("utf-8", "replace").decode()
        columns["source"] = told.fill_null(text).dictionary_encode()
    offset = columns.get("source_offset")
    if offset is None or offset.null_count:
        own = pa.array(range(before, before + rows), pa.int64())
        columns["source_offset"] = own if offset is None else _compute().coalesce(offset, own)
    return pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])


def _as_stored(array: pa.Array, column: schema.Column) -> pa.Array:
    """Return a column in the type that records have it in; raises ArrowException."""
    if pa.types.is_dictionary(array.type) and array.dictionary.null_count:
        array = array.dictionary_decode()
    if array.type == column.type:
        return array
    if column.kind == "dictionary":
        return array.cast(pa.string()).dictionary_encode()
    options = _compute().CastOptions(target_type=column.type, allow_time_truncate=True)
    return array.cast(options=options)


def _compute() -> Any:
    import pyarrow.compute as pc  # start-up: most tables are as opslog wrote them

    return pc
