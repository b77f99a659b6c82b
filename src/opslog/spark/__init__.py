"""Logs on a cluster: a data source for Apache Spark 4.1 and later (``opslog[spark]``).

>>> import opslog.spark
>>> opslog.spark.register(spark)                                        # doctest: +SKIP
>>> spark.read.format("opslog").load("s3://logs/2026-03-10/").show()    # doctest: +SKIP
"""

from opslog.spark.files import write_parquet
from opslog.spark.requests import graph, requests, with_requests
from opslog.spark.source import register
from opslog.spark.trace import trace

__all__ = ["graph", "register", "requests", "trace", "with_requests", "write_parquet"]
