"""Which of several findings led to which: those of the same requests, later."""

from __future__ import annotations

import re

from opslog.compare.draft import Draft

_CAUSES = ("error", "failing", "missing", "silent", "unfinished")
"""Kinds of findings that others may come of."""

_SKEW = 1_000_000
"""Microseconds by which the clocks of hosts may be apart."""

_SHARE = 0.5
"""Share of a consequence's requests that its cause is in, at least."""

_SOON = 5_000_000
"""Microseconds in which what a program says may be why it answers badly."""

_AFTER = 2_000_000
"""Microseconds after an error without a request in which others of the program follow from it."""

_OUTAGE = 60_000_000
"""Microseconds after such an error in which failing requests follow from it."""

_LACKS = re.compile(
    r"(?i)\b(?:unreachable|unavailable|refused|disconnected|timed? ?out|timeout|went away|gone away"
    r"|no route to|read[- ]only|no space left|not (?:running|ready|reachable|primary)"
    r"|too many connections|(?:lost|lose|reset|closed|broken|aborted|no) (?:\w+ )?connection"
    r"|connection (?:\w+ ){0,2}(?:lost|reset|closed|broken|aborted))\b"
)
"""What messages say of something that many requests need and that is not there."""


def folded(drafts: list[Draft]) -> list[Draft]:
    """Return the drafts that come of no other one, those of others beside them."""
    drafts = sorted(drafts, key=lambda one: one.place)
    kept: list[Draft] = []
    for one in drafts:
        if one.kind == "failing":
            _take_reason(one, kept)
        cause = next((other for other in kept if _led_to(other, one)), None)
        if cause is None:
            kept.append(one)
            continue
        cause.followed_by += [one, *one.followed_by]
        one.followed_by = []
    return kept


def _led_to(cause: Draft, one: Draft) -> bool:
    if cause.kind not in _CAUSES:
        return False
    if one.kind in ("gone", "called"):
        return False
    if cause.first is None or one.first is None or one.first < cause.first - _SKEW:
        return False
    if not one.roots:
        alone = not cause.roots and cause.kind == "error" == one.kind
        return alone and cause.service == one.service and one.first <= cause.first + _AFTER
    if _is_outage(cause, one):
        return True
    return len(cause.roots & one.roots) >= _SHARE * len(one.roots)


def _is_outage(cause: Draft, one: Draft) -> bool:
    """Whether a service said, in no request, that it lacks what its failing requests need.

    It says so more than once, or in the same file: of a single message elsewhere it is chance.
    """
    if cause.roots or cause.kind != "error" or cause.service != one.service:
        return False
    if not _LACKS.search(cause.quote or ""):
        return False
    fails = one.kind == "error" or (one.kind == "failing" and one.server_failed)
    if not fails or one.good or cause.first is None or one.first is None:
        return False
    told = cause.records > 1 or cause.source == one.source
    return told and cause.first <= one.first <= cause.first + _OUTAGE


def _take_reason(failing: Draft, kept: list[Draft]) -> None:
    """Let a bad answer be told by what the service said before: a new message of its requests."""
    if failing.first is None:
        return
    said = [
        other
        for other in kept
        if other.kind == "new"
        and other.service == failing.service
        and other.first is not None
        and failing.first - _SOON <= other.first <= failing.first + _SKEW
        and len(other.roots & failing.roots) >= _SHARE * len(failing.roots)
    ]
    if not said:
        return
    reason = max(said, key=lambda other: (other.score, other.first))
    kept.remove(reason)
    failing.followed_by += reason.followed_by
    failing.text += f": {(reason.quote or '').splitlines()[0] if reason.quote else ''}"
    failing.template, failing.quote = reason.template, reason.quote
    failing.source, failing.offset = reason.source, reason.offset
    failing.first, failing.severity = reason.first, reason.severity
    failing.request, failing.host = reason.request, reason.host
