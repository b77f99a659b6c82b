"""A request ends with its answer; a context left behind in a thread is nobody's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.correlate.contexts import COLUMNS, OwnedRecords
from opslog.scanner import catalog
from opslog.stats import count_records
from opslog.trace import requests, trace

CLIENTS_LINES = [
    sample.text
    for form in catalog.shipped()
    if form.name == "http.client"
    for sample in form.samples
]
A, B, C = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abc")


def line(
    second: float,
    logger: str,
    id_: str,
    body: str,
    pid: int = 7,
    user: str = "u p",
    level: str = "INFO",
) -> str:
    """Return a line of the default format; ``second`` counts from ten o'clock."""
    minutes, seconds = divmod(second, 60)
    return (
        f"2026-03-10 10:{int(minutes):02}:{seconds:06.3f} {pid} {level} {logger} "
        f"[None {id_} {user} - - default default] {body}\n"
    )


def answer(
    second: float,
    id_: str,
    call: str,
    status: int,
    took: float,
    pid: int = 7,
) -> str:
    body = f'10.0.0.2 "{call}" status: {status} len: 9 microversion: 2.90 time: {took}'
    return line(second, "nova.api.openstack.requestlog", id_, body, pid)


def left_behind(path: Path) -> list[str]:
    """Return the messages that belong to another call than their id's."""
    owned, found = OwnedRecords(), []
    for batch in library.read(path).batches(COLUMNS):
        places = owned.other_calls(batch).to_pylist()
        found += [
            body for body, place in zip(batch["body"].to_pylist(), places, strict=True)
            if place is not None
        ]  # fmt: skip
    return found


OPENING = [
    ("eventlet.wsgi.server", "(7) accepted ('10.0.0.2', 38834)"),
    ("nova.osapi_compute.wsgi.server", "(7) accepted ('10.0.0.2', 38834)"),
    ("neutron.wsgi", "(7) accepted ('10.0.0.2', 38834)"),
    ("eventlet.wsgi.server", "(7) timed out ('10.0.0.2', 38834)"),
    ("keystonemiddleware.auth_token", "Authenticating user token"),
    ("glance.api.middleware.version_negotiation", "Determining version of request: GET /v2/images/x"),
    ("keystone.server.flask.request_processing.middleware.auth_context", "Authenticating user token"),
    ("oslo_concurrency.lockutils", 'Acquiring lock "tasks_pool" by "glance.api.common.memoize"'),
    ("glance.api.common", "Initializing named threadpool 'tasks_pool'"),
    ("oslo_service.periodic_task", "Running periodic task ComputeManager._poll_volume_usage"),
    ("keystoneauth.session", 'REQ: curl -g -i -X GET http://k:5000/v3/auth/tokens -H "X-Subject-Token: {S}1"'),
]  # fmt: skip


@pytest.mark.parametrize(("logger", "body"), OPENING)
@pytest.mark.parametrize("later", [0.001, 0.5, 3, 360])
def test_what_opens_a_call_belongs_to_no_request_before(
    later: float, logger: str, body: str, tmp_path: Path
) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text(
        line(1, "nova.api", A, "at work") + answer(1.3, A, "GET /v2.1/flavors", 200, 0.3)
        + line(1.3 + later, logger, A, body, level="DEBUG")
    )  # fmt: skip
    assert left_behind(path) == [body]
    [row] = requests(library.read(path)).to_pylist()
    assert (row["request_id"], row["records"], row["duration"]) == (A, 2, 0.3)


def test_what_is_logged_soon_behind_an_answer_is_of_the_request(tmp_path: Path) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text(
        answer(1.3, A, "GET /v2.1/flavors", 200, 0.3)
        + line(1.31, "oslo_db.sqlalchemy", A, "closed") + line(99, "x", A, "who knows")
    )  # fmt: skip
    assert left_behind(path) == ["who knows"]


def test_work_behind_an_accepted_call_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "glance-api.log"
    path.write_text(
        answer(1.3, A, "POST /v2/images/x/import", 202, 0.3)
        + "".join(line(20 * n, "glance.async_", A, f"step {n}") for n in range(1, 6))
    )
    assert not left_behind(path)
    [row] = requests(library.read(path)).to_pylist()
    assert (row["duration"], row["http_duration"]) == (99.0, 0.3)


def test_other_processes_work_on_behind_the_answer(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_text(answer(1.3, A, "POST /v2.1/servers", 202, 0.3))
    (tmp_path / "nova-compute.log").write_text(
        line(2, "nova.compute.manager", A, "Starting", 9) + line(70, "nova.compute.manager", A, "Took", 9)
    )  # fmt: skip
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["records"], row["duration"], row["http_duration"]) == (3, 69.0, 0.3)


