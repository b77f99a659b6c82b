"""What belongs to one request is found, and nothing else, in logs the real oslo.log printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import opslog as library
from helpers import opslog
from opslog import F
from opslog.correlate import Link, RequestGraph
from opslog.correlate._links import Sightings
from opslog.correlate.links import links
from opslog.correlate.roots import root_of
from opslog.model.errors import OpslogError, SourceError
from opslog.trace import requests, trace
from simulator import ERAS, Deployment, Era, Truth

DEBUG = [era for era in ERAS if era.debug]
BY_NAME = {era.name: era for era in ERAS}


@pytest.fixture(autouse=True, scope="module")
def utc() -> Iterator[None]:
    """oslo.log prints local time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def believed(graph: RequestGraph) -> dict[str, str]:
    return {link.callee: link.caller for link in graph.edges()}


def found_roots(logs: library.Logs, truth: Truth) -> Iterator[tuple[str | None, str | None]]:
    """Yield (root found, true root) of every record whose head is whole."""
    for record in logs:
        request = truth.records[str(record.source), record.source_offset or 0]
        yield record.root_request_id, truth.roots[request.id] if request else None


# -- a whole deployment -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("era", DEBUG, ids=lambda era: era.name)
def test_of_complete_logs_every_call_and_every_record_is_found(
    era: Era, seed: int, tmp_path: Path
) -> None:
    truth = Deployment(seed, era).write(tmp_path)
    logs = library.read(tmp_path, root=True)
    assert believed(logs.graph()) == truth.callers
    roots = list(found_roots(logs, truth))
    assert len(roots) == len(truth.records)
    assert all(found == true for found, true in roots)


