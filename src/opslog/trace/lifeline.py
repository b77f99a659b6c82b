"""The lifeline of the resource a story is of: its operations, when they began and ended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opslog.events.notification import numbered_notifications
from opslog.model.record import LogRecord
from opslog.trace import lives
from opslog.trace.changes import Change
from opslog.trace.life import Life
from opslog.trace.spans import is_error
from opslog.trace.story import Story

_NAMED = re.compile(lives.NAMED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Operation:
    """What was done to a resource; ``end`` is None where none is told, ``request`` began it."""

    name: str
    begin: datetime
    end: datetime | None = None
    request: str | None = None
    failed: bool = False

    @property
    def label(self) -> str:
        """Its name, and whether it failed."""
        return f"{self.name} failed" if self.failed else self.name

    @property
    def seconds(self) -> float | None:
        """How long it took, None without an end."""
        return (self.end - self.begin).total_seconds() if self.end else None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When it began and ended; without an end, when it began."""
        return self.begin, self.end or self.begin


@dataclass(frozen=True, slots=True)
class Lifeline:
    """The kind of a resource, its last state (None: not told) and operations as they began."""

    kind: str
    state: str | None
    operations: list[Operation]


def lifeline(story: Story) -> Lifeline | None:
    """Return the life of the resource whose id the story has, None if nothing tells of one."""
    named = {n: found for n, record in enumerate(story.records) if (found := _kinds(story, record))}
    kinds = Counter(kind for found in named.values() for kind in found)
    if not kinds:
        return None
    kind = max(kinds, key=lambda one: (kinds[one], one))
    life = Life(kind)
    operations: list[Operation] = []
    for number, change in _changes(story, kind, named):
        record = story.records[number]
        if record.timestamp is None:
            continue
        before = set(life.open)
        time = (record.timestamp - _EPOCH) // timedelta(microseconds=1)
        life.take((time, record.request_id, change.operation, change.moment, change.state))
        operations += [
            Operation(name, record.timestamp, request=record.request_id)
            for name in life.open
            if name not in before
        ]
        for name in before - set(life.open):
            ended = next(one for one in reversed(operations) if one.name == name)
            if change.operation in (name, "*"):  # else it only shows that this one is over
                ended.end = record.timestamp
                ended.failed = change.moment in ("fails", "failed", "reverts") or is_error(record)
    if not operations and life.state is None:
        return None
    return Lifeline(kind, life.state, operations)


def _kinds(story: Story, record: LogRecord) -> set[str]:
    """Return as which kinds a record names the resource of the story."""
    found = set()
    if record.resource_id == story.id and record.resource_type in lives.KINDS:
        found.add(str(record.resource_type))
    for text in (record.body, record.http_target):
        if text and story.id in text:
            for match in _NAMED.finditer(text):
                if match["id"] == story.id and (kind := lives.kind_and_label(match["named"])[0]):
                    found.add(kind)
    return found


def _changes(story: Story, kind: str, named: dict[int, set[str]]) -> Iterator[tuple[int, Change]]:
    """Yield what records say of the life of the resource, with their numbers, in their order."""
    first = 0
    events = {}
    for batch in story.table.to_batches():
        events.update({first + row: event for row, event in numbered_notifications(batch)})
        first += len(batch)
    own = _requests_of_one(story, kind, named)
    labels = {None, *_labels(story)}
    for number, record in enumerate(story.records):
        event = events.get(number)
        if event is not None:
            change = lives.change_of_notification(event)
            if change is not None and event.resource_id == story.id:
                yield number, change
        elif kind in named.get(number, ()):
            for change in lives.changes_of_message(kind, record.body or ""):
                yield number, change
            if record.http_method and record.http_target and story.id in record.http_target:
                call = f"{record.http_method} {record.http_target} {record.http_status}"
                for change in lives.changes_of_call(kind, call):
                    yield number, change
        elif record.request_id in own and record.body:
            for change, label in lives.nameless_changes(record.body, ()):
                if change.kind == kind and label in labels:
                    yield number, change


def _labels(story: Story) -> set[str]:
    """Return the names by which messages and paths call the resource of the story."""
    texts = (text for record in story.records for text in (record.body, record.http_target))
    found = (m for text in texts if text and story.id in text for m in _NAMED.finditer(text))
    labels = (lives.kind_and_label(m["named"])[1] for m in found if m["id"] == story.id)
    return {label for label in labels if label is not None}


def _requests_of_one(story: Story, kind: str, named: dict[int, set[str]]) -> set[str]:
    """Return the requests that name the resource, and no other of its kind."""
    requests = {story.records[n].request_id for n, kinds in named.items() if kind in kinds}
    for record in story.records:
        if record.request_id in requests and record.body:
            for match in _NAMED.finditer(record.body):
                if match["id"] != story.id and lives.kind_and_label(match["named"])[0] == kind:
                    requests.discard(record.request_id)
    return {request for request in requests if request is not None}
