"""A format from the configuration of the service that wrote the log.

Swift's proxy has a configuration of its own kind (proxy_conf.py).  Files of
other services are read by oslo.config with oslo.log's own options, as the
service reads them; the layouts are derived from the options, and oslo.log itself
prints the samples, whose values are known.  So a format that is returned reads
what oslo.log prints.  Needs oslo.log: ``pip install opslog[learn]``.
"""

from __future__ import annotations

import configparser
import logging
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opslog.checking import proxy_conf
from opslog.checking.check import SampleReader, check
from opslog.language import oslo
from opslog.language.format_file import from_dict
from opslog.language.percent import DIRECTIVE, IDENTITY, OPTION_NAMES, OsloOptions, column_of
from opslog.model import schema
from opslog.model.errors import FormatError, OpslogError, OsloOptionError, SampleError

try:
    import tomli_w
    from oslo_config import cfg
    from oslo_context.context import RequestContext
    from oslo_log import _options, formatters
except ImportError as error:
    raise OpslogError(
        f"learning from a configuration needs oslo.log and tomli-w ({error}): "
        "pip install 'opslog[learn]'"
    ) from None

JSON_FORMATTERS = ("JSONFormatter", "FluentFormatter")
"""Formatters of oslo.log whose lines are read by the shipped oslo.json and oslo.fluent."""


@dataclass(frozen=True, slots=True)
class _Printer:
    """One formatter of the configuration: its options, and what prints with them."""

    path: str
    options: OsloOptions
    formatter: logging.Formatter
    prefixes: bool
    """Whether it is oslo.log's, which prefixes tracebacks and knows contexts."""


def learn(
    paths: Sequence[str | os.PathLike[str]], name: str | None = None
) -> dict[str, Any] | None:
    """Return the data of a format file for what services so configured print.

    ``paths`` are configuration files, a later one wins; behind them come the
    ``*.conf`` files of folders.  The format is called
    ``name``, by default as the first file.  None if the shipped formats read all
    of it: JSON, or Swift's own template.  Raises OpslogError for a file that
    cannot be read, OsloOptionError or SwiftTemplateError for an option whose lines
    cannot be.
    """
    files = [os.fspath(path) for path in paths]
    templates = proxy_conf.templates(files)
    if templates is not None:
        return proxy_conf.learn(files, templates, name)
    printers = _printers(files)
    if not printers:
        return None
    sets: list[dict[str, str]] = []
    samples: list[tuple[_Printer, str, dict[str, Any]]] = []
    for printer in printers:
        try:
            oslo.derive(printer.options)
        except OsloOptionError as error:
            raise OsloOptionError(error.option, error.value, error.reason, printer.path) from None
        stated = _stated(printer.options)
        if stated in sets:
            continue
        sets.append(stated)
        samples += [(printer, option, sample) for option, sample in _samples(printer)]
    data = {
        "name": name or Path(files[0]).stem,
        "title": f"oslo.log's lines as {', '.join(files)} configures them",
        "follow_on": True,
        "oslo": [{"release": f"as in {', '.join(files)}", **stated} for stated in sets],
        "samples": [sample for _, _, sample in samples],
    }
    _read_back(data, samples)
    return data


def to_toml(data: dict[str, Any]) -> str:
    """Return the text of the format file that states ``data``."""
    return tomli_w.dumps(data, multiline_strings=True)


def _stated(options: OsloOptions) -> dict[str, str]:
    """Return the options that have not today's default."""
    today = OsloOptions()
    values = {option: getattr(options, option) for option in OPTION_NAMES}
    return {option: value for option, value in values.items() if value != getattr(today, option)}


# -- what is configured ---------------------------------------------------------------


def _printers(files: list[str]) -> list[_Printer]:
    """Return the formatters the files configure, without those of JSON."""
    conf = cfg.ConfigOpts()
    for _, known in _options.list_opts():
        conf.register_opts(known)
    try:
        # The environment of the service is not ours.
        folders = [file for file in files if os.path.isdir(file)]
        plain = [file for file in files if file not in folders]
        conf([], default_config_files=plain, default_config_dirs=folders, use_env=False)
        values = {option: getattr(conf, option) for option in OPTION_NAMES}
        appended, use_json = conf.log_config_append, conf.use_json
    except (cfg.Error, OSError, ValueError) as error:
        raise FormatError(", ".join(files), "configuration", _one_line(error)) from None
    # Without a format of its own, Python's logging prints such a date with milliseconds.
    values["log_date_format"] = values["log_date_format"] or OsloOptions().log_date_format
    options = OsloOptions(**values)
    if appended:
        return list(_of_logging_configuration(appended, conf, options, files))
    if use_json:
        return []
    formatter = formatters.ContextFormatter(datefmt=options.log_date_format, config=conf)
    return [_Printer(files[-1], options, formatter, prefixes=True)]


