"""What the real oslo.log writes, opslog reads back, field by field."""

from __future__ import annotations

import logging
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oslo_context import context as oslo_context
from oslo_log import formatters

from oslo_records import (  # noqa: F401
    IDS,
    LEVELS,
    LINE,
    MESSAGE,
    MESSAGES,
    PRINTABLE,
    REQUESTS,
    WORDS,
    NastyError,
    expected_body,
    expected_exception,
    expected_time,
    formatter,
    log_records,
    null,
    one,
    plain,
    raised,
    sets,
    utc,
)

# -- every default there was ------------------------------------------------------------


@pytest.mark.parametrize("options", sets(devstack=False))
@given(pair=log_records())
def test_every_default_is_read_back(
    options: dict[str, str],
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None],
) -> None:
    record, context = pair
    row = one(formatter(options).format(record))
    assert row["body"] == expected_body(record)
    fmt = options.get(f"logging_{'context' if context else 'default'}_format_string", "%(msecs)")
    wanted = expected_time(record)
    if "%(msecs)" not in fmt:
        wanted = wanted.replace(microsecond=0)
    # What os-log-merger leaves of a line has no time.
    assert row["timestamp"] == (wanted if "%(asctime)" in fmt or fmt == "%(msecs)" else None)
    assert row["severity_text"] == record.levelname
    assert row["logger"] == record.name
    for column, value in expected_exception(record).items():
        assert row[column] == value, column
    if record.levelno == logging.DEBUG:
        assert row["code_file"] == record.pathname
        assert row["code_line"] == record.lineno
        assert row["code_function"] == record.funcName
    if hasattr(record, "instance_uuid"):
        assert (row["resource_type"], row["resource_id"]) == ("instance", record.instance_uuid)
    if context is None:
        assert row["request_id"] is None
        return
    assert row["request_id"] == context.request_id
    if "global_request_id" in options.get("logging_context_format_string", "global_request_id"):
        assert row["global_request_id"] == context.global_request_id
    fmt = options.get("logging_context_format_string", "%(user_identity)s")
    identity = options.get("logging_user_identity_format", "%(system_scope)s %(domain)s")
    if "%(user_identity)s" in fmt and "%(domain)s" in identity:
        assert row["user_id"] == context.user_id
        assert row["project_id"] == context.project_id
        assert row["domain_id"] == context.domain_id
        assert row["user_domain_id"] == context.user_domain_id
        assert row["project_domain_id"] == context.project_domain_id
    if "%(user_identity)s" in fmt and "%(system_scope)s" in identity:
        assert row["system_scope"] == context.system_scope


@pytest.mark.parametrize("options", sets(devstack=True))
@given(pair=log_records(), color=st.sampled_from(["", "\x1b[00;32m"]))
def test_devstack_is_read_back_with_and_without_colors(
    options: dict[str, str],
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None],
    color: str,
) -> None:
    record, context = pair
    record.color = color
    if not color:
        options = {k: re.sub(r"\x1b\[[0-9;]*m", "", v) for k, v in options.items()}
    row = one(formatter(options).format(record))
    # The color reset hides a newline at the end from logging.Formatter.
    assert row["body"].rstrip("\n") == expected_body(record).rstrip("\n")
    assert row["severity_text"] == record.levelname
    assert row["exception_type"] == expected_exception(record)["exception_type"]
    assert row["exception_message"] == expected_exception(record)["exception_message"]
    if record.levelno == logging.DEBUG:
        assert row["code_function"] == record.funcName
    if context is not None:
        assert row["request_id"] == context.request_id


@given(
    pair=log_records(), name=st.sampled_from(["Jane Doe", "a]b", "x [y] z", "Ünal Öz", " ", "-"])
)
def test_the_request_id_survives_names_with_blanks_and_brackets(
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None], name: str
) -> None:
    record, context = pair
    assume(context is not None)
    assert context is not None
    context.user_name = name
    fmt = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(global_request_id)s %(request_id)s %(project_name)s %(user_name)s] %(message)s"
    row = one(formatter({"logging_context_format_string": fmt}).format(record))
    assert row["request_id"] == context.request_id
    if "] " not in name:  # where the bracket ends is anybody's guess
        assert row["body"] == expected_body(record)


# -- JSON -----------------------------------------------------------------------------------


@given(pair=log_records())
def test_the_json_formatter_is_read_back(
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None],
) -> None:
    record, context = pair
    row = one(formatters.JSONFormatter().format(record))
    assert row["format"] == "oslo.json"
    assert row["body"] == record.getMessage()
    assert row["timestamp"] is not None
    assert abs(row["timestamp"].timestamp() - record.created) < 2e-6
    assert row["severity_text"] == record.levelname
    assert row["logger"] == record.name
    assert row["process_pid"] == record.process
    assert row["code_file"] == record.pathname
    assert row["code_line"] == record.lineno
    assert row["code_function"] == record.funcName
    assert row["request_id"] == (context.request_id if context else None)
    assert row["global_request_id"] == (context.global_request_id if context else None)
    assert row["user_id"] == (context.user_id if context else None)
    assert row["project_id"] == (context.project_id if context else None)
    assert row["user_name"] == (context.user_name if context else None)
    assert row["exception_type"] == expected_exception(record)["exception_type"]


@given(pair=log_records())
def test_the_fluent_formatter_as_json_is_read_back(
    pair: tuple[logging.LogRecord, oslo_context.RequestContext | None],
) -> None:
    import json

    record, context = pair
    row = one(json.dumps(formatters.FluentFormatter().format(record), default=repr))
    assert row["format"] == "oslo.fluent"
    assert row["body"] == record.getMessage()
    assert row["severity_text"] == record.levelname
    assert row["request_id"] == (context.request_id if context else None)
    assert row["exception_type"] == expected_exception(record)["exception_type"]
