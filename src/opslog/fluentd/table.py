"""Events as Fluentd's ``tsv`` and ``ltsv`` write and read them: tabs between values.

Neither has a way to say a tab or a line end in a value: Fluentd writes them
as they are, and so tears the event; written here they are ``\\t`` and ``\\n``.
"""

from __future__ import annotations

from typing import Any

from opslog.fluentd.events import Event, Unread, as_text, plain
from opslog.fluentd.json import encode_json
from opslog.fluentd.pieces import Lines


class TsvDecoder:
    """Reads the values of ``keys``; what is left of a line is the last one's."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Event | Unread]:
        return [self._event(line) for line in self._lines.feed(data)]

    def close(self) -> list[Event | Unread]:
        return [self._event(line) for line in self._lines.close()]

    def _event(self, line: bytes) -> Event:
        values = line.decode("utf-8", "surrogateescape").split("\t", len(self._keys) - 1)
        return dict(zip(self._keys, values, strict=False))


class LtsvDecoder:
    """Reads ``key:value`` between tabs; a blank line is nothing."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Event | Unread]:
        return [_labelled(line) for line in self._lines.feed(data) if line]

    def close(self) -> list[Event | Unread]:
        return [_labelled(line) for line in self._lines.close()]


def _labelled(line: bytes) -> Event | Unread:
    pairs = line.decode("utf-8", "surrogateescape").split("\t")
    if all(":" in pair for pair in pairs):
        return dict(pair.split(":", 1) for pair in pairs)
    return Unread(as_text(line), "expected key:value between tabs")


class TsvEncoder:
    """Writes the values of ``keys``, in order; of what an event lacks, nothing."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys

    def __call__(self, events: list[Event]) -> bytes:
        return "".join(
            "\t".join([_cell(event.get(key)) for key in self._keys]) + "\n" for event in events
        ).encode()


def encode_ltsv(events: list[Event]) -> bytes:
    """Return ``key:value`` of all that is not null, between tabs, a line an event."""
    return "".join(
        "\t".join([f"{_label(k)}:{_cell(v)}" for k, v in event.items() if v is not None]) + "\n"
        for event in events
    ).encode()


def _label(key: Any) -> str:
    return _cell(key).replace(":", "_")


def _cell(value: Any) -> str:
    """Return a value as Ruby prints it, lists and maps as JSON, on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (dict, list)):
        text = encode_json([{"": value}])[4:-2].decode()
    else:
        text = str(plain(value))
    if text.isprintable():
        return text
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