def test_a_call_refused_under_the_id_before_is_a_row_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text(
        answer(1.3, A, "DELETE /v2.1/servers/x", 204, 0.3)
        + line(8, "keystonemiddleware.auth_token", A, "Authorization failed for token", level="WARNING")
        + answer(8.1, A, "GET /v2.1/servers", 401, 0.2)
        + answer(9.1, A, "GET /v2.1/servers", 401, 0.2)
    )  # fmt: skip
    rows = requests(library.read(path)).to_pylist()
    assert [(row["http_method"], row["http_status"], row["records"]) for row in rows] == [
        ("DELETE", 204, 1), ("GET", 401, 2), ("GET", 401, 1)
    ]  # fmt: skip
    first, second, third = (row["request_id"] for row in rows)
    assert first == A
    assert second.startswith(f"{path}@")
    assert third.startswith(f"{path}@")
    assert rows[1]["user"] is None
    refused = requests(library.read(path), "http_status = 401").to_pylist()
    assert [row["request_id"] for row in refused] == [second, third]
    story = trace(library.read(path), A)
    assert (len(story.records), story.left_behind) == (1, 3)


def test_two_lines_of_one_answer_are_one(tmp_path: Path) -> None:
    path = tmp_path / "cinder-api.log"
    path.write_text(
        line(1, "cinder.api.openstack.wsgi", A, "GET http://c:8776/v3/volumes?limit=2")
        + line(1.2, "cinder.api.openstack.wsgi", A, "http://c:8776/v3/volumes?limit=2 returned with HTTP 200")
        + line(1.2, "eventlet.wsgi.server", A, '10.0.0.2 "GET /v3/volumes?limit=2 HTTP/1.1" status: 200  len: 9 time: 0.21')
    )  # fmt: skip
    assert not left_behind(path)
    [row] = requests(library.read(path)).to_pylist()
    assert (row["http_method"], row["http_status"], row["http_duration"]) == ("GET", 200, 0.21)


def test_a_context_of_nobody_is_the_calls_own(tmp_path: Path) -> None:
    path = tmp_path / "cinder-api.log"
    path.write_text(
        line(1, "cinder.api.middleware.request_id", A, "RequestId filter calling", user="- -")
        + line(1.01, "keystonemiddleware.auth_token", A, "Authenticating user token", user="- -")
        + line(1.5, "cinder.api.openstack.wsgi", A, "GET http://c:8776/v3/volumes")
    )
    assert not left_behind(path)


def test_who_works_under_the_ids_it_is_sent_may_be_called_twice(tmp_path: Path) -> None:
    path = tmp_path / "glance-api.log"
    path.write_text(
        line(1, "glance.api", A, "one") + answer(1.3, A, "GET /v2/images/x", 200, 0.3)
        + line(30, "glance.api.middleware.version_negotiation", A, "Determining version")
        + line(30.1, "glance.api", A, "two") + answer(31, A, "GET /v2/images/x/file", 200, 0.9)
    )  # fmt: skip
    assert left_behind(path) == ["Determining version"]


def test_what_comes_long_after_a_call_was_opened_is_not_of_a_call(tmp_path: Path) -> None:
    path = tmp_path / "glance-api.log"
    path.write_text(
        line(1, "glance.api", A, "one")
        + line(30, "glance.api.middleware.version_negotiation", A, "Determining version")
        + line(50, "oslo_concurrency.lockutils", A, "waiting")
    )  # fmt: skip
    assert left_behind(path) == ["Determining version", "waiting"]


