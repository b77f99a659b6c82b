"""Events as Fluentd's ``msgpack`` writes and reads them: maps, one behind the other.

Text that Ruby takes for binary comes as bytes; Fluentd's times are the
extension type 0.  Both go out as they came.
"""

from __future__ import annotations

from typing import Any

import msgpack

from opslog.fluentd.events import Event, Unread, plain
from opslog.fluentd.pieces import LONGEST

_GARBAGE = 4096
"""Bytes of what is no map that are said in one piece."""


class MsgpackDecoder:
    """Reads maps; what stands between them is told in pieces, the same however it is cut."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""
        self._garbage = b""

    def feed(self, data: bytes) -> list[Event | Unread]:
        data = self._rest + data if self._rest else data
        found: list[Event | Unread] = []
        done, refused = self._read(data, 0, found)
        while refused:
            self._skip(data[done : done + 1], found)
            done, refused = self._read(data, done + 1, found)
        self._rest = data[done:]
        return found

    def close(self) -> list[Event | Unread]:
        found: list[Event | Unread] = []
        self._skip(self._rest, found)
        self._rest = b""
        return found + self._take_skipped()

    def _read(self, data: bytes, start: int, found: list[Event | Unread]) -> tuple[int, bool]:
        """Add the maps from ``start``; return where they end, and whether no map begins there."""
        unpacker = _unpacker(self._longest)
        unpacker.feed(data[start:] if start else data)
        done = start
        try:
            for value in unpacker:
                end = start + unpacker.tell()
                if end - done > self._longest:
                    return done, True
                if isinstance(value, dict):
                    found += [*self._take_skipped(), value] if self._garbage else [value]
                else:
                    self._skip(data[done:end], found)
                done = end
        except (ValueError, TypeError):  # no msgpack; a map or list as a key
            return done, True
        return done, len(data) - done > self._longest

    def _skip(self, data: bytes, found: list[Event | Unread]) -> None:
        self._garbage += data
        while len(self._garbage) >= _GARBAGE:
            rest = self._garbage[_GARBAGE:]
            self._garbage = self._garbage[:_GARBAGE]
            found += self._take_skipped()
            self._garbage = rest

    def _take_skipped(self) -> list[Event | Unread]:
        garbage, self._garbage = self._garbage, b""
        return [Unread(garbage, "expected maps in msgpack, found other bytes")] if garbage else []


def _unpacker(longest: int) -> Any:
    return msgpack.Unpacker(
        raw=False,
        unicode_errors="surrogateescape",
        strict_map_key=False,
        max_buffer_size=0,
        max_str_len=longest,
        max_bin_len=longest,
        max_array_len=longest,
        max_map_len=longest,
        max_ext_len=longest,
    )


def encode_msgpack(events: list[Event]) -> bytes:
    """Return the events as maps; what msgpack cannot say is made plain."""
    packer = msgpack.Packer(unicode_errors="surrogateescape")
    return b"".join([_map(packer, event) for event in events])


def _map(packer: Any, event: Event) -> bytes:
    try:
        packed: bytes = packer.pack(event)
    except (ValueError, OverflowError, TypeError):
        packer.reset()
        packed = packer.pack(plain(event))
    return packed
