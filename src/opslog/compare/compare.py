"""Logs in, a comparison out: what is bad, and what most likely made it so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from opslog.compare import acts, silence, steps
from opslog.compare.draft import Draft
from opslog.compare.finding import Comparison, Consequence, Extent, Finding
from opslog.compare.folding import folded
from opslog.compare.messages import failures, joined, messages
from opslog.compare.pooled import Pooled
from opslog.compare.side import Side
from opslog.engine.watch import Watch, unwatched
from opslog.logs import Logs
from opslog.model.instants import utc_time
from opslog.model.naming import naming
from opslog.model.stats import Stats

_NAMED = re.compile(naming())
_STEP = 6.0
"""Scores that are as close as this are one class: of a class, what was first comes first."""

_MOST_CONSEQUENCES = 20
_MOST_RESOURCES = 5

Next = Callable[[Draft], str | None]
"""Returns the command that shows more of a draft."""


def compare(
    bad: Logs,
    good: Sequence[Logs] = (),
    stats: Stats | None = None,
    watch: Watch = unwatched,
    next_command: Next | None = None,
    unread: list[Exception] | None = None,
    both: bool = False,
) -> Comparison:
    """Return how bad logs differ from good ones; without good ones, what failed in them first.

    Each of ``good`` is a run of its own.  What cannot be read is raised when all else is read,
    or added to ``unread`` if that is given.  ``stats`` counts what is read of the bad logs.
    With ``both`` messages that only the good ones have count as much as those that only the bad
    ones have.
    """
    with ExitStack() as stack:
        sides = []
        for number, logs in enumerate((bad, *good)):
            side = Side()
            stack.callback(side.close)
            side.read(logs, None if number else stats, unwatched if number else watch)
            sides.append(side)
        for side in sides:
            for error in side.unread:
                if unread is None:
                    raise error
                unread.append(error)
        drafts = [*_drafts(sides[0], sides[1:], both)]
        _name_operations(drafts, sides[0])
        kept = folded(drafts)
    kept.sort(key=lambda one: (-_class(one), one.place, one.kind, one.text))
    findings = tuple(_finding(rank, one, next_command) for rank, one in enumerate(kept, 1))
    return Comparison(
        _extent(sides[:1]),
        _extent(sides[1:]) if good else None,
        findings,
        tuple(_left_out(sides)),
    )


def _drafts(bad: Side, good: Sequence[Side], both: bool) -> Iterator[Draft]:
    if not good:
        yield from joined(failures(bad.templates.found))
        yield from acts.failing(bad, None)
        return
    pooled = Pooled.of(good)
    runs = [{one.key: one for one in side.templates.found} for side in good]
    yield from joined(messages(bad.templates.found, runs, both))
    yield from acts.failing(bad, pooled)
    yield from steps.missing(bad, pooled)
    yield from acts.slower(bad, pooled)
    yield from acts.called(bad, pooled)
    yield from acts.gone(bad, good)
    yield from silence.silent(bad, good)
    yield from steps.unfinished(bad, good, pooled)


def _name_operations(drafts: list[Draft], bad: Side) -> None:
    """Tell of errors in which operation they are, if that is known of their first request."""
    names = bad.operations.names
    known = {
        one.node: names[one.operation] for one in bad.operations.failed if one.operation is not None
    }
    for one in drafts:
        if one.kind == "error" and (name := known.get(one.request or "")) is not None:
            one.operation = str(name)
            one.text = f"{name}: {one.text}"


def _class(one: Draft) -> int:
    more = min(8.0, 2.0 * len(one.followed_by))
    return int((one.score + more) / _STEP)


def _finding(rank: int, one: Draft, next_command: Next | None) -> Finding:
    named = [
        f"{found['named'].strip(' :=/([{')} {found['id']}"
        for found in _NAMED.finditer(one.quote or "")
    ]
    followed = sorted(one.followed_by, key=lambda other: other.place)
    return Finding(
        rank=rank,
        kind=one.kind,
        text=one.text,
        service=one.service,
        operation=one.operation,
        severity=one.severity,
        template=one.template,
        bad=one.bad,
        bad_of=one.bad_of,
        good=one.good,
        good_of=one.good_of,
        bad_seconds=one.bad_seconds,
        good_seconds=one.good_seconds,
        probability=one.probability,
        first=None if one.first is None else utc_time(one.first),
        source=one.source,
        source_offset=one.offset,
        quote=one.quote,
        host=one.host,
        request_id=one.request,
        resources=tuple(dict.fromkeys(named))[:_MOST_RESOURCES],
        consequences=tuple(
            Consequence(other.kind, other.text, other.source, other.offset)
            for other in followed[:_MOST_CONSEQUENCES]
        ),
        following=len(followed),
        next=next_command(one) if next_command else None,
    )


def _extent(sides: Sequence[Side]) -> Extent:
    firsts = [side.first for side in sides if side.first is not None]
    lasts = [side.last for side in sides if side.last is not None]
    return Extent(
        sum(side.records for side in sides),
        len(sides),
        utc_time(min(firsts)) if firsts else None,
        utc_time(max(lasts)) if lasts else None,
    )


def _left_out(sides: Sequence[Side]) -> Iterator[str]:
    for what, number in (
        ("records of templates", sum(side.templates.left_out for side in sides)),
        ("requests, steps and failures", sum(side.operations.left_out for side in sides)),
    ):
        if number:
            yield f"{number:,} {what} beyond the first were not compared"