@pytest.mark.parametrize("era", ERAS, ids=lambda era: era.name)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), lost=st.sampled_from([0.0, 0.05, 0.3]))
def test_whatever_is_lost_nothing_is_joined_that_does_not_belong_together(
    era: Era, seed: int, lost: float, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    truth = Deployment(seed, era, boots=8).write(tmp_path, lost)
    logs = library.read(tmp_path, root=True)
    for record in logs:
        request = truth.records.get((str(record.source), record.source_offset or 0))
        if request is not None:
            assert record.root_request_id is not None
            assert truth.roots[record.root_request_id] == truth.roots[request.id]
    for callee, caller in believed(logs.graph()).items():
        above = callee
        while above != caller:
            above = truth.callers[above]


def test_without_debug_lines_global_ids_tell_the_roots(tmp_path: Path) -> None:
    truth = Deployment(1, BY_NAME["zed-info"]).write(tmp_path)
    logs = library.read(tmp_path, root=True).filter(F.request_id.startswith("req-"))
    assert all(found == true for found, true in found_roots(logs, truth))


def test_without_debug_lines_and_global_ids_errors_tell_who_called_what_failed(
    tmp_path: Path,
) -> None:
    truth = Deployment(1, BY_NAME["ussuri-info"]).write(tmp_path)
    found = believed(library.read(tmp_path).graph())
    placement = {callee for callee, caller in found.items() if callee not in truth.failed}
    assert truth.failed <= set(found)
    assert not placement
    assert found == {callee: truth.callers[callee] for callee in found}


def test_a_task_that_goes_on_for_hours_is_no_request(tmp_path: Path) -> None:
    truth = Deployment(2, BY_NAME["pike"]).write(tmp_path)
    graph = library.read(tmp_path).graph()
    [task] = truth.tasks
    assert graph.is_task(task)
    assert graph.children(task)
    assert list(graph.members(task)) == [task]
    assert all(graph.root(callee) == callee for callee in graph.children(task))


@pytest.mark.parametrize("era", ERAS, ids=lambda era: era.name)
def test_both_doors_of_the_graph_find_the_same(era: Era, tmp_path: Path) -> None:
    Deployment(3, era, boots=6).write(tmp_path)
    logs = library.read(tmp_path)
    graph = RequestGraph()
    for batch in logs.batches():
        graph.add(batch)
    assert believed(graph) == believed(logs.graph())
    for record in library.read(tmp_path, root=True):
        root = root_of(record.request_id, record.global_request_id, graph)
        assert record.root_request_id == root


def test_the_order_of_files_and_threads_changes_nothing(tmp_path: Path) -> None:
    Deployment(4, BY_NAME["ussuri"]).write(tmp_path)
    paths = sorted(tmp_path.iterdir())
    wanted = believed(library.read(*paths).graph())
    assert believed(library.read(*paths[::-1]).graph()) == wanted
    assert believed(library.read(*paths, threads=3).graph()) == wanted


# -- all of a request, all of a resource ------------------------------------------------


def lines(*arguments: str) -> list[dict[str, Any]]:
    result = opslog("filter", *arguments)
    assert result.returncode == 0, result.stderr.decode()
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_every_record_of_a_request_is_kept_with_one_of_it(tmp_path: Path) -> None:
    truth = Deployment(5, BY_NAME["zed"]).write(tmp_path)
    wanted = {truth.roots[callee] for callee in truth.failed}
    assert wanted
    own = {
        place for place, request in truth.records.items()
        if request and truth.roots[request.id] in wanted
    }  # fmt: skip
    failed = F.severity >= "ERROR"
    logs = library.read(tmp_path).with_requests(failed)
    assert {(r.source, r.source_offset) for r in logs} == own
    rows = lines("--severity", "ERROR", "--with-requests", "--root", str(tmp_path))
    assert {(row["source"], row["source_offset"]) for row in rows} == own
    assert {row["root_request_id"] for row in rows} == wanted
    assert {row["trace_id"] for row in rows} == {r[4:].replace("-", "") for r in wanted}
    merged = lines("--severity", "ERROR", "--with-requests", "--merge", str(tmp_path))
    times = [row["timestamp"] for row in merged]
    assert len(merged) == len(own)
    assert times == sorted(times)
    some = library.read(tmp_path).with_requests(failed).filter(failed).limit(1)
    assert [record.severity_text for record in some] == ["ERROR"]


INSTANCE = "3a5b6b84-58ae-4f7d-8a0a-5a2e0e6f64a1"
HEAD = "2026-03-02 10:00:0{second}.000 7 {level} nova.compute.manager [-] [instance: {instance}] {text}"


def test_every_record_of_a_resource_is_kept_with_one_of_it(tmp_path: Path) -> None:
    other = INSTANCE[::-1].replace("-", "0")[:8] + INSTANCE[8:]
    told = [(1, "INFO", INSTANCE, "a"), (2, "ERROR", INSTANCE, "b"), (3, "INFO", other, "c")]
    path = tmp_path / "nova-compute.log"
    keys = ("second", "level", "instance", "text")
    path.write_text("".join(HEAD.format(**dict(zip(keys, t, strict=True))) + "\n" for t in told))
    rows = lines("--severity", "ERROR", "--with-resources", str(path))
    assert [row["body"] for row in rows] == ["a", "b"]
    logs = library.read(path)
    assert [r.body for r in logs.with_resources("severity = ERROR")] == ["a", "b"]


def test_what_belongs_to_no_request_is_kept_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(
        "2026-03-02 10:00:01.000 7 ERROR a [-] x\n2026-03-02 10:00:02.000 7 INFO a [-] y\n"
    )
    assert [row["body"] for row in lines("--severity", "ERROR", "--with-requests", str(path))] == [
        "x"
    ]


def test_a_pipe_gets_the_roots_that_are_known_by_then(tmp_path: Path) -> None:
    Deployment(6, BY_NAME["zed"], boots=3).write(tmp_path)
    log = tmp_path / "ctl-1" / "neutron-server.log"
    result = opslog("filter", "--root", "--severity", "INFO", "-n", "9", stdin=log.read_bytes())
    rows = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 9
    for row in rows:
        if "global_request_id" in row:
            assert row["root_request_id"] == row["global_request_id"]


def test_what_must_be_read_twice_is_no_pipe(tmp_path: Path) -> None:
    Deployment(6, BY_NAME["zed"], boots=2).write(tmp_path)
    log = tmp_path / "ctl-1" / "nova-api.log"
    flags = ["filter", "--severity", "INFO", "--with-requests", "-c"]
    refused = opslog(*flags, stdin=log.read_bytes())
    assert refused.returncode == 2
    wanted = b"opslog: -: is no file, but must be read twice; write it to a file first\n"
    assert refused.stderr == wanted
    with log.open("rb") as file:
        command = [sys.executable, "-m", "opslog", *flags]
        counted = subprocess.run(command, stdin=file, capture_output=True, check=True).stdout
    assert counted == opslog(*flags, str(log)).stdout


def test_a_condition_is_asked_for() -> None:
    refused = opslog("filter", "--with-requests", stdin=b"")
    assert refused.stderr.startswith(b"opslog: --with-requests: expected a condition beside it")
    logs = library.read("x").with_requests("severity = ERROR")
    with pytest.raises(OpslogError, match="expected one condition, found two"):
        logs.with_resources("severity = ERROR")


def test_what_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        list(library.read(tmp_path / "missing", root=True))


# -- what a record says -----------------------------------------------------------------

A, B, C, D = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abcd")
TX = "tx510806710b0e79f5904a6-0069a5629d"


def batch(*rows: tuple[str | None, str | None, str], logger: str = "x") -> pa.RecordBatch:
    """Records of (request id, global request id, message), a second apart."""
    own, cause, bodies = zip(*rows, strict=True)
    times = pa.array([n * 10**6 for n in range(len(rows))], pa.timestamp("us", "UTC"))
    texts = (pa.array(values, pa.string()) for values in (own, cause, bodies))
    names = ["request_id", "global_request_id", "body", "timestamp", "logger"]
    return pa.record_batch([*texts, times, pa.array([logger] * len(rows))], names)


@pytest.mark.parametrize(
    ("message", "logger", "kind"),
    [
        (f"GET call to network for http://n/v2.0/ports?a=b c used request id {B}", "x", "client"),
        (f"POST call to None for http://n used request id {B}", "x", "client"),
        (f"RESP: [200] Content-Length: 1 X-Openstack-Request-Id: {B} Date: Mon", "x", "response"),
        (f"RESP: [202] {{'x-compute-request-id': '{B}', 'a': 'b'}}\nRESP BODY: {C}", "x", "response"),
        (f"RESP: [202] {{u'X-Openstack-Request-Id': u'{B}'}}", "x", "response"),
        (f"\nHTTP/1.1 200 OK\nX-Openstack-Request-Id: {B}\n\n{C}", "glanceclient.common.http", "response"),
        (f"Not Found (HTTP 404) (Request-ID: {B})", "x", "error"),
        (f"PortNotFound: Neutron server returns request_ids: ['{B}']", "x", "error"),
        (f'no: {{"errors": [{{"status": 404, "detail": "x\\n", "request_id": "{B}"}}]}}', "x", "error"),
        (f"[{B}] Created resource provider record", "nova.scheduler.client.report", "client"),
    ],
)  # fmt: skip
def test_what_is_a_link(message: str, logger: str, kind: str) -> None:
    [link] = links(batch((A, None, message), logger=logger))
    assert link == Link(A, B, kind, 0)


def req(own: str | None, sent: str, url: str = "http://n") -> tuple[str | None, str | None, str]:
    """Return the record of a call that names its cause."""
    text = f"REQ: curl -g -i -X GET {url} -H \"X-OpenStack-Request-ID: {sent}\" -d '{{}}'"
    return own, None, text


def resp(own: str | None, id: str) -> tuple[str | None, str | None, str]:  # noqa: A002
    return own, None, f"RESP: [200] X-Openstack-Request-Id: {id}"


def test_the_context_of_a_record_names_what_caused_its_request() -> None:
    assert list(links(batch((A, B, "text")))) == [Link(B, A, "bracket", 0)]


def test_the_header_that_was_sent_names_whose_call_is_answered() -> None:
    assert list(links(batch(req(A, B), resp(A, C)))) == [Link(B, C, "response", 10**6, A)]
    assert list(links(batch(req(None, B), resp(None, C)))) == [Link(B, C, "response", 10**6)]
    assert list(links(batch(req(A, A), resp(A, C)))) == [Link(A, C, "response", 10**6)]
    used = (A, None, f"GET call to x for http://n used request id {C}")
    assert list(links(batch(req(A, B), used))) == [Link(B, C, "client", 10**6, A)]


def test_a_header_says_nothing_of_the_context_it_is_logged_in() -> None:
    assert not list(links(batch(req(A, B))))


def test_of_calls_sent_at_once_an_answer_is_that_of_its_url() -> None:
    def used(url: str, id: str) -> tuple[str | None, str | None, str]:  # noqa: A002
        return A, None, f"GET call to x for {url} used request id {id}"

    rows = [
        req(A, B, "http://n/1"),
        req(A, C, "http://n/2"),
        used("http://n/2", TX),
        used("http://n/1", D),
    ]
    assert [link[:2] for link in links(batch(*rows))] == [(C, TX), (B, D)]
    assert not list(links(batch(*rows[:2], resp(A, D))))  # of which one?


def test_an_answer_is_that_of_its_url_where_another_request_took_the_thread() -> None:
    """Its headers alone say nothing then."""
    url = "http://n/1"
    used = (D, None, f"GET call to x for {url} used request id {C}")
    taken = list(links(batch(req(A, B, url), resp(D, C), used)))
    assert taken == [Link(B, C, "client", 2 * 10**6, D)]
    other = (D, None, f"GET call to x for http://n/2 used request id {C}")
    assert [link[:2] for link in links(batch(req(A, B, url), resp(D, C), other))] == [(D, C)]
    done = [req(A, B, url), (A, None, used[2]), resp(D, TX)]
    assert [link[:2] for link in links(batch(*done))] == [(B, C), (D, TX)]


def test_who_has_a_token_checked_before_a_call_has_a_context_has_not_called() -> None:
    text = f"GET call to identity for http://n/v3/auth/tokens used request id {B}"
    graph = graph_of(resp(A, B), (A, None, text))
    assert graph.parent(B) is None
    assert graph_of(resp(A, B)).parent(B) == A


def test_an_answer_with_the_id_that_was_sent_claims_nothing() -> None:
    assert not list(links(batch(req(A, B), resp(A, B))))
    assert not list(links(batch((A, B, f"RESP: [200] X-Openstack-Request-Id: {B}"))))[1:]


# -- audit events -----------------------------------------------------------------------

MINE, CAUSE, LEFT, LEFT_CAUSE = (f"req-{n}1111111-2222-4333-8444-555555555555" for n in "1234")


def audit_line(context: str, logger: str = "", printed: bool = False, **ids: str) -> str:
    """Return a line that tells an audit event whose initiator has these ids."""
    payload = {"typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event", "action": "read", "id": "e",
               "outcome": "pending", "initiator": {"id": "c2", **ids}}  # fmt: skip
    kind = "audit.http.request"
    message = orjson.dumps({"event_type": kind, "priority": "INFO", "payload": payload}).decode()
    if printed:
        message = f"Event type: {kind}, Context: {{'request_id': '{LEFT}'}}, Payload: {payload}"
    logger = logger or (
        "keystonemiddleware.audit" if printed else f"oslo.messaging.notification.{kind}"
    )
    return f"2026-03-02 10:00:00.000 1 INFO {logger} [{context}] {message}\n"


CONTEXTS = {
    "none": "-",
    "its own": f"{MINE} c2 b1 - - -",
    "one that was made for the event": f"None {LEFT} - - - - - -",
    "another's that was left in the thread": f"{LEFT_CAUSE} {LEFT} c3 b3 - - - -",
}


@pytest.mark.parametrize("printed", [False, True])
@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_an_audit_event_is_of_the_request_that_it_names(
    context: str, printed: bool, tmp_path: Path
) -> None:
    ids = {"request_id": MINE, "global_request_id": CAUSE}
    (tmp_path / "a.log").write_text(audit_line(context, printed=printed, **ids))
    logs = library.read(tmp_path, root=True)
    [record] = logs
    assert (record.request_id, record.global_request_id) == (MINE, CAUSE)
    assert (record.root_request_id, record.trace_id) == (CAUSE, CAUSE.replace("-", "")[3:])
    assert believed(logs.graph()) == {MINE: CAUSE}


@pytest.mark.parametrize("printed", [False, True])
def test_what_caused_another_request_did_not_cause_this_one(printed: bool, tmp_path: Path) -> None:
    left = CONTEXTS["another's that was left in the thread"]
    (tmp_path / "a.log").write_text(audit_line(left, printed=printed, request_id=MINE))
    logs = library.read(tmp_path, root=True)
    [record] = logs
    assert (record.request_id, record.global_request_id) == (MINE, None)
    assert (record.root_request_id, record.trace_id) == (MINE, MINE.replace("-", "")[3:])
    assert not believed(logs.graph())


def test_an_event_that_another_service_quotes_is_that_services_record(tmp_path: Path) -> None:
    ids = {"request_id": MINE, "global_request_id": CAUSE}
    (tmp_path / "a.log").write_text(
        audit_line(f"{LEFT} c3 b3 - - -", "heat.engine", **ids)
        + f"2026-03-02 10:00:00.000 1 INFO heat.engine [{LEFT} c3 b3 - - -] "
        + f"said Event type: a, Context: {{}}, Payload: {{'initiator': {ids}}}\n"
    )
    logs = library.read(tmp_path, root=True)
    assert [(r.request_id, r.global_request_id, r.attributes) for r in logs] == [
        (LEFT, None, {})
    ] * 2
    assert not believed(logs.graph())


def test_an_audit_event_may_be_all_that_is_seen_of_a_failed_request(tmp_path: Path) -> None:
    error = f"2026-03-02 10:00:01.000 1 ERROR nova.x [{LEFT} u p - - -] no (HTTP 409) (Request-ID: {MINE})\n"
    seen = tmp_path / "a.log"
    for before, expected in (("", {}), (audit_line("-", request_id=MINE), {MINE: LEFT})):
        seen.write_text(before + error)
        assert believed(library.read(seen).graph()) == expected
        graph = RequestGraph()
        for batch in library.read(seen).batches():
            graph.add(batch)
        assert believed(graph) == expected


# -- proxies ----------------------------------------------------------------------------

HAPROXY = (
    "10.0.0.9:53332 [02/Mar/2026:10:00:00.143] public~ nova/ctl1 0/1/7/57/87 200 94 - - ---- "
    '2/1/0/0/0 0/0 %s"GET /v2.1/servers HTTP/1.1"\n'
)
APACHE = (
    '10.0.0.9 - - [02/Mar/2026:10:00:00 +0000] "GET /v2.1/servers HTTP/1.1" 200 94 "-" "osc"%s\n'
)
UWSGI = (
    "[pid: 7|app: 0|req: 3/12] 10.0.0.9 () {38 vars in 696 bytes} [Mon Mar  2 10:00:00 2026] "
    "GET /v2.1/servers => generated 47 bytes in 35 msecs (HTTP/1.1 200) 9 headers in 378 bytes "
    "(1 switches on core 30)\n"
)


@pytest.mark.parametrize(
    "line",
    [
        HAPROXY % f"{{{MINE}}} ", HAPROXY % f"{{curl}} {{{MINE}}} ", HAPROXY % f"{{{CAUSE}}} {{{MINE}}} ",
        APACHE % f" {MINE}", APACHE % f' "{MINE}"',
    ],
)  # fmt: skip
def test_a_proxys_line_belongs_to_the_request_whose_header_it_prints(
    line: str, tmp_path: Path
) -> None:
    (tmp_path / "proxy.log").write_text(line)
    own = f"2026-03-02 10:00:00.000 1 INFO nova.wsgi [{MINE} u p - - -] done\n"
    (tmp_path / "nova-api.log").write_text(own)
    logs = library.read(tmp_path, root=True)
    assert len({record.root_request_id for record in logs}) == 1
    assert believed(logs.graph()) == ({MINE: CAUSE} if CAUSE in line else {})
    story = trace(logs, MINE)
    assert len(story.records) == 2
    only = library.read(tmp_path).batches(["trace_id"])
    traces = [one for batch in only for one in batch["trace_id"].to_pylist()]
    assert traces == [record.trace_id for record in library.read(tmp_path)]


def test_a_line_with_the_time_at_which_a_call_began_does_not_begin_earlier(tmp_path: Path) -> None:
    (tmp_path / "proxy.log").write_text(HAPROXY % f"{{{MINE}}} ")
    logs = library.read(tmp_path)
    [row] = requests(logs).to_pylist()
    assert (row["start"].microsecond, row["duration"], row["http_duration"]) == (
        143000,
        0.087,
        0.087,
    )
    [request] = trace(logs, MINE).requests
    assert request.begin == row["start"]
    assert request.duration == 0.087


@pytest.mark.parametrize(
    "line",
    [
        HAPROXY % "", HAPROXY % "{curl} {nginx} ", HAPROXY % "{} {} ", APACHE % "", APACHE % " -", UWSGI,
        HAPROXY % f"{{curl}} {{{MINE[4:]}}} ", HAPROXY % "{d41d8cd98f00b204e9800998ecf8427e} ",
        HAPROXY % f"{{curl}} {{{MINE}0}} ", HAPROXY % f"{{re{MINE}}} ",
    ],
)  # fmt: skip
def test_a_proxys_line_without_a_requests_id_belongs_to_none(line: str, tmp_path: Path) -> None:
    (tmp_path / "proxy.log").write_text(line)
    [record] = library.read(tmp_path, root=True)
    assert (record.http_status, record.http_target) == (200, "/v2.1/servers")
    assert (record.request_id, record.global_request_id, record.root_request_id) == (None,) * 3
    assert record.trace_id is None


def test_swift_transactions_are_called_too() -> None:
    text = f"RESP HEADERS: {{'X-Trans-Id': '{TX}', 'X-Openstack-Request-Id': '{TX}'}}"
    assert list(links(batch((A, None, text)))) == [Link(A, TX, "response", 0)]


@pytest.mark.parametrize(
    "message",
    [
        f"request {B} was slow",
        f"he said: GET call to network for http://n used request id {B}",
        f"GET call to network for http://n used request id {B}, {C}",
        f"GET call to network for http://n used request id {A}",
        f"X-Openstack-Request-Id: {B}",
        f"\nHTTP/1.1 200 OK\nX-Openstack-Request-Id: {B}\n\n",
        f"RESP: [200] X-Openstack-Request-Id: {B} X-Compute-Request-Id: {C}",
        f"RESP: [200] X-Openstack-Request-Id: {B}, {C[:-1]}",
        f"RESP BODY: x-openstack-request-id: {B}",
        f"[{B}] Created resource provider record",
        f"(HTTP 404) (Request-ID: {B}) and (HTTP 404) (Request-ID: {C})",
        f"Request-ID: {B}",
        "GET call to network for http://n used request id req-1",
    ],
)
def test_what_is_none(message: str) -> None:
    found = [link for link in links(batch((A, None, message))) if link.callee != B]
    assert not found
    if "Content" not in message and not message.startswith(
        "RESP: [200] X-Openstack-Request-Id: " + B + ","
    ):
        assert not list(links(batch((A, None, message))))


def test_who_has_no_id_has_called_nothing() -> None:
    assert not list(links(batch((None, None, f"GET call to x for http://n used request id {B}"))))


def test_columns_that_are_not_there_tell_nothing() -> None:
    whole = batch((A, B, f"GET call to x for http://n used request id {C}"))
    assert [link.kind for link in links(whole)] == ["bracket", "client"]
    assert [link.kind for link in links(whole.drop_columns(["body"]))] == ["bracket"]
    assert not list(links(whole.drop_columns(["request_id"])))
    assert [link.timestamp for link in links(whole.drop_columns(["timestamp"]))] == [None, None]


FRAGMENTS = [
    "2026-03-02 10:00:01.000 7 DEBUG keystoneauth.session [", "None ", f"{A} ", f"{B} ", "- - -] ", "] ",
    f"GET call to x for http://n used request id {C}", f"(HTTP 500) (Request-ID: {D})", "req-", A[:-1],
    '{"message": "', '"request_id": "', "\n", "q", "equest", "request id", f"[{B}] ",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_makes_a_graph(tmp_path: Path, parts: list[str]) -> None:
    path = tmp_path / "x.log"
    text = "a line of letters, so that it is no binary file\n" * 9 + "".join(parts)
    path.write_bytes(text.encode(errors="replace"))
    logs = library.read(path)
    graph = RequestGraph()
    for rows in logs.batches():
        graph.add(rows)
    assert believed(logs.graph()) == believed(graph)


# -- what is believed of it --------------------------------------------------------------


def call(caller: str, callee: str, cause: str | None = None) -> tuple[str, str | None, str]:
    return caller, cause, f"GET call to x for http://n used request id {callee}"


def graph_of(*rows: tuple[str | None, str | None, str], most: int = 100) -> RequestGraph:
    graph = RequestGraph(most)
    graph.add(batch(*rows))
    return graph


def test_a_caller_below_the_cause_is_the_parent() -> None:
    graph = graph_of(call(A, B), call(B, C, A), (C, A, "x"))
    assert (graph.parent(B), graph.parent(C)) == (A, B)
    assert list(graph.members(A)) == [A, B, C]
    assert graph.children(A) == [B]


def test_the_service_itself_is_believed_before_another_that_calls_it_its_own() -> None:
    graph = graph_of((C, A, "x"), call(D, C))
    assert graph.parent(C) == A


def test_two_callers_that_have_nothing_in_common_are_not_believed() -> None:
    graph = graph_of(call(A, C), call(B, C))
    assert graph.parent(C) is None
    assert graph.root(C) == C
    assert graph_of((C, A, "x"), (C, B, "x")).parent(C) is None


def test_of_two_callers_below_each_other_the_lower_one_called() -> None:
    assert graph_of(call(A, C), call(A, B), call(B, C)).parent(C) == B


def error(caller: str, callee: str) -> tuple[str, None, str]:
    return caller, None, f"failed (HTTP 500) (Request-ID: {callee})"


def test_an_error_is_the_callers_who_told_it_first_and_soon() -> None:
    served = (C, None, "served")
    assert graph_of(served, error(A, C), error(B, C)).parent(C) == A
    assert graph_of(served, *[(D, None, "x")] * 200, error(A, C)).parent(C) is None
    assert graph_of(served, error(A, C), call(B, C)).parent(C) == B
    assert graph_of(error(A, C)).parent(C) is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"), st.booleans())))
def test_calls_in_a_circle_end(claims: list[tuple[str, str, bool]]) -> None:
    graph = RequestGraph()
    ids = {letter: f"req-{letter * 8}-0000-4000-8000-000000000000" for letter in "abcdefgh"}
    for one, other, direct in claims:
        pair = call(ids[one], ids[other]) if direct else (ids[other], ids[one], "x")
        graph.add(batch(pair))
    members = [
        member for id_ in ids.values() if graph.root(id_) == id_ for member in graph.members(id_)
    ]
    assert sorted(members) == sorted(ids.values()), "each id is in one tree"
    for id_ in ids.values():
        assert graph.parent(graph.root(id_)) is None


def test_chains_without_end_end() -> None:
    ids = [f"req-{n:08x}-0000-4000-8000-000000000000" for n in range(5000)]
    graph = graph_of(*(call(one, other) for one, other in pairwise(ids)), most=9999)
    assert graph.root(ids[10]) == ids[0]
    assert graph.root(ids[-1]) in ids


def test_what_was_not_spoken_of_for_longest_is_forgotten() -> None:
    graph = graph_of(call(A, B), call(A, C), call(A, B), call(A, D), most=2)
    assert (len(graph), graph.evicted) == (2, 1)
    assert graph.children(A) == [B, D]
    assert graph.root(C) == C


def test_a_task_is_known_as_one_however_many_ids_come_later() -> None:
    sightings = Sightings(8)
    task, ids = A, [f"req-{n:08x}-0000-4000-8000-000000000000" for n in range(500)]
    for second in (0, 601):
        sightings.see(task, second * 1_000_000, False, False)
    for second, id_ in enumerate(ids):
        sightings.see(id_, (700 + second) * 1_000_000, True, True)
    assert sightings.get(task) == (0, 601_000_000, True, False)
    assert sightings.get(ids[0]) is None
    assert sightings.get(ids[-1]) is not None


def test_what_is_forgotten_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opslog.cli import main
    from opslog.correlate import graph as module

    path = tmp_path / "x.log"
    text = "2026-03-02 10:00:01.000 7 INFO a [{} {} - - - - - -] x\n"
    path.write_text(text.format(A, B) + text.format(A, C))
    monkeypatch.setattr(module.RequestGraph.__init__, "__defaults__", (1, None))
    said: list[str] = []
    monkeypatch.setattr("builtins.print", lambda *texts, **_: said.append(str(texts[0])))
    assert main(["filter", "--root", "-o", str(tmp_path / "o.jsonl"), str(path)]) == 0
    assert said == [
        "opslog: 1 calls between requests were too many to remember: "
        "their records count as requests of their own"
    ]
