"""Requests and resources as rows: one for each, with what is known of it."""

from __future__ import annotations

import cProfile
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from helpers import on_terminal, opslog
from opslog import F
from opslog.cli import main
from opslog.correlate import RequestGraph, relations
from opslog.model.errors import SourceError
from opslog.model.stats import Stats
from opslog.reading.groups import Groups
from opslog.reading.sorted_rows import SortedRows
from opslog.terminal.cells import cells
from opslog.trace import requests, resources, trace
from opslog.trace.requests import sorted_requests
from opslog.trace.resources import sorted_resources
from simulator import ERAS, Deployment, Truth

REQUEST = "req-0b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90"


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
    return folder, Deployment(1, next(era for era in ERAS if era.name == "pike")).write(folder)


def true_counts(truth: Truth) -> dict[str, int]:
    counts: dict[str, int] = {}
    for request in truth.records.values():
        if request is not None:
            root = truth.roots[request.id]
            counts[root] = counts.get(root, 0) + 1
    return counts


def test_there_is_a_row_for_each_request_with_all_its_records(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    rows = requests(library.read(folder)).to_pylist()
    assert {row["request_id"]: row["records"] for row in rows} == true_counts(truth)
    begins = [row["start"] for row in rows]
    assert begins == sorted(begins)
    of_users = {one.id for one in truth.records.values() if one is not None and one.user}
    for row in rows:
        assert (row["duration"] is None) == (row["request_id"] not in of_users)
    boot = max(rows, key=lambda row: row["records"] if row["duration"] else 0)
    assert {"nova", "glance", "placement", "neutron", "swift"} <= set(boot["services"])
    assert (boot["http_target"], boot["http_status"]) == ("/v2.1/servers", 202)
    assert boot["user"] == boot["project"] is not None


def test_a_condition_chooses_requests_and_not_records(pike: tuple[Path, Truth]) -> None:
    folder, truth = pike
    counts = true_counts(truth)
    rows = requests(library.read(folder), F.severity >= "ERROR").to_pylist()
    failed = {truth.roots[callee] for callee in truth.failed}
    assert {row["request_id"]: row["records"] for row in rows} == {r: counts[r] for r in failed}
    assert all(row["severity_number"] == 17 for row in rows)


def answer(second: float, program: str, request: str, target: str, took: float) -> str:
    logger = {"nova-api": "nova.wsgi", "cinder-api": "cinder.wsgi"}.get(program, "glance.wsgi")
    return (
        f"2026-03-10 10:00:{second:06.3f} 7 INFO {logger} [{request} u p - - -] "
        f'10.0.0.7 "GET {target} HTTP/1.1" status: 200  len: 3 time: {took}\n'
    )


def test_the_call_of_a_request_is_the_one_that_came_first_whatever_is_read_first(
    tmp_path: Path,
) -> None:
    called = f"{REQUEST} req-11111111-2222-4333-8444-555555555555"
    own = f"{REQUEST} req-99999999-2222-4333-8444-555555555555"
    (tmp_path / "cinder-api.log").write_text(answer(2, "cinder-api", called, "/v3/volumes", 0.5))
    (tmp_path / "nova-api.log").write_text(answer(3, "nova-api", own, "/v2.1/servers", 2.9))
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert row["http_target"] == "/v2.1/servers"


def test_the_call_of_a_request_is_no_line_of_a_client(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_text(
        f"2026-03-10 10:00:01.000 7 DEBUG urllib3.connectionpool [{REQUEST} u p - - -] "
        'http://ctl:9696 "GET /v2.0/ports HTTP/1.1" 200 13\n'
        + answer(3, "nova-api", REQUEST, "/v2.1/servers", 0.1)
    )
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert row["http_target"] == "/v2.1/servers"


def test_glance_under_its_callers_id_is_not_what_was_called_first(tmp_path: Path) -> None:
    (tmp_path / "glance-api.log").write_text(answer(1, "glance-api", REQUEST, "/v2/images", 0.1))
    (tmp_path / "nova-api.log").write_text(answer(2, "nova-api", REQUEST, "/v2.1/servers", 0.1))
    logs = library.read(tmp_path)
    [row] = requests(logs).to_pylist()
    assert row["http_target"] == "/v2.1/servers"
    [request] = trace(logs, REQUEST).requests
    assert request.call is not None
    assert (request.service, request.call.path) == ("nova-api", "/v2.1/servers")


def test_rows_are_sorted_and_limited(pike: tuple[Path, Truth]) -> None:
    folder, _ = pike
    result = opslog("requests", "--sort", "records", "-n", "3", str(folder))
    found = [json.loads(row)["records"] for row in result.stdout.splitlines()]
    assert len(found) == 3
    assert found == sorted(found, reverse=True)
    least = opslog("requests", "--sort", "records", "--reverse", "-n", "1", str(folder))
    assert json.loads(least.stdout)["records"] <= found[-1]


def test_parquet_and_json_lines_hold_the_same(pike: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, _ = pike
    lines = opslog("requests", str(folder)).stdout.splitlines()
    assert opslog("requests", "-o", str(tmp_path / "r.parquet"), str(folder)).returncode == 0
    stored = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert [json.loads(one)["request_id"] for one in lines] == [one["request_id"] for one in stored]


def test_text_is_aligned_and_escaped(tmp_path: Path) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text(
        f"2026-03-10 10:00:01.000 7 INFO nova.wsgi [{REQUEST} u p - - -] "
        '10.0.0.7 "GET /v2.1/\x1b[31m HTTP/1.1" status: 200  len: 3 time: 0.1\n'
    )
    shown = on_terminal(120, "requests", str(path))
    assert "\\x1b[31m" in shown
    assert "\x1b" not in shown
    assert shown.splitlines()[0].split()[:3] == ["start", "duration", "severity"]


def test_rows_of_what_can_be_read_are_told_and_the_rest_is_an_error(
    pike: tuple[Path, Truth], tmp_path: Path
) -> None:
    folder, _ = pike
    there = tmp_path / "nova-compute.log"
    there.write_text(f"2026-03-10 10:00:01.000 7 INFO nova [-] [instance: {REQUEST[4:]}] Stopped\n")
    for command, read in (("requests", folder), ("resources", there)):
        for conditions in ([], ["--severity", "INFO"]):
            alone = opslog(command, *conditions, str(read))
            beside = opslog(command, *conditions, str(read), str(tmp_path / "missing.log"))
            assert beside.stdout == alone.stdout != b""
            assert beside.returncode == 2
            assert beside.stderr.count(b"missing.log") == 1
    with pytest.raises(SourceError, match="missing"):
        requests(library.read(folder, tmp_path / "missing.log"))


@pytest.mark.parametrize("width", [100, 120, 160])
def test_text_fits_the_terminal(width: int, pike: tuple[Path, Truth]) -> None:
    folder, _ = pike
    shown = on_terminal(width, "requests", "--sort", "severity", str(folder)).splitlines()
    # What is to be copied is not broken.
    assert all(cells(row) <= width for row in shown if not row.startswith("  opslog "))
    assert [word in shown[0].split() for word in ("severity", "target", "services")] == [True] * 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sort", "size"], b"--sort: expected one of request_id, "),
        (["-o", "x.csv"], b"x.csv: expected a suffix .jsonl"),
        (["--to", "parquet"], b"needs a file: -o PATH"),
    ],
)
def test_what_makes_no_sense_is_an_error(arguments: list[str], said: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"2026-03-10 10:00:01.000 7 INFO nova [{REQUEST} u p] a\n")
    result = opslog("requests", *arguments, str(tmp_path))
    assert result.returncode == 2
    assert said in result.stderr


def test_logs_without_requests_give_1(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2026-03-10 10:00:01.000 7 INFO nova [-] a\n")
    for command in ("requests", "resources"):
        result = opslog(command, str(tmp_path))
        assert (result.returncode, result.stdout, result.stderr) == (1, b"", b"")


def test_what_a_process_does_for_itself_has_no_duration_whomever_it_calls(tmp_path: Path) -> None:
    task, called = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "ab")
    (tmp_path / "nova-compute.log").write_text(
        f"2026-03-10 10:00:01.000 7 DEBUG oslo_service [None {task} - - - - - -] Running\n"
        f"2026-03-10 10:01:41.000 7 INFO nova.compute.manager [None {task} - - - - - -] done\n"
    )
    (tmp_path / "placement-api.log").write_text(
        f"2026-03-10 10:00:02.000 8 INFO placement.requestlog [{task} {called} u p - - d d] "
        '10.0.0.2 "GET /resource_providers" status: 200 len: 9 microversion: 1.0\n'
    )
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["request_id"], row["duration"], row["user"]) == (task, None, "u")
    assert row["http_method"] is None  # it called placement; nobody called it


