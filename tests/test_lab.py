"""The lab's scorer counts rightly: small truths, and logs that agree with them or do not."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers import ROOT

sys.path.insert(0, str(ROOT / "lab"))

import score
import truth as truths
from processes import Processes, wait_until
from score import Measure

BOOT, ALLOCATE, PORT, SHOW, GIVEN = (f"req-{n}fb2c1d8-40a3-4c5e-9b71-6d0e8f0a2b3c" for n in "12345")
SERVER, OTHER = (f"{n}c8e4b5a-40a3-4c5e-9b71-6d0e8f0a2b3c" for n in "67")
BEGIN = 1_780_000_000.0  # 2026-05-28 20:26:40 UTC
MESSAGE = f"Instance {OTHER} could not be found."


def sent(service: str, answered: str | None, carried: str | None, **more: Any) -> dict[str, Any]:
    return {
        "kind": "http_out", "service": service, "got_req": answered, "sent_req": carried,
        "ctx_req": None, "ctx_glob": None, "start": BEGIN, "elapsed": 0.1, **more,
    }  # fmt: skip


def served(service: str, request: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "http_in", "service": service, "req": request, "method": "GET", "path": "/",
        "start": BEGIN, "elapsed": 0.1, **more,
    }  # fmt: skip


def asked(op: str, request: str, path: str, status: int = 200, **more: Any) -> dict[str, Any]:
    return {
        "kind": "request", "op": op, "method": "GET", "url": f"http://127.0.0.1:8774{path}",
        "status": status, "req": request, "sent": None, "resource": None, "error": None,
        "start": BEGIN, "end": BEGIN + 1, **more,
    }  # fmt: skip


def truth(*events: dict[str, Any]) -> truths.Truth:
    known = truths.Truth()
    lists = {"http_out": known.sent, "http_in": known.served, "request": known.requests}
    lists |= {"boot": known.boots, "outcome": known.outcomes, "rpc_in": known.messages}
    for event in events:
        lists[event["kind"]].append(event)
    return known


def test_the_context_that_sent_its_own_id_is_the_caller() -> None:
    known = truth(
        sent("nova-api", PORT, GIVEN, ctx_req=BOOT, ctx_glob=GIVEN),
        sent("client", BOOT, GIVEN),
    )
    assert known.callers == {PORT: {BOOT}, BOOT: {GIVEN}}
    assert known.called == {PORT}
    assert known.root(PORT) == GIVEN
    assert known.heads(PORT) == {GIVEN, BOOT}


def test_a_context_left_behind_is_no_caller() -> None:
    assert truth(sent("nova-api", PORT, BOOT, ctx_req=SHOW)).callers == {PORT: {BOOT}}


@pytest.mark.parametrize(
    "call",
    [sent("nova-api", PORT, None), sent("nova-api", None, BOOT), sent("nova-api", PORT, PORT)],
)
def test_a_call_without_two_ids_has_no_known_caller(call: dict[str, Any]) -> None:
    assert truth(call).callers == {}


def test_callers_in_a_circle_have_an_end() -> None:
    known = truth(sent("nova-api", PORT, BOOT), sent("neutron-api", BOOT, PORT))
    assert known.ancestors(PORT) == {BOOT, PORT}
    assert known.root(PORT) in (BOOT, PORT)


def test_a_tree_lasts_from_its_first_to_its_last_event() -> None:
    known = truth(
        sent("nova-api", PORT, BOOT, ctx_req=BOOT),
        served("nova-api", BOOT),
        served("neutron-api", PORT, start=BEGIN + 2, elapsed=0.5),
        served("nova-api", SHOW, start=BEGIN + 9),
    )
    assert known.seconds == {BOOT: pytest.approx(2.5), SHOW: pytest.approx(0.1)}


def test_a_request_is_about_what_it_asks_for_and_what_it_made() -> None:
    known = truth(
        asked("boot", BOOT, "/v2.1/servers", resource=["server", SERVER]),
        asked("show", SHOW, f"/v2.1/servers/{SERVER}"),
        asked("list", PORT, f"/v2.1/servers/detail?uuid={SERVER}"),
    )
    assert known.about(SERVER) - known.lists == {BOOT, SHOW}
    assert known.about(OTHER) == set()


def test_a_volume_that_was_attached_says_nothing_of_its_server() -> None:
    known = truth(
        {"kind": "outcome", "what": "boot", "server": SERVER, "status": "ACTIVE", "time": 1.0},
        {"kind": "outcome", "what": "attach", "server": SERVER, "volume": OTHER, "status": "in-use",
         "time": 2.0},
    )  # fmt: skip
    assert score._last_states(known) == {
        ("instance", SERVER): "active",
        ("volume", OTHER): "in-use",
    }


@pytest.mark.parametrize(("deleted", "state"), [(2.0, "deleted"), (0.5, "active")])
def test_what_was_deleted_after_the_last_look_is_deleted(deleted: float, state: str) -> None:
    known = truth(
        {"kind": "outcome", "what": "boot", "server": SERVER, "status": "ACTIVE", "time": 1.0},
        asked("delete", SHOW, f"/v2.1/servers/{SERVER}", 204, method="DELETE", start=deleted),
    )
    assert score._last_states(known) == {("instance", SERVER): state}


def test_a_refusal_and_a_boot_that_ended_in_error_are_failures() -> None:
    known = truth(
        asked("show", SHOW, "/", 404, error='{"itemNotFound": {"message": "No \\"x\\""}}'),
        asked("boot", BOOT, "/v2.1/servers", 202, sent=GIVEN),
        {"kind": "boot", "name": "vm", "server": SERVER, "req": BOOT},
        {"kind": "outcome", "what": "boot vm", "server": SERVER, "status": "ERROR", "fault": "late",
         "time": BEGIN + 9},
    )  # fmt: skip
    assert list(score.failures(known)) == [
        score.Failure("show 404", (SHOW,), ('No "x"',), BEGIN, BEGIN + 1),
        score.Failure("boot vm", (BOOT, GIVEN), ("late",), BEGIN, BEGIN + 9),
    ]


@pytest.mark.parametrize(
    ("good", "of", "bar", "met"),
    [(0, 0, 1.0, True), (99, 100, 0.99, True), (98, 100, 0.99, False), (0, 1, None, True)],
)
def test_a_measure_is_met_at_its_bar(good: int, of: int, bar: float | None, met: bool) -> None:
    assert Measure("", bar, good, of).met is met


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """A cloud of a boot that calls placement, and of a server that is not found."""
    head = f"2026-05-28 20:26:40.100 7 {{}} {{}} [{{}} {'d' * 32} {'e' * 32} - default default] "
    lines = {
        "nova": [
            head.format("DEBUG", "keystoneauth.session", BOOT)
            + f'GET call to placement for http://127.0.0.1:8778/ used request id {ALLOCATE}',
            head.format("INFO", "nova.api.openstack.requestlog", BOOT)
            + '127.0.0.1 "POST /v2.1/servers" status: 202 len: 9 microversion: 2.90 time: 0.1',
            head.format("ERROR", "nova.api.openstack.wsgi", SHOW) + MESSAGE,
            head.format("INFO", "nova.api.openstack.requestlog", SHOW)
            + f'127.0.0.1 "GET /v2.1/servers/{OTHER}" status: 404 len: 9 microversion: 2.1 time: 0.1',
        ],
        "placement": [
            head.format("INFO", "placement.requestlog", ALLOCATE)
            + '127.0.0.1 "GET /" status: 200 len: 9 microversion: 1.0',
        ],
    }  # fmt: skip
    for service, texts in lines.items():
        (tmp_path / "ctl1" / service).mkdir(parents=True)
        log = tmp_path / "ctl1" / service / f"{service}-api.log"
        log.write_text("".join(f"{text}\n" for text in texts))
    events = [
        sent("nova-api", ALLOCATE, BOOT, ctx_req=BOOT),
        served("nova-api", BOOT), served("nova-api", SHOW), served("placement-api", ALLOCATE),
        asked("boot", BOOT, "/v2.1/servers", 202),
        asked("show", SHOW, f"/v2.1/servers/{OTHER}", 404, error=json.dumps({"message": MESSAGE})),
    ]  # fmt: skip
    (tmp_path / "truth").mkdir()
    with gzip.open(tmp_path / "truth" / "ctl1-nova-api-7.jsonl.gz", "wt") as file:
        file.writelines(f"{json.dumps(event)}\n" for event in events)
        file.write('{"kind": "http_in", "serv')  # killed while it wrote
    return tmp_path


def measures(cloud: Path) -> dict[str, Measure]:
    logs = [cloud / "ctl1"]
    found = score.score(truths.load(cloud / "truth"), score.Answers(logs))
    return {measure.name: measure for measure in found}


def test_logs_that_agree_with_the_truth_score_fully(cloud: Path) -> None:
    found = measures(cloud)
    for name in ("callers: no wrong edge", "callers: direct", "callers: roots"):
        assert (found[name].good, found[name].of) == (1, 1)
    assert (found["statuses: nova"].good, found["statuses: nova"].of) == (2, 2)
    assert (found["requests: listed"].good, found["requests: listed"].of) == (2, 2)
    told = found["failures: with their reason"]
    assert (told.good, told.of) == (1, 1)
    assert found["times: not > 1 s too long"].of == 2


def test_what_logs_tell_differently_is_counted_and_shown(
    cloud: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = cloud / "ctl1" / "nova" / "nova-api.log"
    log.write_text(log.read_text().replace("status: 404", "status: 200"))
    assert score.main([str(cloud), "-e", "1"]) == 1
    shown = capsys.readouterr().out
    assert f"show {SHOW}: told 200, is 404" in shown
    below = next(line for line in shown.splitlines() if line.startswith("statuses: nova"))
    assert below.split()[2:] == ["1", "of", "2", "50.0", "%", "100", "%", "BELOW"]


def test_a_folder_without_truth_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        score.main([str(tmp_path)])
    assert stop.value.code == 2
    assert "expected *.jsonl" in capsys.readouterr().err


def test_stop_ends_what_was_started_and_its_children(tmp_path: Path) -> None:
    processes = Processes(tmp_path, "some")
    processes.start("shell", ["sh", "-c", "sleep 60 & echo $!; wait"], os.environ)
    wait_until("the child runs", lambda: bool((tmp_path / "shell.out").read_text()), 20)
    child = int((tmp_path / "shell.out").read_text())
    processes.stop()
    wait_until("the child is gone", lambda: not runs(child), 20)
    assert not (tmp_path / "some.pids").exists()


def test_stop_leaves_a_process_alone_that_has_the_id_of_an_older_one(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        (tmp_path / "some.pids").write_text(f"{other.pid} 1 sleep\n")
        Processes(tmp_path, "some").stop()
        assert other.poll() is None
        other.kill()


def runs(pid: int) -> bool:
    """Return whether a process runs: one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
