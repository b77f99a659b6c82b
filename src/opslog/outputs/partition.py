"""Partitions: which folder a record belongs to, in Hive's layout of ``key=value`` folders.

Values are percent-encoded, as pyarrow, DuckDB, Polars and Spark decode them, so
that no value is a path; what has none is in ``__HIVE_DEFAULT_PARTITION__``.  A
value too long for a folder's name is cut there, and a digest of it tells it from
others; so it is behind a value that is the name of none.  The records keep their columns
in any case.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from opslog.model.arrow import pa
from opslog.model.errors import OpslogError

KEYS = {"service": "service_name", "host": "host_name", "date": "timestamp"}
"""What can be partitioned by, and the column it is made of; a date is that in UTC."""

_NULL = "__HIVE_DEFAULT_PARTITION__"

_LONGEST = 255
"""Bytes of a folder's name."""


def keys_of(given: Iterable[str]) -> tuple[str, ...]:
    """Return the keys; raises OpslogError for one that does not exist or comes twice."""
    keys = tuple(given)
    for key in keys:
        if key not in KEYS:
            raise OpslogError(f"--partition-by: expected some of {', '.join(KEYS)}, found {key!r}")
        if keys.count(key) > 1:
            raise OpslogError(f"--partition-by: expected each key once, found {key!r} twice")
    return keys


def split(batch: pa.RecordBatch, keys: tuple[str, ...]) -> list[tuple[str, pa.RecordBatch]]:
    """Return the records of each folder in their order, with the folder's path."""
    values = [_values(batch, key) for key in keys]
    numbers = pa.array(range(batch.num_rows), pa.int32())
    table = pa.table([*values, numbers], names=[*keys, "row"])
    # In one thread the rows of a group stay in order.
    groups = table.group_by(list(keys), use_threads=False).aggregate([("row", "list")])
    found = [
        "/".join(_folder(key, group[key]) for key in keys)
        for group in groups.select(keys).to_pylist()
    ]
    if len(found) == 1:
        return [(found[0], batch)]
    rows = groups["row_list"].combine_chunks()
    return [(path, _taken(batch, rows[number].values)) for number, path in enumerate(found)]


def _values(batch: pa.RecordBatch, key: str) -> pa.Array:
    column = batch.column(KEYS[key])
    return column.cast(pa.date32()).cast(pa.string()) if key == "date" else column.cast(pa.string())


def _taken(batch: pa.RecordBatch, rows: pa.Array) -> pa.RecordBatch:
    """Return some rows, whose dictionaries hold no value of the others."""
    taken = batch.take(rows)
    columns = [
        column.dictionary_decode().dictionary_encode()
        if pa.types.is_dictionary(column.type)
        else column
        for column in taken.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _folder(key: str, value: str | None) -> str:
    name = f"{key}={quote(value, safe='') if value else _NULL}"
    if not value or (value != _NULL and len(name) <= _LONGEST):
        return name
    import hashlib  # start-up: hardly any name is so long

    # By whole characters: half of one could not be decoded.
    kept = value[:_LONGEST]
    digest = hashlib.sha256(value.encode()).hexdigest()[:16]
    while len(name := f"{key}={quote(kept, safe='')}~{digest}") > _LONGEST:
        kept = kept[:-1]
    return name
