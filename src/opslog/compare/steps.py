"""Requests that lack what good ones do, or go no further than a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opslog.compare.draft import Draft, evidence, short
from opslog.compare.operation import CALL, MESSAGE, PROGRAM, Operation, Step, Tie
from opslog.compare.pooled import Pooled, StepName, named, request_of
from opslog.compare.side import Side
from opslog.compare.significance import CERTAIN, adjusted, fisher
from opslog.terminal.words import count, three_digits

_USUAL = 0.6
"""Share of the good requests from which on a step belongs to an operation."""

_LIKELY = 0.05
"""The greatest probability with which it is told that requests end where good ones never do."""


class _Lack(NamedTuple):
    """A step that good requests have, and bad ones have not."""

    after: float
    """Seconds after the beginning of a good request."""
    name: StepName
    step: Step
    here: int
    here_of: int
    hits: int
    of: int
    probability: float


def missing(bad: Side, good: Pooled) -> Iterator[Draft]:
    """Yield the operations that lack steps, each with the first step it lacks."""
    asked = [*_fewer(bad, good)]
    found: dict[Operation, list[_Lack]] = {}
    for one, probability in zip(asked, adjusted([one.probability for one in asked]), strict=True):
        never = one.here == 0 and one.hits == one.of >= 2
        if probability <= CERTAIN or never:
            lack = one._replace(probability=probability)
            found.setdefault(one.name.operation, []).append(lack)
    firsts = {}
    for lacks in found.values():
        lacks.sort(key=lambda one: (one.after, str(one.name)))
        firsts[lacks[0].step] = lacks[0], len(lacks)
    for step, ties in bad.operations.lacking(firsts).items():
        if ties:
            yield _missing(bad, *firsts[step], ties)


def _fewer(bad: Side, good: Pooled) -> Iterator[_Lack]:
    """Yield the usual steps that a smaller share of the bad requests has."""
    operations = bad.operations
    numbers = {name: number for number, name in enumerate(operations.names)}
    have = {named(bad, step): (step, hits) for step, (hits, _) in operations.steps.items()}
    for at, (name, (hits, offset)) in enumerate(good.steps.items()):
        number, of = numbers.get(name.operation), good.counts[name.operation].named
        if number is None or hits < _USUAL * of:
            continue
        # A step that no bad request has is none of its numbers.
        step, here = have.get(name, (Step(number, name.kind, -1 - at), 0))
        here_of = operations.counts[number].named
        if here * of < hits * here_of:
            probability = fisher(here_of - here, here_of, of - hits, of)
            yield _Lack(offset / hits, name, step, here, here_of, hits, of, probability)


def _missing(bad: Side, one: _Lack, steps: int, ties: list[Tie]) -> Draft:
    operation, kind, called, program, message = one.name
    tie = ties[0]
    source, offset = bad.places.at(tie.place)
    after = max(one.after, 0.0)
    if kind == CALL:
        lacks = f"no call of {called}"
    elif kind == PROGRAM:
        lacks = f"no record of {program}"
    else:
        lacks = f"no “{short(message.template if message else '')}”"
    text = (
        f"{operation}: {lacks} in {one.here_of - one.here:,} of {one.here_of:,} requests; in good "
        f"runs {one.hits:,} of {one.of:,} have it, after {three_digits(after)}"
    )
    if steps > 1:
        text += f"; {count(steps - 1, 'later step')} missing, too"
    share = min(1.0, one.hits / one.of)
    about = called or operation
    return Draft(
        "missing",
        (44.0 if kind == MESSAGE else 46.0) - 24 * (1 - share) + evidence(one.probability),
        text,
        service=about.service or None,
        operation=str(about),
        template=message.template if message else None,
        bad=one.here, bad_of=one.here_of, good=one.hits, good_of=one.of,
        probability=one.probability,
        first=None if tie.time is None else tie.time + round(after * 1e6),
        source=source, offset=offset, quote=tie.said,
        request=request_of(tie.node),
        roots=frozenset(one.root or one.node for one in ties),
    )  # fmt: skip


def unfinished(bad: Side, good: Sequence[Side], pooled: Pooled) -> Iterator[Draft]:
    """Yield the messages behind which requests go no further, as they do in good runs."""
    ended: dict[StepName, int] = {}
    for side in good:
        for step, number in side.operations.ended.items():
            key = named(side, step)
            ended[key] = ended.get(key, 0) + number
    operations = bad.operations
    asked = []
    for step, hits in operations.ended.items():
        key = named(bad, step)
        had, (had_of, _) = ended.get(key, 0), pooled.steps.get(key, (0, 0.0))
        of, _ = operations.steps.get(step, (0, 0.0))
        if had_of and of and hits * had_of > had * of:
            asked.append((step, hits, of, had, had_of, fisher(hits, of, had, had_of)))
    for (step, hits, of, had, had_of, chance), adjusted_chance in zip(
        asked, adjusted([one[-1] for one in asked]), strict=True
    ):
        if adjusted_chance > CERTAIN and (had or chance > _LIKELY):
            continue
        ties = sorted(operations.ends[step], key=lambda tie: (tie.time is None, tie.time, tie.node))
        program, code = operations.said[step.what]
        one, name = bad.templates.found[code], operations.names[step.operation]
        source, offset = bad.places.at(ties[0].place)
        yield Draft(
            "unfinished",
            46.0 + evidence(adjusted_chance),
            f"{name}: {program or one.key.service} goes no further than "
            f"“{short(one.key.template)}” in {hits:,} of {of:,} requests; good runs: {had:,} of "
            f"{had_of:,}",
            service=one.key.service or None,
            operation=str(name),
            severity=one.severity, template=one.key.template,
            bad=hits, bad_of=of, good=had, good_of=had_of,
            probability=adjusted_chance,
            first=ties[0].time,
            source=source, offset=offset, quote=ties[0].said,
            request=request_of(ties[0].node),
            roots=frozenset(tie.root or tie.node for tie in ties[:64]),
        )  # fmt: skip
