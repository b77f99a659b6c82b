"""The flags that say which records to keep; together they are one expression."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from opslog.filters import filter as filters
from opslog.filters import instants as moments
from opslog.filters import query
from opslog.filters.filter import Filter
from opslog.logs import Logs
from opslog.model.errors import FilterError
from opslog.model.zones import Zone, Zones, stated

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from opslog.filters.fields import Field, Fields


_SHORT = re.compile("req-[0-9a-f]{8}")
"""A request id as text shows it."""


def add(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the flags; return their group."""
    group = command.add_argument_group(
        "what to keep",
        "All conditions must hold; a flag that is given several times holds for any of its values. "
        "NAME may have * for any text and ? for one character.",
    )

    def flag(*names: str, metavar: str, several: bool = True, help: str) -> None:  # noqa: A002
        action = "append" if several else "store"
        group.add_argument(*names, metavar=metavar, action=action, help=help)

    flag("--severity", metavar="LEVEL", several=False, help="records of LEVEL and above")
    flag("--service", metavar="NAME", help="records of the service NAME (nova, neutron, ...)")
    flag("--program", metavar="NAME", help="records of the program NAME (nova-compute, ...)")
    flag("--host", metavar="NAME", help="records of the host NAME")
    flag("--logger", metavar="NAME", help="records of the logger NAME (nova.compute.*)")
    flag(
        "--request", metavar="ID",
        help="records whose request id or global request id is ID; req- and eight digits will do",
    )  # fmt: skip
    flag("--resource", metavar="ID", help="records about the instance or other resource ID")
    flag("--project", metavar="NAME", help="records of the project with this id or name")
    flag("--user", metavar="NAME", help="records of the user with this id or name")
    flag("--status", metavar="CODE", help="HTTP status: 404, 5xx or 400-499")
    flag(
        "--since", metavar="TIME", several=False,
        help="records of TIME and later: 2026-03-10, 2026-03-10T10:00:07Z, 2h, yesterday, ...",
    )  # fmt: skip
    flag("--until", metavar="TIME", several=False, help="records before TIME")
    flag(
        "--grep", metavar="PATTERN",
        help="records with the regular expression PATTERN (RE2) in message or traceback",
    )  # fmt: skip
    group.add_argument(
        "-i", "--ignore-case", action="store_true", help="letters of --grep match either case"
    )
    flag(
        "--where", metavar="CONDITION",
        help="records for which CONDITION is true: severity >= WARNING and not body ~ 'heartbeat'; "
        "several conditions must all be true",
    )  # fmt: skip
    group.add_argument(
        "-v", "--invert-match", action="store_true", help="keep what the conditions would drop"
    )
    group.add_argument(
        "-n", "--limit", type=_number, metavar="N",
        help="the first N of these records; the rest is not read",
    )  # fmt: skip
    return group


def add_related(group: argparse._ArgumentGroup) -> None:
    """Add the flags that keep what belongs to what is kept: sources are read twice for them."""
    group.add_argument(
        "--with-requests", action="store_true",
        help="every record of each request of which one record is to be kept, over all services",
    )  # fmt: skip
    group.add_argument(
        "--with-resources", action="store_true",
        help="every record about each instance or other resource of which one is to be kept",
    )  # fmt: skip


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number from 0, found {text!r}")
    return int(text)


def filter_of(options: argparse.Namespace) -> Filter | None:
    """Return the filter the flags say, None without any; raises FilterError."""
    from opslog.filters.fields import Fields

    if options.ignore_case and not options.grep:
        raise FilterError("-i", "expected a --grep whose letters may match either case beside")
    zone = _zone(options)
    found = list(_filters(options, Fields(zone), zone))
    if not found:
        if options.invert_match:
            raise FilterError("-v", "expected a condition to turn round beside")
        return None
    whole = reduce(and_, found)
    return ~whole if options.invert_match else whole


def related(
    logs: Logs, wanted: Filter | None, options: argparse.Namespace
) -> tuple[Logs, Filter | None]:
    """Return ``logs`` with the relation the flags say, and the filter that is still to be used."""
    if not (options.with_requests or options.with_resources):
        return logs, wanted
    if wanted is None:
        flag = "--with-requests" if options.with_requests else "--with-resources"
        raise FilterError(flag, "expected a condition beside")
    from opslog.correlate.related import Relation  # start-up: most runs need none

    relation = Relation(wanted, options.with_requests, options.with_resources)
    return replace(logs, _relation=relation), None


def _zone(options: argparse.Namespace) -> str:
    """Return the zone of times in conditions: that of sources of no other."""
    return Zones(stated(options.timezone)).default.name


def _filters(options: argparse.Namespace, f: Fields, zone: str) -> Iterable[Filter]:
    def names(flag: str, *columns: str) -> Iterable[Filter]:
        if values := _given(options, flag):
            yield filters.of(_any(f[column].glob(v) for v in values for column in columns))

    def ids(flag: str, *columns: str) -> Iterable[Filter]:
        if values := _given(options, flag):
            found = _any(_id(f[column], value) for value in values for column in columns)
            yield filters.holding(found, *values)

    for level in _given(options, "severity"):
        yield filters.of(f.severity >= level)
    yield from names("service", "service_name")
    yield from names("program", "program")
    yield from names("host", "host_name")
    yield from names("logger", "logger")
    yield from ids("request", "request_id", "global_request_id")
    yield from ids("resource", "resource_id")
    yield from names("project", "project_id", "project_name")
    yield from names("user", "user_id", "user_name")
    if codes := _given(options, "status"):
        yield filters.of(_any(_status(f, code) for code in codes))
    _refuse_empty_span(options, Zone(zone))
    for time in _given(options, "since"):
        yield filters.of(f.timestamp >= time)
    for time in _given(options, "until"):
        yield filters.of(f.timestamp < time)
    if patterns := _given(options, "grep"):
        yield filters.of(
            _any(
                f[column].matches(pattern, ignore_case=options.ignore_case)
                for pattern in patterns
                for column in ("body", "exception_stacktrace")
            )
        )
    for condition in _given(options, "where"):
        yield filters.of(query.parse(condition, zone))


def _refuse_empty_span(options: argparse.Namespace, zone: Zone) -> None:
    if not (options.since and options.until):
        return
    if moments.parse(options.since, zone) >= moments.parse(options.until, zone):
        raise FilterError(options.until, f"--until: expected a time after {options.since!r}, found")


def _id(field: Field, value: str) -> pc.Expression:
    """Return whether an id is ``value``, begins as a short one does, or has its stars and marks."""
    return field.startswith(value) if _SHORT.fullmatch(value) else field.glob(value)


def _given(options: argparse.Namespace, flag: str) -> list[str]:
    """Return the values of a flag; raises FilterError for an empty one.

    An empty value is a variable somebody forgot to set, not a wish for everything.
    """
    value = getattr(options, flag)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if "" in values:
        raise FilterError("", f"--{flag}: expected a value, found")
    return values


def _status(f: Fields, text: str) -> pc.Expression:
    """Return whether the HTTP status is, or lies in, what ``text`` says."""
    one = re.fullmatch(r"(\d{3})(?:-(\d{3}))?", text)
    if one:
        return f.http_status.between(int(one[1]), int(one[2] or one[1]) + 1)
    if re.fullmatch(r"\dxx", text, re.IGNORECASE):
        first = 100 * int(text[0])
        return f.http_status.between(first, first + 100)
    raise FilterError(text, "--status: expected a status such as 404, 5xx or 400-499, found")


def _any(conditions: Iterable[pc.Expression]) -> pc.Expression:
    return filters.joined(or_, conditions)
