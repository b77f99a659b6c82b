"""The columns of roots: the request at the top of a tree of calls."""

from __future__ import annotations

import re
from typing import TypeAlias

import pyarrow as pa

from opslog.correlate.graph import RequestGraph
from opslog.model import schema
from opslog.model.arrays import text, texts

Ids: TypeAlias = tuple[pa.Array, list[tuple[str | None, str | None]]]
"""For each row a number (int32), and for each number (request id, global request id)."""

IDS = ("request_id", "global_request_id")
"""The columns with the ids that roots are found by."""

HEAD = "head_request_id"
"""A column for opslog itself: the topmost request below the root, of the root's own records the
root.  It is what a user called where the root is an id that the user sent along.
"""

ROOTS = ("root_request_id", "trace_id", HEAD)
"""The columns that hold roots."""

_UUID = re.compile("req-([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})")


def rooted(batch: pa.RecordBatch, graph: RequestGraph, columns: tuple[str, ...]) -> pa.RecordBatch:
    """Return ``columns`` of a batch; ROOTS are new: the root, its UUID as ``trace_id``, the head.

    A column that the batch has already is replaced.
    """
    numbers, ids = ids_of(batch)
    roots = [root_of(own, cause, graph) for own, cause in ids]
    for name in ROOTS:
        if name not in columns:
            continue
        if name == HEAD:
            found = [head_of(own, cause, graph) for own, cause in ids]
        else:
            found = roots if name == "root_request_id" else [uuid_digits(root) for root in roots]
        column = _nullable_texts(found).take(numbers)
        at = batch.schema.get_field_index(name)
        field = pa.field(name, pa.string() if name == HEAD else schema.BY_NAME[name].type)
        batch = (
            batch.append_column(field, column) if at < 0 else batch.set_column(at, field, column)
        )
    return batch.select(columns)


def root_of(own: str | None, cause: str | None, graph: RequestGraph) -> str | None:
    """Return the root of a record that has these ids, None if it has none."""
    if own is None or (cause is not None and not graph.knows(own)):
        return None if cause is None else graph.root(cause)
    return graph.root(own)


def head_of(own: str | None, cause: str | None, graph: RequestGraph) -> str | None:
    """Return the topmost request below the root of a record that has these ids, None without."""
    if own is None:
        return None if cause is None else graph.root(cause)
    if cause is not None and not graph.knows(own):
        return graph.head(cause) if graph.knows(cause) else own
    return graph.head(own)


def ids_of(batch: pa.RecordBatch) -> Ids:
    """Return the ids of each row of a batch, each pair of them once."""
    import pyarrow.compute as pc  # start-up: most runs ask for no roots

    have = batch.schema.names
    own, cause = (
        batch.column(have.index(name)).cast(pa.string())
        if name in have
        else pa.nulls(len(batch), pa.string())
        for name in IDS
    )
    # No id holds a blank: it would stand for two words of a line.
    pairs = pc.binary_join_element_wise(
        own, cause, text(" "), null_handling="replace"
    ).dictionary_encode()
    split = (pair.partition(" ") for pair in pairs.dictionary.to_pylist())
    return pairs.indices, [(first or None, last or None) for first, _, last in split]


def uuid_digits(root: str | None) -> str | None:
    """Return the 32 hex digits of the UUID of a request's id, None if it has none."""
    found = _UUID.fullmatch(root) if root is not None else None
    return "".join(found.groups()) if found else None


def _nullable_texts(values: list[str | None]) -> pa.Array:
    known = texts([value or "" for value in values])
    mask = bytearray((len(values) + 7) // 8)
    for number, value in enumerate(values):
        mask[number >> 3] |= (value is not None) << (number & 7)
    return pa.Array.from_buffers(
        pa.string(), len(values), [pa.py_buffer(mask), *known.buffers()[1:]]
    )
