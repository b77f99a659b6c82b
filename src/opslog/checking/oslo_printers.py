"""What a service's configuration sets up to print its log: formatters and their options.

Configuration files are read by oslo.config with oslo.log's own options, as the service does;
a file of log_config_append is one of Python's logging.config.
"""

from __future__ import annotations

import configparser
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from oslo_config import cfg
from oslo_log import _options, formatters

from opslog.language.percent import OPTION_NAMES, OsloOptions
from opslog.model.errors import FormatError, OsloOptionError

JSON_FORMATTERS = ("JSONFormatter", "FluentFormatter")
"""Formatters of oslo.log whose lines are read by the shipped oslo.json and oslo.fluent."""


@dataclass(frozen=True, slots=True)
class Printer:
    """One formatter of a configuration: its options, and what prints with them."""

    path: str
    """The file that configures it."""
    options: OsloOptions
    formatter: logging.Formatter
    prefixes: bool
    """Whether it is oslo.log's, which prefixes tracebacks and knows contexts."""

    def refused(self, option: str, reason: str) -> OsloOptionError:
        """Return the error that lines printed with an option cannot be read."""
        name = option if self.prefixes else "format"
        return OsloOptionError(name, getattr(self.options, option), reason, self.path)


def printers(files: list[str]) -> list[Printer]:
    """Return what the files configure to print lines, without what prints JSON.

    Raises FormatError for files that oslo.config or logging.config cannot read, OsloOptionError
    for a formatter whose lines nothing tells.
    """
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
    return [Printer(files[-1], options, formatter, prefixes=True)]


def _one_line(error: BaseException) -> str:
    if isinstance(error, cfg.NoSuchOptError) and error.__context__ is not None:
        # oslo.config says so, too, when a $reference in an option leads nowhere.
        error = error.__context__
    return " ".join(str(error).split())


def _of_logging_configuration(
    path: str, conf: cfg.ConfigOpts, options: OsloOptions, files: list[str]
) -> Iterator[Printer]:
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
                yield Printer(path, dated, formatter, prefixes=True)
            elif kind == "Formatter" and section.get("style", "%") == "%":
                yield _of_python(path, dated, section.get("format", "%(message)s"), date)
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


def _of_python(path: str, options: OsloOptions, text: str, date: str | None) -> Printer:
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
    return Printer(path, options, logging.Formatter(text, date), prefixes=False)
