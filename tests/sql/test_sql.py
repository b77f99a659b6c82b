"""Questions in SQL: DuckDB over a table of all records gives the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import opslog
from helpers import ROOT
from helpers import opslog as command
from opslog.events import Notification, batch_of_rows, event_rows
from opslog.sql import query
from opslog.trace import requests, resources

EXAMPLES = ROOT / "docs" / "examples"

QUERIES = [
    "SELECT count(*) FROM records",
    "SELECT service_name, count(*), min(timestamp) FROM records GROUP BY ALL ORDER BY ALL",
    "SELECT * FROM records WHERE severity_number >= 13 ORDER BY source, source_offset",
    "SELECT body FROM records WHERE service_name = 'nova' AND request_id IS NOT NULL ORDER BY 1",
    "SELECT body FROM records WHERE severity_text IN ('ERROR', 'WARNING') ORDER BY 1",
    "SELECT body FROM records WHERE service_name IS NULL AND body LIKE '%e%' ORDER BY 1",
    "SELECT source_offset FROM records WHERE timestamp BETWEEN TIMESTAMPTZ '2026-03-10 10:00:02Z' "
    "AND TIMESTAMPTZ '2026-03-10 10:00:05Z' OR duration > 0.1 ORDER BY ALL",
    "SELECT attributes['x'], process_pid FROM records WHERE process_pid <> 2412 ORDER BY ALL",
    "SELECT count(*) FROM records a JOIN records b USING (request_id)",
    "SELECT count(*) FROM records WHERE http_status = 404 OR service_name > 'm'",
    "SELECT r.services, e.event_type FROM requests r JOIN events e USING (request_id) ORDER BY ALL",
    "SELECT * FROM requests WHERE duration > 0.05 ORDER BY start",
    "SELECT resource_type, count(*) FROM resources WHERE state = 'active' GROUP BY ALL ORDER BY 1",
    "SELECT event, resource_id FROM events WHERE failed ORDER BY ALL",
    "WITH e AS (SELECT * FROM records WHERE severity_number >= 17) SELECT count(*) FROM e",
]


@pytest.fixture(scope="module")
def oracle() -> duckdb.DuckDBPyConnection:
    """DuckDB with all rows of each table in memory."""
    logs = opslog.read(EXAMPLES)
    events = [row for row in event_rows(logs) if isinstance(row, Notification)]
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    for name, table in (
        ("records", logs.to_table()),
        ("requests", requests(logs)),
        ("resources", resources(logs)),
        ("events", pa.Table.from_batches([batch_of_rows(events, Notification)])),
    ):
        connection.register(name, table)
    return connection


@pytest.mark.parametrize("sql", QUERIES)
def test_an_answer_is_that_over_all_rows(oracle: duckdb.DuckDBPyConnection, sql: str) -> None:
    expected = oracle.sql(sql).to_arrow_reader().read_all().to_pylist()
    assert query(opslog.read(EXAMPLES), sql).read_all().to_pylist() == expected
    assert expected


def test_no_more_columns_are_built_than_the_query_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    batches = opslog.Logs.batches

    def noted(logs: opslog.Logs, columns: tuple[str, ...]) -> object:
        asked.append((sorted(columns), logs._pass.where is not None))
        return batches(logs, columns)

    monkeypatch.setattr(opslog.Logs, "batches", noted)
    sql = "SELECT logger, count(*) FROM records WHERE severity_number > 9 GROUP BY ALL"
    assert len(query(opslog.read(EXAMPLES), sql).read_all())
    assert asked == [(["logger"], True)]


def test_what_cannot_be_answered_says_why(tmp_path: Path) -> None:
    logs = opslog.read(EXAMPLES)
    target = tmp_path / "out.csv"
    for sql, said in (
        ("SELECT evnt FROM records", "sql: .*found: Binder Error: .*evnt.*; Candidate bindings: "),
        ("SELEC", "sql: .*found: Parser Error: "),
        ("", "expected a query that has an answer"),
        (f"COPY (SELECT 1) TO '{target}'", "sql: .*Permission Error"),
        ("SELECT * FROM read_csv('/etc/passwd')", "sql: .*Permission Error"),
        ("SET enable_external_access = true", "sql: .*"),
        ("SELECT error(body) FROM records", "sql: "),
    ):
        with pytest.raises(opslog.OpslogError, match=said):
            query(logs, sql).read_all()
    assert not target.exists()


def test_what_cannot_be_read_ends_the_answer(tmp_path: Path) -> None:
    logs = opslog.read(EXAMPLES / "nova-compute.log", tmp_path / "none.log")
    answer = query(logs, "SELECT body FROM records")
    with pytest.raises(opslog.SourceError, match=r"none\.log"):
        answer.read_all()
    unread: list[Exception] = []
    assert len(query(logs, "SELECT body FROM records", unread).read_all()) == 14
    assert [type(error) for error in unread] == [opslog.SourceError]


def test_the_command_writes_text_json_lines_csv_and_arrow() -> None:
    log = str(EXAMPLES / "nova-compute.log")
    ask = (
        "SELECT timestamp, severity_text AS level, [1, NULL] AS list, 'a\x1b,\"' AS text, NULL AS no "
        "FROM records WHERE severity_number = 17"
    )
    assert command("sql", ask, log).stdout == (
        b'{"timestamp": "2026-03-10T10:00:07.791000Z", "level": "ERROR", "list": [1, null], '
        b'"text": "a\\u001b,\\"", "no": null}\n'
    )
    assert command("sql", "--to", "csv", ask, log).stdout == (
        b'timestamp,level,list,text,no\n2026-03-10T10:00:07.791000Z,ERROR,"[1, null]","a\x1b,""",\n'
    )
    assert command("sql", "--to", "text", ask, log).stdout.decode() == (
        "timestamp                 level  list       text     no\n"
        '2026-03-10 10:00:07.791Z  ERROR  [1, null]  a\\x1b,"  -\n'
    )
    arrow = command("sql", "--to", "arrow", ask, log).stdout
    assert pa.ipc.open_stream(arrow).read_all().num_rows == 1


