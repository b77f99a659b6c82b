"""A line of uWSGI or a proxy, which names no request, tells of the one request that it fits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog import F
from opslog.correlate.servers import COLUMNS, ServerLines
from opslog.trace import requests, trace

A, B, C = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abc")
SPACED = 30
"""Seconds between calls that cannot be taken for each other."""


def logged(second: float, id_: str, body: str, pid: int = 7, logger: str = "keystone.auth") -> str:
    minutes, seconds = divmod(second, 60)
    return (
        f"2026-03-10 10:{int(minutes):02}:{seconds:06.3f} {pid} WARNING {logger} "
        f"[None {id_} u p - - default default] {body}\n"
    )


def uwsgi(second: int, call: str, status: int, number: int, pid: int = 7, took: int = 200) -> str:
    """Return uWSGI's line of a call that began in a second and took some milliseconds."""
    minutes, seconds = divmod(second, 60)
    return (
        f"[pid: {pid}|app: 0|req: {number}/{number}] 10.0.0.1 () {{30 vars in 400 bytes}} "
        f"[Tue Mar 10 10:{minutes:02}:{seconds:02} 2026] {call} => generated 90 bytes in {took} "
        f"msecs (HTTP/1.1 {status}) 5 headers in 200 bytes (1 switches on core 0)\n"
    )


def haproxy(second: float, call: str, status: int, took: int) -> str:
    minutes, seconds = divmod(second, 60)
    return (
        f"Mar 10 10:{int(minutes):02}:{int(seconds):02} ctl1 haproxy[9]: 10.0.0.1:40000 "
        f"[10/Mar/2026:10:{int(minutes):02}:{seconds:06.3f}] api api/ctl1 0/0/0/{took}/{took} "
        f'{status} 300 - - ---- 1/1/1/1/0 0/0 "{call} HTTP/1.1"\n'
    )


REFUSED = logged(10.4, A, "Authorization failed.")
REFUSAL = uwsgi(10, "POST /v3/auth/tokens", 401, 1)
"""What a request logged itself, and the line of its server."""


def told(folder: Path, own: Iterable[str], server: Iterable[str]) -> dict[str, object]:
    """Return by request the status that `requests` tells."""
    rows = requests(written(folder, own, server)).to_pylist()
    return {row["request_id"]: row["http_status"] for row in rows}


def written(folder: Path, own: Iterable[str], server: Iterable[str]) -> library.Logs:
    (folder / "keystone.log").write_text("".join(own))
    (folder / "keystone-uwsgi.log").write_text("".join(server))
    return library.read(str(folder), year=2026)


def others(begin: int, count: int = 8, first: int = 1) -> list[str]:
    """Return lines of calls that nobody logged, apart from each other."""
    return [uwsgi(begin + SPACED * n, "GET /v3", 200, first + n) for n in range(count)]


