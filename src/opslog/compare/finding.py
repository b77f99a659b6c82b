"""The findings of a comparison, field by field.  The reference page is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from opslog.model.json_values import json_values

KINDS = {
    "failing": "an operation is answered badly, and was not, or less often, in good runs",
    "missing": "requests of an operation lack what they do in good runs: a call of another "
    "service, the work of a program, a message",
    "unfinished": "requests go no further than a message behind which good ones go on",
    "silent": "a program that wrote in good runs wrote nothing, or nothing any more",
    "slower": "an operation takes longer (the test of Mann and Whitney)",
    "error": "an error, or worse, that no good run tells",
    "new": "another message that no good run tells",
    "more": "a message that comes more often than in good runs (a test of two rates)",
    "gone": "a message, or an operation, that comes less often, or not at all",
    "called": "an operation that no good run calls",
}
"""What kinds of findings there are, and what they say."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What came of a finding, in the same requests and later."""

    kind: Annotated[str, "its kind, as above"]
    text: Annotated[str, "what it says, as a sentence"]
    source: Annotated[str | None, "the file in which it is told"]
    source_offset: Annotated[int | None, "where there"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between bad and good, or a failure."""

    rank: Annotated[int, "its place, 1 for what is most likely the cause"]
    kind: Annotated[str, "what it is: " + ", ".join(f"`{kind}`" for kind in KINDS)]
    text: Annotated[str, "what it says, as a sentence"]
    service: Annotated[str | None, "the service"]
    operation: Annotated[str | None, "service, method and route of requests, if it is about those"]
    severity: Annotated[str | None, "of a message, its severity"]
    template: Annotated[str | None, "of a message, what all of them say; `<*>` for each value"]
    bad: Annotated[int, "in how many requests, or times of ten seconds, of the bad run"]
    bad_of: Annotated[int | None, "of how many requests; null for messages"]
    good: Annotated[int, "the same of all good runs"]
    good_of: Annotated[int | None, "the same of all good runs"]
    bad_seconds: Annotated[float | None, "of what is slower: how long half of it takes at most"]
    good_seconds: Annotated[float | None, "the same of all good runs"]
    probability: Annotated[
        float | None, "how often chance alone makes such a difference, corrected for how many "
        "were asked for; null for what was not tested"
    ]  # fmt: skip
    first: Annotated[datetime | None, "when it was first so, in UTC"]
    source: Annotated[str | None, "the file of the record that tells it"]
    source_offset: Annotated[int | None, "where that begins there: bytes, decompressed"]
    quote: Annotated[str | None, "the beginning of what that record says"]
    host: Annotated[str | None, "the host of that record"]
    request_id: Annotated[str | None, "the request it belongs to"]
    resources: Annotated[tuple[str, ...], "the resources the quote names, kind and id"]
    consequences: Annotated[tuple[Consequence, ...], "what came of it, the first 20"]
    following: Annotated[int, "how many consequences there are"]
    next: Annotated[str | None, "the command that shows more"]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as values of JSON; times are RFC 3339 in UTC."""
        found: dict[str, Any] = json_values(self)
        return found


@dataclass(frozen=True, slots=True)
class Extent:
    """How much was read of one side."""

    records: int
    runs: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was found, what is most likely the cause first."""

    bad: Extent
    good: Extent | None
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]
    """What was too much to be compared, as sentences."""
