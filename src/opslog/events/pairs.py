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

from opslog.events.rows import Event, Pair

MOST_OPEN = 100_000
"""Starts that wait for their end at a time; the one that came first is given up first."""

ENDS = ("end", "error", "success", "failure")

_Key: TypeAlias = tuple[str, str, str | None]


@dataclass(slots=True, eq=False)
class _Open:
    """A start that waits for its end."""

    event: Event
    attempt: int
    overlapping: bool
    repeated: int = 0


class Pairs:
    """Takes events in the order of time and gives the pairs that are complete with each."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most = most_open
        self._open: OrderedDict[_Key, list[_Open]] = OrderedDict()
        self._count = 0
        self._attempts: OrderedDict[tuple[_Key, str | None], int] = OrderedDict()

    def add(self, event: Event) -> Iterator[Pair]:
        """Take the next event and yield the pairs complete with it."""
        if event.phase == "start":
            yield from self._start(event)
        elif event.phase in ENDS:
            yield self._end(event)

    def close(self) -> Iterator[Pair]:
        """Yield the starts whose end did not come, in the order in which they came."""
        while self._open:
            yield from self._given_up()

    def _start(self, event: Event) -> Iterator[Pair]:
        key = _key(event)
        waiting = self._open.setdefault(key, [])
        for one in waiting:
            if event.message_id and event.message_id == one.event.message_id:
                one.repeated += 1
                return
        own = key, event.request_id
        attempt = self._attempts.pop(own, 0) + 1
        self._attempts[own] = attempt
        if len(self._attempts) > self._most:
            self._attempts.popitem(last=False)
        # A start that tells neither resource nor request says nothing of another.
        overlapping = bool(waiting) and key[1] != "event"
        for one in waiting:
            one.overlapping |= overlapping
        waiting.append(_Open(event, attempt, overlapping))
        self._count += 1
        if self._count > self._most:
            yield from self._given_up()

    def _end(self, event: Event) -> Pair:
        keys = [_key(event)]
        if event.resource_id and event.request_id:
            keys.append((event.event, "request", event.request_id))
        for key in keys:
            waiting = self._open.get(key, [])
            fitting = [one for one in waiting if _fits(one.event, event)]
            if fitting:
                found = max(
                    enumerate(fitting), key=lambda item: (*_nearness(item[1].event, event), item[0])
                )[1]
                waiting.remove(found)
                self._count -= 1
                if not waiting:
                    del self._open[key]
                return _pair(found, event)
        return _pair(None, event)

    def _given_up(self) -> Iterator[Pair]:
        key = next(iter(self._open))
        waiting = self._open[key]
        yield _pair(waiting.pop(0), None)
        self._count -= 1
        if not waiting:
            del self._open[key]


def _key(event: Event) -> _Key:
    if event.resource_id:
        return event.event, "resource", event.resource_id
    if event.request_id:
        return event.event, "request", event.request_id
    return event.event, "event", event.publisher_id


def _fits(start: Event, end: Event) -> bool:
    return not start.request_id or not end.request_id or start.request_id == end.request_id


def _nearness(start: Event, end: Event) -> tuple[bool, bool]:
    return start.request_id == end.request_id, start.host_name == end.host_name


def _pair(start: _Open | None, end: Event | None) -> Pair:
    """Return what is told of both, of which one may be missing."""
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