@pytest.mark.parametrize(("user", "known"), [("-", True), ("u", False)])
def test_what_a_process_does_for_itself_has_no_duration(
    user: str, known: bool, tmp_path: Path
) -> None:
    head = "2026-03-10 10:0{}:00.000 7 INFO nova.compute [{} {} - - - -] {}\n"
    task = REQUEST.replace("90", "91")
    (tmp_path / "nova-compute.log").write_text(
        head.format(1, task, "-", "Running periodic task")
        + head.format(5, task, "-", "it is done")
        + head.format(6, REQUEST, user, "a")
        + head.format(7, REQUEST, user, "b")
    )
    rows = requests(library.read(tmp_path)).to_pylist()
    assert [row["duration"] for row in rows] == [240.0 if known else None, 60.0]


def test_an_answer_alone_tells_how_long_the_call_took(tmp_path: Path) -> None:
    head = f"2026-03-10 10:00:05.000 7 INFO nova.osapi_compute.wsgi.server [{REQUEST} u p - - -]"
    (tmp_path / "a.log").write_text(
        f'{head} 10.0.0.7 "GET /v2.1/servers HTTP/1.1" status: 200 len: 3 time: 2.5000000\n'
    )
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["start"], row["duration"]) == (datetime(2026, 3, 10, 10, 0, 2, 500000, UTC), 2.5)