class TestTheOneThatFits:
    def test_a_request_gets_call_status_and_time_of_the_line(self, tmp_path: Path) -> None:
        logs = written(
            tmp_path,
            [REFUSED],
            [uwsgi(10, "POST /v3/auth/tokens", 401, 1, took=450), *others(40, first=2)],
        )
        [row] = [row for row in requests(logs).to_pylist() if row["request_id"] == A]
        call = [row[f"http_{name}"] for name in ("method", "target", "status", "duration")]
        assert call == ["POST", "/v3/auth/tokens", 401, 0.45]
        assert row["services"] == ["keystone"]
        assert (row["start"].second, row["start"].microsecond) == (10, 400_000)
        assert row["duration"] == 0.45

    def test_a_condition_on_the_status_finds_it(self, tmp_path: Path) -> None:
        logs = written(
            tmp_path,
            [REFUSED, logged(100.1, B, "Truncating password")],
            [REFUSAL, *others(40, first=2)],
        )
        assert [row["request_id"] for row in requests(logs, F.http_status == 401).to_pylist()] == [
            A
        ]

    def test_a_story_tells_the_call(self, tmp_path: Path) -> None:
        own = [REFUSED]
        logs = written(tmp_path, own, [uwsgi(10, "POST /v3/auth/tokens", 401, 1, took=450)])
        [request] = trace(logs, A).requests
        assert request.call is not None
        assert (request.call.method, request.call.status) == ("POST", 401)
        assert request.duration == request.call.duration == 0.45
        assert len(request.records) == 1

    def test_a_method_in_a_message_tells_two_calls_apart(self, tmp_path: Path) -> None:
        failed = "neutron.pecan_wsgi.hooks.translation"
        own = [logged(10.4, A, "POST failed (client error): no", logger=failed)]
        server = [uwsgi(10, "POST /v2.0/subnets", 400, 1), uwsgi(10, "GET /v2.0/ports", 200, 2)]
        assert told(tmp_path, own, server) == {A: 400}

    def test_a_line_of_a_call_that_tells_all_itself_is_taken(self, tmp_path: Path) -> None:
        own = [
            logged(10.3, A, "Authorization failed."),
            logged(10.6, B, '10.0.0.1 "GET /v3/users HTTP/1.1" status: 200 len: 9 time: 0.2000000',
                   logger="nova.osapi_compute.wsgi.server"),
        ]  # fmt: skip
        server = [uwsgi(10, "GET /v3/users", 200, 1), uwsgi(10, "GET /v3/projects", 401, 2)]
        assert told(tmp_path, own, server) == {A: 401, B: 200}

    def test_a_proxys_line_tells_of_a_call_of_the_same_path(self, tmp_path: Path) -> None:
        path = "/v3/volumes/6f6b5a6e-8f5c-4f3e-9a1b-2d3c4b5a6978"
        own = [
            logged(10.4, A, f"GET http://10.0.0.9:8776{path}", logger="cinder.api.openstack.wsgi")
        ]
        server = [
            haproxy(10.35, f"GET {path}", 504, 100),
            haproxy(10.35, "GET /v3/volumes", 200, 90),
        ]
        assert told(tmp_path, own, server) == {A: 504}


class TestWhatAllThatFitSayAlike:
    """Lines of one second that cannot be told apart, as uWSGI prints whole seconds only."""

    SAME = (uwsgi(10, "GET /v3/users", 200, 1), uwsgi(10, "GET /v3/users", 200, 2, took=300))

    def rows(self, folder: Path, own: Iterable[str], server: Iterable[str]) -> list[object]:
        names = ("request_id", "http_method", "http_target", "http_status", "http_duration")
        rows = requests(written(folder, own, server)).to_pylist()
        return [tuple(row[name] for name in names) for row in rows if row["request_id"] in (A, B)]

    def test_equal_calls_are_told_without_their_duration(self, tmp_path: Path) -> None:
        own = [REFUSED, logged(10.5, B, "At work.")]
        call = ("GET", "/v3/users", 200, None)
        assert self.rows(tmp_path, own, self.SAME) == [(A, *call), (B, *call)]

    @pytest.mark.parametrize(
        ("other", "told"),
        [
            ("GET /v3/projects", ("GET", None, 200)),
            ("POST /v3/users", (None, "/v3/users", 200)),
            ("POST /v3/projects", (None, None, 200)),
        ],
    )
    def test_a_status_is_told_of_calls_that_differ(
        self, other: str, told: tuple[object, ...], tmp_path: Path
    ) -> None:
        server = [self.SAME[0], uwsgi(10, other, 200, 2)]
        assert self.rows(tmp_path, [REFUSED], server) == [(A, *told, None)]

    def test_a_story_tells_the_call(self, tmp_path: Path) -> None:
        [request] = trace(written(tmp_path, [REFUSED], self.SAME), A).requests
        assert request.call is not None
        assert (request.call.method, request.call.path) == ("GET", "/v3/users")
        assert (request.call.status, request.call.duration) == (200, None)

    def test_more_requests_than_lines_are_in_doubt(self, tmp_path: Path) -> None:
        """One of them ended before its last record."""
        own = [REFUSED, logged(10.5, B, "At work."), logged(10.6, C, "At work.")]
        assert set(told(tmp_path, own, self.SAME).values()) == {None}

    def test_a_condition_on_the_status_finds_all(self, tmp_path: Path) -> None:
        logs = written(tmp_path, [REFUSED, logged(10.5, B, "At work.")], self.SAME)
        found = requests(logs, F.http_status == 200).to_pylist()
        assert [row["request_id"] for row in found] == [A, B]


