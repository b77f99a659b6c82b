"""Events: nothing is merged that does not belong together, and what is missing is told."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from helpers import on_terminal, opslog, table
from opslog.cli import main
from opslog.events import (
    EventCollector,
    EventRequest,
    EventRow,
    EventSummary,
    Notification,
    Pair,
    batch_of_rows,
    event_rows,
    json_row,
)
from opslog.events.pairs import PairFinder
from opslog.events.requests import RequestFinder
from opslog.events.rows import arrow_schema
from opslog.rows.literal import event_as_json

VM = "5d8a4c2e-6f1b-4f6e-9b5a-1f7e2d3c4b5a"
REQUEST = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
OTHER = "req-0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5"


def sent(kind: str, second: float = 0, payload: Any = None, **more: Any) -> str:
    """Return a notification as a consumer writes it."""
    values = {
        "event_type": kind,
        "publisher_id": "compute.cmp1",
        "priority": "INFO",
        "message_id": f"{kind}-{second}",
        "timestamp": f"2026-03-10 10:{int(second) // 60:02d}:{second % 60:09.6f}",
        "payload": {"instance_id": VM} if payload is None else payload,
        "_context_request_id": REQUEST,
    }
    return json.dumps(values | more)


def logged(kind: str, second: int, request: str = REQUEST, payload: Any = None) -> str:
    """Return a line of the log driver; the host's clock is two hours ahead of UTC, and not told."""
    values = json.loads(sent(kind, second, payload))
    del values["_context_request_id"]
    head = f"2026-03-10 12:00:{second:02d}.500 1 INFO oslo.messaging.notification.{kind}"
    return f"{head} [{request} u p - - -] {json.dumps(values)}"


def rows(*lines: str, **options: Any) -> list[EventRow]:
    data = "".join(line + "\n" for line in lines).encode()
    return list(event_rows(table(data, **options).to_batches()))


def pairs(*lines: str) -> list[Pair]:
    return [row for row in rows(*lines) if isinstance(row, Pair)]


def event(*lines: str) -> Notification:
    [found] = [row for row in rows(*lines) if isinstance(row, Notification)]
    return found


def told(found: Iterable[Pair]) -> list[tuple[Any, ...]]:
    return [(one.status, one.duration, one.attempt, one.overlapping) for one in found]


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        ("compute.instance.create.end", {"instance_id": VM, "state": "active"}, ("compute.instance.create", "end", "instance", VM, "active")),
        ("instance.create.start", {"nova_object.name": "P", "nova_object.data": {"uuid": VM, "state": "building"}}, ("instance.create", "start", "instance", VM, "building")),
        ("compute.instance.exists", {"instance_id": VM}, ("compute.instance.exists", "exists", "instance", VM, None)),
        ("snapshot.create.start", {"volume_id": "v", "snapshot_id": VM, "status": "creating"}, ("snapshot.create", "start", "snapshot", VM, "creating")),
        ("port.create.start", {"port": {"network_id": "n"}}, ("port.create", "start", "port", None, None)),
        ("port.create.end", {"port": {"id": VM}}, ("port.create", "end", "port", VM, None)),
        ("image.update", {"id": VM, "status": "active"}, ("image.update", None, "image", VM, "active")),
        ("orchestration.stack.create.end", {"stack_identity": f"arn:openstack:heat::p:stacks/s/{VM}"}, ("orchestration.stack.create", "end", "stack", VM, None)),
        ("baremetal.node.power_set.success", {"ironic_object.data": {"uuid": VM}}, ("baremetal.node.power_set", "success", "node", VM, None)),
        ("identity.user.created", {"initiator": {}, "target": {"id": VM}}, ("identity.user.created", None, "user", VM, None)),
        ("scheduler.run_instance.start", {"request_spec": {"instance_uuids": [VM]}}, ("scheduler.run_instance", "start", "instance", VM, None)),
        ("audit.http.request", {"id": VM, "outcome": "pending"}, ("audit.http", "start", "call", VM, None)),
        ("end", "text", ("end", None, "end", None, None)),
        ("x.end", None, ("x", "end", "instance", VM, None)),
        ("x.end", [1], ("x", "end", "x", None, None)),
    ],
)  # fmt: skip
def test_an_event_says_what_it_is_about(
    kind: str, payload: Any, expected: tuple[str | None, ...]
) -> None:
    for line in (sent(kind, 1, payload), logged(kind, 1, payload=payload)):
        found = event(line)
        about = found.resource_type, found.resource_id, found.state
        assert (found.event, found.phase, *about) == expected
        assert found.request_id == REQUEST
        wrapped = json.dumps({"oslo.version": "2.0", "oslo.message": sent(kind, 1, payload)})
        assert event(wrapped).resource_id == expected[3]


