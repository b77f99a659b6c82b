"""Small Arrow values made from buffers.

``pyarrow.array`` and ``pyarrow.scalar`` of Python values import pandas where it
is installed, which costs a fifth of a second; these do not.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from itertools import accumulate

from opslog.model.arrow import pa


def texts(values: Sequence[str]) -> pa.StringArray:
    """Return an array of strings, none null."""
    return _pieces(pa.string(), [value.encode() for value in values])


def binaries(values: Sequence[bytes]) -> pa.BinaryArray:
    """Return an array of bytes, none null."""
    return _pieces(pa.binary(), values)


def _pieces(kind: pa.DataType, data: Sequence[bytes]) -> pa.Array:
    ends = struct.pack(f"={len(data) + 1}i", *accumulate(map(len, data), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(kind, len(data), buffers, 0)


def int32(value: int) -> pa.Int32Array:
    """Return an array of one signed 32-bit number."""
    data = pa.py_buffer(struct.pack("=i", value))
    return pa.Array.from_buffers(pa.int32(), 1, [None, data], 0)


def numbers(values: Sequence[int]) -> pa.Int32Array:
    """Return an array of signed 32-bit numbers."""
    data = pa.py_buffer(array("i", values))
    return pa.Array.from_buffers(pa.int32(), len(values), [None, data], 0)


def numbers64(values: Sequence[int]) -> pa.Int64Array:
    """Return an array of signed 64-bit numbers."""
    data = pa.py_buffer(array("q", values))
    return pa.Array.from_buffers(pa.int64(), len(values), [None, data], 0)


def text(value: str) -> pa.StringScalar:
    """Return a string scalar."""
    return texts([value])[0]


def uint8(value: int) -> pa.UInt8Scalar:
    """Return an unsigned 8-bit scalar."""
    return _scalar(pa.uint8(), "B", value)


def boolean(value: bool) -> pa.BooleanScalar:
    """Return a boolean scalar."""
    return _scalar(pa.bool_(), "B", value)


def int64(value: int) -> pa.Int64Scalar:
    """Return a signed 64-bit scalar."""
    return _scalar(pa.int64(), "q", value)


def float64(value: float) -> pa.DoubleScalar:
    """Return a double scalar."""
    return _scalar(pa.float64(), "d", value)


def timestamp(value: int) -> pa.TimestampScalar:
    """Return a UTC scalar of microseconds since the epoch."""
    return _scalar(pa.timestamp("us", "UTC"), "q", value)


def binary(value: bytes) -> pa.BinaryScalar:
    """Return a binary scalar."""
    buffers = [None, pa.py_buffer(struct.pack("=2i", 0, len(value))), pa.py_buffer(value)]
    return pa.Array.from_buffers(pa.binary(), 1, buffers, 0)[0]


def _scalar(kind: pa.DataType, form: str, value: float) -> pa.Scalar:
    data = pa.py_buffer(struct.pack(f"={form}", value))
    return pa.Array.from_buffers(kind, 1, [None, data], 0)[0]
