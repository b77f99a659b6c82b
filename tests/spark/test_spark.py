"""A real Spark cluster, a master and two workers, gives what opslog alone gives.

``pytest -m spark`` runs these where pyspark and Java are (CONTRIBUTING.md).
"""

from __future__ import annotations

import doctest
import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import opslog
from helpers import ROOT
from simulator import ERAS, Deployment

pytestmark = pytest.mark.spark
pyspark = pytest.importorskip("pyspark")
from opslog import spark as on_spark  # noqa: E402
from opslog.trace.requests import requests  # noqa: E402

SEAM = 16 << 20
"""Bytes from one place of a file where it may be divided to the next."""


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of many logs: small ones, a compressed one, one of three parts."""
    folder = tmp_path_factory.mktemp("spark") / "logs"
    folder.mkdir()
    Deployment(1, ERAS[-1], boots=20).write(folder)
    biggest = max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    text = biggest.read_bytes()
    with gzip.open(folder / "packed.log.gz", "wb") as file:
        file.write(text)
    traceback = (
        b"2026-03-10 10:00:00.000 7 ERROR nova.api [-] failed\n"
        b"2026-03-10 10:00:00.000 7 ERROR nova.api Traceback (most recent call last):\n"
        + b'2026-03-10 10:00:00.000 7 ERROR nova.api   File "a.py", line 1, in a\n' * 40
        + b"2026-03-10 10:00:00.000 7 ERROR nova.api ValueError: no\n"
    )
    piece = text + traceback
    with open(folder / "large.log", "wb") as file:
        while file.tell() < 2.5 * SEAM:
            file.write(piece)
    return folder


def ordered(table: pa.Table) -> pa.Table:
    """Return the records in the order of their places, with the types that Spark has."""
    plain = pa.schema([pa.field(f.name, spark_type(f.type)) for f in table.schema])
    table = table.cast(plain).sort_by([("source", "ascending"), ("source_offset", "ascending")])
    return table.combine_chunks()


def spark_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return pa.string()
    return pa.int32() if kind == pa.uint8() else kind


COLUMNS = ("timestamp", "severity_number", "service_name", "body", "exception_type", "attributes",
           "source", "source_offset")  # fmt: skip


def test_a_cluster_gives_the_records_that_opslog_alone_gives(spark: Any, logs: Path) -> None:
    frame = (
        spark.read.format("opslog")
        .option("splitBytes", SEAM)
        .option("columns", ", ".join(COLUMNS))
        .load(str(logs))
    )
    found = frame.toArrow()
    assert frame.rdd.getNumPartitions() > 3
    expected = opslog.read(logs).to_table(COLUMNS)
    assert ordered(found).equals(ordered(expected))


def test_options_say_what_is_read(spark: Any, logs: Path) -> None:
    frame = (
        spark.read.format("opslog")
        .option("timezone", "Europe/Berlin")
        .option("where", "severity >= WARNING")
        .schema("source string, source_offset long, timestamp timestamp, original binary")
        .load([str(logs / "large.log"), str(logs / "packed.log.gz")])
    )
    alone = opslog.read(
        logs / "large.log", logs / "packed.log.gz", timezone="Europe/Berlin", original=True
    ).filter("severity >= WARNING")
    expected = alone.to_table(["source", "source_offset", "timestamp", "original"])
    assert ordered(frame.toArrow()).equals(ordered(expected))


def test_a_filter_of_spark_does_not_stay_with_the_relation(spark: Any, logs: Path) -> None:
    frame = spark.read.format("opslog").load(str(logs / "large.log"))
    some = frame.where("severity_number >= 17").count()
    assert 0 < some < frame.count() == opslog.read(logs / "large.log").to_table(["source"]).num_rows


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("wher", "x", "options: expected some of columns"),
        ("columns", "body, level", "found level"),
        ("splitBytes", "128 MiB", "splitBytes: expected a number, found '128 MiB'"),
        ("splitBytes", "0", "parts: expected a size from 1, found 0"),
        ("timezone", "Mars", "Mars"),
        ("timezone", '{"*": 1}', "timezone: expected zones"),
        ("formats", "[x", "formats: expected JSON"),
        ("original", "1", "original: expected true or false"),
        ("columns", ",", "columns: expected some of"),
        ("where", "severty >= ERROR", "severty"),
    ],
)
def test_wrong_options_are_told(spark: Any, logs: Path, option: str, value: str, said: str) -> None:
    from pyspark.errors import PySparkException

    with pytest.raises(Exception, match="opslog") as caught:
        spark.read.format("opslog").option(option, value).load(str(logs)).count()
    assert isinstance(caught.value, PySparkException) or "py4j" in type(caught.value).__module__
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_fails_the_job_with_its_name(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"nothing\.log.*No such file"):
        spark.read.format("opslog").load(str(tmp_path / "nothing.log")).count()


def test_a_pattern_that_matches_nothing_is_told_before_any_task(
    spark: Any, logs: Path, tmp_path: Path
) -> None:
    both = opslog.read(logs / "*.log", f"{tmp_path}/*.log")
    said = rf"{tmp_path}/\*\.log: no file matches this pattern"
    for run in (
        lambda: on_spark.write_parquet(spark, both, tmp_path / "lake"),
        lambda: on_spark.requests(spark, both),
        lambda: on_spark.with_requests(spark, both, "severity >= ERROR"),
    ):
        with pytest.raises(opslog.SourceError, match=said):
            run()
    with pytest.raises(opslog.SourceErrors):
        on_spark.graph(spark, opslog.read(f"{tmp_path}/*.log", f"{tmp_path}/?.txt"))
    frame = spark.read.format("opslog").load([str(logs / "*.log"), f"{tmp_path}/*.log"])
    with pytest.raises(Exception, match=said) as caught:
        frame.count()
    assert type(caught.value).__name__ == "AnalysisException"  # of the plan, not of a task
    assert not (tmp_path / "lake").exists()


def test_a_large_plain_file_is_several_tasks_and_a_compressed_one_is_one(
    spark: Any, logs: Path, tmp_path: Path
) -> None:
    with gzip.open(tmp_path / "large.log.gz", "wb", compresslevel=1) as file:
        file.write((logs / "large.log").read_bytes())
    for log, tasks in ((logs / "large.log", 3), (tmp_path / "large.log.gz", 1)):
        frame = spark.read.format("opslog").option("splitBytes", SEAM).load(str(log))
        assert frame.rdd.getNumPartitions() == tasks


def test_parquet_is_written_by_the_tasks(spark: Any, logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    alone = opslog.read(logs, timezone="Europe/Berlin").filter("severity >= INFO")
    expected = alone.to_table()
    for times in (1, 2):  # what a folder holds stays
        written = on_spark.write_parquet(spark, alone, lake, split_bytes=SEAM)
        assert written == expected.num_rows
        assert all(p.name.startswith("part-") and p.is_file() for p in lake.iterdir())
        assert pq.read_table(lake).num_rows == times * written
        if times == 1:
            assert len(list(lake.iterdir())) > 3
            found = pq.read_table(lake).select(COLUMNS)
            assert ordered(found).equals(ordered(expected.select(COLUMNS)))


def test_a_job_that_fails_leaves_nothing(spark: Any, logs: Path, tmp_path: Path) -> None:
    broken = tmp_path / "logs"
    shutil.copytree(logs, broken)
    (broken / "zz.log.gz").write_bytes((logs / "packed.log.gz").read_bytes()[:-100])
    lake = tmp_path / "lake"
    with pytest.raises(Exception, match=r"zz\.log\.gz"):
        on_spark.write_parquet(spark, opslog.read(broken), lake, split_bytes=SEAM)
    assert list(lake.iterdir()) == []


def test_a_folder_that_is_read_is_not_written(spark: Any, logs: Path) -> None:
    with pytest.raises(opslog.OpslogError, match="absolute path"):
        on_spark.write_parquet(spark, opslog.read(logs), "lake")
    with pytest.raises(opslog.SinkError):
        on_spark.write_parquet(spark, opslog.read(logs), logs / "lake")


@pytest.mark.parametrize("era", ERAS[-2:], ids=lambda era: era.name)
def test_requests_are_those_that_opslog_alone_finds(spark: Any, era: Any, tmp_path: Path) -> None:
    Deployment(2, era, boots=8).write(tmp_path)
    logs = opslog.read(tmp_path)
    found = on_spark.requests(spark, logs, split_bytes=20_000)
    assert found.num_rows > 8
    assert found.equals(requests_alone(logs))
    errors = logs.filter("severity >= ERROR")
    assert on_spark.requests(spark, errors, split_bytes=20_000).equals(requests_alone(errors))
    graph = on_spark.graph(spark, logs, split_bytes=20_000)
    assert calls(graph) == calls(logs.graph())


def requests_alone(logs: opslog.Logs) -> pa.Table:
    rows = requests(logs)
    return rows.cast(
        pa.schema(f.with_type(pa.int32()) if f.type == pa.uint8() else f for f in rows.schema)
    )


def calls(graph: Any) -> set[tuple[str, str]]:
    return {(link.caller, link.callee) for link in graph.edges()}


def test_requests_of_lines_of_servers_are_found(spark: Any, tmp_path: Path) -> None:
    for number in range(3):
        write_server(tmp_path / f"api-{number}", number)
    logs = opslog.read(tmp_path)
    expected = requests_alone(logs)
    assert set(expected["http_status"].to_pylist()) == {200}
    assert on_spark.requests(spark, logs, split_bytes=1).equals(expected)


def write_server(folder: Path, number: int) -> None:
    """Write the logs of a service that tells no call, and of the uWSGI before it, which does."""
    folder.mkdir()
    service, server = [], []
    for call in range(20):
        own = f"req-00000000-0000-0000-{number:04}-{call:012}"
        service.append(
            f"2026-03-10 10:{call:02}:01.000 {70 + number} INFO nova.api [{own} u p - - -] working\n"
        )
        server.append(
            f"[pid: {70 + number}|app: 0|req: {call + 1}/{call + 1}] 10.0.0.1 () {{60 vars in 1200 bytes}} "
            f"[Tue Mar 10 10:{call:02}:00 2026] GET /v2.1/servers/{call} => generated 100 bytes "
            "in 2000 msecs (HTTP/1.1 200) 9 headers in 300 bytes (1 switches on core 0)\n"
        )
    (folder / "nova-api.log").write_text("".join(service))
    (folder / "uwsgi.log").write_text("".join(server))


def test_every_record_of_a_request_is_read_in_parts(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    Deployment(2, ERAS[-1], boots=8).write(tmp_path / "logs")
    alone = opslog.read(tmp_path / "logs").filter("severity >= INFO")
    wanted = alone.with_requests("severity >= ERROR").to_table(COLUMNS)
    related = on_spark.with_requests(spark, alone, "severity >= ERROR", split_bytes=20_000)
    written = on_spark.write_parquet(spark, related, tmp_path / "lake", split_bytes=20_000)
    assert written == wanted.num_rows > 0
    found = pq.read_table(tmp_path / "lake").select(COLUMNS)
    assert ordered(found).equals(ordered(wanted))


def test_requests_that_cannot_be_found_are_told(spark: Any, logs: Path) -> None:
    with pytest.raises(opslog.OpslogError, match="absolute path"):
        on_spark.requests(spark, opslog.read("logs"))
    with pytest.raises(opslog.OpslogError, match="not of logs with with_requests"):
        on_spark.graph(spark, opslog.read(logs).with_requests("severity >= ERROR"))
    with pytest.raises(Exception, match=r"nothing\.log.*No such file"):
        on_spark.requests(spark, opslog.read(logs / "nothing.log"))


def test_the_examples_of_the_page(spark: Any, tmp_path: Path) -> None:
    page = ROOT / "docs" / "howto" / "run-on-spark.md"
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "logs")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    text = "".join(blocks)
    text = text.replace('"/srv/', f'"{tmp_path}/')
    test = doctest.DocTestParser().get_doctest(text, {"spark": spark}, page.name, str(page), 0)
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_spark_still_reads_too_little_behind_a_filter_that_a_source_takes(spark: Any) -> None:
    """Why the source takes no filters; when this fails, it may."""
    from pyspark.sql.datasource import DataSource, DataSourceReader, EqualTo, InputPartition

    class Reader(DataSourceReader):
        def __init__(self) -> None:
            self.wanted: int | None = None

        def pushFilters(self, filters: list[Any]) -> Iterator[Any]:  # noqa: N802
            for one in filters:
                if isinstance(one, EqualTo):
                    self.wanted = one.value
                else:
                    yield one

        def partitions(self) -> list[Any]:
            return [InputPartition(0)]

        def read(self, partition: Any) -> Iterator[tuple[int]]:
            return ((n,) for n in range(10) if self.wanted in (None, n))

    class Source(DataSource):
        @classmethod
        def name(cls) -> str:
            return "canary"

        def schema(self) -> str:
            return "n int"

        def reader(self, schema: Any) -> Reader:
            return Reader()

    spark.dataSource.register(Source)
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    try:
        frame = spark.read.format("canary").load()
        assert frame.where("n = 3").count() == 1
        assert frame.count() == 1, "all ten are read: the source may take filters now"
    finally:
        spark.conf.unset("spark.sql.python.filterPushdown.enabled")
