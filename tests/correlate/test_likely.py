"""Likely calls: what one other request explains, and nothing that two could."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from opslog.correlate import RequestGraph
from opslog.correlate.likely import SCHEMA, LikelyCall, likely_calls
from opslog.correlate.links import COLUMNS

START = datetime(2026, 3, 10, 10, tzinfo=UTC)
A, B, C, D = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abcd")
VM, OTHER = "5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a", "6d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a"

Row = dict[str, object]


def request(
    id_: str,
    service: str | None,
    begin: float | None,
    end: float,
    method: str | None = "GET",
    resources: tuple[str, ...] = (),
) -> Row:
    return {
        "request_id": id_,
        "service_name": service,
        "start": None if begin is None else START + timedelta(seconds=begin),
        "end": START + timedelta(seconds=end),
        "http_method": method,
        "resources": list(resources),
    }


def likely(*rows: Row, graph: RequestGraph | None = None) -> list[LikelyCall]:
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    return list(likely_calls(graph or RequestGraph(), table))


def test_the_only_request_that_was_at_work_is_the_likely_caller() -> None:
    boot = request(A, "nova", 0, 9, "POST")
    port = request(B, "neutron", 2, 3, "POST")
    assert likely(port, boot) == [LikelyCall(A, B, "time")]


def test_what_both_are_about_decides_between_several() -> None:
    ours = request(A, "nova", 0, 9, "POST", (VM,))
    other = request(C, "nova", 1, 8, "POST", (OTHER,))
    call = request(B, "placement", 2, 3, "PUT", (VM,))
    assert likely(ours, other, call) == [LikelyCall(A, B, "resource")]
    assert likely(ours, other, request(B, "placement", 2, 3, "PUT")) == []


def test_of_several_the_one_that_changes_something_is_likely() -> None:
    boot = request(A, "nova", 0, 9, "POST", (VM,))
    poll = request(C, "nova", 1, 4, "GET", (VM,))
    task = request(D, "nova", 0, 99, None)
    call = request(B, "placement", 2, 3, "PUT", (VM,))
    assert likely(boot, poll, task, call) == [LikelyCall(A, B, "resource")]


def test_a_task_is_no_likely_caller_by_its_time_alone() -> None:
    assert likely(request(A, "nova", 0, 99, None), request(B, "placement", 2, 3)) == []


def test_who_ends_before_its_call_or_calls_no_such_service_is_no_caller() -> None:
    call = request(B, "placement", 2, 3)
    assert likely(request(A, "nova", 0, 2.5, "POST"), call) == []
    assert likely(request(A, "nova", 2.5, 9, "POST"), call) == []
    assert likely(request(A, "neutron", 0, 9, "POST"), call) == []
    assert likely(request(A, "nova", 0, 9, "POST"), request(B, "keystone", 2, 3)) == []
    assert likely(request(A, "nova", 0, 9, "POST"), request(B, "glance", 2, 3)) == []
    assert likely(request(A, None, 0, 9, "POST"), request(B, "placement", None, 3)) == []
    assert likely(request(A, "nova", 0, 4000, "POST"), call) == []


def test_a_caller_that_is_known_is_not_guessed() -> None:
    told: Row = dict.fromkeys(COLUMNS)
    told |= {"request_id": B, "global_request_id": C, "timestamp": START}
    types = {"timestamp": pa.timestamp("us", "UTC"), "process_pid": pa.int64()}
    columns = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    graph = RequestGraph()
    graph.add(pa.RecordBatch.from_pylist([told], columns))
    assert graph.parent(B) == C
    assert likely(request(A, "nova", 0, 9), request(B, "placement", 2, 3), graph=graph) == []
    above = [request(B, "cinder", 0, 9, "POST"), request(C, "nova", 1, 2, "POST")]
    assert likely(*above, graph=graph) == []


@given(
    st.lists(
        st.builds(
            request,
            id_=st.sampled_from([f"req-{n}" for n in range(12)]),
            service=st.sampled_from(["nova", "cinder", "heat", "placement", "neutron"]),
            begin=st.floats(0, 3),
            end=st.floats(0, 6),
            method=st.sampled_from(["GET", "POST", None]),
            resources=st.sampled_from([(), (VM,), (OTHER,), (VM, OTHER)]),
        ),
        max_size=12,
        unique_by=lambda row: row["request_id"],
    )
)
def test_likely_calls_are_a_forest_and_do_not_depend_on_the_order_of_rows(rows: list[Row]) -> None:
    found = likely(*rows)
    assert found == likely(*rows[::-1])
    callers = {call.callee: call.caller for call in found}
    assert len(callers) == len(found)
    for callee in callers:
        chain = [callee]
        while (above := callers.get(chain[-1])) is not None:
            assert above not in chain
            chain.append(above)
