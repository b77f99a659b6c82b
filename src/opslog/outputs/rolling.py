"""A folder of files that end by size and by time, so that a stream without an end can be read.

A file appears under its name when it is complete, and is never written again.
Files of one partition end alone when they are large enough; when the time is
over, all of them do, so that at that moment no record is pending.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from opslog.inputs.remote import is_url
from opslog.model.arrow import pa
from opslog.model.errors import OpslogError, SinkError
from opslog.outputs import partition
from opslog.outputs.output import OutputStream
from opslog.outputs.rolled_file import FileNames, RolledFolder
from opslog.outputs.sink import Encoder, FileSink, Rows
from opslog.rows.kept import Kept
from opslog.terminal.words import count

if TYPE_CHECKING:
    from opslog.outputs.uploaded_file import UploadedFolder

MOST_OPEN = 256
"""Files open at once; then the one that waited longest for a record ends."""

MOST_HELD = 128 << 20
"""Bytes of all files that wait in memory."""

_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Roll:
    """When a file ends: at ``size`` bytes, about, or ``seconds`` after the first record."""

    size: int | None = None
    seconds: int | None = None

    @classmethod
    def parse(cls, text: str) -> Roll:
        """Return what ``128MiB,5m`` says; raises OpslogError."""
        found: dict[str, int] = {}
        for part in text.split(","):
            match = re.fullmatch(r"([1-9][0-9]{0,8})(KiB|MiB|GiB|s|m|h)", part.strip())
            kind = "size" if match and match[2].endswith("B") else "seconds"
            if match is None or kind in found:
                raise OpslogError(
                    f"--roll: expected a size (KiB, MiB, GiB), a time (s, m, h) or both, "
                    f"as in 128MiB,5m; found {text!r}"
                )
            found[kind] = int(match[1]) * _UNITS[match[2]]
        return cls(**found)


Opener: TypeAlias = Callable[[OutputStream], FileSink]
"""Makes the sink into a file."""


class RollingSink:
    """Files in ``folder`` and, with ``keys``, in its partitions (partition.py)."""

    def __init__(
        self,
        folder: str,
        suffix: str,
        encoder: Encoder,
        opener: Opener,
        roll: Roll,
        keys: tuple[str, ...],
    ) -> None:
        self.columns = encoder.columns
        self._folder = folder
        self._encoder = encoder
        self._opener = opener
        self._roll = roll
        self._keys = keys
        self._names = FileNames("part-" if keys else "", suffix)
        self._open: OrderedDict[str, tuple[OutputStream, FileSink]] = OrderedDict()
        self._since = 0.0
        self._complete = 0
        self._last = ""
        self._files = _folder(folder)

    @property
    def fd(self) -> None:
        return None

    @property
    def pending(self) -> bool:
        return bool(self._open)

    def encode(self, kept: Kept) -> list[tuple[str, Any]]:
        if not self._keys:
            return [("", self._encoder.encode(kept))]
        return self.of_batch(kept.batch())

    def of_batch(self, batch: pa.RecordBatch) -> list[tuple[str, Any]]:
        parts = partition.split(batch, self._keys) if self._keys else [("", batch)]
        return [(path, self._encoder.of_batch(part)) for path, part in parts]

    def rows(self, kept: Kept) -> Rows:
        return kept.batch() if self._keys else self._encoder.rows(kept)

    def write(self, encoded: list[tuple[str, Any]]) -> None:
        with self._telling():
            for path, records in encoded:
                self._sink(path).write(records)
                self._end_if_full(path)
            while sum(sink.held for _, sink in self._open.values()) > MOST_HELD:
                max((sink for _, sink in self._open.values()), key=_held).flush()

    def write_rows(self, rows: Rows) -> None:
        if isinstance(rows, pa.RecordBatch) and self._keys:
            self.write(self.of_batch(rows))
            return
        with self._telling():
            self._sink("").write_rows(rows)
            self._end_if_full("")

    def tick(self, now: float) -> None:
        # Not in write(): who keeps a checkpoint asks for what is pending right behind this.
        seconds = self._roll.seconds
        if self._open and seconds is not None and now - self._since >= seconds:
            self.close()

    def close(self, complete: bool = True) -> None:
        # What is interrupted is complete, too: every file holds whole records.
        with self._telling():
            for path in list(self._open):
                self._end(path)

    def abort(self) -> None:
        while self._open:
            _, (_, sink) = self._open.popitem()
            sink.abort()

    def _sink(self, path: str) -> FileSink:
        """Return that into the open file of a partition, opened if there is none."""
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path][1]
        if not self._open:
            self._since = time.monotonic()
        elif len(self._open) >= MOST_OPEN:
            self._end(next(iter(self._open)))
        file = self._files.create(path, next(self._names))
        try:
            sink = self._opener(file)
        except BaseException:
            file.abort()
            raise
        self._open[path] = file, sink
        return sink

    def _end_if_full(self, path: str) -> None:
        size = self._roll.size
        if size is not None and self._open[path][1].size >= size:
            self._end(path)

    def _end(self, path: str) -> None:
        file, sink = self._open[path]
        sink.close()
        del self._open[path]
        self._complete += 1
        self._last = file.path

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say of an error which files can be used."""
        try:
            yield
        except (OSError, SinkError) as error:
            # What a file says of itself is not so here: it is removed.
            known = error.reason if isinstance(error, SinkError) else error.strerror
            reason = known or str(error)
            are = "is" if self._complete == 1 else "are"
            there = f"{count(self._complete, 'file')} of this run {are} complete"
            if self._complete:
                there += f", the last is {self._last}"
            raise SinkError(
                self._folder, f"{reason.partition(';')[0]}; {there}; what came later is not written"
            ) from None


def _folder(path: str) -> RolledFolder | UploadedFolder:
    if not is_url(path):
        return RolledFolder(path)
    from opslog.outputs.uploaded_file import UploadedFolder  # most runs write to no URL

    return UploadedFolder(path)


def _held(sink: FileSink) -> int:
    return sink.held
