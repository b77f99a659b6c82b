"""Starts and ends put together, as far as they tell that they belong together.

An end belongs to a start of the same event and resource; where a start tells no
resource yet (a port that is to be created), to one of the same request.  Of
several starts that are open, an end takes those of its own request first, among
these the ones of its own host, and the one that came last.  It never takes a
start of another request: two of both are left alone instead.  A start that comes
again while one is open is another attempt if it is of the same request, and
overlaps if it is of another; none replaces the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from opslog.events.rows import Notification, Pair

MOST_OPEN = 100_000
"""Starts that wait for their end at a time; the one that came first is given up first."""

ENDS = ("end", "error", "success", "failure")

_Key: TypeAlias = tuple[str, str, str | None]


@dataclass(slots=True, eq=False)
class _Open:
    """A start that waits for its end."""

    event: Notification
    number: int
    attempt: int
    overlapping: bool
    repeated: int = 0


class PairFinder:
    """Takes notifications in the order of time; yields the pairs that each of them completes."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self.most = most
        self._open: OrderedDict[_Key, dict[str | None, list[_Open]]] = OrderedDict()
        """What waits, by request."""
        self._count = self._number = 0
        self.given_up = 0
        """Starts that became pairs without end because too many waited."""
        self._messages: dict[tuple[_Key, str], _Open] = {}
        self._attempts: OrderedDict[tuple[_Key, str | None], int] = OrderedDict()

    def add(self, event: Notification) -> Iterator[Pair]:
        """Take the next event and yield the pairs complete with it."""
        if event.phase == "start":
            yield from self._start(event)
        elif event.phase in ENDS:
            yield self._end(event)

    def close(self) -> Iterator[Pair]:
        """Yield the starts whose end did not come, in the order in which they came."""
        left = [one for own in self._open.values() for starts in own.values() for one in starts]
        self._open.clear()
        self._messages.clear()
        self._count = 0
        for one in sorted(left, key=_number_of):
            yield _pair(one, None)

    def _start(self, event: Notification) -> Iterator[Pair]:
        key = _key(event)
        if event.message_id and (same := self._messages.get((key, event.message_id))):
            same.repeated += 1
            return
        waiting = self._open.setdefault(key, {})
        # A start that tells neither resource nor request says nothing of another.
        tells = key[1] != "event"
        overlapping = bool(waiting) and tells
        if overlapping and len(waiting) == 1:
            [starts] = waiting.values()
            if len(starts) == 1:  # of several that wait, all overlap already
                starts[0].overlapping = True
        self._number += 1
        attempt = self._attempt((key, event.request_id)) if tells else 1
        started = _Open(event, self._number, attempt, overlapping)
        waiting.setdefault(event.request_id, []).append(started)
        if event.message_id:
            self._messages[key, event.message_id] = started
        self._count += 1
        if self._count > self.most:
            yield self._evict_oldest()

    def _attempt(self, own: tuple[_Key, str | None]) -> int:
        attempt = self._attempts.pop(own, 0) + 1
        self._attempts[own] = attempt
        if len(self._attempts) > self.most:
            self._attempts.popitem(last=False)
        return attempt

    def _end(self, event: Notification) -> Pair:
        keys = [_key(event)]
        if event.resource_id and event.request_id:
            keys.append((event.event, "request", event.request_id))
        for key in keys:
            found = _nearest(self._open.get(key, {}), event)
            if found is not None:
                self._take(key, found)
                return _pair(found, event)
        return _pair(None, event)

    def _evict_oldest(self) -> Pair:
        key, waiting = next(iter(self._open.items()))
        oldest = next(iter(waiting.values()))[0]
        self._take(key, oldest)
        self.given_up += 1
        return _pair(oldest, None)

    def _take(self, key: _Key, one: _Open) -> None:
        waiting = self._open[key]
        starts = waiting[one.event.request_id]
        if starts[-1] is one:
            starts.pop()
        else:
            starts.remove(one)
        self._count -= 1
        if one.event.message_id:
            del self._messages[key, one.event.message_id]
        if not starts:
            del waiting[one.event.request_id]
        if not waiting:
            del self._open[key]


def _nearest(waiting: dict[str | None, list[_Open]], end: Notification) -> _Open | None:
    """Return the start an end takes: of its own request, on its own host, the last one."""
    fitting = waiting.get(end.request_id) or waiting.get(None)
    if fitting is None and end.request_id is None:
        fitting = sorted((s for starts in waiting.values() for s in starts), key=_number_of)
    if not fitting:
        return None
    same = (one for one in reversed(fitting) if one.event.host_name == end.host_name)
    return next(same, fitting[-1])


def _number_of(one: _Open) -> int:
    return one.number


def _key(event: Notification) -> _Key:
    if event.resource_id:
        return event.event, "resource", event.resource_id
    if event.request_id:
        return event.event, "request", event.request_id
    return event.event, "event", event.publisher_id


def _pair(start: _Open | None, end: Notification | None) -> Pair:
    """Return the row of a start and its end, one of which may be None."""
    begun = start.event if start else None
    told = end or begun
    assert told is not None
    begin_time = begun.timestamp if begun else None
    end_time = end.timestamp if end else None
    seconds = None
    if begin_time is not None and end_time is not None and end_time >= begin_time:
        seconds = (end_time - begin_time) / 1e6
    failed = end is not None and end.failed
    status = "no end" if end is None else "no start" if start is None else "ended"
    return Pair(
        told.event,
        "failed" if failed and start else status,
        begin_time,
        end_time,
        seconds,
        None,
        start.attempt if start else None,
        bool(start and start.overlapping),
        start.repeated if start else 0,
        told.resource_type,
        told.resource_id,
        told.request_id or (begun.request_id if begun else None),
        told.project_id,
        told.service_name,
        told.host_name,
        (begun.old_state or begun.state) if begun else told.old_state,
        end.state if end else None,
        end.reason if end else None,
        begun.source if begun else None,
        begun.source_offset if begun else None,
        end.source if end else None,
        end.source_offset if end else None,
    )