def _one_line(error: BaseException) -> str:
    if isinstance(error, cfg.NoSuchOptError) and error.__context__ is not None:
        # oslo.config says so, too, when a $reference in an option leads nowhere.
        error = error.__context__
    return " ".join(str(error).split())


def _of_logging_configuration(
    path: str, conf: cfg.ConfigOpts, options: OsloOptions, files: list[str]
) -> Iterator[_Printer]:
    """Yield the formatters of Python's logging configuration that handlers use."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        for name in _used(parser):
            section = parser[f"formatter_{name}"] if name else {}
            kind = section.get("class", "logging.Formatter").rpartition(".")[2]
            if kind in JSON_FORMATTERS:
                continue
            date = section.get("datefmt")
            dated = replace(options, log_date_format=date or OsloOptions().log_date_format)
            if kind == "ContextFormatter":
                formatter = formatters.ContextFormatter(datefmt=date, config=conf)
                yield _Printer(path, dated, formatter, prefixes=True)
            elif kind == "Formatter" and section.get("style", "%") == "%":
                yield _plain(path, dated, section.get("format", "%(message)s"), date)
            else:
                raise FormatError(
                    path,
                    f"formatter_{name}",
                    f"its lines cannot be known: class {kind}, style {section.get('style', '%')}",
                    "expected a formatter of oslo.log, or logging.Formatter",
                )
    except OSError as error:
        raise FormatError(
            ", ".join(files), "log_config_append", f"{path}: {error.strerror}",
            "put the file there, or take the option out of a copy of the configuration",
        ) from None  # fmt: skip
    except (configparser.Error, KeyError, UnicodeDecodeError) as error:
        raise FormatError(
            path, "file", f"is no configuration of logging: {_one_line(error)}"
        ) from None


def _used(parser: configparser.ConfigParser) -> list[str]:
    """Return the names of the formatters that handlers use, an empty one for Python's default."""
    handlers = _list(parser["handlers"]["keys"])
    return list(dict.fromkeys(parser[f"handler_{name}"].get("formatter", "") for name in handlers))


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _plain(path: str, options: OsloOptions, text: str, date: str | None) -> _Printer:
    """Return a formatter of Python's own: one format for all records, no prefix for tracebacks."""
    if text.strip() == "%(message)s":
        raise OsloOptionError(
            "format", text, "prints the message alone, so that nothing tells its lines", path
        )
    options = replace(
        options,
        logging_context_format_string=text,
        logging_default_format_string=text,
        logging_exception_prefix="",
        logging_debug_format_suffix="",
    )
    return _Printer(path, options, logging.Formatter(text, date), prefixes=False)


# -- what it prints -------------------------------------------------------------------

_TIME = datetime(2026, 3, 10, 10, 0, 0, 123000, UTC)
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
_BLANKS = {"user_name": "jane doe", "project_name": "demo project"}
"""Names as Keystone allows them: with a blank."""
_SURVIVES = ("severity_text", "request_id", "body")
"""What must be read where a name has a blank, which may leave the identity one text."""


