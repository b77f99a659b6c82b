"""Requests with one cause, of which one may have called another: by when they were at work.

Where users send an id along, or a service hands on the first one, the context of a called
request names only what caused it all.  Its caller is the request of the same cause that was at
work when it began, if only one service there calls such services, and only one request of it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias

import pyarrow as pa

from opslog.correlate._links import Sightings
from opslog.correlate.callers import calls_others, may_call
from opslog.correlate.calls import AT_BEGIN, LONGEST
from opslog.correlate.links import SERVED, times_of

MOST = 512
"""Requests of one cause among which a caller is looked for."""

_BESIDE = 50_000
"""Longest time by which a call may seem to begin outside of its caller, in microseconds."""

_COLUMNS = ("request_id", "global_request_id", *SERVED)

_Begin: TypeAlias = tuple[int, str]
"""When a called request began, in microseconds, and the service that was called."""


class Siblings:
    """When called requests began, and which of one cause may have called another."""

    def __init__(self, seen: Sightings) -> None:
        self._seen = seen
        self._begins: dict[str, _Begin] = {}
        self._callers: dict[str, list[tuple[int, str, str]]] = {}
        """By cause its requests that may call others: begin, id and service, in that order."""
        self.crowded: set[str] = set()
        """Causes of too many requests."""

    def add(self, batch: pa.RecordBatch, known: Container[str]) -> None:
        """Take what records say of called requests that are known; nothing without _COLUMNS."""
        if not {*_COLUMNS} <= {*batch.schema.names}:
            return
        rows = zip(*(batch[name].to_pylist() for name in _COLUMNS), times_of(batch), strict=True)
        for own, cause, service, duration, form, time in rows:
            if own is None or cause in (None, own) or time is None or service is None:
                continue
            took = duration and 0 < duration < LONGEST and form not in AT_BEGIN
            begin = time - int(1e6 * duration) if took else time
            before = self._begins.get(own)
            if own in known and (before is None or begin < before[0]):
                self._begins[own] = begin, service if before is None else before[1]

    def forget(self, id: str) -> None:  # noqa: A002
        """Forget a request."""
        self._begins.pop(id, None)

    def changed(self) -> None:
        """Forget what was found out: there are other requests now."""
        self._callers.clear()

    def caller(self, id: str, cause: str, caused: Iterable[str]) -> str | None:  # noqa: A002
        """Return the one of the requests with this cause that called ``id``, None in doubt."""
        if (known := self._begins.get(id)) is None:
            return None
        begin, service = known
        if cause not in self._callers:
            self._callers[cause] = self._calling(cause, caused)
        calling = [one for one in self._callers[cause] if may_call(one[2], service)]
        if len({one[2] for one in calling}) != 1:
            return None
        at_work = [
            other
            for began, other, _ in calling
            if other != id
            and began <= begin + _BESIDE
            and (seen := self._seen.get(other)) is not None
            and seen[1] >= begin - _BESIDE
        ]
        return at_work[0] if len(at_work) == 1 else None

    def _calling(self, cause: str, caused: Iterable[str]) -> list[tuple[int, str, str]]:
        """Return those that may call others; none if there are very many."""
        found = [
            (known[0], one, known[1])
            for one in caused
            if (known := self._begins.get(one)) is not None and calls_others(known[1])
        ]
        if len(found) > MOST:
            self.crowded.add(cause)
            return []
        return sorted(found)
