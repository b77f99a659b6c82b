"""A report in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opslog.outputs.metrics import escaped
from opslog.stats.report import StatsReport

_QUANTILES = ("0.5", "0.95", "0.99")


def text(report: StatsReport) -> str:
    """Return the counts; labels name what they count, ``(others)`` and nothing included.

    Counts are gauges: they are of the records that were read, and begin anew with each run.
    """
    return "".join(_lines(report))


def _lines(report: StatsReport) -> Iterator[str]:
    yield _head("records", "Records kept, by service and severity.")
    for service in report.services:
        for severity, count in service.severities.items():
            yield _line("records", count, service=service.service, severity=severity)
    for name, moment in (("first", report.first), ("last", report.last)):
        if moment:
            yield _head(f"{name}_record_timestamp_seconds", f"Time of the {name} record.")
            yield _line(f"{name}_record_timestamp_seconds", moment.timestamp())
    yield _head("error_records", "Errors that differ only in their values, the most frequent.")
    for error in report.errors:
        yield _line(
            "error_records", error.records, fingerprint=error.fingerprint, service=error.service,
            logger=error.logger, severity=error.severity, exception=error.exception,
        )  # fmt: skip
    if report.others.errors:
        yield _line("error_records", report.others.errors, fingerprint="(others)")
    yield _head("http_requests", "Requests answered, by route and status.")
    for route in report.routes:
        for status, count in route.statuses.items():
            yield _line(
                "http_requests", count, service=route.service, method=route.method,
                route=route.route, status=status,
            )  # fmt: skip
    if report.others.requests:
        yield _line("http_requests", report.others.requests, route="(others)")
    name = "http_request_duration_seconds"
    yield _head(name, "Durations of these requests, within 1 %.", "summary")
    for route in report.routes:
        labels = {"service": route.service, "method": route.method, "route": route.route}
        quantiles = zip(_QUANTILES, (route.p50, route.p95, route.p99), strict=True)
        for quantile, seconds in quantiles:
            if seconds is not None:
                yield _line(name, round(seconds, 6), **labels, quantile=quantile)
        yield _line(f"{name}_sum", round(route.seconds, 6), **labels)
        yield _line(f"{name}_count", route.timed, **labels)


def _head(name: str, meaning: str, kind: str = "gauge") -> str:
    return f"# HELP opslog_stats_{name} {meaning}\n# TYPE opslog_stats_{name} {kind}\n"


def _line(name: str, value: float, **labels: str | None) -> str:
    pairs: Iterable[str] = (f'{k}="{escaped(v)}"' for k, v in labels.items() if v is not None)
    shown = ",".join(pairs)
    return (
        f"opslog_stats_{name}{{{shown}}} {value}\n" if shown else f"opslog_stats_{name} {value}\n"
    )
