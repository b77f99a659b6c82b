"""Which resources a text names, and what messages, calls and notifications say of their lives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from opslog.events import Notification
from opslog.model.naming import naming
from opslog.trace.changes import CALLS, CHANGES, NAMELESS, Change

KINDS = (
    "instance", "volume", "port", "snapshot", "backup", "image", "loadbalancer", "stack", "node",
    "share",
)  # fmt: skip
"""The resources whose lives are told."""

NAMED = naming()

_KIND = re.compile(
    r"(?P<kind>[a-z]+?(?:[ _-](?!id\b|uuid\b|with\b)[a-z]+?)*?)s?(?:[_ ](?:with )?(?:uu)?id)?"
    r"(?:[-:=/'\"(\[ ]*|-[0-9a-f]{8} \(|[/ ]\"?(?P<label>[^/\"]+)(?:/|\" \[))"
)

_KINDS_BY_WORD = {
    **{kind: kind for kind in KINDS},
    "server": "instance",
    "load balancer": "loadbalancer",
    "loadbalancer-flow": "loadbalancer",
    "lb": "loadbalancer",
    "device": "port",
    "port deleted": "port",
    "snapshot instance": "snapshot",
    "volume_attachment": "volume",
}


def kind_and_label(named: str) -> tuple[str | None, str | None]:
    """Return the kind (None if none of KINDS) that words before an id tell, and a stack's name."""
    found = _KIND.fullmatch(named.lower())
    if found is None:
        return None, None
    word = found["kind"]
    label = named[found.start("label") : found.end("label")] if found["label"] else None
    return ("port" if word.startswith("network-vif-") else _KINDS_BY_WORD.get(word)), label


def _any_of(changes: Iterable[Change]) -> str:
    """Return a pattern (RE2) of what these patterns match."""
    return "|".join(f"(?:{re.sub('[?]P<[a-z]+>', '?:', change.pattern)})" for change in changes)


TELLING = {
    kind: _any_of(change for change in (*CHANGES, *NAMELESS) if change.kind == kind)
    for kind in KINDS
}
"""By kind: a pattern (RE2) of every message that tells of the life of a resource it names."""

TELLING_NAMELESS = _any_of(NAMELESS)
"""A pattern (RE2) of every message that tells of the life of a resource it need not name."""

TELLING_CALLS = {kind: _any_of(c for c in CALLS if c.kind == kind) for kind in KINDS}
"""By kind: a pattern (RE2) of every call (``METHOD path status``) that tells of a life."""

_FAILURE = re.compile(
    "(?i)ailed|error|abort|cancel|unable|unexpected|disappeared|reverted|setting|timed out|cannot"
    "|was re-"
)
"""What all these messages have: looked for first, as few others have it."""

_FAILED = re.compile(
    _any_of(c for c in (*CHANGES, *NAMELESS) if c.moment in ("fails", "failed", "reverts"))
)

_Rows: TypeAlias = list[tuple[Change, re.Pattern[str]]]


def _by_kind(changes: Iterable[Change]) -> dict[str, _Rows]:
    rows: dict[str, _Rows] = {kind: [] for kind in KINDS}
    for change in changes:
        rows[change.kind].append((change, re.compile(change.pattern)))
    return rows


_MESSAGES, _NAMELESS, _CALLS = _by_kind((*CHANGES, *NAMELESS)), _by_kind(NAMELESS), _by_kind(CALLS)


def changes_of_message(kind: str, message: str) -> Iterator[Change]:
    """Yield what a message about a resource of a kind says of its life."""
    for change, _ in _said(_MESSAGES[kind], message):
        yield change


def changes_of_call(kind: str, call: str) -> Iterator[Change]:
    """Yield what a call (``METHOD path status``) says of the resource its path names."""
    for change, _ in _said(_CALLS[kind], call):
        yield change


def says_failed(message: str) -> bool:
    """Return whether a message says that an operation on some resource failed."""
    return bool(_FAILURE.search(message)) and bool(_FAILED.search(message))


def nameless_changes(message: str, named: Iterable[str]) -> Iterator[tuple[Change, str | None]]:
    """Yield what a message says of resources it does not name, and the label it gives them.

    ``named`` are the kinds of those it names.
    """
    for kind in KINDS:
        if kind not in named:
            yield from _said(_NAMELESS[kind], message)


def _said(rows: _Rows, message: str) -> Iterator[tuple[Change, str | None]]:
    for change, pattern in rows:
        if found := pattern.search(message):
            told = found.groupdict()
            state = told.get("state") or change.state
            if state.isupper():  # CREATE IN_PROGRESS, as Heat's API and notifications say it
                state = state.lower().replace(" ", "_")
            operation = (told.get("operation") or change.operation).lower()
            yield replace(change, operation=operation, state=state), told.get("label")


def change_of_notification(event: Notification) -> Change | None:
    """Return what a notification says of the life of its resource, None if nothing."""
    kind = event.resource_type
    if kind not in KINDS:
        return None
    _, named, operation = event.event.rpartition(f"{kind}.")
    operation = operation if named else event.event.partition(".")[2] or event.event
    state = (event.state or "").lower()
    if event.phase == "start":
        return Change(kind, operation, "begins", state)
    if event.phase in ("end", "success") or (event.phase is None and operation == "delete"):
        return Change(kind, operation, "ends", "deleted" if operation == "delete" else state)
    if event.phase in ("error", "failure"):
        return Change(kind, operation, "fails", state)
    return Change(kind, "", "is", state) if state else None