def test_values_of_any_kind_are_json() -> None:
    ask = (
        "SELECT sum(severity_number) AS s, 1.50 AS d, 'nan'::DOUBLE AS n, DATE '2026-03-10' AS day, "
        "TIMESTAMP '2026-03-10 10:00:00' AS t, MAP {'a': 1} AS m, 1 AS x, 2 AS x FROM records"
    )
    log = str(EXAMPLES / "nova-compute.log")
    (line,) = command("sql", ask, log).stdout.splitlines()
    found = json.loads(line)
    total = sum(record.severity_number or 0 for record in opslog.read(log))
    assert [*found.values()][:6] == [
        total, 1.5, None, "2026-03-10", "2026-03-10T10:00:00.000000", {"a": 1},
    ]  # fmt: skip
    csv = command("sql", "--to", "csv", ask, log).stdout.decode().splitlines()
    assert csv[1].endswith(',"{""a"": 1}",1,2')


def test_the_command_counts_rows_and_tells_what_failed(tmp_path: Path) -> None:
    log = str(EXAMPLES / "nova-compute.log")
    assert (
        command("sql", "-n", "2", "SELECT source_offset FROM records", log).stdout.count(b"\n") == 2
    )
    assert command(
        "sql", "--severity", "ERROR", "SELECT count(*) AS n FROM records", log
    ).stdout == (b'{"n": 1}\n')
    assert command("sql", "SELECT 1 WHERE false", log).returncode == 1
    missing = command("sql", "SELECT 1 AS one FROM records", log, str(tmp_path / "none"))
    assert missing.returncode == 2
    assert missing.stdout.count(b"\n") == 14
    assert missing.stderr.count(b"No such file") == 1
    twice = command("sql", "SELECT 1 FROM records a, records b", stdin=Path(log).read_bytes())
    assert twice.returncode == 2
    assert b"standard input can be read only once" in twice.stderr
