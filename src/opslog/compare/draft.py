"""Drafts of findings, as they are before it is known which of them led to which."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10

_MOST_EVIDENCE = 14.0

_SHORT = 100
"""Characters of a message within a sentence."""


def evidence(probability: float) -> float:
    """Return what it adds to a score that chance alone does it with this probability."""
    return min(_MOST_EVIDENCE, -2.5 * log10(max(probability, 1e-9)))


@dataclass(slots=True, eq=False)
class Draft:
    """What may become a finding; times are in microseconds."""

    kind: str
    score: float
    """How likely it is the cause."""
    text: str
    service: str | None = None
    operation: str | None = None
    severity: str | None = None
    template: str | None = None
    bad: int = 0
    records: int = 0
    """Of a message, how often it was said."""
    server_failed: bool = False
    """Of answers, whether they tell of a fault of the service, not of the request."""
    bad_of: int | None = None
    good: int = 0
    good_of: int | None = None
    bad_seconds: float | None = None
    good_seconds: float | None = None
    probability: float | None = None
    first: int | None = None
    source: str | None = None
    offset: int | None = None
    quote: str | None = None
    host: str | None = None
    request: str | None = None
    roots: frozenset[str] = frozenset()
    """Some of the requests in which it is so."""
    followed_by: list[Draft] = field(default_factory=list)

    @property
    def place(self) -> tuple[bool, int, str, int]:
        """What drafts are ordered by: the first first, without a time last."""
        return self.first is None, self.first or 0, self.source or "", self.offset or 0


def short(text: str) -> str:
    """Return the beginning of a message."""
    line = text.split("\n")[0]
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"
