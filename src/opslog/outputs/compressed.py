"""Outputs that are compressed: gzip and zstd, by the last suffix of their names."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO

from opslog.model.arrow import pa
from opslog.outputs.arrow import arrow_file
from opslog.outputs.output import OutputStream
from opslog.outputs.own_kinds import OwnKind

_CODECS = {".gz": "gzip", ".zst": "zstd"}
_BEGINNING = 64 << 10
_PACKED = 1 << 20
"""Bytes of a compressed file in which its beginning is found."""


def compressed_kind(own: OwnKind, suffix: str) -> OwnKind:
    """Return the kind of files that hold ``own`` compressed, as ``suffix`` says."""
    codec = _CODECS[suffix]

    def wrote(file: BinaryIO) -> bool:
        with (
            suppress(OSError, pa.ArrowException),
            pa.CompressedInputStream(io.BytesIO(file.read(_PACKED)), codec) as plain,
        ):
            return own.wrote(io.BytesIO(plain.read(_BEGINNING)))
        return False

    return OwnKind(f"{own.name}, compressed by {codec}", wrote)


class CompressedOutput(OutputStream):
    """What is written to it goes compressed to ``output``, complete when it is closed."""

    whole = True

    def __init__(self, output: OutputStream, suffix: str) -> None:
        super().__init__(output.path, output.fd)
        self._output = output
        self._stream = pa.CompressedOutputStream(arrow_file(output), _CODECS[suffix])

    def write(self, data: memoryview | bytes) -> None:
        self._stream.write(data)
        self.size += len(data)

    def close(self) -> None:
        self._stream.close()
        self._output.close()

    def abort(self) -> None:
        self._output.abort()
