"""A report as one HTML page that needs nothing else: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from itertools import pairwise

from opslog.model.severity import CLASSES
from opslog.model.version import __version__
from opslog.stats.report import StatsReport
from opslog.terminal.escape import escaped
from opslog.terminal.words import NOT_MASKED, whole_unit

_WIDTH, _HEIGHT = 1000, 180
_WORSE = ("error", "critical")
_GAP = 3
"""Pixels that stand for steps without records."""

STYLE = """\
:root { --fg: #1c2733; --bg: #fff; --dim: #66727f; --line: #dfe4ea; --trace: #c9d1d9;
  --debug: #b3c0cc; --info: #4c8dc9; --warning: #e0a000; --error: #d23f3f; --critical: #8b1a4a;
  --unknown: #dcdcdc; }
@media (prefers-color-scheme: dark) { :root { --fg: #dde4ec; --bg: #14191f; --dim: #8995a3;
  --line: #2b333d; --trace: #36404a; --debug: #4a5765; --unknown: #3a3a3a; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg);
  max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0; } h2 { font-size: 1.1em; margin: 2em 0 .5em; }
p { color: var(--dim); margin: .3em 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--dim); font-weight: normal; }
th, td { padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.w { overflow-wrap: anywhere; } .bad { color: var(--error); } .dim { color: var(--dim); }
code { font-family: ui-monospace, monospace; font-size: .92em; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--dim); font-size: 12px; }
.bar { display: flex; height: .8em; margin-top: .35em; min-width: 8em; }
@media (max-width: 600px) { .bar { min-width: 3em; } td.n { white-space: normal; } }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
"""
STYLE += "".join(f".{s} {{ fill: var(--{s}); background: var(--{s}); }}\n" for s in CLASSES)


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
        '<meta name="viewport" content="width=device-width">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(of)}: records</title>\n<style>\n{STYLE}</style>",
        f"<h1>{report.records:,} records</h1>",
        f"<p>of {_text(of)}{_span(report)}</p>",
        *_timeline(report),
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
        parts = f", {_time(report.first)} to {_time(report.last)}"
    return parts + (f", {report.untimed:,} without a time" if report.untimed else "")


def _timeline(report: StatsReport) -> Iterator[str]:
    if not report.timeline:
        return
    yield f"<h2>Over time, in steps of {whole_unit(report.step)}</h2>"
    keys = (f'<span class="key {s}"></span>{s} {report.severities[s]:,}'
            for s in CLASSES if s in report.severities)  # fmt: skip
    yield f"<p>{''.join(keys)}</p>"
    most = max(one.records for one in report.timeline)
    places = _places([one.begin.timestamp() / report.step for one in report.timeline])
    each = _WIDTH / (places[-1] + 1)
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 36}" role="img" aria-label="records over time">'
    yield f'<text x="0" y="12">{most:,}</text>'
    for place, one in zip(places, report.timeline, strict=True):
        counts = {s: sum(row.get(s, 0) for row in one.services.values()) for s in CLASSES}
        told = ", ".join(f"{s} {n:,}" for s, n in counts.items() if n)
        yield f"<g><title>{_time(one.begin)}: {told}</title>"
        below = float(_HEIGHT + 16)
        for severity in reversed(CLASSES):
            if counts[severity]:
                high = max(counts[severity] / most * _HEIGHT, 0.8)
                below -= high
                yield (
                    f'<rect class="{severity}" x="{place * each:.2f}" y="{below:.2f}" '
                    f'width="{max(each * 0.9, 0.5):.2f}" height="{high:.2f}"/>'
                )
        yield "</g>"
    under = _HEIGHT + 32
    yield f'<text x="0" y="{under}">{_time(report.timeline[0].begin)}</text>'
    if len(report.timeline) > 1:
        end = _time(report.timeline[-1].begin)
        yield f'<text x="{_WIDTH}" y="{under}" text-anchor="end">{end}</text>'
    yield "</svg>"


def _places(steps: Sequence[float]) -> list[int]:
    """Return where each step stands; of many without records a few are shown."""
    out = [0]
    for before, step in pairwise(steps):
        out.append(out[-1] + min(round(step - before), 1 + _GAP))
    return out


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
            f'<td style="width:50%"><div class="bar">{parts}</div></td>',
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
        span = "<br>".join(_time(t) for t in dict.fromkeys((one.first, one.last)) if t)
        rows.append((
            _number(one.records, bad=True), _cell(one.severity), f'<td class="w">{said}</td>',
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
    yield f"<h2>{title}</h2>\n<table>\n<tr>"
    yield "".join(
        f'<th class="n">{head[1:]}</th>' if head[:1] == "*" else f"<th>{head}</th>"
        for head in heads
    )
    yield "</tr>"
    yield from (f"<tr>{''.join(row)}</tr>" for row in rows)
    yield "</table>"


def _cell(text: str) -> str:
    return f'<td class="w">{_text(text)}</td>'


def _number(value: float | None, bad: bool = False, form: str = ",") -> str:
    if not value:
        return '<td class="n dim">-</td>'
    return f'<td class="n{" bad" if bad else ""}">{value:{form}}</td>'


def _text(text: str) -> str:
    return escape(escaped(text))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