def test_the_time_of_an_event_is_when_it_was_sent_whatever_the_zone_of_the_log() -> None:
    both = [event(line) for line in (sent("a.start", 5), logged("a.start", 5))]
    assert [json_row(one)["timestamp"] for one in both] == ["2026-03-10T10:00:05.000000Z"] * 2
    assert [json_row(one).get("logged") for one in both] == [None, "2026-03-10T12:00:05.500000Z"]


def test_a_failure_says_why() -> None:
    payloads = [
        {"nova_object.data": {"uuid": VM, "fault": {"nova_object.data": {"exception": "E", "exception_message": "no disk"}}}},
        {"instance_id": VM, "exception": {"kwargs": {"reason": "no disk"}}},
        {"instance_id": VM, "message": "no disk"},
    ]  # fmt: skip
    found = [event(sent("instance.create.error", 1, payload)) for payload in payloads]
    assert [(one.failed, one.reason) for one in found] == [
        (True, "E: no disk"), (True, "no disk"), (True, "no disk"),
    ]  # fmt: skip


def printed(kind: str, second: int, payload: Any, request: str = REQUEST) -> str:
    """Return a line of keystonemiddleware's log notifier."""
    head = f"2026-03-10 10:00:{second:02d}.000 1 INFO keystonemiddleware.audit"
    context = {"user": None, "is_admin": True, "request_id": OTHER, "roles": []}
    return (
        f"{head} [{request} - - - - -] Event type: {kind}, Context: {context}, Payload: {payload}"
    )


AUDIT = {
    "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event", "eventType": "activity", "id": "e5",
    "action": "create", "outcome": "failure",
    "initiator": {"id": "c2", "name": "O'Hara", "project_id": "b1", "request_id": REQUEST,
                  "host": {"address": "192.0.2.80", "agent": "a \"b\" 'request_id': 'x' \\ \u20ac\U0001f600\x1b"}},
    "target": {"id": "t", "typeURI": "service/compute/servers"},
    "reason": {"reasonType": "HTTP", "reasonCode": "409"},
}  # fmt: skip


