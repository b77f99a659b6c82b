"""Operations that fail, take longer, are new or have gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2

from opslog.compare.draft import Draft, evidence
from opslog.compare.operation import BAD, SERVER, Answer, Counts, Operation
from opslog.compare.pooled import Pooled, request_of
from opslog.compare.side import Side
from opslog.compare.significance import CERTAIN, adjusted, fisher, greater, median
from opslog.terminal.words import three_digits

_SLOWER, _LEAST = 1.5, 0.05
"""How many times longer, and how many seconds, something takes that is told to be slower."""


def failing(bad: Side, good: Pooled | None) -> Iterator[Draft]:
    """Yield the operations that are answered badly, more often than in good runs."""
    operations = bad.operations
    by_answer: dict[tuple[int, int], list[Answer]] = {}
    for one in operations.failed:
        if one.operation is not None and (one.status or 0) >= BAD:
            by_answer.setdefault((one.operation, one.status or 0), []).append(one)
    asked = []
    for (number, status), answers in by_answer.items():
        name, counts = operations.names[number], operations.counts[number]
        hits = counts.statuses.get(status, 0)
        before = good.counts.get(name, Counts()) if good else Counts()
        had = before.statuses.get(status, 0)
        chance = fisher(hits, counts.requests, had, before.requests)
        asked.append((name, status, answers, hits, counts.requests, had, before.requests, chance))
    for (name, status, answers, hits, of, had, had_of, _), chance in zip(
        asked, adjusted([one[-1] for one in asked]), strict=True
    ):
        if had and chance > CERTAIN:
            continue
        first = min(answers, key=lambda one: (one.time, one.node))
        source, offset = bad.places.at(first.place)
        said = f"; good runs: {had:,} of {had_of:,}" if good else ""
        yield Draft(
            "failing",
            _badness(name, status) + evidence(chance) - 4 * bool(had),
            f"{name} answers {status} in {hits:,} of {of:,} requests{said}",
            service=name.service or None,
            operation=str(name),
            bad=hits, bad_of=of, good=had, good_of=had_of,
            server_failed=status >= SERVER,
            probability=chance if had_of else None,
            first=first.time,
            source=source, offset=offset,
            request=request_of(first.node),
            roots=frozenset(one.root for one in answers),
        )  # fmt: skip


def _badness(name: Operation, status: int) -> float:
    if status >= SERVER:
        return 56.0
    return 24.0 if status == 404 and name.method in ("GET", "HEAD") else 48.0


def slower(bad: Side, good: Pooled) -> Iterator[Draft]:
    """Yield the operations that take longer, to their answer or till all is done."""
    operations = bad.operations
    asked = []
    for name, counts in zip(operations.names, operations.counts, strict=True):
        before = good.counts.get(name)
        if before is None or counts.first is None:
            continue
        for what, here, there in (
            ("to its answer", counts.seconds, before.seconds),
            ("till all is done", counts.whole, before.whole),
        ):
            mine, theirs = median(here), median(there)
            if mine >= _SLOWER * theirs and mine - theirs >= _LEAST:
                asked.append((name, counts, what, mine, theirs, len(here), len(there),
                              greater(here, there)))  # fmt: skip
    for (name, counts, what, mine, theirs, n, m, _), chance in zip(
        asked, adjusted([one[-1] for one in asked]), strict=True
    ):
        if chance > CERTAIN:
            continue
        assert counts.first is not None
        source, offset = bad.places.at(counts.first[1])
        times = mine / max(theirs, 1e-3)
        yield Draft(
            "slower",
            32.0 + min(8.0, 3 * log2(times)) + 4 * (mine - theirs >= 1) + evidence(chance)
            - 3 * (what != "to its answer"),
            f"{name} takes {three_digits(mine)} {what}, in good runs {three_digits(theirs)} "
            f"(medians of {n:,} and {m:,})",
            service=name.service or None,
            operation=str(name),
            bad=n, bad_of=counts.requests, good=m, good_of=good.counts[name].requests,
            bad_seconds=mine, good_seconds=theirs,
            probability=chance,
            first=counts.first[0],
            source=source, offset=offset,
        )  # fmt: skip


def called(bad: Side, good: Pooled) -> Iterator[Draft]:
    """Yield operations that no good run calls."""
    operations = bad.operations
    for name, counts in zip(operations.names, operations.counts, strict=True):
        if name in good.counts or counts.first is None:
            continue
        source, offset = bad.places.at(counts.first[1])
        yield Draft(
            "called",
            16.0,
            f"{name} is called {counts.requests:,} times, never in good runs",
            service=name.service or None,
            operation=str(name),
            bad=counts.requests, bad_of=counts.requests, good=0, good_of=0,
            first=counts.first[0],
            source=source, offset=offset,
        )  # fmt: skip


def gone(bad: Side, good: Sequence[Side]) -> Iterator[Draft]:
    """Yield operations that every good run calls, and the bad one never does."""
    have = set(bad.operations.names)
    for name, counts in zip(good[0].operations.names, good[0].operations.counts, strict=True):
        every = all(name in side.operations.names for side in good)
        if name in have or not every or counts.first is None:
            continue
        source, offset = good[0].places.at(counts.first[1])
        number = sum(
            side.operations.counts[side.operations.names.index(name)].requests for side in good
        )
        yield Draft(
            "gone",
            20.0 if number > 1 else 10.0,
            f"{name} is never called, in good runs {number:,} times",
            service=name.service or None,
            operation=str(name),
            bad=0, bad_of=0, good=number, good_of=number,
            source=source, offset=offset,
        )  # fmt: skip
