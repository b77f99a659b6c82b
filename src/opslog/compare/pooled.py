"""Good runs together, and what steps are called alike on every side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opslog.compare.operation import CALL, MESSAGE, PROGRAM, Counts, Operation, Step
from opslog.compare.side import Side
from opslog.compare.templates import Key
from opslog.compare.visits import UNDER, WITHOUT_ID


class StepName(NamedTuple):
    """What a step is, the same on every side: of the last three what its kind needs."""

    operation: Operation
    kind: int
    called: Operation | None = None
    program: str | None = None
    message: Key | None = None


def named(side: Side, step: Step) -> StepName:
    """Return the name of a step."""
    operations = side.operations
    name = StepName(operations.names[step.operation], step.kind)
    if step.kind == CALL:
        return name._replace(called=operations.names[step.what])
    if step.kind == PROGRAM:
        return name._replace(program=operations.programs[step.what])
    assert step.kind == MESSAGE
    program, template = operations.said[step.what]
    return name._replace(program=program, message=side.templates.found[template].key)


def request_of(node: str) -> str | None:
    """Return the id of a request, None where none is known."""
    return None if node.startswith(WITHOUT_ID) else node.partition(UNDER)[0]


@dataclass(slots=True)
class Pooled:
    """Operations of all good runs together."""

    counts: dict[Operation, Counts]
    steps: dict[StepName, tuple[int, float]]
    """In how many requests, and their offsets together."""

    @classmethod
    def of(cls, sides: Sequence[Side]) -> Pooled:
        """Return the sums of some sides."""
        pooled = cls({}, {})
        for side in sides:
            operations = side.operations
            for name, one in zip(operations.names, operations.counts, strict=True):
                into = pooled.counts.setdefault(name, Counts())
                into.requests += one.requests
                into.named += one.named
                into.seconds += one.seconds
                into.whole += one.whole
                for status, number in one.statuses.items():
                    into.statuses[status] = into.statuses.get(status, 0) + number
            for step, (number, offset) in operations.steps.items():
                key = named(side, step)
                before, together = pooled.steps.get(key, (0, 0.0))
                pooled.steps[key] = before + number, together + offset
        return pooled
