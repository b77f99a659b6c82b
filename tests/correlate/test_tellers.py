"""One call is counted once, whoever tells of it, in whatever order the files are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from opslog.correlate.tellers import Calls, answering, tellings
from opslog.stats import count_records
from opslog.stats.routes import routes

START = datetime(2026, 3, 10, 10, 0, 0, 400_000, UTC)
UUID = "5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a"
REQUEST = "req-11111111-2222-4333-8444-555555555555"


class Call(NamedTuple):
    """What is true of a call, as its service sees it."""

    begin: float = 0.0
    length: float = 0.25
    path: str = f"/v2.1/servers/{UUID}"
    method: str = "GET"
    status: int = 200
    pid: int = 17

    def time(self, seconds: float) -> datetime:
        return START + timedelta(seconds=self.begin + seconds)


def oslo(time: datetime, pid: int, logger: str, body: str) -> str:
    stamp = f"{time:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return f"{stamp} {pid} INFO {logger} [None {REQUEST} u p - - - -] {body}\n"


def nova(call: Call) -> str:
    body = f'192.0.2.1 "{call.method} {call.path}" status: {call.status} len: 5 microversion: 2.1 '
    body += f"time: {call.length:.6f}"
    return oslo(call.time(call.length), call.pid, "nova.api.openstack.requestlog", body)


def eventlet(call: Call) -> str:
    body = f'192.0.2.1 "{call.method} {call.path}?a=b HTTP/1.1" status: {call.status} len: 5 '
    body += f"time: {call.length + 0.002:.7f}"
    return oslo(call.time(call.length + 0.002), call.pid, "nova.osapi_compute.wsgi.server", body)


def cinder(call: Call) -> str:
    url, logger = f"http://192.0.2.9:8776{call.path}", "cinder.api.openstack.wsgi"
    begins = oslo(call.time(0.6 * call.length), call.pid, logger, f"{call.method} {url}")
    ends = f"{url} returned with HTTP {call.status}"
    return begins + oslo(call.time(call.length), call.pid, logger, ends)


def uwsgi(call: Call) -> str:
    return (
        f"[pid: {call.pid}|app: 0|req: 1/1] 192.0.2.1 () {{36 vars in 932 bytes}} "
        f"[{call.time(-0.001):%a %b %d %H:%M:%S %Y}] {call.method} {call.path}?a=b => generated 5 "
        f"bytes in {1000 * call.length + 2:.0f} msecs (HTTP/1.1 {call.status}) 4 headers in 157 "
        "bytes (1 switches on core 1)\n"
    )


def apache(call: Call) -> str:
    stamp = f"{call.time(-0.002):%d/%b/%Y:%H:%M:%S +0000}"
    line = f'"{call.method} /compute{call.path} HTTP/1.1" {call.status} 5 "-" "curl"'
    return f"192.0.2.1 - - [{stamp}] {line}\n"


def haproxy(call: Call) -> str:
    stamp = f"{call.time(-0.005):%d/%b/%Y:%H:%M:%S.%f}"[:-3]
    return (
        f"192.0.2.1:5332 [{stamp}] public nova/ctl1 0/0/1/9/{1000 * call.length + 8:.0f} "
        f'{call.status} 5 - - ---- 2/1/0/0/0 0/0 "{call.method} {call.path}?a=b HTTP/1.1"\n'
    )


FILES: dict[Callable[[Call], str], str] = {
    nova: "nova-api.log",
    eventlet: "nova-api.log",
    cinder: "cinder-api.log",
    uwsgi: "nova-api-uwsgi.log",
    apache: "nova-api-access.log",
    haproxy: "haproxy.log",
}


def counted(folder: Path, *lines: str, threads: int = 1) -> list[tuple[object, ...]]:
    """Return service, method, route, statuses and known durations of files with these lines."""
    files = []
    for number, text in enumerate(lines):
        files.append(folder / str(number) / text.partition("\n")[0])
        files[-1].parent.mkdir(exist_ok=True)
        files[-1].write_text(text.partition("\n")[2])
    found = count_records(library.read(*files, threads=threads)).routes
    return [(one.service, one.method, one.route, one.statuses, one.timed) for one in found]


def told(teller: Callable[[Call], str], *calls: Call) -> str:
    return f"{FILES[teller]}\n" + "".join(map(teller, calls))


ROUTE = "/v2.1/servers/{id}"


@pytest.mark.parametrize("others", [
    (uwsgi,), (eventlet,), (apache,), (haproxy,), (haproxy, apache, uwsgi), (eventlet, haproxy),
])  # fmt: skip
@pytest.mark.parametrize("length", [0.0, 0.25, 20.0])
def test_tellers_of_one_call_count_it_once_as_its_service(
    tmp_path: Path, others: tuple[Callable[[Call], str], ...], length: float
) -> None:
    lines = [told(teller, Call(length=length)) for teller in (nova, *others)]
    for order in permutations(lines):
        assert counted(tmp_path, *order) == [("nova", "GET", ROUTE, {"200": 1}, 1)]


def test_what_one_teller_does_not_know_another_does(tmp_path: Path) -> None:
    call = Call(path=f"/v3/volumes/{UUID}", status=404)
    alone = [("cinder", "GET", "/v3/volumes/{id}", {"404": 1}, 0)]
    assert counted(tmp_path, told(cinder, call)) == alone
    ended = told(cinder, call).replace("GET http", "PUT_http")
    assert counted(tmp_path, ended)[0][:2] == ("cinder", None)
    outside = told(uwsgi, call).replace("nova", "cinder")
    for lines in ((ended, outside), (outside, ended)):
        assert counted(tmp_path, *lines) == [("cinder", "GET", "/v3/volumes/{id}", {"404": 1}, 1)]


@pytest.mark.parametrize(
    "other",
    [
        Call(pid=18),
        Call(status=500),
        Call(method="HEAD"),
        Call(begin=5.0),
        Call(path="/v2.1/servers/detail"),
    ],
    ids=["process", "status", "method", "time", "path"],
)
def test_another_call_counts_as_well(tmp_path: Path, other: Call) -> None:
    found = counted(tmp_path, told(nova, Call()), told(uwsgi, other))
    assert sum(sum(statuses.values()) for *_, statuses, _ in found) == 2  # type: ignore[misc]


def test_a_teller_never_tells_one_call_twice(tmp_path: Path) -> None:
    for teller in (nova, uwsgi, apache, haproxy):
        [(*_, statuses, _)] = counted(tmp_path, told(teller, Call(), Call()))
        assert statuses == {"200": 2}


def test_calls_that_only_one_teller_saw_count_as_well(tmp_path: Path) -> None:
    both, front, service = Call(), Call(begin=10), Call(begin=20)
    [(*_, statuses, _)] = counted(
        tmp_path, told(nova, both, service), told(uwsgi, both, front)
    )  # fmt: skip
    assert statuses == {"200": 3}


CALLS = st.lists(
    st.builds(
        Call,
        begin=st.one_of(st.floats(0, 3), st.sampled_from([0.0, 0.1, 0.6, 1.6])),
        length=st.one_of(st.floats(0, 0.3), st.sampled_from([0.0, 0.25, 1.0, 8.0])),
        path=st.just("/v2.1/servers/detail"),
        method=st.just("GET"),
        pid=st.sampled_from([17, 18]),
        status=st.sampled_from([200, 404]),
    ),
    min_size=1,
    max_size=12,
)


def batch_of(folder: Path, name: str, text: str) -> pa.RecordBatch:
    path = folder / name
    path.write_text(text)
    return library.read(path).to_table().combine_chunks().to_batches()[0]


def count(batches: list[pa.RecordBatch], memory: int) -> int:
    calls = Calls(1000, memory)
    for batch in batches:
        chosen = batch.take(answering(batch))
        calls.add(tellings(chosen, routes(chosen["http_target"])))
    return sum(map(len, calls.tables()))


@given(
    calls=CALLS,
    tellers=st.permutations([nova, uwsgi, haproxy]),
    fewer=st.integers(0, 2),
    memory=st.sampled_from([0, 1000, 1 << 20]),
)
def test_the_same_call_again_and_again_counts_as_often_as_it_was_made(
    tmp_path_factory: pytest.TempPathFactory,
    calls: list[Call],
    tellers: list[Callable[[Call], str]],
    fewer: int,
    memory: int,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    batches = [
        batch_of(folder, FILES[teller], "".join(map(teller, calls))) for teller in tellers[fewer:]
    ]
    assert count(batches, memory) == len(calls)


@given(calls=CALLS, who=st.lists(st.integers(1, 7), min_size=12, max_size=12))
def test_different_calls_count_once_whoever_saw_them(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Call], who: list[int]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    each = [call._replace(path=f"/v2.1/servers/{n}") for n, call in enumerate(calls)]
    batches = []
    for bit, teller in enumerate((nova, uwsgi, haproxy)):
        seen = [call for call, mask in zip(each, who, strict=False) if mask >> bit & 1]
        if seen:
            batches.append(batch_of(folder, FILES[teller], "".join(map(teller, seen))))
    assert count(batches, 1 << 20) == len(calls)
