"""Streams: the lines of each tag become records of their own, and events again.

A record is an event with its columns and, under other names, what stood beside
the line it begins with.  What is no event, or has no line, goes through as it
came, with why in ``opslog_error``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import orjson
import pyarrow as pa

from opslog.engine.job import Job
from opslog.engine.live import LiveStream
from opslog.engine.run import in_this_thread
from opslog.engine.stream import Item, Stream
from opslog.filters.filter import Filter
from opslog.fluentd.events import ERROR, Event, Unread, as_bytes, as_text
from opslog.inputs.paths import STDIN
from opslog.kernel._block import Block
from opslog.model import names, schema
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.rows._jsonl import JsonLines
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

if TYPE_CHECKING:
    from opslog.fluentd.masking import Masking
    from opslog.fluentd.staged import Staged

Out: TypeAlias = Event | pa.RecordBatch
"""An event, or records on their way through stages."""

LEAST_HOLD = 0.001
"""Seconds a record waits in any case, so that what is in the pipe is read first."""

UNSHOWN = ("source", "source_offset")
"""Columns that say nothing of an event: it comes from no file."""

MOST_STREAMS = 1000
"""Streams that are remembered; of one more, the longest unused is closed."""

MOST_APART = 100
"""Batches for stages that are kept apart: each takes 100 KiB, be it of one record."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What events are and what is wanted of them.

    ``field`` holds the line, ``keys`` are the fields whose values tell streams
    apart, the first of them the tag.  ``hold`` is how many seconds a record
    waits for lines that follow (LEAST_HOLD at least).  With ``staged`` records
    come as batches that are to go through stages; ``masking`` is for what goes
    through marked.
    """

    catalog: Catalog
    times: TimeDefaults
    where: Filter | None = None
    field: str = "message"
    keys: tuple[str, ...] = ("tag",)
    names: str = names.OPSLOG
    original: bool = False
    hold: float = 0.2
    staged: Staged | None = None
    masking: Masking | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an event."""
        return tuple(name for name in schema.names(self.original) if name not in UNSHOWN)


@dataclass(slots=True)
class Counts:
    """What became of events; the counts add up, and go on in Stats with the records.

    ``events`` = ``marked`` ones, which went through as they came, + ``begun``
    ones, in which a record begins, + ``joined`` ones, whose lines continue the
    record of another, + those of which it is not known yet.
    """

    events: int = 0
    marked: int = 0
    begun: int = 0
    joined: int = 0
    closed: int = 0
    """Streams closed because there were too many; what continues a record of theirs is torn off."""

    @property
    def waiting(self) -> int:
        """Events of which it is not known yet whether they begin a record."""
        return self.events - self.marked - self.begun - self.joined

    def counters(self) -> Iterator[tuple[str, str, int]]:
        """Yield the counts as metrics: name, meaning, value."""
        yield "events_total", "Events read.", self.events
        yield "events_marked_total", "Events that went through marked.", self.marked
        yield "events_begun_total", "Events in which a record begins.", self.begun
        yield "events_joined_total", "Events that continue a record.", self.joined
        yield "streams_closed_total", "Streams closed because there were too many.", self.closed


class _StreamRecords(NamedTuple):
    """Records of a stream: where each begins, which are kept, and those as events."""

    offsets: memoryview
    kept: Iterable[int]
    rows: list[Event] | pa.RecordBatch


class _Events:
    """Makes events of records, for all streams."""

    def __init__(self, wanted: Wanted) -> None:
        self._writer = JsonLines()
        self.columns = wanted.columns
        self._spelled = tuple(names.spelled(wanted.columns, wanted.names))

    def rows(self, kept: Kept) -> list[Event]:
        kept.json_lines(self._writer, self._spelled)
        with memoryview(self._writer) as lines:
            text = bytes(lines[:-1])
        rows: list[Event] = orjson.loads(b"[%b]" % text.replace(b"\n", b","))
        return rows

    def joined(self, beside: Iterable[Event], rows: list[Event]) -> list[Event]:
        return [{**fields, **row} for fields, row in zip(beside, rows, strict=True)]


