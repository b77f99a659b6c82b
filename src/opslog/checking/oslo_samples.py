"""Samples of what a printer prints: oslo.log itself prints records whose values are known."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from oslo_context.context import RequestContext

from opslog.checking.oslo_printers import Printer
from opslog.language.percent import IDENTITY, column_of, keys_of
from opslog.model import schema

TIME = datetime(2026, 3, 10, 10, 0, 0, 123000, UTC)
"""When the records were made."""
_INSTANCE = "3f7b1c52-8d4e-4a1f-b6c9-5e2d7a9f0b13"
_CODE = "/usr/lib/python3/dist-packages/sample/manager.py"
_CONTEXT: dict[str, Any] = {
    "request_id": "req-5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61",
    "global_request_id": "req-a4c6e8f0-1b3d-4f57-8a9c-bd1e2f304152",
    "user_id": "6a1f0c8e3b5d4f7fa2c4e6d8091b3c5d",
    "project_id": "42ecbcd09f3140af87501a40b03aebb9",
    "domain_id": "d0b1a2c3d4e5460798a1b2c3d4e5f607",
    "user_domain_id": "default",
    "project_domain_id": "default",
    "system_scope": "all",
    "user_name": "jane",
    "project_name": "demo",
}
NAMES_WITH_BLANKS = {"user_name": "jane doe", "project_name": "demo project"}
"""Names as Keystone allows them: with a blank."""
_SURVIVES = ("severity_text", "request_id", "body")
"""What must be read where a name has a blank, which may leave the identity one text."""


class PrintedSample(NamedTuple):
    """A line that a printer printed, and the values that must be read of it."""

    printer: Printer
    option: str
    """The option whose format it has."""
    line: str
    expect: dict[str, Any]
    """Column to value, as a format file states them."""


def samples(printer: Printer) -> Iterator[PrintedSample]:
    """Yield a sample for each kind of record there is.

    Raises OsloOptionError for an option with which oslo.log cannot print.
    """
    for level, message, context, failed in (
        (logging.INFO, "Service started", {}, False),
        (logging.WARNING, "Image not found, retrying", _CONTEXT, False),
        (logging.DEBUG, "Claim: memory 512 MB", _CONTEXT, False),
        (logging.INFO, "Instance spawned", _CONTEXT | NAMES_WITH_BLANKS, False),
        (logging.ERROR, "Instance failed to spawn", _CONTEXT, True),
    ):
        if context and not printer.prefixes and level != logging.ERROR:
            continue
        record = _record(level, message, context, failed)
        sample = _sample(printer, record, context)
        if context.items() >= NAMES_WITH_BLANKS.items():
            if not any(name in sample.line for name in NAMES_WITH_BLANKS.values()):
                continue
            expect = {name: v for name, v in sample.expect.items() if name in _SURVIVES}
            sample = sample._replace(expect=expect)
        yield sample


def _record(level: int, message: str, context: dict[str, Any], failed: bool) -> logging.LogRecord:
    error = _raised() if failed else None
    record = logging.LogRecord("sample.manager", level, _CODE, 42, message, (), error, func="spawn")
    record.created = TIME.timestamp()
    record.msecs = 123.0
    record.process, record.thread = 2412, 140213
    record.threadName, record.processName = "MainThread", "MainProcess"
    record.context = RequestContext(overwrite=False, **context) if context else None
    if context and level != logging.WARNING:
        record.instance_uuid = _INSTANCE
    return record


def _raised() -> Any:
    """Return the exc_info of an exception raised in a service's file."""
    code = compile("\n" * 41 + "def spawn(): raise ValueError('no space left')\n", _CODE, "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    try:
        names["spawn"]()
    except ValueError:
        kind, value, trace = sys.exc_info()
        return kind, value, trace and trace.tb_next


def _sample(printer: Printer, record: logging.LogRecord, context: dict[str, Any]) -> PrintedSample:
    """Print a record, and return the line with what must be read of it."""
    option = f"logging_{'context' if context else 'default'}_format_string"
    options, text = printer.options, getattr(printer.options, option)
    used = [option]
    if record.levelno == logging.DEBUG:
        used.append("logging_debug_format_suffix")
    if record.exc_info:
        used.append("logging_exception_prefix")
    _complete(printer, record, used, context)
    line = _printed(printer, record, used)
    keys = keys_of(text)
    if "user_identity" in keys:
        keys += keys_of(options.logging_user_identity_format)
    if record.exc_info and printer.prefixes:
        # The error summary comes behind all of it, so that what follows the message ends nothing.
        keys = [key for key in keys if key not in keys_of(text.rpartition("%(message)")[2])]
    if record.levelno == logging.DEBUG:
        keys += keys_of(options.logging_debug_format_suffix)
    expect = _expected(record, keys)
    if record.exc_info and (options.logging_exception_prefix or not printer.prefixes):
        expect |= {"exception_type": "ValueError", "exception_message": "no space left"}
    if (body := _body(printer, record, text)) is not None:
        expect["body"] = body
    return PrintedSample(printer, option, line, expect)


def _complete(
    printer: Printer, record: logging.LogRecord, used: list[str], context: dict[str, Any]
) -> None:
    """Give a record what the options ``used`` print and it has not.

    Today's context has not every key there ever was, and services have keys of their own.
    """
    values = context or _CONTEXT
    for key in (key for option in used for key in keys_of(getattr(printer.options, option))):
        # oslo.log itself prints a dash for the context of a record without one.
        dash = (key in IDENTITY or key in _CONTEXT) and printer.prefixes and not context
        if key not in record.__dict__ and not dash:
            setattr(record, key, "" if key in _EMPTY else values.get(column_of(key), key))


def _printed(printer: Printer, record: logging.LogRecord, used: list[str]) -> str:
    printer.formatter.converter = time.gmtime
    try:
        return printer.formatter.format(record)
    except (ValueError, KeyError, TypeError) as error:
        words = set(re.findall(r"\w+", str(error)))
        option = next(
            (
                name
                for name in ("instance_uuid_format", *used)
                if words & set(keys_of(getattr(printer.options, name)))
            ),
            used[0],
        )
        reason = f"oslo.log cannot print a line with it ({error})"
        raise printer.refused(option, reason) from None


_EMPTY = ("instance", "resource", "color", "reset_color", "user_identity", "error_summary")
"""Keys that print nothing, or what is compared in another way."""
_UNNAMED = ("message", "asctime", "isotime", "created", "msecs", "levelno", "relativeCreated")


def _expected(record: logging.LogRecord, keys: list[str]) -> dict[str, Any]:
    """Return the values of the keys by column, as a format file states them."""
    expect: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    for key in keys:
        value = record.__dict__.get(key)
        if key in (*_EMPTY, *_UNNAMED) or value in (None, "", "-", "None"):
            continue
        column = "severity_text" if key == "levelname" else column_of(key)
        if column not in schema.BY_NAME:
            attributes[column] = str(value)
        else:
            expect[column] = value if schema.BY_NAME[column].kind == "int64" else str(value)
    if "instance" in keys and getattr(record, "instance_uuid", None):
        expect |= {"resource_type": "instance", "resource_id": _INSTANCE}
    return expect | ({"attributes": attributes} if attributes else {})


def _body(printer: Printer, record: logging.LogRecord, text: str) -> str | None:
    """Return the body that must be read, None where it holds more than the message."""
    message = record.getMessage()
    if "%(error_summary)" in text:
        return None
    if not record.exc_info:
        return message
    if not printer.prefixes:
        return message  # the traceback stands in the lines behind it
    if not printer.options.logging_exception_prefix or not text.endswith("%(message)s"):
        return None
    return f"{message}: ValueError: no space left"
