"""The options that say which records to keep; together they are one filter."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from opslog.cli import flags, values
from opslog.cli.span import span
from opslog.filters import ids
from opslog.filters.bounds import Bounds
from opslog.filters.filter import Filter
from opslog.filters.joined import joined
from opslog.filters.texts import Texts
from opslog.logs import Logs
from opslog.model import severity
from opslog.model.errors import FilterError, OpslogError
from opslog.model.zones import Zone, Zones

if TYPE_CHECKING:
    import pyarrow.compute as pc

    from opslog.filters.fields import Fields


_CONDITIONS = (
    "severity", "service", "program", "host", "logger", "request", "resource", "project", "user",
    "fingerprint", "status", "since", "until", "grep", "where",
)  # fmt: skip


def add(command: argparse.ArgumentParser, limit: str | None = "records") -> argparse._ArgumentGroup:
    """Add the options, and one for the first N of ``limit`` if there is to be one."""
    group = command.add_argument_group(
        "what to keep",
        "All conditions must hold; of an option that is given again, one of its values. "
        "NAME and ID may have * for any text and ? for one character.",
    )

    def once(flag: str, read: Callable[[str], object], metavar: str, told: str) -> None:
        group.add_argument(flag, type=read, metavar=metavar, help=told)

    def repeatable(
        flag: str, read: Callable[[str], object], metavar: str, told: str,
        repeated: str = "may be given again",
    ) -> None:  # fmt: skip
        group.add_argument(
            flag, type=read, metavar=metavar, action="append", default=[],
            help=f"{told}; {repeated}",
        )  # fmt: skip

    once(
        "--severity",
        values.level,
        "LEVEL",
        "records of LEVEL and above: DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ..., or 1-24; "
        "WARNING,ERROR are these alone, WARNING..ERROR what lies between, too",
    )
    repeatable("--service", str, "NAME", "records of the service NAME (nova, neutron, ...)")
    repeatable("--program", str, "NAME", "records of the program NAME (nova-compute, ...)")
    repeatable("--host", str, "NAME", "records of the host NAME")
    repeatable("--logger", str, "NAME", "records of the logger NAME (nova.compute.*)")
    repeatable(
        "--request", values.id_or_pattern, "ID",
        "records whose request id or global request id is ID, or begins with it: "
        "eight digits are enough, as in req-7822cfee",
    )  # fmt: skip
    repeatable(
        "--resource", values.id_or_pattern, "ID",
        "records about the instance or other resource whose id is ID, or begins with it",
    )  # fmt: skip
    repeatable("--project", str, "NAME", "records of the project with this id or name")
    repeatable("--user", str, "NAME", "records of the user with this id or name")
    repeatable(
        "--fingerprint", values.fingerprints, "ID",
        "records that say the same but for their values: ID is what `opslog stats` shows of an "
        "error, or its beginning; several with commas between",
    )  # fmt: skip
    repeatable("--status", values.status, "CODE", "HTTP status: 404, 5xx or 400-499")
    once(
        "--since", str, "TIME",
        "records of TIME and later: 2026-03-10T10:00:07Z, 10:00, Feb 4 10:00, 2h, yesterday, ...; "
        "what has no day or year is counted back from the newest record",
    )  # fmt: skip
    once("--until", str, "TIME", "records before TIME")
    repeatable(
        "--grep", str, "PATTERN",
        "records with the regular expression PATTERN (RE2) in message or traceback",
    )  # fmt: skip
    group.add_argument(
        "-i", "--ignore-case", action="store_true", help="letters of --grep match either case"
    )
    repeatable(
        "--where", str, "CONDITION",
        "records for which CONDITION is true: severity >= WARNING and not body ~ 'heartbeat'",
        "may be given again: all conditions must be true",
    )  # fmt: skip
    group.add_argument(
        "-v", "--invert-match", action="store_true", help="keep what the conditions would drop"
    )
    if limit is not None:
        group.add_argument(
            "-n", "--limit", type=values.number(0), metavar="N",
            help=f"the first N of these {limit}; the rest is not "
            + ("read" if limit == "records" else "shown"),
        )  # fmt: skip
    return group


def add_related(group: argparse._ArgumentGroup) -> None:
    """Add the options that keep what belongs to what is kept: sources are read twice for them."""
    group.add_argument(
        "--with-requests", action="store_true",
        help="keep all records, in all services, of each request that has a record to be kept",
    )  # fmt: skip
    group.add_argument(
        "--with-resources", action="store_true",
        help="keep all records about each instance or other resource that has a record to be kept",
    )  # fmt: skip


def kept(logs: Logs, options: argparse.Namespace) -> Logs:
    """Return ``logs`` with the filter and the limit the options say; raises OpslogError."""
    wanted = filter_of(options)
    logs = logs if wanted is None else logs.filter(wanted)
    return logs if options.limit is None else logs.limit(options.limit)


def related(
    logs: Logs, wanted: Filter | None, options: argparse.Namespace
) -> tuple[Logs, Filter | None]:
    """Return ``logs`` with the relation the options say, and the filter to be used beside it."""
    if not (options.with_requests or options.with_resources):
        return logs, wanted
    if wanted is None:
        flag = "--with-requests" if options.with_requests else "--with-resources"
        raise needs_condition(flag)
    from opslog.correlate.related import Relation  # start-up: most runs need none

    relation = Relation(wanted, options.with_requests, options.with_resources)
    return replace(logs, _relation=relation), None


def needs_condition(flag: str) -> OpslogError:
    """Return the error of an option that has no effect without a condition."""
    return OpslogError(
        f"{flag}: expected a condition beside it (--severity, --grep, ...), found none; "
        "add one, or leave it out"
    )


def filter_of(options: argparse.Namespace) -> Filter | None:
    """Return the filter the options say, None without any; raises OpslogError."""
    if options.ignore_case and not options.grep:
        raise OpslogError(
            "-i: expected --grep beside it, found none; add a pattern, or leave it out"
        )
    if not any(getattr(options, name) not in (None, []) for name in _CONDITIONS):
        if options.invert_match:
            raise needs_condition("-v")
        return None
    whole = reduce(and_, _filters(options, Zones(flags.timezone(options)).default))
    return ~whole if options.invert_match else whole


def given(options: argparse.Namespace, without: Collection[str] = ()) -> list[str]:
    """Return the conditions as somebody would type them, but for those of some options."""
    found: list[str] = []
    for name in _CONDITIONS:
        if f"--{name}" in without and name != "where":
            continue
        value = getattr(options, name)
        some = value if isinstance(value, list) else [] if value is None else [value]
        found += (f"--{name}={_typed(name, one)}" for one in some)
    found += ["--ignore-case"] if options.ignore_case else []
    return [*found, *(["--invert-match"] if options.invert_match else [])]


def _typed(name: str, value: Any) -> str:
    if name == "status":
        return f"{value[0]}-{value[1]}"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _filters(options: argparse.Namespace, zone: Zone) -> Iterable[Filter]:
    """Yield the filter of each option; ``zone`` is that of times without an offset."""
    from opslog.filters import query  # start-up: runs without a condition need neither
    from opslog.filters.fields import Fields

    f = Fields(zone.name)

    def names(flag: str, given: list[str], *columns: str) -> Iterable[Filter]:
        if given:
            with flags.about(flag):
                yield _named(f, columns, given)

    if options.severity is not None:
        yield _severities(f, options.severity)
    yield from names("--service", options.service, "service_name")
    yield from names("--program", options.program, "program")
    yield from names("--host", options.host, "host_name")
    yield from names("--logger", options.logger, "logger")
    if options.request:
        yield _requests(f, options.request)
    if options.resource:
        from opslog.filters.about import about  # start-up: most runs need no resource

        with flags.about("--resource"):
            yield about(*options.resource)
    yield from names("--project", options.project, "project_id", "project_name")
    yield from names("--user", options.user, "user_id", "user_name")
    yield from names(
        "--fingerprint",
        [one if len(one) == 16 else f"{one}*" for some in options.fingerprint for one in some],
        "fingerprint",
    )
    if options.status:
        yield Filter.of(_any(f.http_status.between(a, b + 1) for a, b in options.status))
    yield from span(options, zone)
    if options.grep:
        with flags.about("--grep"):
            yield Filter.of(
                _any(
                    f[name].matches(pattern, ignore_case=options.ignore_case)
                    for pattern in options.grep
                    for name in ("body", "exception_stacktrace")
                )
            )
    settings = flags.settings_of(options)
    named = {} if settings is None else settings.conditions()
    for condition in options.where:
        try:
            yield Filter.of(query.parse(condition, zone.name, named))
        except FilterError as error:
            place = "--where" if settings is None else settings.place_of(error)
            raise OpslogError(f"{place}: {error}") from None


def _severities(f: Fields, text: str) -> Filter:
    spans = severity.ranges(text)
    if spans[0][1] == severity.MOST and len(spans) == 1:
        return Filter.within(Bounds(least=spans[0][0]))
    number = f.severity_number
    return Filter.of(_any((number >= least) & (number <= most) for least, most in spans))


def _requests(f: Fields, given: list[str]) -> Filter:
    """Return the filter of requests' ids, their beginnings, and patterns."""

    def names() -> Iterator[str]:
        for text in given:
            if set("*?") & set(text):
                yield text
            elif ids.is_whole(text):
                yield from ids.request_spellings(text)
            else:
                yield from (f"{one}*" for one in ids.request_spellings(text))

    with flags.about("--request"):
        needles = [one for text in given for one in ids.request_spellings(text)]
        return _named(f, ("request_id", "global_request_id"), [*names()], *needles)


def _named(f: Fields, columns: tuple[str, ...], names: list[str], *needles: str) -> Filter:
    """Return the filter of records of whose columns one has one of these names or patterns."""
    if (texts := Texts.of(columns, names)) is not None:
        return Filter.having(texts, *needles)
    return Filter.holding(
        _any(f[name].glob(value) for value in names for name in columns), *needles
    )


def _any(conditions: Iterable[pc.Expression]) -> pc.Expression:
    return joined(or_, conditions)