class _Stream:
    """The lines of one tag, and the events they came in."""

    def __init__(
        self,
        live: LiveStream[_StreamRecords],
        maker: _Events | Staged,
        counts: Counts,
        spare: deque[Block],
    ) -> None:
        self.live = live
        self._maker = maker
        self._counts = counts
        self._spare = spare
        self._waiting: deque[tuple[int, Event]] = deque()
        self._begun = False
        self._end = 0
        self._lines: list[bytes] = []

    def take(self, event: Event, lines: bytes) -> None:
        """Add the lines of the event that has ``event`` beside them."""
        self._waiting.append((self._end, event))
        self._end += len(lines)
        self._lines.append(lines)

    def feed(self, now: float) -> list[Out]:
        """Return what is complete with the lines taken since, or need not wait any longer."""
        return self._events(self.live.feed(self._taken(), now))

    def close(self) -> list[Out]:
        """Return what is left."""
        out = self._events(self._last())
        while self._waiting:
            self._forget()
        return out

    def _last(self) -> Iterator[Item[_StreamRecords]]:
        yield from self.live.put(self._taken())
        yield self.live.end()

    def _taken(self) -> bytes:
        data = b"".join(self._lines)
        self._lines.clear()
        return data

    def _events(self, items: Iterable[Item[_StreamRecords]]) -> list[Out]:
        out: list[Out] = []
        for item in items:
            for _, made in in_this_thread(item, self._spare):
                beside = [self._beside(offset) for offset in made.offsets]
                if len(made.rows):
                    self.live.stream.stats.kept += len(made.rows)
                    out += self._maker.joined([beside[n] for n in made.kept], made.rows)
        return out

    def _beside(self, offset: int) -> Event:
        """Return what stands beside the line at ``offset``; those before it have no more."""
        while len(self._waiting) > 1 and self._waiting[1][0] <= offset:
            self._forget()
        self._begun = True
        return self._waiting[0][1]

    def _forget(self) -> None:
        self._waiting.popleft()
        if self._begun:
            self._counts.begun += 1
        else:
            self._counts.joined += 1
        self._begun = False


