"""OTLP: what receivers get is what the columns say, at least once, whatever becomes of a request."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import trustme
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_receiver import (
    Answer,
    Receiver,
    attributes,
    log_records,
    plain,
    receiver,
    rejecting,
)

import opslog
from helpers import ROOT
from helpers import opslog as run
from live_run import Run, heads, wait_for, written
from opslog import OpslogError, SinkError
from opslog.model import names, schema
from opslog.outputs import otlp
from opslog.outputs.otlp_encoder import requests

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
FIELDS = {"timestamp", "severity_number", "severity_text", "body", "trace_id", "attributes",
          "program", "host_name", "process_pid", "logger"}  # fmt: skip
OF_COLUMNS = {names.otlp_attribute(name) for name in schema.BY_NAME}
"""No other value has one of these names."""


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause but that which a receiver asks for."""
    monkeypatch.setattr(urllib3.Retry, "get_backoff_time", lambda _: 0.0)


def row_of(resource: Any, scope: Any, record: Any) -> dict[str, Any]:
    """Return a log record as the row it was made of, without what is null."""
    found, process = attributes(record), attributes(resource)
    row = {
        name: found.pop(names.otlp_attribute(name))
        for name in schema.names(original=True, root=True)
        if name not in FIELDS and names.otlp_attribute(name) in found
    }
    body = plain(record.body)
    fields = {
        "timestamp": record.time_unix_nano // 1000 if record.time_unix_nano else None,
        "severity_number": record.severity_number or None,
        "severity_text": record.severity_text or None,
        "body": body,
        "trace_id": record.trace_id.hex() or None,
        "attributes": found,
        "service.name": process["service.name"],
        "host_name": process.get("host.name"),
        "process_pid": process.get("process.pid"),
        "logger": scope.name or None,
    }
    return row | {name: value for name, value in fields.items() if value is not None}


