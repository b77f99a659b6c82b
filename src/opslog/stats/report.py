"""The report of stats, field by field.  The reference page is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from opslog.model.json_values import json_values


@dataclass(frozen=True, slots=True)
class Service:
    """The records of a service."""

    service: Annotated[str | None, "its name; null for records that tell none"]
    records: Annotated[int, "how many"]
    severities: Annotated[
        dict[str, int], "how many of each severity: `trace`, `debug`, `info`, `warning`, `error`, "
        "`critical`, `unknown`",
    ]  # fmt: skip
    timeline: Annotated[tuple[int, ...], "how many in each step of the whole timeline"]


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A length of time."""

    begin: Annotated[datetime, "when it begins, in UTC; steps without records are left out"]
    records: Annotated[int, "records of that time"]
    services: Annotated[
        dict[str, dict[str, int]], "how many of each service and severity; `-` for no service"
    ]


@dataclass(frozen=True, slots=True)
class Logger:
    """A logger of a service."""

    service: Annotated[str | None, "the service"]
    logger: Annotated[str | None, "its name; null for records that tell none"]
    records: Annotated[int, "how many"]
    warnings: Annotated[int, "how many of them are warnings"]
    errors: Annotated[int, "how many are errors or worse"]


@dataclass(frozen=True, slots=True)
class Error:
    """Errors that differ only in their values."""

    fingerprint: Annotated[
        str, "the same for the same error in every run: of severity, service, logger, template, "
        "the exception's type, the traceback's files and functions and what it raised",
    ]  # fmt: skip
    records: Annotated[int, "how many"]
    service: Annotated[str | None, "the service"]
    logger: Annotated[str | None, "the logger"]
    severity: Annotated[str, "the severity"]
    exception: Annotated[str | None, "the exception's type"]
    template: Annotated[str | None, "the message with `<*>` for each value"]
    first: Annotated[datetime | None, "the earliest, in UTC"]
    last: Annotated[datetime | None, "the latest, in UTC"]
    source: Annotated[str | None, "the file of the first one read"]
    source_offset: Annotated[int | None, "where it begins there: bytes, decompressed"]


@dataclass(frozen=True, slots=True)
class Route:
    """Requests a service answered, of one method and path."""

    service: Annotated[str | None, "the service"]
    method: Annotated[str | None, "the method; null where lines do not tell it"]
    route: Annotated[str, "the path, `{id}` for ids and numbers"]
    requests: Annotated[int, "how many"]
    statuses: Annotated[dict[str, int], "how many of each HTTP status"]
    errors: Annotated[int, "how many with a status of 500 or more"]
    timed: Annotated[int, "of how many the duration is known"]
    seconds: Annotated[float, "their durations together"]
    p50: Annotated[float | None, "seconds that half of them took at most, within 1 %"]
    p95: Annotated[float | None, "95 of 100"]
    p99: Annotated[float | None, "99 of 100"]


@dataclass(frozen=True, slots=True)
class Others:
    """What has no row: it came after the first 10,000, or is not among the first ``top``."""

    loggers: Annotated[int, "records of other loggers"]
    errors: Annotated[int, "errors of other fingerprints"]
    requests: Annotated[int, "requests of other routes"]


@dataclass(frozen=True, slots=True)
class StatsReport:
    """Counts of records."""

    records: Annotated[int, "how many"]
    untimed: Annotated[int, "how many of them have no time"]
    first: Annotated[datetime | None, "the earliest, in UTC"]
    last: Annotated[datetime | None, "the latest, in UTC"]
    step: Annotated[float, "seconds of a step of the timeline"]
    severities: Annotated[dict[str, int], "how many of each severity"]
    services: Annotated[tuple[Service, ...], "the services, most records first"]
    timeline: Annotated[tuple[TimelineStep, ...], "the steps that hold records, in order"]
    loggers: Annotated[tuple[Logger, ...], "the loggers with most records"]
    errors: Annotated[tuple[Error, ...], "the most frequent errors"]
    routes: Annotated[tuple[Route, ...], "the routes with most requests"]
    others: Annotated[Others, "what stands in none of the three"]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values of JSON; times are RFC 3339 in UTC."""
        found: dict[str, Any] = json_values(self)
        return found
