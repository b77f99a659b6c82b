"""The child of Fluentd: events from one descriptor to another, by the clock, until the end.

Fluentd closes our input and sends SIGTERM at once, so what is left in the pipe is
read before the child goes.  A service manager may send the signal to Fluentd's
whole group: then more input is still to come, and is waited for.
"""

from __future__ import annotations

import os
import select
from time import monotonic

from opslog.fluentd.events import Decoder, Encoder, Event
from opslog.fluentd.streams import Streams
from opslog.output import Output

_CHUNK = 65536
"""Bytes read at once: what a pipe holds."""

_AT_ONCE = 1 << 20
"""Bytes taken together: lines of many tags cost less so."""

PATIENCE = 5.0
"""Seconds without input after which a child that was told to go no longer waits for its end."""


class Child:
    """Reads events, writes events; what is complete is written at once."""

    def __init__(
        self, streams: Streams, decoder: Decoder, encoder: Encoder, output: Output, source: int = 0
    ) -> None:
        self._streams = streams
        self._decoder = decoder
        self._encode = encoder
        self._output = output
        self._source = source

    def run(self, stop: int) -> None:
        """Work until the input ends, or until ``stop`` is readable and no more input comes."""
        self._read(stop)
        last = self._streams.feed(self._decoder.close(), monotonic())
        self._write(last + self._streams.close())

    def _read(self, stop: int) -> None:
        watched = [self._source, stop]
        while True:
            due, now = self._streams.due(), monotonic()
            wait = None if due is None else max(0.0, due - now)
            if stop not in watched:
                wait = PATIENCE if wait is None else min(wait, PATIENCE)
            ready = select.select(watched, [], [], wait)[0]
            now = monotonic()
            if stop in ready:
                watched.remove(stop)
            if self._source in ready:
                data, ended = self._available()
                self._write(self._streams.feed(self._decoder.feed(data), now))
                if ended:
                    return
            elif due is not None and due <= now:
                self._write(self._streams.expire(now))
            elif not ready and stop not in watched:
                return

    def _available(self) -> tuple[bytes, bool]:
        """Return what can be read without waiting, or a good part of it, and whether it ends."""
        parts: list[bytes] = []
        size = 0
        while size < _AT_ONCE:
            part = os.read(self._source, _CHUNK)
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