# -- resources ---------------------------------------------------------------------------------

LIFE = {
    "create": ("Attempting claim on node c: memory 512 MB", "Took 3.21 seconds to build instance."),
    "reboot": ("Rebooting instance", "Instance rebooted successfully."),
    "delete": ("Terminating instance", "Took 0.40 seconds to deallocate network for instance."),
}


def instance_line(at: datetime, id_: str, message: str, request: str = REQUEST) -> str:
    return (
        f"{at:%Y-%m-%d %H:%M:%S}.000 7 INFO nova.compute.manager "
        f"[{request} u p - - -] [instance: {id_}] {message}\n"
    )


def told(lines: list[str]) -> list[dict[str, Any]]:
    """Return the rows of what the lines say."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "service.log")
        path.write_text("".join(lines))
        rows: list[dict[str, Any]] = resources(library.read(path)).to_pylist()
        return rows


def test_volumes_and_ports_are_known_by_messages_and_paths() -> None:
    volume, port = (str(uuid.UUID(int=n + (4 << 76) + (8 << 60))) for n in (1, 2))
    head = f"2026-03-10 10:00:01.000 7 INFO cinder.volume.manager [{REQUEST} u p - - -]"
    rows = told([
        f"{head} Volume {volume}: being created as raw\n",
        f"{head.replace('01.000', '04.500')} Created volume {volume} successfully.\n",
        f'{head} 10.0.0.7 "GET /v2.0/ports/{port} HTTP/1.1" status: 404  len: 3 time: 0.1\n',
    ])  # fmt: skip
    by_id = {row["resource_id"]: row for row in rows}
    assert by_id[volume]["resource_type"] == "volume"
    assert [one["state"] for one in by_id[volume]["states"]] == ["creating", "available"]
    assert by_id[volume]["active_after"] == 3.5
    assert (by_id[port]["resource_type"], by_id[port]["state"]) == ("port", None)
    assert by_id[port]["requests"] == 1


def test_a_record_tells_of_each_resource_it_names_once() -> None:
    server, volume, port = (str(uuid.UUID(int=n + (4 << 76) + (8 << 60))) for n in (1, 2, 3))
    rows = told([
        instance_line(datetime(2026, 3, 10, tzinfo=UTC), server, text)
        for text in (
            f"Attaching volume {volume} to server {server}",
            f"port={port!r} volume {volume} /servers/{server}/ports/{port}, volume {volume}x",
            f"nothing: portal {port}, {volume}, server-{server}",
        )
    ])  # fmt: skip
    assert {row["resource_id"]: row["records"] for row in rows} == {server: 3, volume: 2, port: 1}
    kinds = {server: "instance", volume: "volume", port: "port"}
    assert {row["resource_id"]: row["resource_type"] for row in rows} == kinds


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=40),
    st.sampled_from([0, 100, 1 << 20]),
)
def test_groups_do_not_depend_on_how_rows_come(
    rows: list[tuple[str, int | None]], most: int
) -> None:
    def table(some: list[tuple[str, int | None]]) -> pa.Table:
        names, values = [name for name, _ in some], pa.array([v for _, v in some], pa.int64())
        columns = {"key": pa.array(names, pa.string()), "low": values, "known": values}
        return pa.table({**columns, "one": values})

    ways = {"low": "min", "known": "count", "one": "first"}
    with SortedRows(table([]).schema, [("key", "ascending")], most) as parts:
        groups = Groups(("key",), ways, parts, most=most)
        for row in rows:
            groups.add(table([row]))
        groups.finish()
        found = groups.again(parts.table()).to_pylist()
    assert {row["key"] for row in found} == {name for name, _ in rows}
    for row in found:
        values = [value for name, value in rows if name == row["key"] and value is not None]
        assert (row["low"], row["known"]) == (min(values, default=None), len(values))
        assert row["one"] == (values[0] if values else None)


# -- more than fits into memory ------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 2000])
@pytest.mark.parametrize(
    ("kept", "condition"),
    [
        (None, None),
        (None, F.severity >= "ERROR"),
        (None, F.severity >= "INFO"),
        (F.service_name == "nova", F.service_name == "neutron"),
    ],
)
def test_requests_in_files_are_told_like_those_in_memory(
    most: int, kept: Any, condition: Any, pike: tuple[Path, Truth]
) -> None:
    logs = library.read(pike[0])
    logs = logs if kept is None else logs.filter(kept)
    wanted = requests(logs, condition)
    assert len(wanted) > 3
    with sorted_requests(logs, condition, most=most) as rows:
        assert rows.table() == wanted
    with sorted_requests(logs, condition, [("services", "descending")], most=most) as rows:
        found = rows.table()
    services = found["services"].to_pylist()
    assert services == sorted(services, reverse=True)
    assert found.sort_by([("start", "ascending"), ("request_id", "ascending")]) == wanted


def told_of(ids: list[int], seed: int) -> Iterator[str]:
    """Yield lines that name volumes and instances with these numbers, by messages and otherwise."""
    rng = random.Random(seed)
    for second, number in enumerate(ids):
        id_ = str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))
        request = REQUEST.replace("0b8d7f4e", f"{number:08x}")
        kind = rng.choice(["volume", "instance"])
        begins = rng.choice(["start", "end"])
        payload = rng.choice(
            [{f"{kind}_id": id_, "state": rng.choice("xy")}, {"display_name": "a"}]
        )
        yield notification(second % 60, f"{kind}.create.{begins}", payload, request)
        message = rng.choice(list(LIFE.values()))[rng.randrange(2)]
        yield instance_line(datetime(2026, 3, 10, 10, 0, second % 60), id_, message)


@given(st.lists(st.integers(1, 9), max_size=30), st.sampled_from([0, 1000]), st.integers(0, 999))
def test_resources_in_files_are_told_like_those_in_memory(
    ids: list[int], most: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "service.log")
        path.write_text("".join(told_of(ids, seed)))
        logs = library.read(path)
        with sorted_resources(logs, most=most) as rows:
            assert rows.table() == resources(logs)


def test_memory_does_not_grow_with_the_number_of_requests(tmp_path: Path) -> None:
    script = (
        "import resource, sys, opslog\n"
        "from opslog.trace.requests import sorted_requests\n"
        "with sorted_requests(opslog.read(sys.argv[1]), most=1 << 18) as rows:\n"
        "    count = sum(map(len, rows.tables()))\n"
        "print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for count in (90_000, 180_000):
        path = tmp_path / f"{count}.log"
        path.write_text("".join(
            f"2026-03-10 10:00:00.000 7 INFO nova [req-{number:08x}-24bf-4614-a8a6-e6a34f88e4ce "
            "u p - - -] GET\n" for number in range(count)
        ))  # fmt: skip
        command = [sys.executable, "-c", script, str(path)]
        out = subprocess.run(command, capture_output=True, check=True).stdout.split()
        assert int(out[0]) == count
        peaks.append(int(out[1]))
    assert peaks[1] - peaks[0] < 40, f"{peaks} MiB"


def test_calls_that_were_too_many_are_told(
    pike: tuple[Path, Truth], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, truth = pike
    assert main(["requests", str(folder)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(relations, "RequestGraph", partial(RequestGraph, most=9))
    stats = Stats()
    sorted_requests(library.read(folder), stats=stats).close()
    assert stats.forgotten >= len(truth.callers) - 9 > 0
    assert main(["requests", str(folder)]) == 0
    assert capsys.readouterr().err == (
        f"opslog: {stats.forgotten} calls between requests were too many to remember: what they "
        "called may be a row of its own\n"
    )


def notification(second: float, kind: str, payload: dict[str, Any], request: str = REQUEST) -> str:
    message = {
        "event_type": kind,
        "publisher_id": "compute.c",
        "priority": "INFO",
        "payload": payload,
    }
    return (
        f"2026-03-10 10:00:{second:06.3f} 7 INFO oslo.messaging.notification.{kind} "
        f"[{request} u p - - -] {json.dumps(message)}\n"
    )


VM, VOLUME, PORT = (str(uuid.UUID(int=n + (4 << 76) + (8 << 60))) for n in (7, 8, 9))


def test_notifications_tell_of_lives() -> None:
    versioned = {"nova_object.name": "P", "nova_object.data": {"uuid": VM, "state": "active"}}
    rows = told([
        notification(1, "compute.instance.create.start", {"instance_id": VM, "state": "building"}),
        notification(8.5, "instance.create.end", versioned),
        notification(9, "compute.instance.create.end", {"instance_id": VM, "state": "active"}),
        notification(20, "instance.live_migration_pre.start", versioned),
        notification(2, "volume.create.start", {"volume_id": VOLUME, "status": "creating"}),
        notification(4, "volume.create.end", {"volume_id": VOLUME, "status": "available"}),
        notification(5, "volume.attach.start", {"volume_id": VOLUME, "status": "attaching"}),
        notification(3, "port.create.start", {"port": {"network_id": "n"}}),
        notification(3.5, "port.create.end", {"port": {"id": PORT, "status": "ACTIVE"}}),
    ])  # fmt: skip
    by_id = {row["resource_id"]: row for row in rows}
    assert {id_: row["resource_type"] for id_, row in by_id.items()} == {
        VM: "instance", VOLUME: "volume", PORT: "port",
    }  # fmt: skip
    assert [one["state"] for one in by_id[VM]["states"]] == ["building", "active"]
    assert {id_: (row["active_after"], row["unfinished"]) for id_, row in by_id.items()} == {
        VM: (7.5, ["live_migration_pre"]), VOLUME: (2.0, ["attach"]), PORT: (0.5, []),
    }  # fmt: skip


def test_an_error_ends_an_operation() -> None:
    [row] = told([
        notification(1, "compute.instance.create.start", {"instance_id": VM, "state": "building"}),
        notification(2, "compute.instance.create.error", {"instance_id": VM, "state": "error"}),
    ])  # fmt: skip
    assert (row["state"], row["unfinished"], row["active_after"]) == ("error", [], None)


def test_messages_and_notifications_tell_of_one_life() -> None:
    at = datetime(2026, 3, 10, 10, tzinfo=UTC)
    [row] = told([
        instance_line(at, VM, "Attempting claim on node c: memory 512 MB"),
        notification(0.5, "compute.instance.create.start", {"instance_id": VM, "state": "building"}),
        instance_line(at + timedelta(seconds=3), VM, "Took 3.00 seconds to build instance."),
        notification(3.5, "compute.instance.create.end", {"instance_id": VM, "state": "active"}),
    ])  # fmt: skip
    assert [one["state"] for one in row["states"]] == ["building", "active"]
    assert (row["active_after"], row["unfinished"], row["records"]) == (3.0, [], 4)


def test_two_ports_of_one_request_have_no_begin_that_might_be_the_others() -> None:
    rows = told([
        *(notification(n, "port.create.start", {"port": {}}) for n in (1, 2)),
        notification(3, "port.create.end", {"port": {"id": PORT, "status": "ACTIVE"}}),
        notification(4, "port.create.end", {"port": {"id": VOLUME, "status": "ACTIVE"}}),
        notification(5, "port.create.start", {"port": {}}, REQUEST.replace("0", "1")),
    ])  # fmt: skip
    assert [(row["active_after"], row["unfinished"]) for row in rows] == [(None, []), (None, [])]


def test_what_a_notification_quotes_is_no_moment() -> None:
    payload = {"instance_id": VM, "message": f"Terminating instance {VM} Created volume/{VOLUME}"}
    rows = told([notification(1, "compute.instance.power_off.start", payload)])
    assert {row["resource_id"]: (row["state"], row["unfinished"]) for row in rows} == {
        VM: (None, ["power_off"]), VOLUME: (None, []),
    }  # fmt: skip


def test_many_calls_with_one_id_that_a_user_sent_are_not_compared_with_each_other(
    tmp_path: Path,
) -> None:
    steps = []
    for count in (1000, 2000):
        log = tmp_path / f"{count}.log"
        log.write_text(
            "".join(
                f"2026-03-10 10:{n // 60:02}:{n % 60:02}.000 7 INFO nova.api [{REQUEST} "
                f"req-{n:08}-24bf-4614-a8a6-e6a34f88e4ce u p - - -] working\n"
                for n in range(count)
            )
        )
        profile = cProfile.Profile()
        rows = profile.runcall(requests, library.read(log))
        assert rows.num_rows == count
        steps.append(sum(entry.callcount for entry in profile.getstats()))
    assert steps[1] < 3 * steps[0]
