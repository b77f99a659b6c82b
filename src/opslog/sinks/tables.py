"""Tables of records: their columns as a file of Arrow or Parquet names them."""

from __future__ import annotations

import pyarrow as pa

from opslog import names as naming
from opslog import schema
from opslog.version import __version__


def schema_of(columns: tuple[str, ...], names: str) -> pa.Schema:
    metadata = {"opslog.version": __version__, "opslog.schema": schema.VERSION}
    types = (schema.BY_NAME[column].type for column in columns)
    fields = map(pa.field, naming.spelled(columns, names), types)
    return pa.schema(list(fields), metadata=metadata)


def renamed(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(batch.columns, schema=wanted)
