"""Spark's types of the columns."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql.types import (
    BinaryType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructType,
    TimestampType,
)

from opslog.model import schema
from opslog.model.errors import OpslogError

_TYPES: dict[schema.Kind, tuple[DataType, pa.DataType]] = {
    "timestamp": (TimestampType(), pa.timestamp("us", tz="UTC")),
    "uint8": (IntegerType(), pa.int32()),
    "int64": (LongType(), pa.int64()),
    "float64": (DoubleType(), pa.float64()),
    "string": (StringType(), pa.string()),
    "dictionary": (StringType(), pa.string()),
    "map": (MapType(StringType(), StringType()), pa.map_(pa.string(), pa.string())),
    "binary": (BinaryType(), pa.binary()),
}
"""Spark's type of each kind, and Arrow's as Spark takes it."""


def spark_schema(names: Iterable[str]) -> str:
    """Return the schema of columns, as Spark's SQL writes it; every column may be null."""
    return ", ".join(f"{name} {_told(schema.BY_NAME[name].kind)}" for name in names)


def _told(kind: schema.Kind) -> str:
    return str(_TYPES[kind][0].simpleString())


def column_names(wanted: StructType | pa.Schema) -> tuple[str, ...]:
    """Return the names of the columns of a schema; Sail gives it as Arrow's.

    Raises OpslogError for a column there is not, or one of another type.
    """
    for name in wanted.names:
        column = schema.BY_NAME.get(name)
        if column is None:
            raise OpslogError(f"schema: expected some of {', '.join(schema.BY_NAME)}; found {name}")
        if isinstance(wanted, StructType):
            found = wanted[name].dataType.simpleString()
            if found != _told(column.kind):
                raise OpslogError(f"schema: expected {name} {_told(column.kind)}, found {found}")
    return tuple(wanted.names)


def arrow_schema(wanted: StructType | pa.Schema) -> pa.Schema:
    """Return the schema of batches as they are taken: texts for dictionaries, no uint8."""
    if isinstance(wanted, pa.Schema):
        return wanted
    kinds = [(name, schema.BY_NAME[name].kind) for name in wanted.names]
    return pa.schema([pa.field(name, _TYPES[kind][1]) for name, kind in kinds])
