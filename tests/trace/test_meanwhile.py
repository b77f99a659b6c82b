"""Errors elsewhere, in the time of a failure, that no user's request tells of."""

from __future__ import annotations

from pathlib import Path

import opslog as library
from opslog.trace import trace

REQUEST, OTHER, PERIODIC = (f"req-{n * 8}-0000-4000-8000-000000000000" for n in "abc")
INSTANCE = "eeeeeeee-1111-4000-8000-000000000000"


def line(clock: str, level: str, logger: str, context: str, body: str) -> str:
    return f"2026-03-10 {clock} 7 {level} {logger} [{context}] {body}\n"


def failing(level: str = "ERROR", status: int = 500) -> str:
    user = f"None {REQUEST} u p - - d d"
    return (
        line("10:00:01.000", "INFO", "nova.api", user, "Action: 'create'")
        + line("10:00:04.000", level, "nova.api.wsgi", user, "Returning it to the user")
        + line("10:00:04.100", "INFO", "nova.osapi_compute.wsgi.server", user,
               f'10.0.0.2 "POST /v2.1/servers HTTP/1.1" status: {status} len: 9 time: 3.1')
    )  # fmt: skip


def meanwhile(folder: Path, *others: str, nova: str | None = None, id: str = REQUEST) -> list[str]:  # noqa: A002
    (folder / "nova-api.log").write_text(failing() if nova is None else nova)
    (folder / "neutron-openvswitch-agent.log").write_text("".join(others))
    story = trace(library.read(folder), id)
    assert story.records
    return [note.text for note in story.notes if note.kind == "meanwhile"]


def agent(clock: str, body: str, level: str = "ERROR", context: str = "-") -> str:
    return line(clock, level, "oslo.messaging._drivers.impl_rabbit", context, body)


def test_a_new_error_elsewhere_is_told(tmp_path: Path) -> None:
    gone = agent("10:00:02.500", "[0f1e] AMQP server on 10.0.0.9:5672 is unreachable")
    assert meanwhile(tmp_path, agent("09:30:00.000", "fine", "INFO"), gone) == [
        "10:00:02Z neutron-openvswitch-agent: [0f1e] AMQP server on 10.0.0.9:5672 is unreachable"
    ]


def test_what_is_said_again_is_counted_once(tmp_path: Path) -> None:
    lost = [agent(f"10:00:0{n}.000", f"[{n}f1e] AMQP server on 10.0.0.{n}:5672 is unreachable")
            for n in (3, 1, 2)]  # fmt: skip
    [told] = meanwhile(tmp_path, *lost)
    assert told.startswith("10:00:01Z ")
    assert told.endswith("10.0.0.1:5672 is unreachable (3 times)")


def test_what_was_said_before_is_nothing_new(tmp_path: Path) -> None:
    before = agent("09:40:00.000", "Connection 17 failed: timed out after 3 s")
    again = agent("10:00:02.000", "Connection 18 failed: timed out after 4 s")
    assert meanwhile(tmp_path, before, again) == []
    assert len(meanwhile(tmp_path, before.replace("09:40", "08:20"), again)) == 1


def test_what_is_said_at_another_time_is_not_of_it(tmp_path: Path) -> None:
    assert meanwhile(tmp_path, agent("10:00:20.000", "gone")) == []
    assert meanwhile(tmp_path, agent("09:59:40.000", "gone")) == []


def test_what_another_users_request_tells_is_its_own(tmp_path: Path) -> None:
    context = f"None {OTHER} someone p - - d d"
    assert meanwhile(tmp_path, agent("10:00:02.000", "gone", context=context)) == []


def test_a_process_own_context_is_nobodys(tmp_path: Path) -> None:
    context = f"None {PERIODIC} - - - - - -"
    assert len(meanwhile(tmp_path, agent("10:00:02.000", "gone", context=context))) == 1


def test_only_errors_are_told(tmp_path: Path) -> None:
    assert meanwhile(tmp_path, agent("10:00:02.000", "gone", "WARNING")) == []


def test_a_story_without_a_failure_looks_for_none(tmp_path: Path) -> None:
    gone = agent("10:00:02.000", "gone")
    assert meanwhile(tmp_path, gone, nova=failing("INFO", 202)) == []
    assert meanwhile(tmp_path, gone, nova=failing("INFO", 409)) == []


def test_a_resource_that_failed_is_told_of_its_time(tmp_path: Path) -> None:
    about = failing().replace("Returning it", f"[instance: {INSTANCE}] Returning it")
    [told] = meanwhile(tmp_path, agent("10:00:02.000", "gone"), nova=about, id=INSTANCE)
    assert told == "10:00:02Z neutron-openvswitch-agent: gone"


def test_of_many_kinds_the_first_are_told(tmp_path: Path) -> None:
    words = ("one", "two", "three", "four", "five", "six", "seven")
    lines = [agent(f"10:00:02.{n}00", f"cannot {word}") for n, word in enumerate(words)]
    told = meanwhile(tmp_path, *lines)
    assert [text.rpartition(" ")[2] for text in told[:5]] == list(words[:5])
    assert told[5:] == ["2 more kinds of errors"]
