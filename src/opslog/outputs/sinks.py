"""Sinks: where batches go, one module for each kind.

A sink encodes records in any thread and writes what was encoded in order, in
one thread.  Parquet appears under its name only when it is complete; what
else there is grows as it comes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opslog.inputs.remote import is_url
from opslog.model import names as naming
from opslog.model.errors import OpslogError, SinkError
from opslog.outputs.jsonl import JsonEncoder, JsonlSink
from opslog.outputs.output import (
    STDOUT,
    OutputStream,
    failed,
    is_receiver,
    is_stream,
    open_growing,
)
from opslog.outputs.own_kinds import OF_RECORDS, OwnKind
from opslog.outputs.sink import Sink
from opslog.outputs.whole_file import open_whole

if TYPE_CHECKING:
    from opslog.model.zones import Zone
    from opslog.outputs.marks import Marks
    from opslog.outputs.rolling import Opener, Roll
    from opslog.outputs.tables import TableEncoder
    from opslog.outputs.text import Words

FORMATS = ("jsonl", "parquet", "arrow", "csv", "tsv", "text", "original", "count")
CHOOSING = ("jsonl", "parquet", "arrow", "csv", "tsv")
"""Formats whose columns can be chosen."""

COMPRESSED = (".gz", ".zst")
"""Suffixes of files that are compressed, which appear when they are complete, too."""

WHOLE = ("parquet", "count")
"""Formats whose file appears when it is complete."""

_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet",
             ".arrow": "arrow", ".arrows": "arrow", ".csv": "csv", ".tsv": "tsv",
             ".txt": "text"}  # fmt: skip


def format_of(path: str) -> str | None:
    """Return the output format the name of ``path`` says, None if it does not.

    A suffix of compression behind it, .gz or .zst, says nothing of it.
    """
    if is_receiver(path):
        return "otlp"
    name = Path(path)
    return _SUFFIXES.get((name.with_suffix("") if name.suffix in COMPRESSED else name).suffix)


def is_whole(path: str, kind: str) -> bool:
    """Return whether the file appears when it is complete."""
    return kind in WHOLE or Path(path).suffix in COMPRESSED


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)


@dataclass(frozen=True, slots=True)
class Target:
    """Where records are written, and how.

    ``path`` is a file, ``-``, a folder (one that exists, or a name that ends with a
    slash) or a receiver (otlp.py), ``kind`` one of FORMATS, or ``otlp`` for a receiver.  ``names``
    spells the columns' names (names.py); ``columns`` are those chosen, None for all.
    ``colored``, ``full`` (whole tracebacks and request ids), ``width`` (columns of the
    terminal it is for, 0 without one), ``hosts`` (of each record from the first on), ``files``
    (of records without a program), ``zone`` (of the times; None: UTC) ``marks`` and
    ``words`` (what says messages in words) are for text.
    In a folder, ``roll`` says when a file ends (without it, with the run) and
    ``keys`` which partitions there are (partition.py).  With ``append``, lines are added to
    those a file holds.  A file that is not empty and not of this kind is left as it is,
    unless ``overwrite`` is true.  ``warn`` is told what does not end the run.
    """

    path: str
    kind: str
    names: str = naming.OPSLOG
    columns: tuple[str, ...] | None = None
    colored: bool = False
    full: bool = False
    width: int = 0
    hosts: bool = False
    files: bool = False
    zone: Zone | None = None
    marks: Marks | None = None
    words: Words | None = None
    roll: Roll | None = None
    keys: tuple[str, ...] = ()
    append: bool = False
    overwrite: bool = False
    warn: Callable[[str], None] = _warn


def is_folder(path: str) -> bool:
    """Return whether ``path`` is a folder, or is to be one; a URL says so by its last slash."""
    if is_url(path):
        return path.endswith("/") and not is_receiver(path)
    return path.endswith(os.sep) or os.path.isdir(path)


def open_sink(target: Target, columns: tuple[str, ...]) -> Sink:
    """Open ``target`` for records with ``columns``; raises SinkError."""
    path, kind, append = target.path, target.kind, target.append
    columns = columns if target.columns is None else target.columns
    if path.startswith("file://"):
        raise SinkError(path, f"a file of this machine is named by its path: {path[7:]}")
    if is_folder(path):
        return _folder(target, columns)
    if is_receiver(path) or kind == "otlp":
        return _receiver(target, columns)
    if is_url(path) and append:
        raise SinkError(
            path, f"at a URL no file grows: use -o {_suggested(path)}/ --roll 128MiB,5m"
        )
    if target.roll or target.keys:
        flag = "--roll" if target.roll else "--partition-by"
        raise SinkError(path, f"{flag} needs a folder of files: -o {_suggested(path)}/")
    if append and (kind not in ("jsonl", "text") or is_whole(path, kind)):
        raise SinkError(path, f"nothing can be appended to {kind}: use -o DIR/ --roll 128MiB,5m")
    if kind not in FORMATS:
        raise OpslogError(f"unknown output format {kind!r}: expected one of {', '.join(FORMATS)}")
    if kind == "parquet":
        _refuse_stream(path)
    output = _output(target)
    try:
        return _sink(output, target, columns)
    except BaseException:
        output.abort()
        raise


def _output(target: Target) -> OutputStream:
    path, kind = target.path, target.kind
    own, compression = OF_RECORDS[kind], Path(path).suffix
    if compression in COMPRESSED:
        if kind in ("parquet", "count"):
            raise SinkError(path, f"{kind} is not compressed as a whole: leave {compression} out")
        from opslog.outputs.compressed import CompressedOutput, compressed_kind

        own = compressed_kind(own, compression)
        return CompressedOutput(_opened(target, own, whole=True), compression)
    return _opened(target, own, whole=kind in WHOLE)


def _opened(target: Target, own: OwnKind, whole: bool) -> OutputStream:
    if is_url(target.path):
        from opslog.outputs.uploaded_file import UploadedFile  # most runs write to no URL

        return UploadedFile(target.path, own, target.overwrite)
    if whole:
        return open_whole(target.path, own, target.overwrite)
    return open_growing(target.path, own, target.overwrite, target.append)


def _receiver(target: Target, columns: tuple[str, ...]) -> Sink:
    if target.roll or target.keys:
        flag = "--roll" if target.roll else "--partition-by"
        raise SinkError(target.path, f"{flag} needs a folder of files, not a receiver of OTLP")
    if target.kind != "otlp" or not is_receiver(target.path):
        raise SinkError(
            target.path,
            "OTLP goes to a receiver, otlp://HOST[:PORT], and nothing else does; "
            f"found an output as {target.kind}",
        )
    from opslog.outputs.otlp import OtlpSink  # most runs write to no receiver

    return OtlpSink(target.path, columns, target.warn)


def _refuse_stream(path: str) -> None:
    """Raise SinkError for what Parquet cannot be written to."""
    if path == STDOUT:
        raise SinkError(path, "Parquet is written at random places and needs a file: -o PATH")
    try:
        if is_stream(path):
            raise SinkError(path, "is no regular file, which Parquet needs")
    except (OSError, ValueError) as error:
        raise failed(path, error) from None


def _sink(output: OutputStream, target: Target, columns: tuple[str, ...]) -> Sink:
    if target.kind == "jsonl":
        return JsonlSink(output, JsonEncoder(columns, target.names))
    # Imported where they are needed: an output need not pay for another one.
    if target.kind in ("arrow", "parquet"):
        from opslog.outputs.tables import TableEncoder

        encoder = TableEncoder(columns, target.names)
        if target.kind == "arrow":
            from opslog.outputs.arrow import ArrowSink

            return ArrowSink(output, encoder)
        from opslog.outputs.parquet import ParquetSink

        return ParquetSink(output, encoder)
    if target.kind in ("csv", "tsv"):
        from opslog.outputs.delimited import DelimitedSink

        return DelimitedSink(output, columns, target.names, tabs=target.kind == "tsv")
    if target.kind == "original":
        from opslog.outputs.original import OriginalSink

        return OriginalSink(output)
    if target.kind == "text":
        from opslog.outputs.text import TextSink

        return TextSink(
            output,
            target.colored,
            target.full,
            target.width,
            target.hosts,
            target.files,
            target.zone,
            target.marks,
            target.words,
        )
    from opslog.outputs.count import CountSink

    return CountSink(output)


def _suggested(path: str) -> str:
    return "DIR" if path == STDOUT else path


def _folder(target: Target, columns: tuple[str, ...]) -> Sink:
    from opslog.outputs.arrow import ArrowSink
    from opslog.outputs.parquet import BYTES_PER_GROUP, ParquetSink
    from opslog.outputs.rolling import Roll, RollingSink
    from opslog.outputs.tables import TableEncoder

    kind, roll = target.kind, target.roll or Roll()
    encoder: JsonEncoder | TableEncoder
    opener: Opener
    if kind == "jsonl":
        encoder = JsonEncoder(columns, target.names)
        opener = partial(JsonlSink, encoder=encoder)
    elif kind == "arrow":
        encoder = TableEncoder(columns, target.names)
        opener = partial(ArrowSink, encoder=encoder)
    elif kind == "parquet":
        encoder = TableEncoder(columns, target.names)
        # Smaller in the file than in memory: no file is much larger than it should be.
        group = min(BYTES_PER_GROUP, roll.size or BYTES_PER_GROUP)
        opener = partial(ParquetSink, encoder=encoder, group=group)
    else:
        raise SinkError(
            target.path, f"a folder takes jsonl, parquet or arrow, not {kind}: say it with --to"
        )
    return RollingSink(target.path, kind, encoder, opener, roll, target.keys)
