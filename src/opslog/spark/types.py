"""Spark's types of the columns, and batches with these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql.types import (
    BinaryType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
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


def spark_schema(names: Iterable[str]) -> StructType:
    """Return the schema of columns; every column may be null."""
    return StructType([StructField(name, _TYPES[schema.BY_NAME[name].kind][0]) for name in names])


def column_names(wanted: StructType) -> tuple[str, ...]:
    """Return the names of the columns of a schema.

    Raises OpslogError for a column there is not, or one of another type.
    """
    for field in wanted.fields:
        column = schema.BY_NAME.get(field.name)
        if column is None:
            raise OpslogError(
                f"schema: expected some of {', '.join(schema.BY_NAME)}; found {field.name}"
            )
        expected = _TYPES[column.kind][0]
        if field.dataType.simpleString() != expected.simpleString():
            raise OpslogError(
                f"schema: expected {field.name} {expected.simpleString()}, "
                f"found {field.dataType.simpleString()}"
            )
    return tuple(wanted.fieldNames())


def spark_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the batches with the types that Spark takes: texts for dictionaries, no uint8."""
    for batch in batches:
        columns = [
            column.cast(_TYPES[schema.BY_NAME[name].kind][1])
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, batch.schema.names)
