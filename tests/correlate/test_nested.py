"""Who called directly, where the context names only what caused it all."""

from __future__ import annotations

from pathlib import Path

import pytest

import opslog as library
from opslog.correlate import RequestGraph
from opslog.trace import requests, trace

U, N, M, C, G = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abcde")


def line(second: float, logger: str, cause: str, own: str, body: str) -> str:
    return f"2026-03-10 10:00:{second:06.3f} 7 INFO {logger} [{cause} {own} u p - - d d] {body}\n"


def answer(second: float, service: str, cause: str, own: str, took: float) -> str:
    body = f'10.0.0.2 "GET /v2/{service}" status: 200 len: 9 microversion: 2.1 time: {took}'
    return line(second, f"{service}.requestlog", cause, own, body)


def graph(folder: Path, **logs: str) -> RequestGraph:
    for name, text in logs.items():
        (folder / f"{name}-api.log").write_text(text)
    return library.read(folder).graph()


def test_the_request_at_work_in_the_service_that_calls_is_the_caller(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        nova=answer(9, "nova", U, N, 2) + answer(20, "nova", U, M, 2),
        placement=answer(8, "placement", U, C, 0.1),
    )
    assert (found.parent(C), found.parent(N), found.root(C)) == (N, U, U)
    assert found.children(N) == [C]
    assert list(found.members(U)) == [U, N, M, C]
    assert [link.kind for link in found.edges() if link.callee == C] == ["during"]


@pytest.mark.parametrize(
    ("nova", "called"),
    [
        (answer(9, "nova", U, N, 2) + answer(9.1, "nova", U, M, 2), 8.0),  # two at once
        (answer(9, "nova", U, N, 2), 20.0),  # none any more
        (answer(9, "nova", U, N, 2), 5.0),  # none yet
    ],
)
def test_in_doubt_the_cause_stays(nova: str, called: float, tmp_path: Path) -> None:
    found = graph(tmp_path, nova=nova, placement=answer(called, "placement", U, C, 0.1))
    assert found.parent(C) == U


def test_a_service_that_calls_nobody_has_not_called(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        placement=answer(9, "placement", U, N, 2), neutron=answer(8, "neutron", U, C, 0.1),
    )  # fmt: skip
    assert found.parent(C) == U


def test_of_two_services_that_may_have_called_none_is_believed(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        nova=answer(9, "nova", U, N, 2), cinder=answer(30, "cinder", U, M, 1),
        glance=answer(8, "glance", U, C, 0.1),
    )  # fmt: skip
    assert found.parent(C) == U


def test_a_cause_that_is_at_work_itself_may_have_called(tmp_path: Path) -> None:
    own = f"2026-03-10 10:00:01.000 7 INFO nova.api [None {U} u p - - d d] begins\n"
    found = graph(
        tmp_path,
        nova=own + answer(9, "nova", U, N, 2), placement=answer(8, "placement", U, C, 0.1),
    )  # fmt: skip
    assert found.parent(C) == U


def test_in_a_circle_the_weaker_claim_yields(tmp_path: Path) -> None:
    said = f"2026-03-10 10:00:03.000 7 DEBUG keystoneauth.session [None {N} u p - - d d] RESP: [200] x-openstack-request-id: {U}\n"
    found = graph(tmp_path, nova=line(1, "nova.api", U, N, "begins") + said)
    assert (found.parent(N), found.parent(U)) == (U, None)


def test_the_head_of_a_tree_is_no_service_that_works_under_the_id_it_was_sent(
    tmp_path: Path,
) -> None:
    glance = (
        f"2026-03-10 10:00:07.100 7 INFO eventlet.wsgi.server [None {U} u p - - d d] "
        '10.0.0.7 "GET /v2/images/x HTTP/1.1" status: 200  len: 9 time: 0.05\n'
    )
    (tmp_path / "glance-api.log").write_text(glance)
    (tmp_path / "nova-api.log").write_text(answer(9, "nova", U, N, 2))
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["request_id"], row["http_target"]) == (U, "/v2/nova")
    [top] = trace(library.read(tmp_path), U).requests
    assert top.call is not None
    assert (top.service, top.call.target) == ("nova-api", "/v2/nova")


def test_calls_of_one_id_that_a_user_sent_are_a_row_each(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_text(answer(9, "nova", U, N, 2) + answer(20, "nova", U, M, 1))
    (tmp_path / "neutron.log").write_text(answer(8, "neutron", U, C, 0.1))  # that N called
    image = line(30, "glance.api", "-", U, "an image").replace("INFO", "WARNING")
    (tmp_path / "glance-api.log").write_text(image)  # whose it is, nothing tells
    rows = requests(library.read(tmp_path)).to_pylist()
    told = {row["request_id"]: (row["services"], row["http_duration"]) for row in rows}
    assert told == {N: (["nova", "neutron"], 2.0), M: (["nova"], 1.0), U: (["glance"], None)}
    warned = requests(library.read(tmp_path), "severity >= WARNING").to_pylist()
    assert [row["request_id"] for row in warned] == [U]


def test_what_a_service_caused_that_heads_records_is_its_row(tmp_path: Path) -> None:
    nova = answer(9, "nova", "-", N, 2)
    neutron = answer(8, "neutron", N, C, 0.1) + answer(8.5, "neutron", N, M, 0.1)
    (tmp_path / "nova-api.log").write_text(nova)
    (tmp_path / "neutron.log").write_text(neutron)
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["request_id"], row["records"]) == (N, 3)


def test_what_a_service_calls_is_no_call_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "nova-api.log").write_text(answer(9, "nova", U, N, 2))
    (tmp_path / "placement.log").write_text(answer(20, "placement", U, C, 0.1))  # of whom?
    [row] = requests(library.read(tmp_path)).to_pylist()
    assert (row["request_id"], row["http_target"], row["records"]) == (U, "/v2/nova", 2)
