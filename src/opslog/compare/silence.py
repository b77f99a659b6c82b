"""Programs that write in good runs, and in the bad one nothing, or not to its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from opslog.compare.draft import Draft
from opslog.compare.programs import Program
from opslog.compare.side import Side
from opslog.terminal.words import three_digits

_LATER = 3
"""Steps of time at the end of good runs in which a program wrote that is told to be silent."""

_LONGER = 1.5
"""How many times longer than in good runs a program is silent that is told to be."""

_WRITING = 4
"""A run is longer than good ones if one of so many programs still writes: one alone is none."""


def silent(bad: Side, good: Sequence[Side]) -> Iterator[Draft]:
    """Yield the programs that wrote in every good run, and here nothing, or not to the end."""
    if bad.first is None or bad.last is None:
        return
    end = _end(bad, good)
    found: dict[str, list[Draft]] = {}
    here = {program for program, _ in bad.programs.found}
    for program, host in sorted(good[0].programs.found):
        runs = [side.programs.found.get((program, host)) for side in good]
        one = bad.programs.found.get((program, host))
        if one is None and program in here:
            continue  # hosts may be others than in good runs
        last = bad.first if one is None or one.last is None else one.last
        gap = end - last
        if not all(_would_write(run, side, gap) for side, run in zip(good, runs, strict=True)):
            continue
        records = sum(run.records for run in runs if run)
        where = f"{program} on {host}" if host else program
        text = f"in the last {three_digits(gap / 1e6)}" if one else "at all"
        service = next((run.service for run in runs if run), "")
        found.setdefault(service, []).append(Draft(
            "silent",
            50.0,
            f"{where} writes nothing {text}; in good runs {records:,} records",
            service=service or program,
            bad=one.records if one else 0, good=records,
            first=last,
            source=one.source if one else None, offset=one.offset if one else None,
            quote=one.said if one else None, host=host or None,
        ))  # fmt: skip
    for service, drafts in found.items():
        first, *others = sorted(drafts, key=lambda one: one.place)
        first.followed_by = others
        alive = any(
            one.service == service and (one.last or 0) > max(other.first or 0 for other in drafts)
            for one in bad.programs.found.values()
        )
        first.score += 0 if alive else 6
        yield first


def _would_write(run: Program | None, side: Side, gap: int) -> bool:
    """Whether a program that is as in a good run would not be silent for so long at the end."""
    if run is None or side.last is None or gap <= 0 or run.since(side.last - gap) < _LATER:
        return False
    times = [*sorted(step * run.width for step in run.steps), side.last]
    return gap > _LONGER * max(later - time for time, later in pairwise(times))


def _end(bad: Side, good: Sequence[Side]) -> int:
    """Return when the bad run ends: it may be longer than good ones while programs enough write."""
    assert bad.first is not None
    assert bad.last is not None
    lasts = sorted(one.last for one in bad.programs.found.values() if one.last is not None)
    many = lasts[-1 - len(lasts) // _WRITING] if lasts else bad.last
    usual = max((side.last or 0) - (side.first or 0) for side in good)
    return max(many, min(bad.last, bad.first + usual))
