"""A driver of its own for tests: it streams logs to Parquet until it is killed, or has read all.

python streaming_run.py LOGS OUTPUT CHECKPOINT (forever | once) OPTION=VALUE...
"""

from __future__ import annotations

import sys
from typing import Any

from pyspark.sql import SparkSession

from opslog import spark as on_spark

COLUMNS = "timestamp timestamp, severity_text string, body string, exception_stacktrace string, " \
          "source string, source_offset long"  # fmt: skip
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options for Java processes of a few seconds, which would compile for most of them."""


def session(master: str) -> Any:
    """Return a session in which logs can be read."""
    spark = (
        SparkSession.builder.master(master)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", "512m")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    on_spark.register(spark)
    return spark


def main() -> None:
    logs, output, checkpoint, how, *options = sys.argv[1:]
    spark = session("local[2]")
    frame = spark.readStream.format("opslog").schema(COLUMNS)
    for option in options:
        frame = frame.option(*option.split("=", 1))
    stream = (
        frame.load(logs)
        .writeStream.format("parquet")
        .option("path", output)
        .option("checkpointLocation", checkpoint)
    )
    once = {"availableNow": True} if how == "once" else {"processingTime": "200 milliseconds"}
    stream.trigger(**once).start().awaitTermination()


if __name__ == "__main__":
    main()
