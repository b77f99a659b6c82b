"""However envelopes nest, a record has no attribute twice, and every reader can read it back."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opslog
from helpers import table

STAMP = "2026-03-01T10:00:00.123456Z"
ENVELOPES = {
    "syslog": lambda t: f"Mar  1 10:00:01 ctl1 relay[7]: {t}",
    "syslog on the wire": lambda t: f"<142>Mar  1 10:00:01 ctl1 relay[7]: {t}",
    "rfc5424": lambda t: f'<142>1 {STAMP} ctl1 relay 7 ID [a@1 b="c"] {t}',
    "rsyslog": lambda t: f"2026-03-01T10:00:01.123456+00:00 c1 relay[7]: {t}",
    "journal full": lambda t: f"Sun 2026-03-01 10:00:01 BST ctl1 relay[7]: {t}",
    "journal json": lambda t: json.dumps(
        {"MESSAGE": t, "__REALTIME_TIMESTAMP": "1772359200000000", "_SYSTEMD_UNIT": "a.service"}
    ),
    "docker": lambda t: json.dumps({"log": t + "\n", "stream": "stdout", "time": STAMP}),
    "cri": lambda t: f"{STAMP} stderr F {t}",
    "compose": lambda t: f"nova_api_1  | {t}",
    "pebble": lambda t: f"{STAMP} [nova-api] {t}",
    "fluentd": lambda t: json.dumps({"message": t, "tag": "a", "stream": "stdout", "other": "1"}),
    "fluentd file": lambda t: "2026-03-01T10:00:01+00:00\ta.b\t" + json.dumps({"message": t}),
    "kolla": lambda t: json.dumps({"Timestamp": "2026-03-01 10:00:01", "Payload": t, "tag": "b"}),
    "logstash": lambda t: json.dumps({"@timestamp": STAMP, "message": t, "tags": ["x"]}),
    "logstash 1.1": lambda t: json.dumps({"@timestamp": STAMP, "@message": t, "@tags": ["y"]}),
    "a time": lambda t: f"2026-03-01 10:00:01.123456 {t}",
}
INNERMOST = [
    "2026-03-01 10:00:00.100 12 INFO nova.service [-] Up",
    'INFO eventlet.wsgi.server [-] 10.0.0.1 "GET /v2 HTTP/1.1" status: 200 len: 1 time: 0.1',
    "Mar  1 10:00:00 ctl9 haproxy[7]: Proxy api started.",
    "no format at all",
    '{"message": "m", "a": 1, "a": 2, "tag": "x", "tag": "y"}',
]
nested = st.builds(
    lambda inner, around: [*around, inner],
    st.sampled_from(INNERMOST),
    st.lists(st.sampled_from(sorted(ENVELOPES)), min_size=1, max_size=4),
)


def line(layers: list[str]) -> str:
    *around, text = layers
    for name in reversed(around):
        text = ENVELOPES[name](text)
    return text


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


@given(nested)
def test_no_key_comes_twice(layers: list[str]) -> None:
    [of_arrow] = [unique(row) for row in table(line(layers).encode())["attributes"].to_pylist()]
    assert all(key and key.isprintable() for key in of_arrow)


@settings(max_examples=10)
@given(found=st.lists(nested, min_size=30, max_size=30))
def test_every_reader_reads_every_output(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("nested")
    source, parquet, lines = (folder / name for name in ("a.log", "a.parquet", "a.jsonl"))
    source.write_text("".join(f"{line(layers)}\n" for layers in found))
    batches = pa.Table.from_batches(opslog.read(source).batches())
    wanted = [dict(row or ()) for row in batches["attributes"].to_pylist()]
    opslog.read(source).write_parquet(parquet)
    opslog.read(source).write_jsonl(lines)
    read = [json.loads(row, object_pairs_hook=unique) for row in lines.read_bytes().splitlines()]
    assert [row.get("attributes", {}) for row in read] == wanted
    for reader in READERS:
        assert reader(parquet) == wanted, reader.__name__


def pyarrow(path: Path) -> list[dict[str, str]]:
    return [dict(row or ()) for row in pq.read_table(path)["attributes"].to_pylist()]


def duckdb(path: Path) -> list[dict[str, str]]:
    module = importlib.import_module("duckdb")
    rows = module.sql(f"select attributes from '{path}'").fetchall()
    return [dict(row or {}) for (row,) in rows]


def polars(path: Path) -> list[dict[str, str]]:
    column = importlib.import_module("polars").read_parquet(path)["attributes"]
    return [dict(row or {}) for row in column.to_list()]


def pandas(path: Path) -> list[dict[str, str]]:
    frame = importlib.import_module("pandas").read_parquet(path)
    return [dict(row if row is not None else ()) for row in frame["attributes"]]


READERS = [
    reader
    for reader in (pyarrow, duckdb, polars, pandas)
    if importlib.util.find_spec(reader.__name__)
]


def test_an_outer_key_stands_behind_its_formats_name_and_a_number() -> None:
    text = line(["docker", "docker", "docker", INNERMOST[0]])
    [row] = table(text.encode())["attributes"].to_pylist()
    assert dict(row) == {
        "stream": "stdout",
        "container.docker.timestamp": STAMP,
        "container.docker.timestamp.2": STAMP,
        "container.docker.stream": "stdout",
        "container.docker.timestamp.3": STAMP,
        "container.docker.stream.2": "stdout",
    }
