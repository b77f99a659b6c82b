"""Tables of records: their columns as a file of Arrow or Parquet names them."""

from __future__ import annotations

from opslog.model import names as naming
from opslog.model import schema
from opslog.model.arrow import pa
from opslog.model.version import __version__
from opslog.rows.kept import Kept


class TableEncoder:
    """Records as batches, their columns' names spelled."""

    def __init__(self, columns: tuple[str, ...], names: str) -> None:
        self.columns = columns
        metadata = {"opslog.version": __version__, "opslog.schema": schema.VERSION}
        types = (schema.BY_NAME[column].type for column in columns)
        fields = map(pa.field, naming.spelled(columns, names), types)
        self.schema = pa.schema(list(fields), metadata=metadata)

    def encode(self, kept: Kept) -> pa.RecordBatch:
        return self.of_batch(kept.batch())

    rows = encode

    def of_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(batch.select(self.columns).columns, schema=self.schema)
