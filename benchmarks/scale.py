"""What a log costs on Spark, and without: to Parquet, by ways that a user would take.

    python benchmarks/scale.py [MEGABYTES]

The rate is MB of log per second of CPU time of all processes, once a line was read the same way.
Needs `opslog[spark]` and Java.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import corpus
import opslog

CORES = 2
SMALL_PARTS = 16 << 20
TERABYTES = 10

_FIELDS = {
    "timestamp": r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})",
    "process": r"^\S+ \S+ (\d+) ",
    "severity": r"^\S+ \S+ \d+ ([A-Z]+) ",
    "logger": r"^\S+ \S+ \d+ [A-Z]+ (\S+) ",
    "global_request_id": r"\[(req-[0-9a-f-]+) req-",
    "request_id": r"\[(?:\S+ )?(req-[0-9a-f-]+) ",
    "user": r"\[[^\]]*req-[0-9a-f-]+ ([0-9a-f]{32}|-) ",
    "resource": r"\[instance: ([0-9a-f-]{36})\]",
    "body": r"^\S+ \S+ \d+ [A-Z]+ \S+ (?:\[[^\]]*\] )?(.*)$",
}
"""What a line of oslo.log holds, one regular expression a field."""


def session() -> Any:
    """Return the session of Spark on this machine."""
    from pyspark.sql import SparkSession

    import opslog.spark

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{CORES}]").config("spark.ui.enabled", "false")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    opslog.spark.register(spark)
    return spark


def alone(log: str, out: str) -> None:
    """Write the records with opslog alone."""
    opslog.read(log).write_parquet(f"{out}/records.parquet")


def small_parts(log: str, out: str) -> None:
    """Write each part of 16 MiB to a file of its own."""
    for number, part in enumerate(opslog.read(log).parts(SMALL_PARTS)):
        part.write_parquet(f"{out}/{number}.parquet")


def tasks_write(log: str, out: str) -> None:
    """Let tasks write their records themselves."""
    import opslog.spark

    opslog.spark.write_parquet(session(), opslog.read(log), f"{out}/lake")


def spark_writes(log: str, out: str) -> None:
    """Let Spark write the records that tasks read."""
    session().read.format("opslog").load(log).write.parquet(f"{out}/lake")


def plain_spark(log: str, out: str) -> None:
    """Let Spark take lines apart, each of which is a record then."""
    from pyspark.sql.functions import regexp_extract

    lines = session().read.text(log)
    fields = [regexp_extract("value", text, 1).alias(name) for name, text in _FIELDS.items()]
    lines.select(*fields).write.parquet(f"{out}/lake")


WAYS = {
    "opslog alone": alone,
    "opslog alone, a file for each 16 MiB": small_parts,
    "Spark, tasks write Parquet (`write_parquet`)": tasks_write,
    "Spark, its own writer of all columns": spark_writes,
    "Spark without opslog, nine `regexp_extract`": plain_spark,
}


def seconds() -> float:
    """Return the seconds of CPU time of this process, those below it, and what these waited for."""
    parents, spent = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            spent[int(folder.name)] = sum(map(int, fields[11:15]))
    total = 0
    for process in spent:
        above = process
        while above not in (0, os.getpid()):
            above = parents.get(above, 0)
        total += spent[process] if above else 0
    return total / os.sysconf("SC_CLK_TCK")


def measured(way: str, log: Path, line: Path) -> tuple[float, float]:
    """Return the seconds that a way takes for a line and its own start, and then for the log."""
    found = []
    for path in (line, log):
        before = seconds()
        with tempfile.TemporaryDirectory() as out:
            WAYS[way](str(path), out)
        found.append(seconds() - before)
    return found[0], found[1]


def main(megabytes: int) -> None:
    """Print the table; each way has a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        log, _ = corpus.cached("text", megabytes, Path(folder))
        line = Path(folder, "line.log")
        with log.open("rb") as file:
            line.write_bytes(file.readline())
        print(f"| way | MB per CPU second | start, CPU s | {TERABYTES} TB, CPU hours |")
        print("|---|---:|---:|---:|")
        for way in WAYS:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                start, spent = pool.submit(measured, way, log, line).result()
            rate = log.stat().st_size / 1e6 / spent
            hours = TERABYTES * 1e6 / rate / 3600
            print(f"| {way} | {rate:.0f} | {start:.1f} | {hours:,.0f} |", flush=True)


if __name__ == "__main__":
    main(int([*sys.argv[1:], "1000"][0]))
