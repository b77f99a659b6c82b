"""Events as Fluentd's ``json`` writes and reads them: an object a line."""

from __future__ import annotations

import json
from typing import Any

import orjson

from opslog.fluentd.events import Event, Unread, as_text, extension, plain
from opslog.fluentd.pieces import Lines

_WRITTEN = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_SUBCLASS


class JsonDecoder:
    """Reads a JSON object a line; a blank line is nothing."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Event | Unread]:
        return [_event(line) for line in self._lines.feed(data) if not line.isspace() and line]

    def close(self) -> list[Event | Unread]:
        return [_event(line) for line in self._lines.close() if not line.isspace()]


def _event(line: bytes) -> Event | Unread:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:
            # Bytes that are no text, NaN: what Fluentd's libraries write, too.
            value = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return Unread(as_text(line), f"expected a JSON object a line: {error}")
    if isinstance(value, dict):
        return value
    return Unread(as_text(line), f"expected a JSON object a line, found {_called(value)}")


def _called(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "null"}.get(type(value), "a number or bool")


def encode_json(events: list[Event]) -> bytes:
    """Return the events as lines of JSON; what JSON cannot say is made plain."""
    return b"".join(map(_line, events))


def _line(event: Event) -> bytes:
    try:
        return orjson.dumps(event, _extension, _WRITTEN)
    except orjson.JSONEncodeError:
        return orjson.dumps(plain(event), option=_WRITTEN)


def _extension(value: Any) -> Any:
    if isinstance(value, bytes):
        return plain(value)
    return extension(value)
