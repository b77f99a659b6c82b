"""What the configuration of a service or of syslog leaves out, and what would keep it.

oslo.log's own defaults are named; percent.py has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opslog.doctor.layouts import BARE, CONTEXT, LayoutFacts
from opslog.doctor.report import Advice
from opslog.language.percent import OsloOptions
from opslog.model.services import SERVICES

_LEAST = 10
"""Records below which missing milliseconds are not reported."""

_OSLO_LOG = "the service's configuration, [DEFAULT] (these are oslo.log's defaults)"
_CONTEXT_OPTION = "logging_context_format_string"
_EVERY_OPTION = (_CONTEXT_OPTION, "logging_default_format_string", "logging_exception_prefix")


@dataclass(frozen=True, slots=True)
class LayoutUse:
    """Counts of the records of one layout in the same envelopes."""

    layout: LayoutFacts
    records: int
    fractions: int
    process_id: bool
    """Whether the layout, or an envelope, has a process id."""
    yearless: bool


def advice(seen: Iterable[LayoutUse], services: set[str]) -> tuple[Advice, ...]:
    """Return what would help; ``services`` are those whose lines have no place for a request id."""
    every = list(seen)
    found = (_of_oslo_log([one for one in every if one.layout.derived], services),
             _of_python([one for one in every if not one.layout.derived], services),
             _of_syslog(every))  # fmt: skip
    return tuple(one for one in found if one is not None)


def _of_oslo_log(seen: list[LayoutUse], services: set[str]) -> Advice | None:
    contexts = [one for one in seen if one.layout.role == CONTEXT]
    bare = [one for one in seen if one.layout.role == BARE]
    loses: list[str] = []
    options: tuple[str, ...] = ()
    if bare and not contexts and services & set(SERVICES.values()):
        loses += ["request ids, users and projects"]
        options = (_CONTEXT_OPTION,)
    elif contexts and not any(one.layout.global_id for one in contexts):
        loses += ["global request ids, which join the services a request went through"]
        options = (_CONTEXT_OPTION,)
    timed = [one for one in seen if one.layout.timed]
    if sum(one.records for one in timed) >= _LEAST and not any(one.fractions for one in timed):
        loses += ["milliseconds"]
        options = _EVERY_OPTION
    if seen and not any(one.process_id for one in seen):
        loses += ["process ids, by which tracebacks of several workers are told apart"]
        options = _EVERY_OPTION
    if not loses:
        return None
    return Advice(tuple(loses), _OSLO_LOG, oslo_settings(options))


def oslo_settings(options: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of a configuration that set options to oslo.log's defaults of today."""
    today = OsloOptions()
    return tuple(f"{option} = {getattr(today, option)}" for option in options)


def _of_python(seen: list[LayoutUse], services: set[str]) -> Advice | None:
    bare = any(one.layout.role == BARE for one in seen)
    if not bare or not services & set(SERVICES.values()):
        return None
    return Advice(
        ("request ids, users and projects",),
        "the file that log_config_append names, [formatter_...] of the handler",
        ("class = oslo_log.formatters.ContextFormatter",),
    )


def _of_syslog(seen: list[LayoutUse]) -> Advice | None:
    if not any(one.yearless for one in seen):
        return None
    return Advice(
        ("the year, the offset from UTC and fractions of a second",),
        "rsyslog.conf, if rsyslog writes it (journalctl: -o short-iso-precise)",
        ('module(load="builtin:omfile" Template="RSYSLOG_FileFormat")',),
    )
