"""A story as text: one axis of time, repeated reads folded, a lifeline, a summary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.trace import Story, trace
from opslog.trace.axis import TimeAxis
from opslog.trace.folding import StoryRow, rows_of
from opslog.trace.lifeline import lifeline
from opslog.trace.waterfall import waterfall

VM = "6f9a4d0e-2c1b-4a8f-b7d3-5e6c7a8b9d01"
BEGIN = datetime(2026, 3, 10, 10, tzinfo=UTC)


def log(second: float, number: int, body: str, level: str = "INFO", logger: str = "manager") -> str:
    request = f"req-{number:08}-31c5-4f6a-9d5e-6a2f8c1b7e90"
    return f"2026-03-10 10:00:{second:06.3f} 7 {level} nova.{logger} [{request} u p - - -] {body}\n"


def call(second: float, number: int, method: str, path: str, status: int) -> str:
    told = f'10.0.0.7 "{method} {path} HTTP/1.1" status: {status} len: 805 time: 0.1'
    return log(second, number, told, logger="osapi_compute.wsgi.server")


def story(tmp_path: Path, *lines: str) -> Story:
    folder = tmp_path / "cmp1"
    folder.mkdir()
    (folder / "nova-api.log").write_text("".join(lines))
    return trace(library.read(str(folder)), VM)


def rows(tmp_path: Path, *lines: str) -> list[StoryRow]:
    return rows_of(story(tmp_path, *lines))


@pytest.mark.parametrize(
    ("method", "status", "folded"),
    [
        ("GET", 200, True),
        ("HEAD", 204, True),
        ("GET", 404, True),  # does it still exist?
        ("GET", 500, False),
        ("GET", 403, False),
        ("POST", 202, False),
        ("DELETE", 204, False),
    ],
)
def test_only_reads_in_which_nothing_failed_are_folded(
    method: str, status: int, folded: bool, tmp_path: Path
) -> None:
    lines = [call(n, n, method, f"/v2.1/servers/{VM}", status) for n in range(1, 6)]
    found = rows(tmp_path, *lines)
    assert [row.count for row in found] == ([5] if folded else [1] * 5)
    if folded:
        assert found[0].name.endswith(f" nova-api@cmp1 {method} /v2.1/servers/{{id}}")
        assert found[0].records == [*range(5)]


def test_other_routes_and_statuses_are_rows_of_their_own(tmp_path: Path) -> None:
    path = f"/v2.1/servers/{VM}"
    found = rows(
        tmp_path,
        call(1, 1, "GET", path, 200), call(2, 2, "GET", f"{path}/ips", 200),
        call(3, 3, "GET", path, 404), call(4, 4, "GET", path, 200),
    )  # fmt: skip
    assert sorted(row.count for row in found) == [1, 1, 2]


def test_an_error_in_a_read_is_never_folded_away(tmp_path: Path) -> None:
    path = f"/v2.1/servers/{VM}"
    found = rows(
        tmp_path,
        *(call(n, n, "GET", path, 200) for n in range(1, 4)),
        log(9, 9, "it broke", level="ERROR"), call(9.1, 9, "GET", path, 200),
    )  # fmt: skip
    assert [row.count for row in found] == [3, 1]


def test_no_record_is_lost_by_folding(tmp_path: Path) -> None:
    lines = [call(n, n, "GET", f"/v2.1/servers/{VM}", 200) for n in range(1, 30)]
    [row] = rows(tmp_path, *lines)
    assert sorted(n for one in row.rows for n in one.records) == [*range(29)]


@pytest.mark.parametrize(
    ("method", "status", "color"),
    [("GET", 404, "33"), ("HEAD", 404, "33"), ("POST", 404, "31"), ("GET", 500, "31")],
)
def test_a_read_that_finds_nothing_is_not_as_red_as_a_failure(
    method: str, status: int, color: str, tmp_path: Path
) -> None:
    told = story(tmp_path, call(1, 1, method, f"/v2.1/servers/{VM}", status))
    for summary in (False, True):
        text = waterfall(told, 1.0, 100, colored=True, summary=summary)
        assert f"\x1b[{color}m{status}\x1b[0m" in text


LIFE = [
    log(1, 1, f"[instance: {VM}] Attempting claim on node cmp-1"),
    log(3, 1, f"[instance: {VM}] Took 2.00 seconds to spawn the instance on the hypervisor."),
    log(3.2, 1, f"[instance: {VM}] Took 2.2 seconds to build instance."),
    log(42, 4, f"[instance: {VM}] Terminating instance"),
    log(45, 4, f"[instance: {VM}] Took 3.00 seconds to deallocate network for instance."),
]


def test_a_lifeline_has_the_operations_of_a_resource(tmp_path: Path) -> None:
    life = lifeline(story(tmp_path, *LIFE))
    assert life is not None
    assert (life.kind, life.state) == ("instance", "deleted")
    told = [(one.name, one.request, one.failed) for one in life.operations]
    requests = [f"req-0000000{n}-31c5-4f6a-9d5e-6a2f8c1b7e90" for n in (1, 4)]
    assert told == [("create", requests[0], False), ("delete", requests[1], False)]
    assert [one.seconds for one in life.operations] == [pytest.approx(2, abs=0.3), 3.0]


def test_a_failed_operation_says_so(tmp_path: Path) -> None:
    told = story(
        tmp_path, LIFE[0], log(4, 1, f"[instance: {VM}] Instance failed to spawn", level="ERROR")
    )
    assert "create failed" in waterfall(told, 1.0, 100)
    assert "create failed" in waterfall(told, 1.0, 100, summary=True)


def test_an_operation_that_ends_with_an_exception_failed(tmp_path: Path) -> None:
    told = story(
        tmp_path,
        *LIFE[:3],
        log(5, 2, f"[instance: {VM}] Going to try to live migrate instance to another host"),
        log(
            6, 2, f"[instance: {VM}] Setting instance to ACTIVE state.: Invalid: no", level="ERROR"
        ),
    )
    life = lifeline(told)
    assert life is not None
    assert [one.label for one in life.operations] == ["create", "live_migration failed"]


def test_trees_stand_on_one_axis(tmp_path: Path) -> None:
    told = story(tmp_path, *LIFE)
    lines = waterfall(told, 100.0, 100).splitlines()
    [first, second] = [row for row in lines if row.startswith("nova-api@cmp1 ")]
    assert "╷10:00:15" in "\n".join(lines)
    assert len(first) < len(second)
    assert second.index("█") > 90


def test_a_summary_has_a_line_for_each_request_with_its_time_and_worst_severity(
    tmp_path: Path,
) -> None:
    told = story(tmp_path, *LIFE[:3], log(3.3, 1, "oh", level="ERROR"), *LIFE[3:])
    lines = waterfall(told, 100.0, 100, summary=True).splitlines()
    assert [
        row for row in lines if row.startswith("10:00:01.000  nova-api@cmp1 ") and "ERROR" in row
    ]
    assert [row for row in lines if row.startswith("10:00:42.000  nova-api@cmp1 ")]


@given(
    st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1e6)), min_size=1, max_size=8),
    st.integers(1, 200),
)
def test_every_bar_is_on_the_axis_and_seen(spans: list[tuple[float, float]], columns: int) -> None:
    times = [
        (BEGIN + timedelta(seconds=at), BEGIN + timedelta(seconds=at + size)) for at, size in spans
    ]
    axis = TimeAxis.of(times, columns)
    assert axis is not None
    assert len(axis.line()) <= columns
    for time in times:
        bar = axis.bar([time])
        assert 1 <= len(bar) <= columns
        assert bar.strip()


def test_a_moment_is_no_duration(tmp_path: Path) -> None:
    """One record tells when something happened, not for how long."""
    lines = [
        log(1, 1, f"[instance: {VM}] Attaching"),
        call(2, 2, "POST", f"/v2.1/servers/{VM}/action", 202),
    ]
    assert [row.seconds for row in rows(tmp_path, *lines)] == [None, 0.1]
    assert "0 ms" not in waterfall(trace(library.read(str(tmp_path / "cmp1")), VM), 1.0)[0]


def test_what_stands_behind_an_id_in_a_path_has_room(tmp_path: Path) -> None:
    [row] = rows(tmp_path, call(1, 1, "POST", f"/v2.1/servers/{VM}/action", 202))
    assert row.name == "nova-api@cmp1 POST /v2.1/servers/6f9a4d0e\N{HORIZONTAL ELLIPSIS}/action"
