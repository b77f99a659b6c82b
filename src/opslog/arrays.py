"""Small Arrow values made from buffers.

``pyarrow.array`` and ``pyarrow.scalar`` of Python values import pandas where it
is installed, which costs a fifth of a second; these do not.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

import pyarrow as pa


def texts(values: Sequence[str]) -> pa.StringArray:
    """Return an array of strings, none null."""
    data = [value.encode() for value in values]
    ends = struct.pack(f"={len(data) + 1}i", *accumulate(map(len, data), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.string(), len(data), buffers, 0)


def text(value: str) -> pa.StringScalar:
    """Return a string scalar."""
    return texts([value])[0]


def uint8(value: int) -> pa.UInt8Scalar:
    """Return an unsigned 8-bit scalar."""
    return pa.Array.from_buffers(pa.uint8(), 1, [None, pa.py_buffer(bytes([value]))], 0)[0]


def boolean(value: bool) -> pa.BooleanScalar:
    """Return a boolean scalar."""
    return pa.Array.from_buffers(pa.bool_(), 1, [None, pa.py_buffer(bytes([value]))], 0)[0]
