"""The records over time, drawn for a page: all of them, and warnings and errors by themselves.

Of a time without records no more than a few steps are drawn; where some are left out, a line
says so through all drawings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from opslog.model.severity import CLASSES
from opslog.stats.report import StatsReport
from opslog.terminal.words import count, two_units, whole_unit

_WIDTH = 1000
_HEIGHT, _LOW = 180, 32
_GAP = 3
"""Steps that stand for a time without records."""

_OWN = {"warnings": ("warning",), "errors": ("critical", "error")}
"""What is drawn by itself, too: among all records a single one would not be seen."""


def time_text(moment: datetime) -> str:
    """Return a moment in UTC as pages write it."""
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def drawn(report: StatsReport) -> Iterator[str]:
    """Yield the part of the page, nothing where no record has a time."""
    if not report.timeline:
        return
    begins = [one.begin.timestamp() / report.step for one in report.timeline]
    places, cuts = _places(begins)
    each = _WIDTH / (places[-1] + 1)
    marks = [(places[i] - (1 + _GAP) / 2 + 0.5) * each for i in cuts]
    left_out = [(begins[i] - begins[i - 1] - 1) * report.step for i in cuts]
    counts = [
        {s: sum(row.get(s, 0) for row in one.services.values()) for s in CLASSES}
        for one in report.timeline
    ]
    yield f"<h2>Over time, in steps of {whole_unit(report.step)}</h2>"
    keys = "".join(f'<span><i class="key {s}"></i>{s} {report.severities[s]:,}</span>'
                   for s in CLASSES if s in report.severities)  # fmt: skip
    yield f'<p class="keys">{keys}</p>'
    rows = {"records": tuple(reversed(CLASSES)), **_OWN}
    for name, severities in rows.items():
        sums = [sum(one[s] for s in severities) for one in counts]
        if not any(sums):
            continue
        high = _HEIGHT if name == "records" else _LOW
        yield f"<p>{name}, at most {max(sums):,} in a step</p>"
        yield (
            f'<svg viewBox="0 0 {_WIDTH} {high}" height="{high}" preserveAspectRatio="none" '
            f'role="img" aria-label="{name} over time">'
        )
        for place, one, step in zip(places, counts, report.timeline, strict=True):
            told = ", ".join(f"{s} {one[s]:,}" for s in CLASSES if one[s])
            bars = "".join(_bars(place * each, each, one, severities, high / max(sums), high))
            if bars:
                yield f"<g><title>{time_text(step.begin)}: {told}</title>{bars}</g>"
        yield from _lines(marks, left_out, high)
        yield "</svg>"
    first, last = report.timeline[0].begin, report.timeline[-1].begin
    ends = dict.fromkeys(map(time_text, (first, last)))
    yield f'<p class="ends">{"".join(f"<span>{one}</span>" for one in ends)}</p>'
    if cuts:
        longest = f", the longest {_length(max(left_out))}" if len(cuts) > 1 else ""
        yield (
            f"<p>The time axis is cut {count(len(cuts), 'time')}, at the dashed lines: "
            f"{_length(sum(left_out))} without records{longest}.</p>"
        )


def _length(seconds: float) -> str:
    return two_units(seconds) if seconds >= 60 else f"{seconds:g} s"


def _bars(
    left: float, each: float, counts: dict[str, int], severities: Sequence[str],
    scale: float, high: float,
) -> Iterator[str]:  # fmt: skip
    below = high
    for severity in severities:
        if counts[severity]:
            tall = max(counts[severity] * scale, 1.0)
            below = max(below - tall, 0.0)
            yield (
                f'<rect class="{severity}" x="{left:.2f}" y="{below:.2f}" '
                f'width="{max(each * 0.9, 1.5):.2f}" height="{tall:.2f}"/>'
            )


def _lines(marks: Sequence[float], left_out: Sequence[float], high: float) -> Iterator[str]:
    for at, seconds in zip(marks, left_out, strict=True):
        told = f"{_length(seconds)} without records are left out"
        yield f'<path class="cut" d="M{at:.2f} 0V{high}"><title>{told}</title></path>'


def _places(steps: Sequence[float]) -> tuple[list[int], list[int]]:
    """Return where each step stands, and the numbers of those before which some are left out."""
    places, cuts = [0], []
    for number, (before, step) in enumerate(pairwise(steps), 1):
        ahead = round(step - before)
        if ahead > 1 + _GAP:
            cuts.append(number)
        places.append(places[-1] + min(ahead, 1 + _GAP))
    return places, cuts
