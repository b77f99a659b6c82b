"""The story of a request is what truly happened, however it is told."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import opslog as library
from helpers import on_terminal, opslog
from opslog.model.errors import OpslogError, SourceError
from opslog.model.stats import Stats
from opslog.terminal.cells import cells
from opslog.trace import Story, trace
from opslog.trace.errors import first_error, root_exception
from opslog.trace.otlp import otlp, otlp_text, span_id, trace_id
from opslog.trace.page import page
from opslog.trace.plain import plain
from opslog.trace.waterfall import waterfall
from simulator import ERAS, Deployment, Era, Truth

DEBUG = [era for era in ERAS if era.debug]
PIKE = next(era for era in ERAS if era.name == "pike")
REQUEST = "req-0b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90"
OTHER = "req-c4a1e2d3-58f7-4b6c-a9d0-3e2f1b4c5d6e"
INSTANCE = "6f9a4d0e-2c1b-4a8f-b7d3-5e6c7a8b9d01"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


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


@pytest.fixture(scope="module")
def pike(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("pike")
    return folder, Deployment(1, PIKE).write(folder)


def boots(truth: Truth) -> list[str]:
    """Return the roots of requests of several services."""
    roots = [root for id_, root in truth.roots.items() if root not in truth.tasks and id_ != root]
    return sorted(root for root in set(roots) if roots.count(root) > 3)


def line(number: int, body: str, request: str = REQUEST, level: str = "INFO", pid: int = 7) -> str:
    return (
        f"2026-03-10 10:00:{number:02}.000 {pid} {level} nova.compute.manager "
        f"[{request} u p - default default] {body}\n"
    )


def written(path: Path, *lines: str) -> library.Logs:
    path.write_text("".join(lines))
    return library.read(path)


# -- what belongs to it ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("era", DEBUG, ids=lambda era: era.name)
def test_a_story_is_what_happened(era: Era, seed: int, tmp_path: Path) -> None:
    truth = Deployment(seed, era, boots=6).write(tmp_path)
    logs = library.read(tmp_path)
    for root in boots(truth)[:3]:
        members = sorted(id_ for id_, above in truth.roots.items() if above == root)
        true_records = {
            place
            for place, request in truth.records.items()
            if request is not None and truth.roots[request.id] == root
        }
        for asked in (root, members[0], members[-1]):
            story = trace(logs, asked)
            owned = [r for r, o in zip(story.records, story.owners, strict=True) if o is not None]
            found = {(str(record.source), record.source_offset) for record in owned}
            assert found == true_records
            edges = {one.id: one.caller for one in story.tree() if one.caller is not None}
            assert edges == {m: truth.callers[m] for m in members if m in truth.callers}
            assert [one.id for one in story.requests] == [root]


def test_records_and_requests_are_in_the_order_of_time(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    story = trace(library.read(folder), boots(truth)[0])
    times = [record.timestamp for record in story.records if record.timestamp]
    assert times == sorted(times)
    for request in story.tree():
        begins = [child.begin for child in request.children if child.begin]
        assert begins == sorted(begins)
        assert request.duration == pytest.approx(
            (request.end - request.begin).total_seconds() if request.begin and request.end else 0
        )


def test_the_first_error_is_where_the_failure_began(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    assert truth.failed
    for failed in sorted(truth.failed):
        story = trace(library.read(folder), truth.roots[failed])
        number = first_error(story)
        assert number is not None
        assert story.owners[number] == failed
        assert story.records[number].http_status == 404


def test_a_request_in_which_nothing_failed_has_no_first_error(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    fine = [root for root in boots(truth) if root not in {truth.roots[f] for f in truth.failed}]
    assert fine
    assert first_error(trace(library.read(folder), fine[0])) is None


def test_a_task_that_goes_on_for_hours_has_no_duration_and_no_calls(
    pike: tuple[Path, Truth],
) -> None:
    folder, truth = pike
    [task] = truth.tasks
    story = trace(library.read(folder), task)
    [request] = story.requests
    assert request.task
    assert not request.children
    assert plain(story, 1.0)["requests"][0]["duration"] is None
    assert "a task, seen for " in waterfall(story, 1.0)
    assert not story.gaps(1.0)


def test_a_call_of_a_task_is_a_story_of_its_own(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    called = next(callee for callee, caller in truth.callers.items() if caller in truth.tasks)
    story = trace(library.read(folder), called)
    assert [request.id for request in story.requests] == [called]


def test_a_resource_brings_all_requests_that_name_it(tmp_path: Path) -> None:
    lines = [
        line(1, f"[instance: {INSTANCE}] Claim successful"),
        line(2, "unrelated", "req-11111111-2222-4333-8444-555555555555"),
        line(3, f"Deleting instance {INSTANCE}", OTHER),
        line(4, "done", OTHER),
        f"2026-03-10 10:00:05.000 7 INFO nova.compute.manager [-] [instance: {INSTANCE}] VM Stopped\n",
    ]
    story = trace(written(tmp_path / "nova.log", *lines), INSTANCE)
    assert [request.id for request in story.requests] == [REQUEST, OTHER]
    assert len(story.records) == 4
    assert story.owners[-1] is None


def test_a_loop_that_names_a_resource_brings_only_the_records_that_do(tmp_path: Path) -> None:
    def looped(number: int, body: str) -> str:
        return (
            line(0, body, OTHER)
            .replace(f"{OTHER} u p", f"{OTHER} - -")
            .replace("10:00:00", f"10:{number:02}:00")
        )

    logs = written(
        tmp_path / "n.log",
        line(1, f"[instance: {INSTANCE}] Took 1.00 seconds to build instance."),
        *(looped(n, f"rpc_loop {n}: instance {INSTANCE if n == 3 else 'x'}") for n in range(9)),
    )
    story = trace(logs, INSTANCE)
    assert [one.id for one in story.requests] == [REQUEST]
    assert [record.body for record in story.records][1:] == [f"rpc_loop 3: instance {INSTANCE}"]
    assert len(trace(logs, OTHER).records) == 9


def test_filters_choose_the_records_of_a_story(tmp_path: Path) -> None:
    written(tmp_path / "n.log", line(1, "begin"), line(2, "failed", level="ERROR"))
    result = opslog(
        "trace", REQUEST.upper().replace("REQ", "req"), str(tmp_path), "--severity", "ERROR"
    )
    assert b"failed" in result.stdout
    assert b"begin" not in result.stdout
    result = opslog("trace", REQUEST, str(tmp_path), "--severity", "CRITICAL")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == f"opslog: {REQUEST}: no record that is wanted names it\n"


@pytest.mark.parametrize("asked", [REQUEST, REQUEST[:12], REQUEST[4:].replace("-", "")])
def test_a_request_is_found_by_its_short_id_and_its_trace_id(asked: str, tmp_path: Path) -> None:
    story = trace(written(tmp_path / "n.log", line(1, "a"), line(2, "b", OTHER)), asked)
    assert story.id == REQUEST
    assert len(story.records) == 1


def test_a_short_id_of_several_requests_is_an_error_that_names_them(tmp_path: Path) -> None:
    other = REQUEST[:12] + "-58f7-4b6c-a9d0-3e2f1b4c5d6e"
    logs = written(tmp_path / "n.log", line(1, "a"), line(2, "b", other))
    with pytest.raises(OpslogError, match=f"found 2 that begin so: {REQUEST}, {other}"):
        trace(logs, REQUEST[:12])


def test_what_can_be_no_id_and_what_is_no_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OpslogError, match="expected an id"):
        trace(library.read(tmp_path), "a b")
    result = opslog("trace", REQUEST, stdin=line(1, "a").encode())
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"is no file" in result.stderr


def test_what_can_be_read_is_told_and_the_rest_is_an_error(tmp_path: Path) -> None:
    written(tmp_path / "n.log", line(1, "there"))
    result = opslog("trace", REQUEST, str(tmp_path / "n.log"), str(tmp_path / "missing.log"))
    assert b"there" in result.stdout
    assert result.returncode == 2
    assert b"missing.log" in result.stderr


def test_an_id_that_only_records_of_other_calls_carry_says_so(tmp_path: Path) -> None:
    text = "2026-03-10 10:00:08.000 7 DEBUG glance.api.middleware.version_negotiation [None {} u1 p1 - - - -] {}"
    written(tmp_path / "g.log", text.format(REQUEST, "Determining version of request: GET /\n"))
    result = opslog("trace", REQUEST, str(tmp_path))
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"1 record carries it, but only after the request had ended" in result.stderr


def test_an_id_that_nobody_mentions_gives_1(tmp_path: Path) -> None:
    written(tmp_path / "n.log", line(1, "a"))
    (tmp_path / "empty").mkdir()
    written(tmp_path / "empty" / "n.log")
    for folder in (tmp_path, tmp_path / "empty"):
        result = opslog("trace", OTHER, str(folder))
        assert (result.returncode, result.stdout) == (1, b"")
        assert result.stderr.decode() == f"opslog: {OTHER}: no record names it\n"
    missing = opslog("trace", OTHER, str(tmp_path / "missing.log"))
    assert (missing.returncode, missing.stdout) == (2, b"")
    assert b"missing.log: No such file" in missing.stderr


def test_of_too_many_records_the_rest_is_counted(tmp_path: Path) -> None:
    logs = written(tmp_path / "n.log", *(line(n, f"number {n}") for n in range(9)))
    story = trace(logs, REQUEST, most=4)
    assert (len(story.records), story.left_out) == (4, 5)
    assert "5 records left out" in waterfall(story, 1.0)


def test_of_too_many_records_no_more_are_searched_for(tmp_path: Path) -> None:
    called = (f"req-{n:08}-58f7-4b6c-a9d0-3e2f1b4c5d6e" for n in range(300))
    calls = (f"GET call to network for http://n/v2.0/ports used request id {one}" for one in called)
    logs = written(tmp_path / "n.log", *(line(n % 60, call) for n, call in enumerate(calls)))
    read = []
    for most in (300, 299):
        trace(logs, REQUEST, most=most, stats=(stats := Stats()))
        read.append(stats.bytes // (tmp_path / "n.log").stat().st_size)
    assert read[0] - read[1] == 2  # of the readings for what was called


# -- what it tells -----------------------------------------------------------------------------


def test_gaps_are_told_from_their_length_on(tmp_path: Path) -> None:
    story = trace(written(tmp_path / "n.log", line(1, "a"), line(2, "b"), line(9, "c")), REQUEST)
    assert [(gap.seconds, gap.after, gap.before) for gap in story.gaps(2)] == [(7.0, 1, 2)]
    assert len(story.gaps(0.5)) == 2


def test_the_root_exception_is_the_first_of_a_chain(tmp_path: Path) -> None:
    raised = [
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "KeyError: 'flavor'",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        '  File "a.py", line 2, in g',
        "nova.exception.BuildAbortException: Build aborted",
    ]
    told = [
        f"2026-03-10 10:00:01.000 7 ERROR nova.compute.manager {text}".rstrip() + "\n"
        for text in raised
    ]
    story = trace(written(tmp_path / "n.log", line(1, "Failed", level="ERROR"), *told), REQUEST)
    cause = root_exception(story, first_error(story))
    assert cause is not None
    assert (cause.record, cause.type, cause.message) == (0, "KeyError", "'flavor'")


def test_the_root_exception_of_a_task_that_logs_no_traceback_is_told(tmp_path: Path) -> None:
    task = (
        "Task 'Reserve;volume:create' (7a37) transitioned into state 'FAILURE' from state 'RUNNING'\n"
        "\nFailure: cinder.exception.OverQuota: Requested 5000G, quota is 1000G."
    )
    refusal = "Quota exceeded for demo, tried to create 5000G volume"
    lines = [line(1, refusal, level="WARNING"), line(2, task, level="WARNING")]
    story = trace(written(tmp_path / "c.log", *lines), REQUEST)
    cause = root_exception(story, first_error(story))
    assert cause is not None
    assert (cause.record, cause.type) == (1, "cinder.exception.OverQuota")
    assert cause.message == "Requested 5000G, quota is 1000G."


# -- how it is told ----------------------------------------------------------------------------

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \x1b]0;owned\x07\x1b[2J \u202e\u2028"


@pytest.fixture
def hostile(tmp_path: Path) -> Story:
    return trace(
        written(tmp_path / "<b>&.log", line(1, HOSTILE), line(2, "b", level="ERROR")), REQUEST
    )


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_the_waterfall_fits_and_is_escaped(
    width: int, pike: tuple[Path, Truth], hostile: Story
) -> None:
    folder, truth = pike
    for story in (trace(library.read(folder), boots(truth)[0]), hostile):
        for summary in (False, True):
            for row in waterfall(story, 0.1, width, summary=summary).splitlines():
                assert cells(row) <= width
                assert row.isprintable()


def test_on_a_terminal_it_is_colored_unless_nobody_wants_that(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    written(path, line(1, HOSTILE), line(2, "b", level="ERROR"))
    shown = on_terminal(80, "trace", REQUEST, "--summary", str(path))
    assert "\x1b[31m" in shown
    assert all(cells(re.sub("\x1b\\[[0-9;]*m", "", row)) <= 80 for row in shown.splitlines())
    assert "\x1b" not in on_terminal(80, "trace", REQUEST, str(path), NO_COLOR="1")


def test_json_tells_the_tree_and_the_records(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    root = boots(truth)[0]
    result = opslog("trace", root, "--json", str(folder))
    told = json.loads(result.stdout)
    [tree] = told["requests"]
    assert tree["id"] == root
    assert tree["call"]["target"] == "/v2.1/servers"

    def numbers(request: dict[str, Any]) -> list[int]:
        return [*request["records"], *(n for one in request["requests"] for n in numbers(one))]

    assert sorted(numbers(tree)) == list(range(len(told["records"])))
    assert all("body" in record or "exception_type" in record for record in told["records"])


def test_no_text_of_a_log_is_markup_in_the_page(hostile: Story) -> None:
    text = page(hostile, 1.0)
    assert text.count("<script") == 2
    assert "<img" not in text
    data = re.search('id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    assert HOSTILE in json.loads(data[1])["records"][0]["original"]
    assert "http://" not in text.replace("http://" + "www.w3.org", "")
    assert re.search(
        "default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'\"", text
    )


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser")
def test_a_browser_shows_the_page_and_runs_nothing_of_the_logs(
    hostile: Story, tmp_path: Path
) -> None:
    path = tmp_path / "story.html"
    path.write_text(page(hostile, 1.0), "utf-8")
    assert CHROMIUM
    seen = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True, check=True, timeout=120,
    ).stdout.decode()  # fmt: skip
    assert seen.count('class="record') == 2
    assert seen.count('class="row request') == 1
    shown = seen.partition("<script")[0] + seen.rpartition("</script>")[2]
    assert "\\u202e\\u2028" in shown
    assert not re.search("[\x07\x1b\u202e\u2028]", shown)
    assert "first error" in seen
    assert f"<title>opslog trace {REQUEST}</title>" in seen
    assert "<img" not in seen


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser")
def test_a_page_of_records_without_times_says_so(tmp_path: Path) -> None:
    path = tmp_path / "story.html"
    logs = written(tmp_path / "n.log", f"INFO nova.compute.manager [{REQUEST} u p - - -] a\n")
    path.write_text(page(trace(logs, REQUEST), 1.0), "utf-8")
    assert CHROMIUM
    seen = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True, check=True, timeout=120,
    ).stdout.decode()  # fmt: skip
    assert "no time \u00b7 1 request \u00b7 1 record<" in seen


def test_a_page_appears_when_it_is_complete_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    written(path, line(1, "a"))
    (tmp_path / "taken").mkdir()
    result = opslog("trace", REQUEST, "--html", str(tmp_path / "taken"), str(path))
    assert result.returncode == 2
    assert b"taken: Is a directory" in result.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["n.log", "taken"]


def test_otlp_goes_to_standard_output_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    logs = written(path, line(1, "a"))
    result = opslog("trace", REQUEST, "--otlp", "-", str(path))
    seen = re.compile(r'("observedTimeUnixNano": )"(\d+)"')
    text = result.stdout.decode()
    assert seen.sub(r"\1", text) == seen.sub(r"\1", otlp(trace(logs, REQUEST)))
    [moment] = {int(found[1]) for found in seen.findall(text)}
    assert 0 <= time.time_ns() - moment < 3600 * 10**9


def test_otlp_holds_no_time_and_no_id_that_a_collector_refuses(tmp_path: Path) -> None:
    old = line(1, "a").replace("2026-", "1969-")
    spans, logs = map(
        json.loads, otlp(trace(written(tmp_path / "o.log", old), REQUEST)).splitlines()
    )
    assert spans == {"resourceSpans": []}
    [record] = logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert "timeUnixNano" not in record
    zero = "req-00000000-0000-0000-0000-000000000000"
    assert re.fullmatch("[0-9a-f]{32}", trace_id(zero))
    assert trace_id(zero).strip("0")


def api(method: str, target: str, status: int | None, logger: str = "nova.wsgi") -> str:
    answer = "" if status is None else f" status: {status} len: 9 time: 0.1"
    return line(1, f'10.0.0.7 "{method} {target} HTTP/1.1"{answer}').replace(
        "nova.compute.manager", logger
    )


def spans_and_logs(text: str) -> tuple[list[dict[str, Any]], list[tuple[str, dict[str, Any]]]]:
    """Return the spans, their attributes as a dict, and (name of the scope, log record)."""
    traces, logs = map(json.loads, text.splitlines())
    spans = [
        span
        for resource in traces["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    for span in spans:
        pairs = span.get("attributes", [])
        span["attributes"] = {one["key"]: next(iter(one["value"].values())) for one in pairs}
    records = [
        (scope["scope"].get("name", ""), record)
        for resource in logs["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]
    return spans, records


@pytest.mark.parametrize(
    ("status", "failed"), [(200, False), (202, False), (404, False), (409, False), (500, True)]
)
def test_a_span_of_a_server_failed_if_its_answer_says_so(
    status: int, failed: bool, tmp_path: Path
) -> None:
    target = f"/v2.1/servers/{INSTANCE}?detail=1"
    # What it logged meanwhile is no failure to the conventions if it answered well.
    text = api("GET", target, status) + line(2, "oh", level="ERROR")
    [span], _ = spans_and_logs(otlp(trace(written(tmp_path / "nova-api.log", text), REQUEST)))
    assert (span["name"], span["kind"]) == ("GET /v2.1/servers/{id}", 2)
    expected = {
        "openstack.request_id": REQUEST,
        "http.request.method": "GET",
        "http.route": "/v2.1/servers/{id}",
        "url.path": f"/v2.1/servers/{INSTANCE}",
        "url.query": "detail=1",
        "http.response.status_code": str(status),
    }
    assert span["attributes"] == expected | ({"error.type": str(status)} if failed else {})
    assert span.get("status") == ({"code": 2} if failed else None)


def test_a_target_tells_its_server_and_an_unknown_method_is_another(tmp_path: Path) -> None:
    text = api("REPORT", "http://ctl1:8774/v2.1/servers/7", 200)
    [span], _ = spans_and_logs(otlp(trace(written(tmp_path / "nova-api.log", text), REQUEST)))
    assert span["name"] == "HTTP /v2.1/servers/{id}"
    found = {key: span["attributes"].get(key) for key in (
        "http.request.method", "http.request.method_original", "url.scheme", "server.address",
        "server.port", "url.path",
    )}  # fmt: skip
    assert list(found.values()) == ["_OTHER", "REPORT", "http", "ctl1", "8774", "/v2.1/servers/7"]


def test_what_answers_nobody_failed_if_it_logged_an_error(tmp_path: Path) -> None:
    text = line(1, "a") + line(2, "b: ValueError: c", level="ERROR")
    [span], _ = spans_and_logs(otlp(trace(written(tmp_path / "nova-compute.log", text), REQUEST)))
    assert (span["name"], span["kind"], span["status"]) == ("nova-compute", 1, {"code": 2})
    assert span["attributes"]["error.type"] == "_OTHER"
    prefix = line(2, "", level="ERROR").rpartition(" [")[0]
    for told in (
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in b',
        "ValueError: c",
    ):
        text += f"{prefix} {told}\n"
    [span], _ = spans_and_logs(otlp(trace(written(tmp_path / "nova-compute.log", text), REQUEST)))
    assert span["attributes"]["error.type"] == "ValueError"


def test_names_of_spans_are_few_however_many_ids_there_are(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    logs = library.read(folder)
    for root in boots(truth)[:3]:
        for span in spans_and_logs(otlp(trace(logs, root)))[0]:
            assert not re.search(r"[0-9a-f]{8}|req-", span["name"]), span["name"]


def test_loggers_are_the_scopes_of_their_records(tmp_path: Path) -> None:
    text = line(1, "a") + line(2, "b").replace("nova.compute.manager", "nova.virt") + line(3, "c")
    story = trace(written(tmp_path / "nova-compute.log", text), REQUEST)
    _, records = spans_and_logs(otlp(story, datetime(2026, 5, 1, tzinfo=UTC)))
    assert sorted((scope, record["body"]["stringValue"]) for scope, record in records) == sorted(
        (record.logger or "", record.body or "") for record in story.records
    )
    assert len({scope for scope, _ in records}) == len({one.logger for one in story.records})
    assert {record["observedTimeUnixNano"] for _, record in records} == {"1777593600000000000"}


def hexadecimal_ids(value: Any) -> Any:
    """Return OTLP/JSON as protobuf's own JSON has it: ids in base64."""
    if isinstance(value, list):
        return [hexadecimal_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(one)).decode()
        if key in ("traceId", "spanId", "parentSpanId")
        else hexadecimal_ids(one)
        for key, one in value.items()
    }


