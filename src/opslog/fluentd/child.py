"""The child of Fluentd: events from one descriptor to another, by the clock, until the end.

Fluentd closes our input and sends SIGTERM at once, so what is left in the pipe is
read before the child goes.  A service manager may send the signal to Fluentd's
whole group: then more input is still to come, and is waited for.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from opslog.fluentd.events import Decoder, Encoder, Event
from opslog.fluentd.streams import Out, Streams
from opslog.model.errors import SourceError
from opslog.outputs.output import OutputStream

if TYPE_CHECKING:
    from opslog.fluentd.staged import Staged

_CHUNK = 65536
"""Bytes read at once: what a pipe holds."""

_AT_ONCE = 1 << 20
"""Bytes taken together: lines of many tags cost less so."""

PATIENCE = 5.0
"""Seconds without input after which a child that was told to go no longer waits for its end."""

TICK = 1.0
"""Seconds at most between two calls of what watches."""


class Child:
    """Reads events, writes events; what is complete is written at once.

    ``watch`` is told the time (time.monotonic()) at least every TICK seconds.
    """

    def __init__(
        self,
        streams: Streams,
        decoder: Decoder,
        encoder: Encoder,
        output: OutputStream,
        source: int = 0,
        staged: Staged | None = None,
        watch: Callable[[float], None] | None = None,
    ) -> None:
        self._streams = streams
        self._decoder = decoder
        self._encode = encoder
        self._output = output
        self._source = source
        self._staged = staged
        self._watch = watch

    def run(self, stop: int) -> None:
        """Work until the input ends, or until ``stop`` is readable and no more input comes."""
        parts: Iterator[list[Out]] = self._parts(stop)
        if self._staged is not None:
            parts = self._staged.through(parts, self._write, self._streams.stats)
        for events in parts:
            self._write(events)
            del events  # the next ones are made before the name is used again

    def _parts(self, stop: int) -> Iterator[list[Out]]:
        """Yield what is complete whenever something may be."""
        watched, leave = [self._source, stop], inf
        while True:
            due, now = self._streams.due(), monotonic()
            until = min(leave, inf if due is None else due, now + TICK if self._watch else inf)
            wait = None if until == inf else max(0.0, until - now)
            try:
                ready = select.select(watched, [], [], wait)[0]
            except OSError as error:
                raise _unreadable(error) from None
            now = monotonic()
            if self._watch:
                self._watch(now)
            if stop in ready:
                watched.remove(stop)
            if ready and stop not in watched:
                leave = now + PATIENCE
            if self._source in ready:
                data, ended = self._available()
                yield self._streams.feed(self._decoder.feed(data), now)
                if ended:
                    break
            elif due is not None and due <= now:
                yield self._streams.expire(now)
            elif leave <= now:
                break
        yield self._streams.feed(self._decoder.close(), monotonic()) + self._streams.close()

    def _available(self) -> tuple[bytes, bool]:
        """Return what can be read without waiting, or a good part of it, and whether it ends."""
        parts: list[bytes] = []
        size = 0
        # Records on their way through stages take many times the room of their lines.
        most = _AT_ONCE if self._staged is None else _AT_ONCE // 8
        while size < most:
            try:
                part = os.read(self._source, _CHUNK)
            except OSError as error:
                raise _unreadable(error) from None
            if not part:
                return b"".join(parts), True
            parts.append(part)
            size += len(part)
            if not select.select([self._source], [], [], 0)[0]:
                break
        return b"".join(parts), False

    def _write(self, events: list[Event]) -> None:
        if events:
            self._output.write(self._encode(events))


def _unreadable(error: OSError) -> SourceError:
    return SourceError("-", error.strerror or str(error))
