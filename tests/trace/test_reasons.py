"""Why a call was refused, what had happened before, and whose clock is to be believed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

import opslog as library
from opslog.trace import Story, trace
from opslog.trace.errors import first_error
from opslog.trace.lifeline import lifeline
from opslog.trace.plain import plain

A, B, C = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abc")
X, Y = (f"{n * 8}-1111-4000-8000-000000000000" for n in "ef")
PORT, VOLUME = "3f98e277-4cbd-47ad-9c90-a9587403e430", "0d7c4402-32c8-448e-8a34-b2d714bfb9e0"


def line(
    second: float, logger: str, request: str, body: str, level: str = "INFO", user: str = "u p"
) -> str:
    return f"2026-03-10 10:00:{second:06.3f} 7 {level} {logger} [None {request} {user} - - d d] {body}\n"


def answer(second: float, request: str, call: str, status: int, user: str = "u p") -> str:
    body = f'10.0.0.2 "{call} HTTP/1.1" status: {status} len: 9 time: 0.3000000'
    return line(second, "nova.osapi_compute.wsgi.server", request, body, user=user)


def told(folder: Path, asked: str, **files: str) -> Story:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".log")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return trace(library.read(folder), asked)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("HTTP exception thrown: Flavor with name small already exists.", "INFO"),
        ("Returning 409 to user: Flavor with name small already exists.", "DEBUG"),
        ("POST failed (client error): Access was denied to this resource.", "INFO"),
        ("Quota exceeded for demo, tried to create 5000G volume", "WARNING"),
        ("Policy doesn't allow os_compute_api:x to be performed.", "DEBUG"),
    ],
)
def test_what_a_user_was_refused_has_a_reason(said: str, level: str, tmp_path: Path) -> None:
    text = (
        line(1, "nova.api", A, "Action: 'create'")
        + line(1.1, "nova.api.openstack.wsgi", A, said, level)
        + answer(1.3, A, "POST /v2.1/flavors", 409)
    )
    story = told(tmp_path, A, nova=text)
    number = first_error(story)
    assert number is not None
    assert story.records[number].body == said
    assert plain(story, 1.0)["reason"] == said


STACK = "22222222-1111-4000-8000-000000000000"
FAILED = (
    "Stack CREATE FAILED (web): Resource CREATE failed: Forbidden: resources.server: Quota exceeded"
)


@pytest.mark.parametrize(
    ("nova", "reason"),
    [
        ("", FAILED),
        (
            line(3, "nova.api.openstack.wsgi", B, "HTTP exception thrown: Quota exceeded for cores")
            + answer(3.1, B, "POST /v2.1/servers", 403),
            "HTTP exception thrown: Quota exceeded for cores",
        ),
        (answer(3.1, B, "GET /v2.1/servers/x", 404), FAILED),  # it asked whether it is there
    ],
)
def test_a_stack_that_failed_has_a_reason(nova: str, reason: str, tmp_path: Path) -> None:
    heat = (
        answer(1, A, "POST /v1/p/stacks", 201)
        + line(2, "heat.engine.stack", A, "Stack CREATE IN_PROGRESS (web): Stack CREATE started")
        + line(2, "heat.engine.resource", A, f'creating Server "s" Stack "web" [{STACK}]')
        + line(4, "heat.engine.stack", A, FAILED)
    )
    story = told(tmp_path, A, heat=heat, nova=nova.replace(f"[None {B}", f"[{A} {B}"))
    assert plain(story, 1.0)["reason"] == reason
    number = first_error(story)
    assert number is not None
    assert story.records[number].body == reason
    life = lifeline(told(tmp_path, STACK))
    assert life is not None
    assert [one.label for one in life.operations] == ["create failed"]


def test_what_was_not_refused_has_no_reason(tmp_path: Path) -> None:
    story = told(tmp_path, A, nova=answer(1.3, A, "POST /v2.1/servers", 202))
    assert first_error(story) is None
    assert plain(story, 1.0)["reason"] is None


def test_waiting_until_a_resource_is_gone_is_no_failure(tmp_path: Path) -> None:
    text = answer(1, A, f"DELETE /v2.1/servers/{X}", 204) + answer(
        9, B, f"GET /v2.1/servers/{X}", 404
    )
    assert first_error(told(tmp_path, X, nova=text)) is None
    assert first_error(told(tmp_path, B, nova=text)) is not None


def test_a_resource_that_broke_earlier_is_told(tmp_path: Path) -> None:
    story = told(
        tmp_path, B,
        cmp1__nova=line(
            1, "nova.compute.manager", A, f"[instance: {X}] Instance failed to spawn: KeyError: 'dns'", "ERROR"
        ),
        ctl1__nova=line(
            9, "nova.api.openstack.wsgi", B,
            f"HTTP exception thrown: Cannot 'attach_volume' instance {X} while it is in vm_state error",
        ) + answer(9.1, B, f"POST /v2.1/servers/{X}/os-volume_attachments", 409),
    )  # fmt: skip
    [note] = story.notes
    assert (note.kind, note.request) == ("broke earlier", A)
    assert "failed at 2026-03-10 10:00:01Z on cmp1" in note.text
    assert "KeyError: 'dns'" in note.text


def test_the_likely_answer_of_a_request_is_named_if_there_is_only_one(tmp_path: Path) -> None:
    begun = line(1, "nova.api", A, "Action: 'create'")
    lost = answer(1.31, B, "POST /v2.1/servers", 500, user="- -")
    story = told(tmp_path, A, nova=begun + lost)
    assert [(note.kind, note.request) for note in story.notes] == [("likely answer", B)]
    also = answer(1.32, C, "GET /v2.1/servers", 500, user="- -")
    assert not told(tmp_path, A, nova=begun + lost + also).notes
    named = answer(1.31, B, "POST /v2.1/servers", 500)
    assert not told(tmp_path, A, nova=begun + named).notes


def failed_on(host: str, second: float, told_by: float) -> dict[str, str]:
    raised = "libvirt.libvirtError: internal error"
    head = line(
        second,
        "nova.compute.manager",
        A,
        f"[instance: {X}] Instance failed to spawn: {raised}",
        "ERROR",
    )
    prefix = f"2026-03-10 10:00:{second:06.3f} 7 ERROR nova.compute.manager [instance: {X}] "
    trace_text = "".join(
        f"{prefix}{text}\n"
        for text in ("Traceback (most recent call last):", '  File "/x.py", line 1, in f', raised)
    )
    quote = f"[instance: {X}] Error from last host: {host} (node {host}): ['Traceback (most recent call last):\\\\n', '{raised}\\\\n']"
    return {
        f"{host}__nova-compute": head + trace_text,
        "ctl1__nova-conductor": line(told_by, "nova.scheduler.utils", A, quote, "ERROR"),
    }


@pytest.mark.parametrize("behind", [0, 1.4, 50])
def test_what_repeats_an_exception_comes_after_it_whatever_the_clocks_say(
    behind: float, tmp_path: Path
) -> None:
    story = told(tmp_path, A, **failed_on("cmp1", 55, 55.5 - behind))
    number = first_error(story)
    assert number == 0
    assert (story.records[0].body or "").startswith("Instance failed to spawn")
    apart = {"ctl1": 0.0, "cmp1": 0.0} | {
        host: by.total_seconds() for host, by in story.clocks.items()
    }
    assert apart["cmp1"] - apart["ctl1"] == (0 if not behind else pytest.approx(behind - 0.5))


def test_a_call_that_seems_to_begin_before_its_caller_tells_of_a_clock(tmp_path: Path) -> None:
    called = (
        f"2026-03-10 10:00:01.000 9 INFO placement.requestlog [{A} {B} u p - - d d] "
        '10.0.0.7 "GET /allocations/x" status: 200 len: 3 microversion: 1.36\n'
    )
    story = told(
        tmp_path, A, ctl2__placement=called, ctl1__nova=answer(5.3, A, "GET /v2.1/servers", 200)
        + line(5.31, "nova.api", A, "done"),
    )  # fmt: skip
    assert story.clocks == {"ctl2": timedelta(seconds=-4)}
    [top] = story.requests
    assert top.children[0].begin == top.begin


def test_clocks_that_may_be_right_are_taken_to_be(tmp_path: Path) -> None:
    story = told(
        tmp_path, A,
        ctl1__nova=answer(1.3, A, "POST /v2.1/servers", 202),
        cmp1__nova=line(2, "nova.compute.manager", A, "Starting"),
    )  # fmt: skip
    assert not story.clocks


# -- what is about a resource ---------------------------------------------------------------------


def test_the_story_of_an_instance_is_not_that_of_others(tmp_path: Path) -> None:
    text = (
        answer(1, A, "POST /v2.1/servers", 202)
        + line(2, "nova.compute.claims", A, f"[instance: {X}] Claim successful on node cmp1")
        + answer(11, B, "POST /v2.1/servers", 202)
        + line(12, "nova.compute.claims", B, f"[instance: {Y}] Claim successful on node cmp1")
        + line(13, "nova.scheduler.host_manager", B, f"Update host state with instances: ['{X}']")
        + line(14, "nova.compute.resource_tracker", B, f"Instance {X} actively managed on this compute host")
        + line(15, "nova.compute.manager", B, f"[instance: {Y}] failed", "ERROR")
    )  # fmt: skip
    story = told(tmp_path, X, nova=text)
    assert [one.id for one in story.requests] == [A]
    assert first_error(story) is None


def test_a_call_refused_under_another_id_does_not_bring_that_request(tmp_path: Path) -> None:
    text = (
        answer(1, A, f"POST /v2.1/servers/{X}/action", 202)
        + line(8, "keystonemiddleware.auth_token", A, "Authorization failed", "WARNING")
        + answer(8.1, A, f"GET /v2.1/servers/{Y}", 401)
    )
    story = told(tmp_path, Y, nova=text)
    assert not story.requests
    assert [record.http_status for record in story.records] == [401]
    assert [record.http_status for record in told(tmp_path, X, nova=text).records] == [202]


def test_ports_and_volumes_bring_the_records_of_no_request(tmp_path: Path) -> None:
    story = told(
        tmp_path, X,
        nova=line(1, "nova.compute.manager", A, f"[instance: {X}] Attaching volume {VOLUME} to /dev/vdb")
        + line(2, "nova.api", B, f"Creating event network-vif-plugged:{PORT} for instance {X} on cmp2"),
        agent=f"2026-03-10 10:00:03.000 9 ERROR neutron.agent [-] Failed to provision metadata for port {PORT}\n"
        f"2026-03-10 10:00:04.000 9 ERROR os_brick [-] volume {VOLUME} is gone\n"
        f"2026-03-10 10:00:05.000 9 ERROR os_brick [-] volume {Y} is gone\n",
    )  # fmt: skip
    bodies = [record.body or "" for record in story.records]
    assert [body.split()[-1] for body in bodies[-2:]] == [PORT, "gone"]
    assert len(bodies) == 4


def test_a_story_of_a_port_is_part_of_its_instances(tmp_path: Path) -> None:
    text = line(
        1, "nova.api", A, f"Creating event network-vif-plugged:{PORT} for instance {X} on cmp2"
    ) + answer(1.1, B, f"DELETE /v2.0/ports/{PORT}", 204)
    places = [
        {(r.source, r.source_offset) for r in told(tmp_path, asked, nova=text).records}
        for asked in (PORT, X)
    ]
    assert places[0] <= places[1]


def test_a_call_told_on_two_lines_has_its_answer_and_reason(tmp_path: Path) -> None:
    url, wsgi = "http://10.0.0.5:8776/v3/volumes", "cinder.api.openstack.wsgi"
    text = (
        line(1, wsgi, A, f"DELETE {url}/{VOLUME}")
        + line(1.1, wsgi, A, "HTTP exception thrown: Volume status must be available.")
        + line(1.2, wsgi, A, f"{url}/{VOLUME} returned with HTTP 400")
    )
    story = told(tmp_path, A, cinder_api=text)
    call = story.requests[0].call
    assert call is not None
    assert (call.method, call.status) == ("DELETE", 400)
    assert call.duration == pytest.approx(0.2)
    assert plain(story, 1.0)["reason"] == "HTTP exception thrown: Volume status must be available."


def test_the_clock_of_who_answered_is_known_where_all_have_one_program(tmp_path: Path) -> None:
    def record(host: str, second: float, logger: str, body: str) -> str:
        told = {
            "message": body, "asctime": f"2026-03-10 10:00:{second:02.0f}", "name": logger,
            "levelname": "INFO", "created": 1773136800.0 + second, "process": 7, "traceback": None,
            "hostname": host, "context": {"request_id": A, "user_id": "u"}, "extra": {},
        }  # fmt: skip
        return json.dumps(told) + "\n"

    call = '10.0.0.2 "POST /v2.1/servers HTTP/1.1" status: 202 len: 9 time: 0.3'
    api = record("ctl1", 8, "nova.osapi_compute.wsgi.server", call)
    compute = "".join(record("cmp1", 5 + n, "nova.compute.manager", f"step {n}") for n in range(2))
    story = told(tmp_path, A, api=api, compute=compute)
    assert story.clocks == {"ctl1": timedelta(seconds=2.7)}


@pytest.mark.parametrize(("answered", "first"), [(1.9, "cinder"), (2.1, "nova")])
def test_what_fails_behind_an_error_is_cleaning_up(
    answered: float, first: str, tmp_path: Path
) -> None:
    called = answer(answered, B, "DELETE /v3/attachments/1", 404).replace("None", A)
    story = told(
        tmp_path,
        A,
        nova=line(1, "nova.api", A, "at work")
        + line(2, "nova.compute.manager", A, "Failed to attach", level="ERROR"),
        cinder=called,
    )
    number = first_error(story)
    assert number is not None
    assert (story.records[number].source or "").endswith(f"{first}.log")
