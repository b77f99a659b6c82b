"""Stats: counts add up, batches never show, and quantiles are as near as is said."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

import opslog as library
from helpers import on_terminal, opslog
from opslog.model import schema
from opslog.model.errors import OpslogError
from opslog.model.naming import is_client
from opslog.model.severity import CLASSES
from opslog.rows.fingerprint import fingerprints
from opslog.stats import StatsCounter, StatsReport, count, count_records, totals
from opslog.stats.histogram import ERROR, LEAST, Histogram, classes
from opslog.stats.page import page
from opslog.stats.prometheus import text as prometheus
from opslog.stats.routes import route, route_of, routes
from opslog.stats.text import StatsText
from opslog.stats.timeline import AUTOMATIC, Timeline

START = datetime(2026, 3, 10, 10, tzinfo=UTC)
TRACE = 'Traceback (most recent call last):\n  File "/a/site-packages/{}.py", line {}, in f\nValueError: {}'
UUID = "5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a"


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Return records with the values given; what is not is null."""
    numbered = (
        {"source": "a.log", "attributes": [], "source_offset": i} | row
        for i, row in enumerate(rows)
    )
    return pa.RecordBatch.from_pylist(list(numbered), schema=schema.arrow_schema())


def report(rows: list[dict[str, Any]], every: float | None = None, top: int = 10) -> StatsReport:
    return count_records([batch(rows)], every, top)


