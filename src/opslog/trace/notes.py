"""What is told beside a story, found by readings of its own.

How a resource broke before a request for it was refused, which answer is likely that of a
call without one, and which errors were new elsewhere while the story failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from opslog.filters.about import about
from opslog.filters.fields import Fields
from opslog.filters.filter import Filter
from opslog.reading.window import TimeWindow
from opslog.trace import reasons
from opslog.trace.meanwhile import FailureTime, Meanwhile
from opslog.trace.readings import Readings
from opslog.trace.story import Note, Story

_READINGS = 8
"""Calls without an answer of which the answers are looked for."""


def notes(story: Story, further: Readings, request: bool) -> Iterator[Note]:
    """Yield what other records tell of a story; ``request``: of a request's only."""
    if request:
        yield from _broke_earlier(story, further)
        yield from _likely_answers(story, further)
    time = FailureTime.of(story)
    if time is not None:
        meanwhile = Meanwhile(story, time)
        for batch in further.batches(time.errors(), window=time.window()):
            meanwhile.add(batch)
        yield from meanwhile.notes()


def _broke_earlier(story: Story, further: Readings) -> Iterator[Note]:
    request = reasons.refused(story)
    number = None if request is None else reasons.reason(story, request)
    if request is None or number is None or request.begin is None:
        return
    broken = reasons.broken_resource(story, request, number)
    if broken is None:
        return
    f = Fields("UTC")
    errors = (f.severity >= "ERROR") | f.exception_type.is_valid()
    before = Filter.of(errors & (f.timestamp < request.begin))
    note = reasons.broke_earlier(*broken, further.records(about(broken[1]) & before))
    if note is not None:
        yield note


def _likely_answers(story: Story, further: Readings) -> Iterator[Note]:
    f = Fields("UTC")
    for request, source, pid in islice(reasons.unanswered(story), _READINGS):
        if request.end is None:
            continue
        window = TimeWindow(request.end, request.end + reasons.LATER)
        later = (f.timestamp >= window.begin) & (f.timestamp <= window.end)
        answered = f.http_status.is_valid() & f.http_method.is_valid() & (f.process_pid == pid)
        answers = further.records(Filter.of(later & answered), source, window)
        if (note := reasons.likely_answer(request, answers)) is not None:
            yield note
