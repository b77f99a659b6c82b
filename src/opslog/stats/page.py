"""A report as one HTML page that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from opslog.model.severity import CLASSES
from opslog.model.version import __version__
from opslog.stats.page_style import STYLE
from opslog.stats.page_time import drawn, time_text
from opslog.stats.report import StatsReport
from opslog.terminal.escape import escaped
from opslog.terminal.words import NOT_MASKED

_WORSE = ("error", "critical")
_MOST_NAMES = 5


def page(
    report: StatsReport, paths: Sequence[str], masked: bool = False, commands: Sequence[str] = ()
) -> str:
    """Return the page; ``paths`` are those of the records.

    ``commands`` show the records of a row.  It says so where secrets are not ``masked``.
    """
    of = " ".join(paths[:_MOST_NAMES])
    if len(paths) > _MOST_NAMES:
        of += f" and {len(paths) - _MOST_NAMES:,} more"
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">',
        '<meta name="generator" content="opslog stats">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(of)}: records</title>\n<style>\n{STYLE}</style>",
        f"<h1>{report.records:,} records</h1>",
        f"<p>of {_text(of)}{_span(report)}</p>",
        *drawn(report),
        *_services(report),
        *_errors(report),
        *_routes(report),
        *_loggers(report),
        *next_commands(commands),
        f"<p>opslog {__version__}; times are UTC.</p>",
        *([] if masked else [f"<p>{NOT_MASKED}</p>"]),
        "</html>\n",
    ])  # fmt: skip


def next_commands(commands: Sequence[str]) -> list[str]:
    """Return the part of a page that says what to type to see the records of a row."""
    shown = [f'<div class="w"><code>{_text(one)}</code></div>' for one in dict.fromkeys(commands)]
    return ["<h2>The records of a row</h2>", *shown] if shown else []


def _span(report: StatsReport) -> str:
    parts = ""
    if report.first and report.last:
        parts = f", {time_text(report.first)} to {time_text(report.last)}"
    return parts + (f", {report.untimed:,} without a time" if report.untimed else "")


def _services(report: StatsReport) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    most = max((one.records for one in report.services), default=1)
    for one in report.services:
        parts = "".join(
            f'<i class="{s}" style="width:{100 * one.severities[s] / most:.2f}%" '
            f'title="{s} {one.severities[s]:,}"></i>'
            for s in reversed(CLASSES) if s in one.severities
        )  # fmt: skip
        worse = sum(one.severities.get(s, 0) for s in _WORSE)
        rows.append((
            _cell(one.service or "-"), _number(one.records),
            _number(one.severities.get("warning", 0)), _number(worse, bad=True),
            f'<td class="wide"><div class="bar">{parts}</div></td>',
        ))  # fmt: skip
    yield from _table("Services", ("service", "*records", "*warnings", "*errors", ""), rows)


def _errors(report: StatsReport) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for one in report.errors:
        said = f"<code>{_text(one.template or one.exception or '(no message)')}</code>"
        if one.exception:
            said += f'<br><span class="bad">{_text(one.exception)}</span>'
        where = f"{one.source} @{one.source_offset}" if one.source else ""
        names = " · ".join(filter(None, (one.service, one.logger, where, one.fingerprint)))
        said += f'<br><span class="dim">{_text(names)}</span>'
        span = "<br>".join(dict.fromkeys(time_text(t) for t in (one.first, one.last) if t))
        rows.append((
            _number(one.records, bad=True), f"<td>{_text(one.severity)}</td>",
            f'<td class="w">{said}</td>',
            f'<td class="n">{span}</td>',
        ))  # fmt: skip
    if report.others.errors:
        rows.append((_number(report.others.errors), _cell("others"), "<td></td>", "<td></td>"))
    heads = ("*records", "severity", "error", "first and last")
    yield from _table("The most frequent errors", heads, rows)


def _routes(report: StatsReport) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for one in report.routes:
        below = sum(n for code, n in one.statuses.items() if code.startswith("4"))
        told = ", ".join(f"{code}: {n:,}" for code, n in one.statuses.items())
        rows.append((
            _cell(one.service or "-"),
            f'<td class="w" title="{_text(told)}"><code>{_text(one.method or "-")} '
            f"{_text(one.route)}</code></td>",
            _number(one.requests), _number(below), _number(one.errors, bad=True),
            *(_number(seconds, form=",.3f") for seconds in (one.p50, one.p95, one.p99)),
        ))  # fmt: skip
    if report.others.requests:
        rest = ["<td></td>"] * 5
        rows.append((_cell("others"), "<td></td>", _number(report.others.requests), *rest))
    heads = ("service", "route", "*requests", "*4xx", "*5xx", "*p50, s", "*p95, s", "*p99, s")
    yield from _table("Requests", heads, rows)


def _loggers(report: StatsReport) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        (_cell(one.logger or "-"), _cell(one.service or "-"), _number(one.records),
         _number(one.warnings), _number(one.errors, bad=True))
        for one in report.loggers
    ]  # fmt: skip
    if report.others.loggers:
        rest = ["<td></td>"] * 2
        rows.append((_cell("others"), "<td></td>", _number(report.others.loggers), *rest))
    heads = ("logger", "service", "*records", "*warnings", "*errors")
    yield from _table("Loggers", heads, rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[Iterable[str]]) -> Iterator[str]:
    """Yield a table, if it has rows; a head that begins with ``*`` is one of numbers."""
    if not rows:
        return
    yield f"<h2>{title}</h2>\n<table>\n<thead><tr>"
    yield "".join(
        f'<th class="n">{head[1:]}</th>' if head[:1] == "*" else f"<th>{head}</th>"
        for head in heads
    )
    yield "</tr></thead>\n<tbody>"
    for row in rows:
        cells = (
            # In a narrow window a number stands behind its head.
            cell.replace("<td", f'<td data-head="{head[1:]}"', 1) if head[:1] == "*" else cell
            for head, cell in zip(heads, row, strict=True)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>"


def _cell(text: str) -> str:
    return f'<td class="w">{_text(text)}</td>'


def _number(value: float | None, bad: bool = False, form: str = ",") -> str:
    if not value:
        return '<td class="n dim none">-</td>'
    return f'<td class="n{" bad" if bad else ""}">{value:{form}}</td>'


def _text(text: str) -> str:
    return escape(escaped(text))