@given(seed=st.integers(0, 10**6), threads=st.integers(1, 4), calls=st.integers(1, 12))
def test_whatever_threads_do_each_record_is_its_calls(
    seed: int, threads: int, calls: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = random.Random(seed)
    free = [0.0] * threads
    context: list[str | None] = [None] * threads
    lines: list[tuple[float, str, bool]] = []
    for number in range(calls):
        thread = rng.randrange(threads)
        time, id_ = free[thread] + rng.uniform(0.001, 100), f"req-{number:08}{A[12:]}"
        if context[thread] is not None:
            opening = line(
                time, "keystonemiddleware.auth_token", context[thread], "opens", level="DEBUG"
            )
            lines.append((time, opening, True))
        for _ in range(rng.randrange(4)):
            time += rng.uniform(0.001, 2)
            lines.append((time, line(time, "nova.api", id_, "works"), False))
        time += 0.01
        lines.append((time, answer(time, id_, "GET /v2.1/flavors", 200, 0.01), False))
        free[thread], context[thread] = time, id_
    lines.sort()
    path = tmp_path_factory.mktemp("threads") / "nova-api.log"
    path.write_text("".join(text for _, text, _ in lines))
    owned, found = OwnedRecords(), []
    for batch in library.read(path).batches(COLUMNS):
        found += owned.other_calls(batch).is_valid().to_pylist()
    assert found == [left for _, _, left in lines]


@given(cut=st.integers(1, 6))
def test_batches_of_any_size_tell_the_same(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "nova-api.log"
    path.write_text(
        answer(1, A, "GET /a", 200, 0.1) + line(2, "keystonemiddleware.auth_token", A, "x")
        + answer(3, B, "GET /b", 200, 0.1) + answer(4, B, "GET /c", 401, 0.1)
        + line(5, "nova.api", C, "y") + line(6, "nova.api", A, "z")
    )  # fmt: skip
    [batch] = library.read(path).batches(COLUMNS)
    whole, parts = OwnedRecords(), OwnedRecords()
    found = [
        place
        for start in range(0, len(batch), cut)
        for place in parts.other_calls(batch.slice(start, cut)).to_pylist()
    ]
    assert found == whole.other_calls(batch).to_pylist()


@pytest.mark.parametrize(("later", "theirs"), [(20, False), (79, True)])
def test_long_behind_its_last_record_a_thread_of_glance_works_for_another(
    later: float, theirs: bool, tmp_path: Path
) -> None:
    """Glance works under the id it is sent: the same caller may call again, but not much later."""
    path = tmp_path / "glance-api.log"
    path.write_text(
        line(1, "glance.api.v2.images", A, "at work")
        + line(1 + later, "glance.api.middleware.version_negotiation", A, "Determining version")
        + line(1.1 + later, "oslo_policy.policy", A, "loaded", level="DEBUG")
    )
    assert left_behind(path) == ["Determining version", *(["loaded"] if theirs else [])]


def keystone(second: float, id_: str, body: str, logger: str = "keystone.common.wsgi") -> str:
    return line(second, logger, id_, body, user="- -", level="DEBUG")


@pytest.mark.parametrize("later", [0.02, 3, 200])
def test_a_logger_tells_of_the_beginning_of_a_call_once(later: float, tmp_path: Path) -> None:
    """What asks for versions has no context of its own, and keystone tells of no answers."""
    path = tmp_path / "keystone.log"
    opens, versions = "Authenticating user token", "GET http://k:35357/"
    path.write_text(
        keystone(1, A, "POST http://k:35357/v3/auth/tokens")
        + keystone(2.4, A, "Loaded 2 Fernet keys", "keystone.common.fernet_utils")
        + keystone(2.4 + later, A, versions) + keystone(2.4 + 2 * later, A, versions)
        + keystone(2.4 + 3 * later, A, opens, "keystone.middleware.auth")
        + keystone(2.41 + 3 * later, A, "Loaded 2 Fernet keys", "keystone.common.fernet_utils")
    )  # fmt: skip
    assert left_behind(path) == [versions, versions, opens, "Loaded 2 Fernet keys"]
    rows = requests(library.read(path)).to_pylist()
    assert [(row["http_target"], row["records"]) for row in rows] == [
        ("http://k:35357/v3/auth/tokens", 2), ("http://k:35357/", 1), ("http://k:35357/", 1)
    ]  # fmt: skip
    assert (rows[0]["request_id"], rows[0]["duration"]) == (A, 1.4)


@pytest.mark.parametrize(
    "text",
    [
        f"GET call to network for http://n/v2.0/ports used request id {B}",
        "REQ: curl -g -i -X GET http://n/v2.0/ports",
    ],
)
def test_what_a_client_prints_begins_no_call_whoever_prints_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text("".join(line(n, "a.b", A, text) for n in (1, 2, 20)))
    assert left_behind(path) == []


@pytest.mark.parametrize("logger", ["a.b", "keystoneauth.session"])
@pytest.mark.parametrize("sample", CLIENTS_LINES)
def test_what_a_client_prints_answers_no_call_whoever_prints_it(
    sample: str, logger: str, tmp_path: Path
) -> None:
    path = tmp_path / "nova-api.log"
    work = line(1, "nova.api", A, "at work")
    said = sample.replace("/tokens", "/users")  # who checks a token begins a call
    path.write_text(work + line(2, logger, A, said) + line(9, "nova.api", A, "still"))
    [row] = requests(library.read(path)).to_pylist()
    assert (row["http_method"], row["http_status"], row["records"]) == (None, None, 3)
    assert (row["start"].second, row["duration"]) == (1, 8.0)
    assert all(not one.requests for one in count_records(library.read(path)).routes)