def test_a_call_of_nobody_ends_with_its_answer(tmp_path: Path) -> None:
    """What is made when the first call comes keeps its context."""
    called = f"[{A} {B} u p - - d d]"
    own = [
        logged(10.4, A, "Loading extension file").replace("u p", "- -"),
        f"2026-03-10 10:01:20.000 8 INFO keystone.auth {called} of a thread that was begun then\n",
        logged(200, C, "at work"),
    ]
    logs = written(tmp_path, own, [uwsgi(10, "GET /", 200, 1, took=450), *others(40, first=2)])
    rows = {row["request_id"]: row for row in requests(logs).to_pylist()}
    assert (rows[A]["http_status"], rows[A]["duration"]) == (200, 0.45)


@pytest.mark.parametrize(
    ("own", "server"),
    [
        pytest.param(
            [REFUSED],
            [uwsgi(10, "GET /v3", 200, 1), uwsgi(10, "POST /v3/auth/tokens", 401, 2)],
            id="two lines fit",
        ),
        pytest.param(
            [REFUSED, logged(10.5, B, "Authorization failed.")],
            [REFUSAL],
            id="two requests fit",
        ),
        pytest.param(
            [REFUSED],
            [uwsgi(10, "POST /v3/auth/tokens", 401, 1, pid=8)],
            id="another process",
        ),
        pytest.param(
            [REFUSED, logged(14.0, A, "Still at work")],
            [REFUSAL],
            id="it had ended",
        ),
        pytest.param(
            [REFUSED],
            [REFUSAL, *others(40, first=7)],
            id="a line is missing that might be the one",
        ),
        pytest.param(
            [logged(10.3, A, "At work.", pid=8), logged(10.5, A, "Also at work.")],
            [REFUSAL],
            id="it came to another process",
        ),
        pytest.param(
            [REFUSED],
            [haproxy(10.3, "POST /v3/auth/tokens", 401, 200)],
            id="a proxy tells a path that the service does not",
        ),
    ],
)
def test_in_doubt_a_line_is_nobodys(tmp_path: Path, own: list[str], server: list[str]) -> None:
    assert set(told(tmp_path, own, server).values()) == {None}
    assert all(request.call is None for request in trace(library.read(str(tmp_path)), A).requests)


def test_where_too_many_calls_go_on_at_once_none_is_told(tmp_path: Path) -> None:
    own = [logged(10.4, A, "At work."), logged(300.5, B, "At work.")]
    server = [uwsgi(10, f"GET /v3/{n}", 200, n, took=60_000) for n in range(1, 6000)]
    server += others(300, first=6000)
    assert told(tmp_path, own, server) == {A: None, B: 200}


@given(
    calls=st.lists(
        st.tuples(
            st.integers(0, 40), st.integers(0, 999), st.integers(1, 3000),
            st.sampled_from(["GET /v3", "POST /v3/auth/tokens", "GET /v3/auth/tokens"]),
            st.sampled_from([200, 200, 401]), st.booleans(),
        ),
        max_size=25,
    ),
    memory=st.sampled_from([1, 1 << 20]),
)  # fmt: skip
def test_what_is_told_is_true(
    calls: list[tuple[int, int, int, str, int, bool]],
    memory: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever calls there were, at whatever times: no request gets what only another did."""
    own, server, truth = [], [], {}
    for number, (second, millis, took, call, status, logs) in enumerate(calls):
        id_ = f"req-{number:08x}-0000-4000-8000-000000000000"
        begin = second + millis / 1000
        method, target = call.split()
        truth[id_] = {
            "http_method": method, "http_target": target, "http_status": status,
            "duration": took / 1000,
        }  # fmt: skip
        server.append((begin + took / 1000, uwsgi(second, call, status, 0, took=took)))
        if logs:
            own.append((begin + took / 2000, logged(begin + took / 2000, id_, "At work.")))
    lines = [
        text.replace("req: 0/0", f"req: {n}/{n}") for n, (_, text) in enumerate(sorted(server), 1)
    ]
    logs_ = written(tmp_path_factory.mktemp("told"), [text for _, text in sorted(own)], lines)
    found = ServerLines(memory)
    for batch in logs_._batches(COLUMNS, logs_._begun()):
        found.add(batch)
    named = found.named()
    for batch in logs_._batches(COLUMNS, logs_._begun()):
        for row in named.name(batch).to_pylist():
            if row["http_status"] is not None and row["request_id"] is not None:
                told = {
                    name: row[name] for name in truth[row["request_id"]] if row[name] is not None
                }
                assert told == {name: truth[row["request_id"]][name] for name in told}
