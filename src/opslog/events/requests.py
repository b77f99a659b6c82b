"""Requests from the API's first record to the last end of an event."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from opslog.events.notification import is_api
from opslog.events.pairs import ENDS
from opslog.events.rows import EventRequest, Notification, Time

MOST_REQUESTS = 100_000
"""Requests that are followed at a time; the one without news for longest is given up first."""


@dataclass(slots=True)
class _Followed:
    start: Time
    """Time of the API's first record in the log."""
    last: Notification | None = None
    end: Time | None = None
    ends: int = 0
    failed: bool = False


class RequestFinder:
    """Takes API records and notifications in the order of time; yields the requests given up."""

    def __init__(self, most: int = MOST_REQUESTS) -> None:
        self.most = most
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self.given_up = 0
        """Requests that were followed no further because there were too many."""

    def add_call(self, request: str, time: int) -> Iterator[EventRequest]:
        """Take a record of an API; yield the request that is given up for it, if it had an end."""
        found = self._followed.get(request)
        if found is None:
            self._followed[request] = _Followed(Time(time))
            if len(self._followed) > self.most:
                self.given_up += 1
                yield from _finished(*self._followed.popitem(last=False))
        else:
            self._followed.move_to_end(request)

    def add(self, event: Notification) -> Iterator[EventRequest]:
        """Take an event; yield likewise."""
        request, time = event.request_id, event.logged or event.timestamp
        if request is None or time is None:
            return
        if is_api((event.publisher_id or "").partition(":")[0].partition(".")[0]):
            yield from self.add_call(request, time)
        found = self._followed.get(request)
        if found is None or time < found.start:
            return
        self._followed.move_to_end(request)
        found.failed |= event.failed
        if event.phase in ENDS:
            found.ends += 1
            if found.end is None or time >= found.end:
                found.last, found.end = event, time

    def seconds_since_call(self, event: Notification) -> float | None:
        """Return the seconds from the API's first record to ``event``."""
        time = event.logged or event.timestamp
        found = self._followed.get(event.request_id or "")
        if found is None or time is None or time < found.start:
            return None
        return (time - found.start) / 1e6

    def close(self) -> Iterator[EventRequest]:
        """Yield the requests that are left."""
        while self._followed:
            yield from _finished(*self._followed.popitem(last=False))


def api_calls_in(batch: pa.RecordBatch) -> Iterator[tuple[int, str, int]]:
    """Yield (row, request id, time) of the records of APIs that have both."""
    import pyarrow.compute as pc

    said = pc.or_(_api_rows(batch, "logger"), _api_rows(batch, "program"))
    known = pc.and_(batch.column("request_id").is_valid(), batch.column("timestamp").is_valid())
    rows = pc.indices_nonzero(pc.and_(said, known))
    ids = batch.column("request_id").take(rows).to_pylist()
    times = batch.column("timestamp").view(pa.int64()).take(rows).to_pylist()
    yield from zip(rows.to_pylist(), ids, times, strict=True)


def _finished(request: str, found: _Followed) -> Iterator[EventRequest]:
    if found.last is None or found.end is None:
        return
    yield EventRequest(
        request,
        found.last.event,
        found.start,
        found.end,
        (found.end - found.start) / 1e6,
        found.ends,
        found.failed,
        found.last.resource_type,
        found.last.resource_id,
        found.last.project_id,
    )


def _api_rows(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return for each row whether that column names an API."""

    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = [is_api(text) for text in column.dictionary.to_pylist()]
    return pa.array([*known, False]).take(column.indices.fill_null(len(known)))