def as_told(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a batch in the same shape."""
    told = {name: value for name, value in row.items() if value is not None}
    told["attributes"] = {
        key: value
        for key, value in row.get("attributes") or []
        if value is not None and key not in OF_COLUMNS
    }
    program = told.pop("program", None)
    told["service.name"] = program or row.get("service_name") or "unknown_service"
    if "timestamp" in told:
        passed = told["timestamp"] - datetime(1970, 1, 1, tzinfo=UTC)
        told["timestamp"] = passed // timedelta(microseconds=1)
    return told


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    wanted = schema.arrow_schema(original=True, root=True)
    empty = dict.fromkeys(wanted.names) | {"attributes": []}
    return pa.RecordBatch.from_pylist([empty | row for row in rows], wanted)


def encoded(batch: pa.RecordBatch, size: int = 1 << 20) -> bytes:
    found = requests(batch, size)
    assert sum(count for count, _ in found) == batch.num_rows
    return b"".join(data for _, data in found)


def decoded(data: bytes) -> list[dict[str, Any]]:
    return [row_of(*found) for found in log_records(ExportLogsServiceRequest.FromString(data))]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
SOME = st.text("ab\n", min_size=1, max_size=2)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


def values(column: schema.Column) -> st.SearchStrategy[Any]:
    special: dict[str, st.SearchStrategy[Any]] = {
        "timestamp": st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)),
        "severity_number": st.integers(1, 24),
        "trace_id": st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda t: t.strip("0")),
        "attributes": st.dictionaries(SOME | TEXTS, TEXTS, max_size=3).map(lambda d: list(d.items())),
    }  # fmt: skip
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXTS, "dictionary": SOME, "int64": NUMBERS, "binary": st.binary(max_size=300),
        "float64": st.floats(allow_nan=False),
    }  # fmt: skip
    found = special[column.name] if column.name in special else kinds[column.kind]
    return found if column.name == "attributes" else st.none() | found


ROWS = st.fixed_dictionaries({column.name: values(column) for column in schema.COLUMNS})


@given(st.lists(ROWS, min_size=1, max_size=8), st.integers(0, 3), st.integers(1, 10_000))
def test_what_is_sent_says_what_the_columns_say(
    rows: list[dict[str, Any]], start: int, size: int
) -> None:
    whole = batch(rows)
    part = whole.slice(min(start, len(rows) - 1))
    found = sorted(map(_sign, decoded(encoded(part, size))))
    assert found == sorted(_sign(as_told(row)) for row in part.to_pylist())
    # Two requests are one, behind each other.
    assert len(decoded(encoded(part) + encoded(whole))) == part.num_rows + whole.num_rows


@given(st.lists(ROWS, min_size=1, max_size=4), st.data())
def test_a_batch_of_some_columns_says_what_they_say(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = batch(rows)
    columns = data.draw(st.sets(st.sampled_from(whole.schema.names)))
    some = whole.select(sorted(columns))
    found = sorted(map(_sign, decoded(encoded(some))))
    if columns:  # without any a batch has no rows for pyarrow
        assert found == sorted(_sign(as_told(row)) for row in some.to_pylist())


def _sign(row: dict[str, Any]) -> str:
    return repr(sorted(row.items(), key=repr)) + repr(sorted(row["attributes"].items()))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_of_any_size_are_written(size: int) -> None:
    rows = [{"body": "x" * size, "request_id": "y" * size, "attributes": [("k", "z" * size)]}]
    (found,) = decoded(encoded(batch(rows)))
    assert found == as_told(rows[0])


def test_a_time_that_otlp_cannot_tell_and_an_id_of_zeros_are_left_out() -> None:
    rows = [
        {"timestamp": datetime(1960, 1, 1, tzinfo=UTC), "trace_id": "0" * 32},
        {"timestamp": datetime(2990, 1, 1, tzinfo=UTC), "trace_id": "0" * 31 + "1"},
    ]
    found = decoded(encoded(batch(rows)))
    assert [row.keys() & {"timestamp", "trace_id"} for row in found] == [set(), {"trace_id"}]


def test_a_key_that_a_column_has_is_there_once() -> None:
    rows = [{"user_id": "u", "attributes": [("user.id", "v"), ("other", "w")]}]
    ((_, _, record),) = log_records(ExportLogsServiceRequest.FromString(encoded(batch(rows))))
    assert attributes(record) == {"user.id": "u", "other": "w"}


@pytest.mark.parametrize("options", [[], ["--merge"], ["--root"], ["--mask"], ["--original"]])
def test_all_records_are_sent(options: list[str], there: Receiver) -> None:
    result = run("filter", str(LOG), "-o", there.url, *options)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert sorted(map(str, there.bodies())) == sorted(
        opslog.read(LOG).to_table()["body"].to_pylist()
    )
    assert all(asked["content-encoding"] == "gzip" for asked in there.asked)


def test_a_large_log_is_sent_in_requests_of_a_size_that_receivers_take(
    there: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(heads(0, 100_000))
    assert opslog.read(tmp_path / "a.log", threads=2).write(there.url, "otlp").kept == 100_000
    assert there.bodies() == [f"n{number}" for number in range(100_000)]
    assert 5 < len(there.requests) < 50
    assert all(request.ByteSize() < 4 << 20 for request in there.requests)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_it_is_tried_again_where_the_receiver_is_busy(status: int, there: Receiver) -> None:
    there.answer = lambda number: Answer(200 if number == 3 else status)
    with pytest.warns(RuntimeWarning, match=rf"the receiver answers {status} .*; trying again"):
        opslog.read(LOG).write(there.url, "otlp")
    assert len(there.bodies()) == 14


@pytest.mark.usefixtures("quick")
def test_it_waits_as_long_as_the_receiver_asks_for(
    there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    there.answer = lambda number: Answer(503, Retry_After="7") if number == 1 else Answer(200)
    with pytest.warns(RuntimeWarning, match="503"):
        opslog.read(LOG).write(there.url, "otlp")
    assert 7 in slept
    assert len(there.bodies()) == 14


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("asked", ["999999999", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_it_does_not_wait_for_years(
    asked: str, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    there.answer = lambda number: Answer(503, Retry_After=asked) if number == 1 else Answer(200)
    with pytest.warns(RuntimeWarning, match="503"):
        opslog.read(LOG).write(there.url, "otlp")
    assert max(slept) == 300


@pytest.mark.usefixtures("quick")
def test_a_time_to_wait_that_nobody_understands_is_passed_over(there: Receiver) -> None:
    there.answer = lambda number: Answer(200 if number == 2 else 503, Retry_After="soon")
    with pytest.warns(RuntimeWarning, match="503"):
        opslog.read(LOG).write(there.url, "otlp")
    assert len(there.bodies()) == 14


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("accepted", [False, True])
def test_a_connection_that_breaks_loses_nothing(accepted: bool, there: Receiver) -> None:
    there.answer = lambda number: Answer(200) if number == 3 else Answer(0, accepted=accepted)
    with pytest.warns(RuntimeWarning, match="cannot be reached: .*; trying again"):
        opslog.read(LOG).write(there.url, "otlp")
    assert len(there.bodies()) == (3 * 14 if accepted else 14)  # at least once
    assert len(set(map(str, there.bodies()))) == 14


@pytest.mark.usefixtures("quick")
def test_after_many_tries_it_gives_up(there: Receiver) -> None:
    there.answer = lambda number: Answer(503)
    with (
        pytest.warns(RuntimeWarning, match="trying again"),
        pytest.raises(SinkError, match=r"answers 503 .*; 14 record\(s\) were not accepted"),
    ):
        opslog.read(LOG).write(there.url, "otlp")
    assert len(there.asked) == 1 + 1 + otlp._TRIES


def test_a_receiver_that_refuses_ends_the_run(there: Receiver) -> None:
    there.answer = lambda number: Answer(400, b"\x08\x03\x12\x0ano severity")
    result = run("filter", str(LOG), "-o", there.url)
    assert result.returncode == 2
    assert result.stderr.decode() == (
        f"opslog: {there.url}: the receiver answers 400 Bad Request: no severity; "
        "14 record(s) were not accepted, those before them were\n"
    )
    assert len(there.asked) == 2


def test_what_a_receiver_rejects_is_told(there: Receiver) -> None:
    there.answer = lambda number: Answer(200, rejecting(3, "too old"))
    result = run("filter", str(LOG), "-o", there.url)
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [
        f"opslog: {there.url}: the receiver rejected 3 of 14 records: too old",
        f"opslog: {there.url}: rejected 3 record(s) in all, and has the others",
    ]
    there.answer = lambda number: Answer(200, rejecting(0, "slow down"))
    result = run("filter", str(LOG), "-o", there.url)
    assert result.stderr.decode() == f"opslog: {there.url}: the receiver says: slow down\n"
    assert result.returncode == 0


def test_headers_are_those_of_the_environment(
    there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20abc,x-tenant=one")
    opslog.read(LOG).write(there.url, "otlp")
    assert {asked["authorization"] for asked in there.asked} == {"Bearer abc"}
    assert {asked["x-tenant"] for asked in there.asked} == {"one"}


@pytest.mark.parametrize(
    "given", ["a=Bearer%20s3cret%0Ax", "a=s3cret%E2%82%AC", "s3cret", "=s3cret", "a b=s3cret"]
)
def test_what_is_no_header_is_told_without_it(
    given: str, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", given)
    with pytest.raises(SinkError, match="OTEL_EXPORTER_OTLP_HEADERS: expected KEY=VALUE") as error:
        opslog.read(LOG).write(there.url, "otlp")
    assert "s3cret" not in str(error.value)
    assert not there.asked


@pytest.mark.parametrize("status", [202, 204])
def test_a_receiver_may_say_in_other_words_that_it_takes_records(
    status: int, there: Receiver
) -> None:
    there.answer = lambda number: Answer(status, accepted=True)
    opslog.read(LOG).write(there.url, "otlp")
    assert len(there.bodies()) == 14


def test_otlps_is_otlp_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with receiver() as there:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        there.server.socket = context.wrap_socket(there.server.socket, server_side=True)
        with pytest.raises(SinkError, match=r"cannot be reached: \[SSL.*certificate verify failed"):
            opslog.read(LOG).write(there.url.replace("otlp", "otlps"), "otlp")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        opslog.read(LOG).write(there.url.replace("otlp", "otlps"), "otlp")
    assert len(there.bodies()) == 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "otlp://127.0.0.1:9"], "otlp://127.0.0.1:9: cannot be reached: Connection refused"),
        (["-o", "otlp://nobody.invalid"], "otlp://nobody.invalid: cannot be reached: "),
        (["-o", "otlp://me:secret@host"], "otlp://***@host: expected otlp://HOST[:PORT][/PATH], or otlps:// for TLS"),
        (["-o", "otlp://me:se?cr#e/t@host/a?token=secret"], "otlp://***@host/a: expected otlp://HOST[:PORT][/PATH], or otlps:// for TLS"),
        (["-o", "otlp://127.0.0.1:9/", "--to", "jsonl"], "otlp://127.0.0.1:9/: OTLP goes to a receiver, otlp://HOST[:PORT], and nothing else does; found an output as jsonl"),
        (["-o", "otlp://127.0.0.1:9", "--roll", "5m"], "otlp://127.0.0.1:9: --roll needs a folder of files, not a receiver of OTLP"),
        (["-o", "otlp://127.0.0.1:9", "--names", "ecs"], "--names ecs: has no effect on otlp: expected --to jsonl|parquet|arrow|csv|tsv, or leave it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_once(arguments: list[str], message: str) -> None:
    result = run("filter", str(LOG), *arguments)
    assert result.returncode == 2
    assert result.stderr.decode().startswith(f"opslog: {message}")


def test_without_the_packages_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opslog.outputs.otlp_encoder")
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.common.v1.common_pb2", None)
    with pytest.raises(SinkError, match=r"pip install 'opslog\[otlp\]'"):
        opslog.read(LOG).write("otlp://127.0.0.1:9", "otlp")


def test_otlp_is_no_file() -> None:
    with pytest.raises(OpslogError, match="OTLP goes to a receiver"):
        opslog.read(LOG).write("a.bin", "otlp")


def numbers(found: Receiver) -> set[int]:
    return {int(str(body)[1:]) for body in found.bodies()}


def following(there: Receiver, tmp_path: Path) -> Run:
    """Return a run that goes on where the last one ended."""
    state = str(tmp_path / "state")
    return Run(
        "-o", there.url, "--checkpoint", state, str(tmp_path / "*.log"), out=tmp_path / "out.txt"
    )


def test_nothing_is_lost_by_kills_and_a_receiver_that_fails(
    there: Receiver, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    there.answer = lambda number: Answer([200, 503, 0][number % 3], accepted=number % 2 == 0)
    for start in range(0, 20_000, 5000):
        written(log, heads(start, start + 5000))
        known = len(numbers(there))
        with following(there, tmp_path) as running:
            # Some are accepted, others come and wait: then it is killed.
            wait_for(partial(lambda known: len(numbers(there)) > known, known), running)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
    there.answer = lambda number: Answer(200)
    with following(there, tmp_path) as running:
        wait_for(lambda: numbers(there) == set(range(20_000)), running)


def test_a_checkpoint_waits_for_what_is_accepted(there: Receiver, tmp_path: Path) -> None:
    written(tmp_path / "a.log", heads(0, 100))
    there.answer = lambda number: Answer(503)
    with following(there, tmp_path) as running:
        wait_for(lambda: len(there.asked) > 2, running)
        assert running.stop() == 2
        assert "nothing was accepted; 100 record(s) were not accepted" in running.said.read_text()
    there.answer = lambda number: Answer(200)
    with following(there, tmp_path) as running:
        wait_for(lambda: len(there.bodies()) == 100, running)
        assert running.stop() == 143
    written(tmp_path / "a.log", heads(100, 101))
    with following(there, tmp_path) as running:
        wait_for(lambda: len(there.bodies()) == 101, running)


def test_records_of_a_pipe_leave_while_it_is_open(there: Receiver) -> None:
    command = [sys.executable, "-m", "opslog", "filter", "-o", there.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        for number in range(3):
            process.stdin.write(heads(number, number + 1))
            process.stdin.flush()
            _until(partial(lambda wanted: len(there.bodies()) == wanted, number + 1))
        process.stdin.close()
        assert process.wait() == 0


def test_a_real_receiver_takes_it_and_sends_it_on(there: Receiver, tmp_path: Path) -> None:
    rotel = pytest.importorskip("rotel")
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        http, grpc = (each.getsockname()[1] for each in (one, two))
    to = there.url.replace("otlp", "http")
    command = [
        str(Path(rotel.__file__).parent / "rotel-agent"), "start",
        "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
        "--exporter", "otlp", "--otlp-exporter-endpoint", to, "--otlp-exporter-protocol", "http",
    ]  # fmt: skip
    (tmp_path / "a.log").write_bytes(LOG.read_bytes() * 100)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as agent:
        try:
            _until(lambda: socket.socket().connect_ex(("127.0.0.1", http)) == 0)
            opslog.read(tmp_path / "a.log").write(f"otlp://127.0.0.1:{http}", "otlp")
            _until(lambda: len(there.bodies()) == 1400)
        finally:
            agent.terminate()
    found = [row_of(*one) for request in there.requests for one in log_records(request)]
    wanted = [as_told(row) for row in opslog.read(tmp_path / "a.log").to_table().to_pylist()]
    assert sorted(map(_sign, found)) == sorted(map(_sign, wanted))


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
