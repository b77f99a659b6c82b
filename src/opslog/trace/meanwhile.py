"""Errors that were logged beside a story, in the same time, and that no user's request tells of.

What a user met may have its cause where no request is: a broker that went away, a database
that refused, an agent that lost its connection.  Errors that were logged before the story
began, too, are everyday noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa

from opslog.filters.fields import Fields
from opslog.filters.filter import Filter
from opslog.model.record import LogRecord, records_of
from opslog.reading.window import TimeWindow
from opslog.rows.template import templates
from opslog.trace.errors import first_error
from opslog.trace.spans import is_error
from opslog.trace.story import Note, Story

_BEFORE = timedelta(minutes=30)
"""How long before the story errors are looked for that are nothing new in it."""

_NEAR = timedelta(seconds=5)
_ALONE = timedelta(minutes=1)
_AROUND = timedelta(minutes=10)
_SHOWN = 5
_KINDS = 10_000
"""Kinds of errors that are told apart; what comes when there are so many is left out."""

_TELLING = ("program", "logger", "exception_type", "template")
_Kind = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class FailureTime:
    """When a story failed: the time of the tree of requests in which the first error stands."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, story: Story) -> FailureTime | None:
        """Return it; None for a story without a failure, or without times.

        What a service refused for a reason that it tells (409) is no failure.
        """
        number = first_error(story)
        if number is None or not (is_error(story.records[number]) or _broke(story)):
            return None
        time = story.records[number].timestamp
        if time is None:
            return None
        owner = story.owners[number]
        trees = (one for one in story.requests if any(r.id == owner for r in one.tree()))
        tree = next((one for one in trees if not one.task), None)
        begin, end = (tree and tree.span()) or (time - _ALONE, time + _ALONE)
        return cls(max(begin, time - _AROUND) - _NEAR, min(end, time + _AROUND) + _NEAR)

    def window(self) -> TimeWindow:
        """Return this time with the time before."""
        return TimeWindow(self.begin - _BEFORE, self.end)

    def errors(self) -> Filter:
        """Return the filter of the errors of this time and the time before that are no user's."""
        f = Fields("UTC")
        failed = (f.severity >= "ERROR") | f.exception_type.is_valid()
        nobody = ~f.user_id.is_valid() & ~f.user_name.is_valid()
        window = self.window()
        near = (f.timestamp >= window.begin) & (f.timestamp <= window.end)
        return Filter.of(failed & nobody & near)


@dataclass(slots=True)
class _Errors:
    """Errors of one kind: the earliest, and how many there are."""

    first: LogRecord
    count: int


@dataclass(slots=True)
class Meanwhile:
    """The errors around a failure, by kind: program, logger, exception and template."""

    story: Story
    time: FailureTime
    _before: set[_Kind] = field(default_factory=set)
    _found: dict[_Kind, _Errors] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take records of ``FailureTime.errors``, with all columns, in any order."""
        import pyarrow.compute as pc

        begin = pa.scalar(self.time.begin, batch["timestamp"].type)
        before = pc.less(batch["timestamp"], begin)
        for kind, _, _ in _kinds(batch.filter(before)):
            if len(self._before) < _KINDS:
                self._before.add(kind)
        batch = batch.filter(pc.invert(before))
        for kind, count, row in _kinds(batch):
            [first] = records_of(batch.slice(row, 1))
            known = self._found.get(kind)
            if known is not None:
                known.count += count
                known.first = min(known.first, first, key=_time)
            elif len(self._found) < _KINDS:
                self._found[kind] = _Errors(first, count)

    def notes(self) -> Iterator[Note]:
        """Yield what is new, the earliest first; of many the first ones."""
        told = {(one.source, one.source_offset) for one in self.story.records}
        new = [
            errors
            for kind, errors in self._found.items()
            if kind not in self._before
            and (errors.first.source, errors.first.source_offset) not in told
        ]
        new.sort(key=lambda one: _time(one.first))
        for errors in new[:_SHOWN]:
            yield Note("meanwhile", _text(errors), errors.first.request_id)
        if len(new) > _SHOWN:
            yield Note("meanwhile", f"{len(new) - _SHOWN} more kinds of errors")


def _broke(story: Story) -> bool:
    return any(one.call and (one.call.status or 0) >= 500 for one in story.tree())


def _kinds(batch: pa.RecordBatch) -> Iterator[tuple[_Kind, int, int]]:
    """Yield each kind of errors in a batch, how many there are and the row of the earliest."""
    import pyarrow.compute as pc

    heads = pc.replace_substring_regex(batch["body"].cast(pa.string()), "(?s)\n.*", "")
    columns = [batch[name].cast(pa.string()) for name in _TELLING[:-1]]
    row = pa.array(range(len(batch)), pa.int64())
    table = pa.table([*columns, templates(heads), row], [*_TELLING, "row"])
    table = table.take(pc.sort_indices(batch["timestamp"]))
    groups = table.group_by(list(_TELLING), use_threads=False)
    for one in groups.aggregate([("row", "count"), ("row", "first")]).to_pylist():
        yield tuple(one[name] for name in _TELLING), one["row_count"], one["row_first"]


def _text(errors: _Errors) -> str:
    record = errors.first
    who = record.program or record.service_name or "?"
    who += f"@{record.host_name}" if record.host_name else ""
    said = (record.body or "").split("\n")[0]
    if record.exception_type and record.exception_type not in said:
        said = f"{said} {record.exception_type}".strip()
    often = f" ({errors.count} times)" if errors.count > 1 else ""
    return f"{record.timestamp:%H:%M:%S}Z {who}: {said}{often}"


def _time(record: LogRecord) -> datetime:
    assert record.timestamp is not None
    return record.timestamp
