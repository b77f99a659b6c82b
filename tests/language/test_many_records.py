"""Long logs that the real oslo.log writes: no record is lost, split or joined, each field is right."""

from __future__ import annotations

import logging
import random
import uuid

import pytest
from oslo_context import context as oslo_context

from helpers import table
from oslo_records import (  # noqa: F401
    expected_body,
    expected_exception,
    formatter,
    raised,
    sets,
    utc,
)

WORDS = (
    "[-]", "[req-1]", "[instance: x]", "[instance: not-a-uuid] ", "Traceback", "]", "[u'a']", "{", ": ",
    "{'a': \"b\"}", "%s", "é", "  ", "/usr/x.py", "12", "\\n", "#012", "None", "-", "ERROR", "WARNING",
    "INFO:", "ERROR nova.x boom", "key=value a=b", "| a | b |", "<xml/>", "GET http://a/b",
    "2024-01-01 10:00:00.123 12 INFO nova.x [-] quoted",
)  # fmt: skip
MORE = (
    "more", "  indented", "", "Command: ['a']", "Exit code: 1", "| a | b |", "<domain>", "{'x': 1}",
    "key=value a=b", "Stderr: 2016-01-29 10:00:00.123 12 INFO nova.x [-] quoted",
)  # fmt: skip
LOGGERS = ("nova.compute.manager", "root", "oslo_messaging._drivers.x", "amqp-1", "keystone")


def message(rng: random.Random) -> str:
    """A message that does not begin with a bracket, as only one of a resource would be lost."""
    first = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 6))).lstrip(" [") or "x"
    return "\n".join([first, *rng.choices(MORE, k=rng.choice([0, 0, 0, 1, 3]))])


def record(
    rng: random.Random, milliseconds: int
) -> tuple[logging.LogRecord, oslo_context.RequestContext | None]:
    def some_id() -> str:
        return str(uuid.UUID(int=rng.getrandbits(128)))

    one = logging.LogRecord(
        rng.choice(LOGGERS), rng.choice([10, 20, 30, 40, 50]), "/usr/lib/python3/nova/x.py",
        rng.randrange(1, 9999), message(rng), (), None, func="_send",
    )  # fmt: skip
    one.created, one.msecs = milliseconds / 1000, milliseconds % 1000
    one.process = rng.choice([7, 31, 2412])
    if rng.random() < 0.15:
        one.exc_info = raised(rng.randrange(6), rng.choice(["x", "line\nmore", "'flavor'", "a] b"]))
    if rng.random() < 0.3:
        one.instance_uuid = some_id()
    if rng.random() < 0.05:
        one.stack_info = 'Stack (most recent call last):\n  File "/x.py", line 1, in f\n    g()'
    one.context = context = None
    if rng.random() < 0.6:
        context = oslo_context.RequestContext(
            request_id=f"req-{some_id()}", user_id=rng.choice([None, some_id()]),
            global_request_id=rng.choice([None, f"req-{some_id()}"]), overwrite=False,
        )  # fmt: skip
        one.context = context
    return one, context


@pytest.mark.parametrize("count", [100, pytest.param(1500, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("options", [*sets(devstack=False), *sets(devstack=True)])
def test_every_record_of_a_long_log_is_whole(options: dict[str, str], count: int) -> None:
    rng = random.Random(count)
    written = formatter(options)
    given, lines, time = [], [], 1_700_000_000_000
    for _ in range(count):
        time += rng.randrange(1, 900)
        given.append(record(rng, time))
        lines.append(written.format(given[-1][0]).encode() + b"\n")
    rows = table(b"".join(lines), original=True).to_pylist()
    assert [row["original"] for row in rows] == lines
    colored = any("\x1b" in value for value in options.values())
    for row, (one, context) in zip(rows, given, strict=True):
        assert row["severity_text"] == one.levelname
        assert row["logger"] == one.name
        for column, value in expected_exception(one).items():
            assert row[column] == value
        if not colored:  # a body that ends in a color is asked for elsewhere
            assert row["body"] == expected_body(one)
        if context is not None:
            assert row["request_id"] == context.request_id
