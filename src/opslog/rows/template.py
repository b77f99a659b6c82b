"""What messages have in common when their values differ.

A template is a message in which each value stands as ``<*>``: quoted text, and
words with a digit together with what is joined to them (numbers, times,
addresses, ids).
"""

from __future__ import annotations

import pyarrow as pa

from opslog.rows._template import templates_of


def templates(messages: pa.Array) -> pa.Array:
    """Return the template of each message (string); null stays null."""
    if messages.null_count == len(messages):
        return messages
    _, offsets, data = messages.buffers()
    ends = memoryview(offsets).cast("B").cast("i")[messages.offset :]
    new_ends, texts = templates_of(ends, memoryview(data or b"").cast("B"), len(messages))
    known = messages.is_valid().buffers()[1] if messages.null_count else None
    return pa.Array.from_buffers(
        pa.string(), len(messages), [known, pa.py_buffer(new_ends), pa.py_buffer(texts)]
    )