def test_otlp_is_what_the_protobuf_definitions_say(pike: tuple[Path, Truth]) -> None:
    json_format = pytest.importorskip("google.protobuf.json_format")
    traces = pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2")
    logs = pytest.importorskip("opentelemetry.proto.logs.v1.logs_pb2")
    folder, truth = pike
    root = next(root for root in boots(truth) if root in {truth.roots[f] for f in truth.failed})
    story = trace(library.read(folder), root)
    first, second = (hexadecimal_ids(json.loads(text)) for text in otlp(story).splitlines())
    spans = {
        span.span_id: span
        for resource in json_format.ParseDict(first, traces.TracesData()).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    whole = bytes.fromhex(root.removeprefix("req-").replace("-", ""))
    assert {span.trace_id for span in spans.values()} == {whole}
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans.values())
    tops = [span for span in spans.values() if not span.parent_span_id]
    assert [span.span_id.hex() for span in tops] == [span_id(root)]
    assert all(span.parent_span_id in spans for span in spans.values() if span.parent_span_id)
    for callee, caller in truth.callers.items():
        if truth.roots[callee] == root:
            span = spans[bytes.fromhex(span_id(callee))]
            assert span.parent_span_id.hex() == span_id(caller)
    told = [
        record
        for resource in json_format.ParseDict(second, logs.LogsData()).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]
    assert len(told) == len(story.records)
    assert all(record.span_id in spans for record in told)


