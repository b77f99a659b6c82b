"""The data source: the driver divides logs into parts, and tasks read one each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyspark
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from opslog.logs import Logs
from opslog.model.errors import OpslogError
from opslog.spark import options as given
from opslog.spark.tasks import refuse_unmatched
from opslog.spark.types import arrow_schema, column_names, spark_schema

if TYPE_CHECKING:
    from opslog.spark.stream import LogStreamReader


@dataclass
class Part(InputPartition):
    """Logs that one task reads."""

    logs: Logs


class LogSource(DataSource):
    """The source that ``spark.read.format("opslog")`` names."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the format."""
        return "opslog"

    def schema(self) -> str:
        """Return the columns that the option ``columns`` names, or all."""
        return spark_schema(given.columns_of(given.checked(self.options, stream=True)))

    def reader(self, schema: StructType) -> LogReader:
        """Return a reader of the columns of ``schema``."""
        return LogReader(schema, given.checked(self.options))

    def streamReader(self, schema: StructType) -> LogStreamReader:  # noqa: N802 - Spark's name
        """Return a reader of what is new; raises OpslogError before Spark 4.2."""
        try:
            from opslog.spark.stream import LogStreamReader
        except ImportError:
            raise OpslogError(
                f"readStream: expected Spark 4.2 or later, found {pyspark.__version__}"
            ) from None
        return LogStreamReader(schema, given.checked(self.options, stream=True))


class LogReader(DataSourceReader):
    """Reads parts.

    It takes no filters from Spark: those it would be given stay with a relation, and
    change what later queries of the same DataFrame read.  The option ``where`` is decided
    before a record leaves the task.
    """

    def __init__(self, schema: StructType, options: dict[str, str]) -> None:
        self._columns = column_names(schema)
        self._schema = arrow_schema(schema)
        self._options = options

    def partitions(self) -> Sequence[Part]:
        """Return the parts of the logs as they are now; raises SourceError, OpslogError."""
        logs = given.logs_of(self._options, self._columns)
        parts = logs.parts(given.split_bytes(self._options))
        refuse_unmatched(parts)
        return [Part(part) for part in parts]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield the records of one part; without any logs there is no part, but one is read."""
        if isinstance(partition, Part):
            for batch in partition.logs.batches(self._columns):
                yield batch.cast(self._schema)


def register(spark: SparkSession) -> None:
    """Make ``spark.read.format("opslog")`` known to a session."""
    spark.dataSource.register(LogSource)
