"""What the real oslo.log is given to write, and what must be read back of it."""

from __future__ import annotations

import logging
import os
import sys
import time
import tomllib
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from oslo_config import cfg
from oslo_context import context as oslo_context
from oslo_log import formatters
from oslo_log import log as oslo_log

from helpers import table
from opslog.language.percent import OPTION_NAMES
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog


@pytest.fixture(autouse=True, scope="module")
def utc() -> Iterator[None]:
    """oslo.log prints local time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def formatter(options: dict[str, str]) -> formatters.ContextFormatter:
    conf = cfg.ConfigOpts()
    oslo_log.register_options(conf)
    conf([], project="opslog", default_config_files=[])
    for name, value in options.items():
        # Older contexts had other keys for the same values.
        for old, new in (("%(tenant)s", "%(project)s"), ("%(user_id)s", "%(user)s")):
            value = value.replace(old, new)
        conf.set_override(name, value)
    return formatters.ContextFormatter(datefmt=conf.log_date_format, config=conf)


def sets(devstack: bool) -> list[Any]:
    """The option sets of the shipped format, as oslo.log would be configured with them."""
    data = tomllib.loads((catalog.folder() / "oslo.text.toml").read_text())
    return [
        pytest.param({k: v for k, v in one.items() if k in OPTION_NAMES}, id=one["release"])
        for one in data["oslo"]
        if one["release"].startswith("DevStack") == devstack
    ]


# -- what is logged ---------------------------------------------------------------

PRINTABLE = st.characters(
    codec="utf-8", exclude_characters="\r\n\x00\x1b", exclude_categories=["Cs"]
)
PIECES = st.sampled_from(
    ["[-]", "[req-1]", "[instance: x]", "Traceback", "]", "[u'a']", "{'a': \"b\"}", ": ", "%s", "é", "  ",
     "GET http://a/b", "/usr/x.py", "func /usr/x.py", "12", "\\n", "#012", "None", "-", "ERROR"]
)  # fmt: skip
WORDS = st.one_of(st.text(PRINTABLE, max_size=20), PIECES)
LINE = st.lists(WORDS, max_size=5).map(" ".join)
MESSAGES = st.lists(LINE, min_size=1, max_size=4).map("\n".join)
IDS = st.one_of(st.uuids().map(lambda u: u.hex), st.uuids().map(str))
REQUESTS = st.uuids().map(lambda u: f"req-{u}")
LEVELS = st.sampled_from([10, 20, 21, 30, 40, 50])


def plain(message: str) -> bool:
    """Whether no line of the message is itself a line of a log or of a stack."""
    program = Catalog.default().lines.program
    first, *others = message.split("\n")
    # "[instance: x] " and "[type-UUID] " are resources wherever they come from.
    leaf = program.probe(f"2024-01-01 00:00:00.000 1 INFO a [-] {first} x".encode())[0]
    if "resource_id" in Catalog.default().lines.leaves[leaf].slots:
        return False
    return (
        all(
            program.probe(line.encode())[0] < 0
            and line != "Stack (most recent call last):"
            and not (" ERROR " in line or line.startswith("ERROR "))
            for line in others
        )
        and "['Traceback" not in message
        and "[u'Traceback" not in message
    )


MESSAGE = MESSAGES.filter(plain)

logging.addLevelName(21, "AUDIT")


class NastyError(Exception):
    """An exception of a module."""


def raised(kind: int, text: str) -> Any:
    """Raise an exception of one of several shapes and return its exc_info."""
    try:
        if kind == 0:
            raise NastyError(text)
        if kind == 1:
            raise KeyError(text)
        if kind == 2:
            try:
                raise ValueError("first\n\nDuring")
            except ValueError:
                raise NastyError(text) from None
        if kind == 3:
            try:
                raise ValueError("cause")
            except ValueError as cause:
                raise NastyError(text) from cause
        if kind == 4:
            try:
                raise ValueError("context: x\n  indented")
            except ValueError:
                raise NastyError(text)  # noqa: B904
        raise ExceptionGroup(text, [ValueError("a"), NastyError("b")])
    except Exception:
        return sys.exc_info()


@st.composite
def log_records(draw: st.DrawFn) -> tuple[logging.LogRecord, oslo_context.RequestContext | None]:
    # The process id is drawn, too: containers print small ones.
    record = logging.LogRecord(
        draw(
            st.sampled_from(["nova.compute.manager", "root", "oslo_messaging._drivers.x", "amqp-1"])
        ),
        draw(LEVELS),
        draw(st.sampled_from(["/usr/lib/python3/nova/x.py", "<string>", "/opt/a-b/c_d.pyx"])),
        draw(st.integers(1, 99999)),
        draw(MESSAGE),
        (),
        None,
        func=draw(st.sampled_from(["_send", "<lambda>", "<module>", "f"])),
    )
    record.created = draw(st.integers(1_300_000_000_000, 1_900_000_000_000)) / 1000
    record.msecs = round(record.created * 1000) % 1000
    record.process = draw(st.integers(1, 4_000_000))
    if draw(st.booleans()):
        text = draw(MESSAGE)
        # Behind the prefix, a line "[-] ..." is a head to every reader.
        assume(not any(line.startswith("[") for line in text.split("\n")))
        record.exc_info = raised(draw(st.integers(0, 5)), text)
    if draw(st.booleans()):
        record.instance_uuid = str(draw(st.uuids()))
    if draw(st.integers(0, 4)) == 0:
        record.stack_info = 'Stack (most recent call last):\n  File "/x.py", line 1, in f\n    g()'
    record.context = context = None  # not the one of the thread
    if draw(st.booleans()):
        ids = st.one_of(st.none(), IDS)
        context = oslo_context.RequestContext(
            request_id=draw(REQUESTS), global_request_id=draw(st.one_of(st.none(), REQUESTS)),
            user_id=draw(ids), project_id=draw(ids), domain_id=draw(ids),
            user_domain_id=draw(ids), project_domain_id=draw(ids),
            system_scope=draw(st.sampled_from([None, "all"])),
            user_name=draw(st.sampled_from([None, "admin", "jane"])),
            project_name=draw(st.sampled_from([None, "demo", "service"])),
            overwrite=False,
        )  # fmt: skip
        record.context = context
    return record, context


def expected_body(record: logging.LogRecord) -> str:
    body = record.getMessage()
    summary = formatters._get_error_summary(record)
    body = f"{body}: {summary}" if summary else body
    if (record.exc_info or record.stack_info) and record.levelno != logging.DEBUG:
        # logging.Formatter takes a newline at the end for the one it would put there.
        body = body.removesuffix("\n")
    return body


def expected_exception(record: logging.LogRecord) -> dict[str, str | None]:
    wanted: dict[str, str | None] = dict.fromkeys(
        ["exception_type", "exception_message", "exception_stacktrace"]
    )
    parts = []
    if record.exc_info:
        kind, value, _ = record.exc_info
        assert kind is not None
        parts.append("".join(traceback.format_exception(*record.exc_info)).removesuffix("\n"))
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        wanted["exception_type"] = f"{module}{kind.__qualname__}"
        wanted["exception_message"] = str(value)
    if record.stack_info:
        parts.append(record.stack_info)
    wanted["exception_stacktrace"] = "\n".join(parts) if parts else None
    return wanted


def expected_time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(round(record.created * 1000) // 1000, UTC).replace(
        microsecond=int(record.msecs) * 1000
    )


def null(value: str | None) -> str | None:
    return None if value in ("-", "None", "") else value


def one(line: str, **options: Any) -> dict[str, Any]:
    rows = table(line.encode() + b"\n", **options).to_pylist()
    assert len(rows) == 1, rows
    row: dict[str, Any] = rows[0]
    return row