def after(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


ROWS = st.lists(
    st.fixed_dictionaries({
        "timestamp": st.one_of(st.none(), st.integers(0, 60), st.integers(-(10**9), 10**10)).map(after),
        "severity_number": st.sampled_from([1, 9, 13, 17, 21, None]),
        "body": st.sampled_from(["took 1 s", "took 2 s", "other", None]),
        "service_name": st.sampled_from(["nova", "neutron", None]),
        "logger": st.sampled_from(["a", "b", "keystoneauth.session", None]),
        "exception_stacktrace": st.sampled_from([None, None, TRACE.format("x", 1, 2), TRACE.format("y", 1, 2)]),
        "http_method": st.sampled_from([None, "GET", "PUT"]),
        "http_target": st.sampled_from([None, "/v2.1/servers/1", f"/v2.1/servers/{UUID}?a=1", "/v3"]),
        "http_status": st.sampled_from([None, 200, 404, 500, 10**12, -5]),
        "duration": st.one_of(st.none(), st.floats(allow_nan=False)),
        "client_address": st.sampled_from([None, "192.0.2.1"]),
    }),
    max_size=40,
)  # fmt: skip


@given(rows=ROWS, cuts=st.lists(st.integers(0, 40)), every=st.sampled_from([None, 0.5, 60]))
def test_batches_never_show_in_the_result(
    rows: list[dict[str, Any]], cuts: list[int], every: float | None
) -> None:
    whole = batch(rows)
    ends = [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole.slice(begin, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
    assert count_records(parts, every) == count_records([whole], every)


@given(rows=ROWS, cuts=st.lists(st.integers(0, 40)), top=st.integers(0, 3))
def test_counts_add_up_also_where_there_are_too_many_for_rows_of_their_own(
    rows: list[dict[str, Any]], cuts: list[int], top: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(totals, "MOST_SERVICES", 1)
        patch.setattr(totals, "MOST_ROWS", 2)
        found = report(rows, top=top)
    failed = [r for r in rows if (r["severity_number"] or 0) >= 17]
    assert found.records == len(rows) == sum(found.severities.values())
    assert sum(one.records for one in found.services) == len(rows)
    assert found.untimed + sum(one.records for one in found.timeline) == len(rows)
    assert found.untimed == sum(row["timestamp"] is None for row in rows)
    assert sum(one.records for one in found.loggers) + found.others.loggers == len(rows)
    assert sum(one.records for one in found.errors) + found.others.errors == len(failed)
    answered = [
        r for r in rows
        if r["http_status"] is not None and r["http_target"] and not is_client(r["logger"], r["body"])
    ]  # fmt: skip
    assert sum(one.requests for one in found.routes) + found.others.requests == len(answered)
    assert len(found.loggers) <= top


@given(seconds=st.lists(st.floats(LEAST, 1e5), min_size=1), share=st.floats(0, 1))
def test_a_quantile_is_as_near_as_is_said(seconds: list[float], share: float) -> None:
    histogram = Histogram()
    for number in classes(pa.array(seconds)).to_pylist():
        histogram.add([(number, 1)])
    exact = sorted(seconds)[max(math.ceil(share * len(seconds)) - 1, 0)]
    found = histogram.quantile(share)
    assert found is not None
    assert abs(found - exact) <= ERROR * exact * (1 + 1e-9)


@given(
    steps=st.lists(st.integers(-(10**6), 10**10), min_size=1, max_size=300),
    most=st.integers(1, 50),
)
def test_a_timeline_widens_until_it_fits_and_loses_nothing(steps: list[int], most: int) -> None:
    line = Timeline(AUTOMATIC)
    line.add(AUTOMATIC[0], [(step, ("nova", 2), 1) for step in steps])
    found = line.at_most(most)
    shown = {step for step, _ in found.counts}
    assert sum(found.counts.values()) == len(steps)
    assert len(shown) <= most or found.width == AUTOMATIC[-1]
    narrower = AUTOMATIC[max(AUTOMATIC.index(found.width) - 1, 0)]
    assert narrower == found.width or len({s * 10**6 // narrower for s in steps}) > most


def test_steps_are_of_the_length_that_was_asked_for() -> None:
    rows = [{"timestamp": after(seconds)} for seconds in (0, 89, 90, 1000)]
    found = report(rows, every=90)
    assert (found.step, [one.records for one in found.timeline]) == (90, [2, 1, 1])
    with pytest.raises(OpslogError, match="every: expected seconds"):
        StatsCounter(0)


def test_an_error_is_told_with_the_fingerprint_that_dedup_uses() -> None:
    rows = [
        {"severity_number": 17, "body": f"Lost 10.0.0.{n} after {n} tries", "timestamp": after(n),
         "service_name": "nova", "logger": "nova.api"}
        for n in (2, 1, 3)
    ]  # fmt: skip
    [found] = report([*rows, {"severity_number": 9, "body": "fine"}]).errors
    assert found.fingerprint == fingerprints(batch(rows))[0].as_py()
    assert (found.records, found.template) == (3, "Lost <*> after <*> tries")
    assert (found.first, found.last, found.source_offset) == (after(1), after(3), 0)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"http://192.0.2.1:8774/v2.1/8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5/servers/{UUID}/action", "/v2.1/{id}/servers/{id}/action"),
        (f"/v2.0/ports/{UUID}.json?fields=id", "/v2.0/ports/{id}.json"),
        ("/v2.0/ports.json", "/v2.0/ports.json"),
        ("/2009-04-04/meta-data/instance-id", "/2009-04-04/meta-data/instance-id"),
        ("/openstack/latest/meta_data.json", "/openstack/latest/meta_data.json"),
        ("/v1/AUTH_abc/images/5d8a%20x/y?limit=1", "/v1/{account}/{container}/{object}"),
        ("/v1/AUTH_abc/images/", "/v1/{account}/{container}"),
        ("/v1/AUTH_abc", "/v1/{account}"),
        ("/sdb1/242/AUTH_abc/glance/x", "/{device}/{partition}/{account}/{container}/{object}"),
        ("/traits/CUSTOM_GOLD", "/traits/{id}"),
        ("/", "/"),
        ("", "/"),
        ("*", "*"),
    ],
)  # fmt: skip
def test_what_differs_by_ids_is_one_route(target: str, expected: str) -> None:
    found = routes(pa.array([target, None]))
    assert found.to_pylist() == [expected, None]
    assert route(expected) == expected
    assert route_of(target) == expected


def test_a_request_that_the_service_sent_is_none_it_answered() -> None:
    told = {"http_method": "GET", "http_target": "/v3", "http_status": 200, "service_name": "nova"}
    rows = [
        told | {"logger": "keystoneauth.session"},
        told | {"logger": "nova.api.openstack.requestlog", "duration": 0.5},
        told | {"http_method": None},
    ]
    found = report(rows).routes
    assert [(one.method, one.requests, one.timed, one.seconds) for one in found] == [
        ("GET", 1, 1, 0.5), (None, 1, 0, 0.0),
    ]  # fmt: skip


LOG = "".join(
    f"2026-03-10 10:00:{n:02d}.000 1 {level} nova.api [-] \x1b[31mit's <b>{n}</b>\x07\n"
    for n, level in enumerate(["INFO", "WARNING", "ERROR", "ERROR", "DEBUG"])
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "nova-api.log"
    path.write_text(LOG)
    return path


def test_what_is_counted_of_logs_is_what_is_counted_of_their_batches(log: Path) -> None:
    logs = library.read(log)
    for one in (
        logs,
        logs.limit(3),
        logs.filter("severity >= WARNING"),
        logs.filter("severity >= WARNING").limit(2),
    ):
        assert count_records(one) == count_records(one.batches())
    counted = StatsCounter()
    assert logs.pipe(counted).to_table().num_rows == counted.report().records == 5
    assert count_records(logs.pipe(StatsCounter())) == count_records(logs)


@pytest.mark.parametrize("few", [1, 3, 6, 1000])
def test_records_of_small_files_are_counted_together_in_their_order(
    log: Path, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for number in range(20):
        (tmp_path / f"{number:02d}.log").write_bytes(b"".join(lines[number % 7 :]))
    logs = library.read(tmp_path)
    wanted = count_records(logs.batches())
    assert wanted.records > 40
    monkeypatch.setattr(count, "FEW", few)
    assert count_records(logs) == wanted


def test_the_command_says_it_as_json_and_takes_the_flags_of_filter(log: Path) -> None:
    found = json.loads(
        opslog("stats", "--json", "--severity", "WARNING", "-n", "2", str(log)).stdout
    )
    assert found["severities"] == {"warning": 1, "error": 1}
    assert (found["step"], found["first"]) == (1.0, "2026-03-10T10:00:01.000Z")
    assert found["errors"][0]["template"] == "\x1b[<*>'s <b><*></b>\x07"
    nothing = opslog("stats", "--grep", "nothing", str(log))
    assert (nothing.returncode, nothing.stdout) == (1, b"0 records\n")
    assert opslog("stats", "--exit-zero", "--grep", "nothing", str(log)).returncode == 0


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_text_fits_the_terminal_and_is_escaped(log: Path, width: int) -> None:
    shown = on_terminal(width, "stats", str(log))
    plain = re.sub(r"\x1b\[\d+m", "", shown)
    assert "\x1b" not in plain
    assert "\x07" not in plain
    assert "\\x07" in plain
    # What is to be copied is not broken.
    lines = [line for line in plain.splitlines() if not line.startswith("  opslog ")]
    assert max(map(len, lines)) <= width


@given(rows=ROWS, width=st.integers(0, 200))
def test_any_records_have_a_text_that_fits(rows: list[dict[str, Any]], width: int) -> None:
    told = StatsText(False, width).render(report(rows))
    assert max(map(len, told.splitlines())) <= max(width or 100, 60)
    StatsText(True, width, blocks=False).render(report(rows, every=1)).encode("ascii", "strict")


class _Page(HTMLParser):
    """Reads a page and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href", "srcset", "onclick"} & {name for name, _ in attrs}
        assert tag not in ("script", "link", "iframe", "b")
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_needs_nothing_else_and_escapes_what_logs_say(log: Path) -> None:
    out = log.with_suffix(".html")
    said = opslog("stats", "--html", str(out), str(log))
    assert b"5 records" in said.stdout
    parser = _Page()
    parser.feed(out.read_text())
    assert parser.open == []
    assert "url(" not in out.read_text()
    assert "\\x1b[<*>'s <b><*></b>\\x07" in parser.texts
    missing = opslog("stats", "--html", str(out / "x"), str(log))
    assert missing.returncode == 2
    assert b"Not a directory" in missing.stderr


@given(rows=ROWS)
def test_any_records_have_a_page_and_metrics_that_add_up(rows: list[dict[str, Any]]) -> None:
    found = report(rows, top=2)
    parser = _Page()
    parser.feed(page(found, ["a", "b"]))
    assert parser.open == []
    families = {f.name: f for f in text_string_to_metric_families(prometheus(found))}
    total = sum(sample.value for sample in families["opslog_stats_records"].samples)
    assert total == len(rows)
    requests = sum(sample.value for sample in families["opslog_stats_http_requests"].samples)
    assert requests == sum(one.requests for one in found.routes) + found.others.requests
    json.dumps(found.as_dict(), allow_nan=False)


def test_severities_are_the_ranges_of_opentelemetry_but_for_critical() -> None:
    rows = [{"severity_number": number} for number in range(1, 25)] + [{}]
    counts = dict.fromkeys(CLASSES[:4], 4) | {"error": 1, "critical": 7, "unknown": 1}
    assert report(rows).severities == counts


def test_rows_of_their_own_go_to_what_comes_first_in_the_records() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(totals, "MOST_ROWS", 100)
        found = report([{"logger": f"l{n * 7919 % 1000}"} for n in range(1000)], top=1000)
    assert [one.logger for one in found.loggers] == [f"l{n * 7919 % 1000}" for n in range(100)]
    assert found.others.loggers == 900


@pytest.mark.parametrize(
    "arguments", [["stats"], ["stats", "--json"], ["events"], ["trace", "x" * 8]]
)
def test_a_closed_standard_output_is_an_error_in_words(
    arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "n.log").write_text(f"2026-03-10 10:00:01.000 7 INFO nova.a [-] {'x' * 8}\n")
    command = [sys.executable, "-m", "opslog", *arguments, str(tmp_path)]
    result = subprocess.run(
        ["sh", "-c", f"{shlex.join(command)} >&-"], capture_output=True, check=False
    )
    assert (result.returncode, result.stderr.count(b"\n")) == (2, 1)
    assert b"opslog: -: Bad file descriptor" in result.stderr


def test_what_the_terminal_cannot_show_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "n.log"
    path.write_text("2026-03-10 10:00:01.000 7 ERROR nova.\u65e5 [-] Gr\u00f6\u00dfe\n")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments in (["stats"], ["stats", "--json"]):
        result = subprocess.run(
            [sys.executable, "-m", "opslog", *arguments, str(path)],
            capture_output=True, check=False, env=environment,
        )  # fmt: skip
        assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads(result.stdout)["errors"][0]["template"] == "Gr\u00f6\u00dfe"


def test_the_same_error_of_two_services_shows_whose_it_is(tmp_path: Path) -> None:
    for program in ("nova-compute", "neutron-server"):
        (tmp_path / f"{program}.log").write_text(
            "2026-03-10 10:00:01.000 7 ERROR oslo.messaging._drivers.impl_rabbit [-] unreachable\n"
        )
    shown = opslog("stats", str(tmp_path)).stdout.decode()
    for service in ("nova", "neutron"):
        assert f"ERROR  {service}  oslo.messaging._drivers.impl_rabbit" in shown


def test_the_objects_swift_keeps_for_itself_are_objects() -> None:
    assert route("/sdb1/12/.expiring_objects/1402/1402-AUTH_a/c/o") == (
        "/{device}/{partition}/{account}/{container}/{object}"
    )