def test_the_log_notifier_tells_the_same_as_the_log_driver() -> None:
    shown = event(printed("audit.http.response", 7, AUDIT))
    sent_ = event(logged("audit.http.response", 7, payload=AUDIT))
    differ = {"message_id", "publisher_id", "service_name", "host_name", "logged", "source_offset",
              "timestamp"}  # fmt: skip
    one, other = json_row(shown), json_row(sent_)
    assert {k: v for k, v in one.items() if k not in differ} == {
        k: v for k, v in other.items() if k not in differ
    }
    assert (shown.phase, shown.failed, shown.reason) == ("end", True, "409")
    columns = ("attributes", "request_id", "user_id", "user_name", "project_id", "client_address")
    lines = (
        printed("audit.http.response", 7, AUDIT),
        logged("audit.http.response", 7, payload=AUDIT),
    )
    [first], [second] = (table(line.encode() + b"\n").select(columns).to_pylist() for line in lines)
    of_message = {"publisher_id", "message_id", "event_timestamp"}
    second["attributes"] = [pair for pair in second["attributes"] if pair[0] not in of_message]
    assert dict(first.pop("attributes")) == dict(second.pop("attributes"))
    assert first == second


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {as_lists(key): as_lists(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_lists(inner) for inner in value]
    # What is no text is printed as an escape.
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


@given(VALUES, VALUES)
def test_what_repr_prints_is_read_without_being_evaluated(context: Any, payload: Any) -> None:
    text = f"Event type: a.b, Context: {context!r}, Payload: {payload!r}".encode()
    found = event_as_json(text)
    assert found is not None
    read = json.loads(found)
    assert (read["event_type"], read["payload"]) == ("a.b", as_lists(payload))
    assert event_as_json(text[:-1]) is None or repr(payload)[-1].isdigit()
    assert event_as_json(text + b" ") is None


@given(st.text("{}[]()'\"\\,: xuUb019Truef-.\n\u20ac", max_size=60))
def test_what_is_read_is_what_the_text_means(payload: str) -> None:
    found = event_as_json(f"Event type: a.b, Context: {{}}, Payload: {payload}".encode())
    if found is None:
        return
    read = json.loads(found)["payload"]
    try:
        meant = ast.literal_eval(payload)
    except SyntaxError:  # a line break in a string
        assert "\n" in payload
        return
    if "b" not in payload:
        assert read == as_lists(meant)


@given(st.binary())
def test_any_bytes_are_read_or_not(payload: bytes) -> None:
    found = event_as_json(b"Event type: a.b, Context: {}, Payload: '" + payload + b"'")
    if found is not None:
        assert json.loads(found.decode("utf-8", "replace"))["event_type"] == "a.b"


@pytest.mark.parametrize(
    "payload",
    [
        "__import__('os').system('true')", "{'a': open('x')}", "[x for x in 'a']", "{'a': <object>}",
        "{1, 2}", "{'a'}", "1 + 1", "'a' 'b'", "{'a': 1}.get", "{'a' 1}", "[1 2]", "[1,]", "(,)",
        "f'{x}'", "r'a'", "'\\q'", "'a", "{'a': 1", "[)", "datetime.datetime(2026, 3, 1, 0, 0)",
        "nan", "Nones", "{1: 2}", "[" * 201 + "]" * 201, "", "Ellipsis", "'\\U00110000'", "0x10", "1_0",
    ],
)  # fmt: skip
def test_what_is_no_plain_value_leaves_the_record_as_it_is(payload: str) -> None:
    line = printed("audit.http.request", 1, payload)
    [record] = table(line.encode() + b"\n").to_pylist()
    assert (record["attributes"], record["request_id"]) == ([], REQUEST)
    assert record["body"] == line.partition("] ")[2]
    assert rows(line) == []


def test_torn_json_and_deep_json_are_events_without_details() -> None:
    head = logged("compute.instance.create.start", 1)
    deep = head.replace(f'{{"instance_id": "{VM}"}}', "[" * 5000 + "]" * 5000)
    for line in (head[:-3], deep):
        found = event(line)
        assert (found.event, found.phase) == ("compute.instance.create", "start")
        assert (found.request_id, found.resource_id) == (REQUEST, None)


def test_a_pair_takes_as_long_as_between_its_messages() -> None:
    [found] = pairs(
        sent("volume.create.start", 1, {"volume_id": VM}),
        sent("volume.create.end", 3.5, {"volume_id": VM}),
    )
    assert told([found]) == [("ended", 2.5, 1, False)]
    assert (found.resource_type, found.resource_id, found.repeated) == ("volume", VM, 0)


def test_a_retry_is_another_attempt_and_replaces_nothing() -> None:
    found = pairs(
        sent("a.start", 1), sent("a.error", 2), sent("a.start", 3, publisher_id="compute.cmp2"),
        sent("a.start", 4), sent("a.end", 6, publisher_id="compute.cmp2"),
    )  # fmt: skip
    assert told(found) == [
        ("failed", 1.0, 1, False), ("ended", 3.0, 2, True), ("no end", None, 3, True),
    ]  # fmt: skip
    assert [one.host_name for one in found] == ["cmp1", "cmp2", "cmp1"]


def test_what_overlaps_is_told_and_not_mixed_up() -> None:
    other = {"_context_request_id": OTHER}
    found = pairs(
        sent("a.start", 1), sent("a.start", 2, **other), sent("a.end", 5), sent("a.end", 9, **other)
    )
    assert told(found) == [("ended", 4.0, 1, True), ("ended", 7.0, 1, True)]
    apart = pairs(sent("a.start", 1), sent("a.end", 5, **other))
    assert [one.status for one in apart] == ["no start", "no end"]


def test_a_start_that_comes_twice_is_one() -> None:
    [found] = pairs(sent("a.start", 1), sent("a.start", 1), sent("a.end", 2))
    assert (found.status, found.repeated, found.attempt, found.overlapping) == (
        "ended",
        1,
        1,
        False,
    )


def test_what_has_no_id_yet_is_put_together_by_its_request() -> None:
    found = pairs(
        sent("port.create.start", 1, {"port": {}}), sent("port.create.end", 2, {"port": {"id": VM}})
    )
    assert [(one.status, one.resource_id) for one in found] == [("ended", VM)]


def test_a_clock_that_was_set_back_gives_no_duration() -> None:
    assert told(pairs(sent("a.start", 5), sent("a.end", 4))) == [("ended", None, 1, False)]


API = "2026-03-10 12:00:0{}.000 1 INFO nova.api.openstack.wsgi [{} u p - - -] POST http://x/y"


def test_a_request_lasts_from_the_first_record_of_the_api_to_the_last_end() -> None:
    found = rows(
        API.format(1, REQUEST), API.format(2, REQUEST), logged("a.start", 3), logged("a.end", 5),
        logged("b.start", 6), logged("b.end", 9), logged("c.end", 9, OTHER),
    )  # fmt: skip
    [one] = [row for row in found if isinstance(row, EventRequest)]
    assert (one.request_id, one.event, one.duration, one.ends) == (REQUEST, "b", 8.5, 2)
    since = [row.since_request for row in found if isinstance(row, Pair)]
    assert since == [4.5, 8.5, None]
    [sent_only] = [
        row for row in rows(sent("compute.instance.update", 1, publisher_id="api.ctl1"), sent("a.end", 3))
        if isinstance(row, EventRequest)
    ]  # fmt: skip
    assert sent_only.duration == 2.0


EVENTS = st.lists(
    st.builds(
        lambda kind, phase, second, request, vm, host: sent(
            f"{kind}.{phase}", second, {"instance_id": vm} if vm else {},
            _context_request_id=request, publisher_id=f"{host}.cmp1",
        ),
        st.sampled_from("ab"), st.sampled_from(["start", "end", "error", "exists"]),
        st.integers(0, 100), st.sampled_from([REQUEST, OTHER, None]),
        st.sampled_from([VM, "2", None]), st.sampled_from(["compute", "api"]),
    ),
    max_size=30,
)  # fmt: skip


def test_what_was_given_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nova-api.log"
    path.write_text("".join(
        f"2026-03-10 12:00:0{second}.500 1 INFO nova.api.openstack [{request} u p - - -] POST\n"
        + logged("compute.instance.create.start", second, request, {"instance_id": f"{second}"}) + "\n"
        for second, request in enumerate((REQUEST, OTHER, REQUEST[:-1] + "0"))
    ))  # fmt: skip
    assert main(["events", "--rows", "pairs", str(path)]) == 0
    assert capsys.readouterr().err == ""
    for kind, most in ((PairFinder, 1), (RequestFinder, 2)):
        monkeypatch.setattr(kind.__init__, "__defaults__", (most,))
    assert main(["events", "--rows", "pairs", str(path)]) == 0
    assert capsys.readouterr().err == (
        "opslog: 2 starts had no end when 1 later ones waited: they are told as 'no end', and an "
        "end that came later as 'no start'\n"
        "opslog: 1 requests were followed no further when 2 later ones were: what ended later is "
        "not counted in their time\n"
    )


@given(lines=EVENTS, cuts=st.lists(st.integers(0, 30)), most=st.integers(1, 5))
def test_batches_never_show_and_every_start_and_end_is_in_one_pair(
    lines: list[str], cuts: list[int], most: int
) -> None:
    whole = pa.Table.combine_chunks(table("".join(f"{line}\n" for line in lines).encode()))
    ends = [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [whole.slice(begin, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
    collectors = [
        EventCollector(pairs=PairFinder(most), requests=RequestFinder(most)) for _ in range(2)
    ]
    one, other = (
        list(event_rows([b for t in tables for b in t.to_batches()], collector))
        for tables, collector in zip(([whole], parts), collectors, strict=True)
    )
    assert one == other
    assert collectors[0].summary.rows() == collectors[1].summary.rows()
    told = Counter(
        offset
        for row in one
        if isinstance(row, Pair)
        for offset in (row.start_offset, row.end_offset)
        if offset is not None
    )
    phases = {"start", "end", "error"}
    wanted = Counter(
        row.source_offset for row in one if isinstance(row, Notification) and row.phase in phases
    )
    repeated = sum(row.repeated for row in one if isinstance(row, Pair))
    assert set(told.values()) <= {1}
    assert set(told) <= set(wanted)
    assert len(told) + repeated == len(wanted)
    by_offset = {row.source_offset: row for row in one if isinstance(row, Notification)}
    for row in one:
        if isinstance(row, Pair) and row.start_offset is not None and row.end_offset is not None:
            start, end = by_offset[row.start_offset], by_offset[row.end_offset]
            assert start.event == end.event
            assert {start.request_id, end.request_id} != {REQUEST, OTHER}
            assert {start.resource_id, end.resource_id} != {VM, "2"}


@given(lines=EVENTS)
def test_a_summary_counts_what_the_rows_say(lines: list[str]) -> None:
    collector = EventCollector()
    found = list(
        event_rows(table("".join(f"{line}\n" for line in lines).encode()).to_batches(), collector)
    )
    for one in collector.summary.rows():
        own = [row for row in found if isinstance(row, Pair) and row.event == one.event]
        counts = Counter(row.status for row in own)
        assert (one.ended, one.failed, one.no_end) == (
            counts["ended"],
            counts["failed"],
            counts["no end"],
        )
        assert one.no_start == counts["no start"]
        assert one.notifications == sum(
            isinstance(r, Notification) and r.event == one.event for r in found
        )
        assert one.requests == sum(
            isinstance(r, EventRequest) and r.event == one.event for r in found
        )


def test_rows_are_the_same_as_batches_and_json() -> None:
    found = rows(API.format(1, REQUEST), logged("a.start", 3), logged("a.end", 5))
    for kind in (Notification, Pair, EventRequest):
        own = [row for row in found if isinstance(row, kind)]
        batch = batch_of_rows(own, kind)
        assert batch.schema == arrow_schema(kind)
        for row, values in zip(own, batch.to_pylist(), strict=True):
            told = json_row(row)
            assert set(told) == {name for name, value in values.items() if value is not None}
    assert {"p50", "requests"} <= set(arrow_schema(EventSummary).names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two logs whose records stand between each other's."""
    one = [API.format(1, REQUEST), logged("a.end", 5), logged("b.start", 6)]
    other = [
        logged("a.start", 3),
        logged("c.end", 7),
        logged("d.error", 8, payload={"message": "\x1b[31mx"}),
    ]
    for name, lines in (("a.log", one), ("b.log", other)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    return tmp_path


def test_several_files_are_read_in_the_order_of_time(folder: Path) -> None:
    said = opslog("events", "--rows", "pairs", str(folder)).stdout.splitlines()
    found = [json.loads(line) for line in said]
    assert [(one["event"], one["status"]) for one in found] == [
        ("a", "ended"), ("c", "no start"), ("d", "no start"), ("b", "no end"),
    ]  # fmt: skip
    assert found[0]["since_request"] == 4.5
    reversed_ = list(
        event_rows(library.read(folder / "b.log", folder / "a.log", timezone="+02:00"))
    )
    assert [row.event for row in reversed_ if isinstance(row, Pair)] == ["a", "c", "d", "b"]


def test_the_command_writes_the_rows_asked_for(folder: Path) -> None:
    out = folder / "out" / "x.parquet"
    out.parent.mkdir()
    for kind, count in (
        ("events", 5),
        ("pairs", 4),
        ("orphans", 3),
        ("requests", 1),
        ("summary", 4),
    ):
        said = opslog("events", "--rows", kind, str(folder / "?.log"))
        assert len(said.stdout.splitlines()) == count, kind
        assert opslog("events", "--rows", kind, "-o", str(out), str(folder / "?.log")).stdout == b""
        assert pq.read_table(out).num_rows == count
    assert [path.name for path in out.parent.iterdir()] == ["x.parquet"]


def test_flags_that_make_no_sense_together_are_errors(folder: Path) -> None:
    for flags, expected in (
        (["-o", "x.jsonl"], b"-o: expected --rows"),
        (["--rows", "pairs", "-o", "x.csv"], b"expected a name that ends with .jsonl or .parquet"),
        (["--rows", "pairs", "--color", "always"], b"--color always: has no effect"),
    ):
        said = opslog("events", *flags, str(folder))
        assert (said.returncode, said.stdout) == (2, b"")
        assert expected in said.stderr
    nothing = opslog("events", "--request", "req-none", str(folder))
    assert (nothing.returncode, nothing.stdout) == (1, b"no events\n")


@pytest.mark.parametrize("width", [60, 80, 160])
def test_text_fits_the_terminal_and_is_escaped(folder: Path, width: int) -> None:
    shown = re.sub(r"\x1b\[\d*m", "", on_terminal(width, "events", str(folder)))
    assert "\x1b" not in shown
    assert "\\x1b[31mx" in shown
    # What is to be copied is not broken.
    lines = [line for line in shown.splitlines() if not line.startswith("  opslog ")]
    assert max(map(len, lines)) <= width


def place_of(one: Notification) -> tuple[str, str, str | None]:
    if one.resource_id:
        return one.event, "resource", one.resource_id
    if one.request_id:
        return one.event, "request", one.request_id
    return one.event, "publisher", one.publisher_id


def nearest(waiting: list[Notification], end: Notification) -> Notification | None:
    """Return the start an end takes, told as the documents tell it."""
    places = [place_of(end)]
    if end.resource_id and end.request_id:
        places.append((end.event, "request", end.request_id))
    for place in places:
        fitting = [
            (one.request_id == end.request_id, one.host_name == end.host_name, number)
            for number, one in enumerate(waiting)
            if place_of(one) == place
            and (None in (one.request_id, end.request_id) or one.request_id == end.request_id)
        ]
        if fitting:
            return waiting[max(fitting)[2]]
    return None


@given(lines=EVENTS)
def test_an_end_takes_the_nearest_start_that_waits(lines: list[str]) -> None:
    found = rows(*lines)
    taken = {row.end_offset: row.start_offset for row in found if isinstance(row, Pair)}
    waiting: list[Notification] = []
    for one in found:
        if not isinstance(one, Notification):
            continue
        if one.phase == "start":
            same = [place_of(other) for other in waiting if other.message_id == one.message_id]
            if place_of(one) not in same:
                waiting.append(one)
        elif one.phase in ("end", "error"):
            start = nearest(waiting, one)
            assert taken[one.source_offset] == (start and start.source_offset)
            if start is not None:
                waiting.remove(start)


def test_starts_that_tell_nothing_are_no_attempts_of_each_other() -> None:
    starts = [sent("a.b.start", n, {}, _context_request_id=None) for n in range(3)]
    assert told(pairs(*starts)) == [("no end", None, 1, False)] * 3