def test_ids_of_spans_are_those_of_the_logs_and_always_the_same() -> None:
    assert trace_id(REQUEST) == REQUEST[4:].replace("-", "")
    assert re.fullmatch("[0-9a-f]{32}", trace_id("tx000000000000000000000-0000000000"))
    assert span_id(REQUEST) == span_id(REQUEST) != span_id(OTHER)


# -- how it is found ---------------------------------------------------------------------------


def test_a_source_that_can_be_read_once_only_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is no file"):
        trace(library.read(tmp_path / "pipe"), REQUEST)


def test_opentelemetry_is_written_in_pieces_however_many_records_there_are(tmp_path: Path) -> None:
    lines = [
        f"2026-03-10 10:00:{n // 100:02}.{n % 100:02}0 7 INFO nova.compute [{REQUEST} u p] {n}\n"
        for n in range(5000)
    ]
    story = trace(written(tmp_path / "nova-compute.log", "".join(lines)), REQUEST)
    pieces = list(otlp_text(story, datetime(2026, 5, 1, tzinfo=UTC)))
    assert b"".join(pieces).decode() == otlp(story, datetime(2026, 5, 1, tzinfo=UTC))
    assert max(piece.count(b'"observedTimeUnixNano"') for piece in pieces) <= 1024
    _, logs = spans_and_logs(b"".join(pieces).decode())
    assert [one["body"]["stringValue"] for _, one in logs] == [str(n) for n in range(5000)]
