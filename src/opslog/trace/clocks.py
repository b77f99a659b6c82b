"""By how much the clocks of hosts are apart, as far as cause and effect show it.

A call begins after its caller did, and its caller has the answer after it ended; what
repeats an exception comes after the record that told it first.  Each is a bound.  A clock
is taken to be right as long as the bounds allow it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from opslog.model.record import LogRecord
from opslog.trace.quotes import quoted_by
from opslog.trace.spans import ProcessSpan, Request, is_answer

_LEAST = timedelta(milliseconds=50)
"""The least difference that is told: services round, and log a little later."""

_MOST = timedelta(hours=1)
"""The greatest: clocks that are further apart are of different days or zones."""


def offsets(
    records: list[LogRecord], owners: list[str | None], requests: list[Request]
) -> dict[str, timedelta]:
    """Return by host by how much its clock is ahead; hosts whose clock seems right are left out.

    The clock that the others are compared with is that of the host with most records.
    """
    hosts = Counter(record.host_name for record in records if record.host_name)
    if len(hosts) < 2:
        return {}
    least: dict[tuple[str, str], timedelta] = {}
    most: dict[tuple[str, str], timedelta] = {}
    for before, after, by in _order(records, owners, requests):
        # ``after`` shows a time that is ``by`` behind that of ``before``, which it follows.
        most[after, before] = min(most.get((after, before), _MOST), by)
        least[before, after] = max(least.get((before, after), -_MOST), -by)
    found: dict[str, timedelta] = {}
    [(reference, _)] = hosts.most_common(1)
    known, waiting = {reference: timedelta()}, [reference]
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in [*most, *least]:
        near[one].add(other)
        near[other].add(one)
    while waiting:
        one = waiting.pop(0)
        for other in sorted(near[one] - {*known}):
            by = _between(least.get((other, one)), most.get((other, one)))
            known[other] = known[one] + by
            waiting.append(other)
            if abs(known[other]) >= _LEAST:
                found[other] = known[other]
    return found


def _between(least: timedelta | None, most: timedelta | None) -> timedelta:
    """Return the difference nearest to none within bounds; none where they contradict."""
    low, high = least or -_MOST, _MOST if most is None else most
    if low > high:
        return timedelta()
    return max(low, min(high, timedelta()))


def _order(
    records: list[LogRecord], owners: list[str | None], requests: Iterable[Request]
) -> Iterator[tuple[str, str, timedelta]]:
    """Yield (host, host, how much later the second showed) of what came before something else."""
    by_id = {one.id: one for root in requests for one in root.tree()}
    for request in by_id.values():
        if request.task:
            continue
        first = _part_of_call(request, records)
        if first is not None:
            for part in request.parts:
                yield from _pair(first.host, first.begin, part.host, part.begin)
            for child in request.children:
                for part in child.parts[:1]:
                    yield from _pair(first.host, first.begin, part.host, part.begin)
    for number, record in enumerate(records):
        callee = by_id.get(record.attributes.get("peer_request_id") or "")
        if callee is not None and callee.id != owners[number] and callee.call:
            answering = _part_of_call(callee, records)
            if answering is not None:
                yield from _pair(answering.host, answering.end, record.host_name, record.timestamp)
    for number, told in quoted_by(records):
        one, other = records[told], records[number]
        yield from _pair(one.host_name, one.timestamp, other.host_name, other.timestamp)


def _part_of_call(request: Request, records: list[LogRecord]) -> ProcessSpan | None:
    """Return the part that answered the call of a request, if it says how long that took."""
    if request.call is None or not request.call.duration:
        return None
    for part in request.parts:
        if part.program == request.service and any(is_answer(records[n]) for n in part.records):
            return part
    return None


def _pair(
    before: str | None, time: datetime | None, after: str | None, later: datetime | None
) -> Iterator[tuple[str, str, timedelta]]:
    if before and after and before != after and time is not None and later is not None:
        yield before, after, later - time
