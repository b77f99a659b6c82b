"""Calls of a story that only the line of a server tells, which names no request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from opslog.correlate.servers import COLUMNS, ServerLines
from opslog.correlate.tellers import RANKS
from opslog.filters.fields import Fields
from opslog.filters.filter import Filter
from opslog.reading.window import TimeWindow
from opslog.trace.readings import Readings
from opslog.trace.spans import Call, Request
from opslog.trace.story import Story

_AROUND = timedelta(minutes=1)
"""How long before and behind a request lines and other requests are looked at."""

_READINGS = 8
"""Times that are read; the calls of further ones are not looked for."""


def served_calls(story: Story, further: Readings) -> dict[str, Call]:
    """Return by request the calls that no record of a service tells with status and duration."""
    untold = [one for one in story.tree() if _untold(one)]
    pids = {part.pid for one in untold for part in one.parts if part.pid is not None}
    if not pids:
        return {}
    f = Fields("UTC")
    lines = f.format.isin([*RANKS]) & f.http_status.is_valid()
    told: dict[str, Call] = {}
    wanted = {one.id for one in untold}
    for window in _windows(untold):
        near = (f.timestamp >= window.begin) & (f.timestamp <= window.end)
        where = Filter.of(near & (lines | f.process_pid.isin(sorted(pids))))
        found, batches = ServerLines(), []
        for batch in further.batches(where, window=window, columns=COLUMNS):
            found.add(batch)
            batches.append(batch.filter(batch["http_status"].is_valid()))
        named = found.named()
        for batch in map(named.name, batches):
            columns = ("request_id", "http_method", "http_target", "http_status", "duration")
            for own, *call in zip(*(batch[name].to_pylist() for name in columns), strict=True):
                if own in wanted and call[0] is not None:
                    told.setdefault(own, Call(*call))
    return told


def _untold(request: Request) -> bool:
    call = request.call
    return not request.task and (call is None or call.status is None or call.duration is None)


def _windows(requests: Iterable[Request]) -> list[TimeWindow]:
    """Return the times around requests, those that meet as one."""
    found: list[TimeWindow] = []
    times = [(one.begin, one.end) for one in requests if one.begin and one.end]
    for begin, end in sorted(times):
        window = TimeWindow(begin - _AROUND, end + _AROUND)
        if found and window.begin <= found[-1].end:
            window = TimeWindow(found[-1].begin, max(window.end, found.pop().end))
        found.append(window)
    return found[:_READINGS]
