"""What of the data source runs on Sail, which speaks Spark's protocol and needs no Java."""

from __future__ import annotations

import os
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
pysail = pytest.importorskip("pysail.spark")
from opslog import spark as on_spark  # noqa: E402
from opslog.trace import trace  # noqa: E402
from opslog.trace.plain import plain  # noqa: E402
from opslog.trace.requests import requests  # noqa: E402

EXAMPLES = ROOT / "docs" / "examples" / "*.log"


@pytest.fixture(scope="module")
def sail() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    before = {*os.environ}
    server = pysail.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    session = SparkSession.builder.remote(
        f"sc://127.0.0.1:{server.listening_address[1]}"
    ).getOrCreate()
    on_spark.register(session)
    yield session
    session.stop()
    server.stop()
    for name in os.environ.keys() - before:  # by which every later session would be one of Sail
        del os.environ[name]


def test_columns_that_a_schema_names_are_read(sail: Any) -> None:
    wanted = "source_offset long, severity_number int, body string, attributes map<string, string>"
    found = (
        sail.read.format("opslog")
        .option("where", "severity >= WARNING")
        .schema(wanted)
        .load(str(EXAMPLES))
        .toArrow()
    )
    names = ["source_offset", "severity_number", "body", "attributes"]
    expected = opslog.read(EXAMPLES).filter("severity >= WARNING").to_table(names)
    assert found.to_pylist() == expected.to_pylist()


def test_columns_that_an_option_names_are_read(sail: Any) -> None:
    frame = sail.read.format("opslog").option("columns", "timestamp, body").load(str(EXAMPLES))
    found = frame.toArrow()
    expected = opslog.read(EXAMPLES).to_table(["timestamp", "body"])
    assert found["body"].to_pylist() == expected["body"].to_pylist()
    assert found["timestamp"].cast(pa.timestamp("us", "UTC")).equals(expected["timestamp"])


def test_all_columns_are_read_by_a_schema_only(sail: Any) -> None:
    """Sail takes no map in the schema of a source; when this fails, the page may say less."""
    with pytest.raises(Exception, match="Map"):
        sail.read.format("opslog").load(str(EXAMPLES)).count()


def test_parquet_is_written_by_the_tasks(sail: Any, tmp_path: Path) -> None:
    logs = opslog.read(EXAMPLES)
    written = on_spark.write_parquet(sail, logs, tmp_path / "lake")
    assert written == pq.read_table(tmp_path / "lake").num_rows == logs.to_table().num_rows


def test_requests_are_those_that_opslog_alone_finds(sail: Any, tmp_path: Path) -> None:
    Deployment(2, ERAS[-1], boots=6).write(tmp_path)
    logs = opslog.read(tmp_path)
    found = on_spark.requests(sail, logs, split_bytes=20_000)
    assert found.to_pylist() == requests(logs).to_pylist()


def test_a_story_is_the_one_that_opslog_alone_tells(sail: Any) -> None:
    logs = opslog.read(ROOT / "docs" / "examples" / "boot")
    found = on_spark.trace(sail, logs, "req-0b8d7f4e")
    assert len(found.records) == 6
    assert plain(found, 1.0) == plain(trace(logs, "req-0b8d7f4e"), 1.0)


def test_streams_are_not_written_to_files(sail: Any, tmp_path: Path) -> None:
    """When this fails, the page may say that streams are read."""
    frame = sail.readStream.format("opslog").schema("body string").load(str(EXAMPLES))
    out = frame.writeStream.format("parquet").option("path", str(tmp_path / "out"))
    with pytest.raises(Exception, match="sink"):
        out.option("checkpointLocation", str(tmp_path / "chk")).start()
