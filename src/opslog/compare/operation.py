"""Operations: requests of one method and route, how they were answered and what they did.

A step is what requests of an operation do: the call of another operation, the work of a
program, a message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Said: TypeAlias = tuple[str, int]
"""A program and the number of a template."""

CALL, PROGRAM, MESSAGE = 0, 1, 2
"""Kinds of steps."""

BAD = 400
"""The lowest status of an answer that is a failure."""

SERVER = 500
"""The lowest status that says that the fault is the service's (RFC 9110)."""


class Operation(NamedTuple):
    """What a request asks a service for."""

    service: str
    method: str
    route: str

    def __str__(self) -> str:
        return " ".join(filter(None, self))


class Step(NamedTuple):
    """A step of an operation: another operation, a program, or a template's number."""

    operation: int
    kind: int
    what: int


@dataclass(slots=True)
class Counts:
    """How requests of an operation were answered."""

    requests: int = 0
    named: int = 0
    """Those whose id is known."""
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """To the answer, of those that were answered well."""
    whole: list[float] = field(default_factory=list)
    """To the last record of all that it set off, of those that users called."""
    others: dict[int, int] = field(default_factory=dict)
    """By status, how often servers told of such a call without an id: maybe the same calls."""
    first: tuple[int, int] | None = None
    """Time and place of the first."""

    def settle(self) -> None:
        """Count each call once, as far as it can be known."""
        for status, number in self.others.items():
            self.statuses[status] = max(number, self.statuses.get(status, 0))
        self.others.clear()
        self.requests = sum(self.statuses.values())


@dataclass(slots=True)
class Answer:
    """A request that failed: when and where its answer or first error stands."""

    operation: int | None
    node: str
    root: str
    status: int | None
    time: int
    place: int
    error: int | None
    error_place: int | None
    error_said: str | None


@dataclass(frozen=True, slots=True)
class Tie:
    """A request that lacks a step: when it began, and its last record.

    Of one that ended with a message it is when it ended.
    """

    node: str
    root: str | None
    time: int | None
    place: int
    said: str | None