def _samples(printer: _Printer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (option that prints it, sample) for each kind of record there is."""
    for level, message, context, failed in (
        (logging.INFO, "Service started", None, False),
        (logging.WARNING, "Image not found, retrying", _CONTEXT, False),
        (logging.DEBUG, "Claim: memory 512 MB", _CONTEXT, False),
        (logging.INFO, "Instance spawned", _CONTEXT | _BLANKS, False),
        (logging.ERROR, "Instance failed to spawn", _CONTEXT, True),
    ):
        if context and not printer.prefixes and level != logging.ERROR:
            continue
        option = f"logging_{'context' if context else 'default'}_format_string"
        record = _record(level, message, context, failed)
        sample = _sample(printer, option, record, context or _CONTEXT)
        if context not in (None, _CONTEXT):
            if not any(name in sample["line"] for name in _BLANKS.values()):
                continue
            expect = {c: v for c, v in sample["expect"].items() if c in _SURVIVES}
            sample = {**sample, "expect": expect}
        yield option, sample


def _record(
    level: int, message: str, context: dict[str, Any] | None, failed: bool
) -> logging.LogRecord:
    error = _raised() if failed else None
    record = logging.LogRecord("sample.manager", level, _CODE, 42, message, (), error, func="spawn")
    record.created = _TIME.timestamp()
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


def _sample(
    printer: _Printer, option: str, record: logging.LogRecord, values: dict[str, Any]
) -> dict[str, Any]:
    """Print a record and return it with what must be read; ``values``: what it has not itself."""
    text: str = getattr(printer.options, option)
    keys = _keys(text)
    used = [option]
    if record.levelno == logging.DEBUG:
        used.append("logging_debug_format_suffix")
    if record.exc_info:
        used.append("logging_exception_prefix")
    context = record.__dict__["context"]
    for key in (key for name in used for key in _keys(getattr(printer.options, name))):
        of_context = key in IDENTITY or key in _CONTEXT
        if key not in record.__dict__ and not (of_context and printer.prefixes and not context):
            # Today's context has not every key there ever was, and services have their own.
            setattr(record, key, "" if key in _EMPTY else values.get(column_of(key), key))
    printer.formatter.converter = time.gmtime
    try:
        line = printer.formatter.format(record)
    except (ValueError, KeyError, TypeError) as error:
        words = set(re.findall(r"\w+", str(error)))
        for name in ("instance_uuid_format", *used):
            if words & set(_keys(getattr(printer.options, name))):
                option = name
                break
        reason = f"oslo.log cannot print a line with it ({error})"
        raise _refused(printer, option, reason) from None
    if "user_identity" in keys:
        keys += _keys(printer.options.logging_user_identity_format)
    if record.exc_info and printer.prefixes:
        # The error summary comes behind all of it, so that what follows the message ends nothing.
        keys = [key for key in keys if key not in _keys(text.rpartition("%(message)")[2])]
    if record.levelno == logging.DEBUG:
        keys += _keys(printer.options.logging_debug_format_suffix)
    expect = _expected(record, keys)
    if printer.prefixes and record.exc_info and printer.options.logging_exception_prefix:
        expect |= {"exception_type": "ValueError", "exception_message": "no space left"}
    if (body := _body(printer, record, text)) is not None:
        expect["body"] = body
    return {"line": line, "expect": expect}


def _keys(text: str) -> list[str]:
    return [match[1] for match in DIRECTIVE.finditer(text) if match[1]]


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


def _body(printer: _Printer, record: logging.LogRecord, text: str) -> str | None:
    """Return the body that must be read, None where it holds more than the message."""
    message = record.getMessage()
    if "%(error_summary)" in text:
        return None
    if not record.exc_info:
        return message
    if not printer.prefixes:
        return f"{message}\n{record.exc_text}"
    if not printer.options.logging_exception_prefix or not text.endswith("%(message)s"):
        return None
    return f"{message}: ValueError: no space left"


def _read_back(data: dict[str, Any], samples: list[tuple[_Printer, str, dict[str, Any]]]) -> None:
    """Check the format against its samples, and state the times that were read."""
    reader = SampleReader(from_dict(data, "learned"))
    for printer, option, sample in samples:
        if not {"asctime", "isotime", "created"} & set(_keys(getattr(printer.options, option))):
            continue
        found = [record["timestamp"] for record in reader.records(sample["line"])]
        if found and found[0]:
            if abs(datetime.fromisoformat(found[0]) - _TIME) >= timedelta(seconds=1):
                reason = f"the time it prints for {_TIME.isoformat()} is read as {found[0]}"
                raise _refused(printer, option, reason)
            sample["expect"] = {"timestamp": found[0], **sample["expect"]}
    try:
        check(from_dict(data, "learned"))
    except SampleError as error:
        printer, option, sample = samples[int(re.sub(r"\D", "", error.key))]
        what, hint = "a line it prints", ""
        if any(name in sample["line"] for name in _BLANKS.values()):
            what = "a line it prints for a name with a blank"
        elif printer.prefixes and "\n" in sample["line"]:
            # Lines with this context were read, so it is those of the traceback.
            option = "logging_exception_prefix"
            what = "a traceback it prints"
            if not printer.options.logging_exception_prefix.endswith((" ", "%(instance)s")):
                hint = "; oslo.config strips a blank at the end unless the value is in quotes"
        raise _refused(printer, option, f"{what} is not read back{hint}: {error.reason}") from None


def _refused(printer: _Printer, option: str, reason: str) -> OsloOptionError:
    name = option if printer.prefixes else "format"
    return OsloOptionError(name, getattr(printer.options, option), reason, printer.path)