class Streams:
    """Events in, events of records out; reads no clock but the one it is given.

    ``clock`` says the moment by which years are told that a time lacks.
    """

    def __init__(
        self, wanted: Wanted, clock: Callable[[], datetime], most: int = MOST_STREAMS
    ) -> None:
        self.counts = Counts()
        self.stats = Stats()
        self._wanted = wanted
        self._clock = clock
        self._moment: datetime | None = None
        self.most = most
        self._maker = wanted.staged or _Events(wanted)
        self._job: Job[_StreamRecords] = Job(wanted.catalog, self._maker.columns, None, self._made)
        self._spare: deque[Block] = deque()
        self._streams: dict[Hashable, _Stream] = {}
        self._open: dict[_Stream, float] = {}

    def feed(self, items: Iterable[Event | Unread], now: float) -> list[Out]:
        """Return the events complete with these, which came at ``now`` (seconds of a clock)."""
        self._moment = None
        marked: list[Out] = []
        out: list[Out] = []
        fed: dict[_Stream, None] = {}
        for item in items:
            self.counts.events += 1
            if isinstance(item, Unread):
                marked.append(self._unread(item))
                continue
            lines = self._lines(item)
            if lines is None:
                marked.append(self._without_line(item))
                continue
            stream = self._stream(item)
            stream.take(item, lines)
            fed[stream] = None
            if len(self._streams) > self.most:
                oldest = self._streams.pop(next(iter(self._streams)))
                self._date(oldest)
                self._add(out, oldest.close())
                self.counts.closed += 1
                self._open.pop(oldest, None)
                fed.pop(oldest, None)
        for stream in fed:
            self._add(out, self._fed(stream, now))
        return marked + out

    def due(self) -> float | None:
        """Return when the next record need not wait any longer, None if none waits."""
        return min(self._open.values(), default=None)

    def expire(self, now: float) -> list[Out]:
        """Return the events of records that have waited long enough."""
        self._moment = None
        out: list[Out] = []
        for stream in [stream for stream, due in self._open.items() if due <= now]:
            self._add(out, self._fed(stream, now))
        return out

    def close(self) -> list[Out]:
        """Return the events of all records that are left."""
        out: list[Out] = []
        for stream in self._streams.values():
            self._add(out, stream.close())
        self._streams.clear()
        self._open.clear()
        return out

    def _add(self, out: list[Out], more: list[Out]) -> None:
        """Add to ``out``, in which batches for stages do not become many."""
        out += more
        staged = self._wanted.staged
        if staged is not None and len(out) >= MOST_APART:
            out[:] = [staged.gathered(out)]

    def _made(self, kept: Kept) -> _StreamRecords:
        """Return what is made of the records that are wanted."""
        offsets, where = kept.offsets(), self._wanted.where
        chosen: Iterable[int] = range(kept.count)
        if where is not None:
            selection = where.select(kept.others(where.columns))
            kept, chosen = kept.chosen(selection), selection.to_pylist()
        return _StreamRecords(offsets, chosen, self._maker.rows(kept) if kept.count else [])

    def _lines(self, event: Event) -> bytes | None:
        """Take the line out of ``event``, with its end; None if there is none."""
        field = self._wanted.field
        if field not in event:
            # Keys that Ruby takes for binary.
            for key in [key for key in event if isinstance(key, bytes)]:
                event[as_text(key)] = event.pop(key)
        value = event.get(field)
        if isinstance(value, str):
            value = as_bytes(value)
        elif not isinstance(value, bytes):
            return None
        del event[field]
        return value if value.endswith(b"\n") else value + b"\n"

    def _without_line(self, event: Event) -> Event:
        field = self._wanted.field
        found = f"found {type(event[field]).__name__}" if field in event else "found none"
        self.counts.marked += 1
        event = {**event, ERROR: f"expected text in the field {field}, {found}"}
        return event if self._wanted.masking is None else self._wanted.masking.event(event)

    def _unread(self, item: Unread) -> Event:
        self.counts.marked += 1
        masking = self._wanted.masking
        raw, reason = item.raw, item.reason
        if masking is not None:
            raw, reason = masking.unread(raw), masking.text(reason)
        return {self._wanted.field: raw, ERROR: reason}

    def _stream(self, event: Event) -> _Stream:
        """Return the stream the event belongs to, from now on the one used last."""
        key = tuple([_hashable(event.get(name)) for name in self._wanted.keys])
        stream = self._streams.pop(key, None) or self._new(key)
        self._streams[key] = stream
        return stream

    def _new(self, key: tuple[Hashable, ...]) -> _Stream:
        tag = key[0]
        name = as_text(tag) if isinstance(tag, (str, bytes)) else str(tag)
        zone = self._wanted.times.zones.of(name)
        reference = self._wanted.times.reference
        stream = Stream(self._job, STDIN, zone, self.stats, reference, live=True)
        stream.builder.source = repr(key)  # by which stages tell streams apart
        live = LiveStream(stream, self._spare, max(self._wanted.hold, LEAST_HOLD))
        return _Stream(live, self._maker, self.counts, self._spare)

    def _date(self, stream: _Stream) -> None:
        if self._wanted.times.reference is None:
            if self._moment is None:
                self._moment = self._clock()
            stream.live.stream.dated(self._moment)

    def _fed(self, stream: _Stream, now: float) -> list[Out]:
        """Return what is complete in ``stream``, and take note of whether more waits."""
        self._date(stream)
        out = stream.feed(now)
        due = stream.live.due()
        if due is None:
            self._open.pop(stream, None)
        else:
            self._open[stream] = due
        return out


def _hashable(value: Any) -> Hashable:
    return value if value is None or isinstance(value, (str, bytes, int)) else str(value)
