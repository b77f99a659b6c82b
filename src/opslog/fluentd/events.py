"""Events, and what their values become where an encoding does not know them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Event: TypeAlias = dict[Any, Any]
"""A map, as Fluentd calls it a record; keys are text but for what others made."""

ERROR = "opslog_error"
"""The field that says why an event went through as it came."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Input that is no event: as it came, and why it is none."""

    raw: Any
    reason: str


class Decoder(Protocol):
    """Bytes, cut anywhere, to events."""

    def feed(self, data: bytes) -> list[Event | Unread]:
        """Return the events complete with the next bytes."""

    def close(self) -> list[Event | Unread]:
        """Say that the input has ended and return what was not complete."""


class Encoder(Protocol):
    """Events to bytes."""

    def __call__(self, events: list[Event]) -> bytes: ...


_SURROGATES = re.compile("[\ud800-\udfff]")
DEEPEST = 200
"""Levels of maps and lists, which every encoder can write."""


def as_bytes(text: str) -> bytes:
    """Return text as UTF-8; of bytes that were none, as they came."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text).encode()


def as_text(value: str | bytes) -> str:
    """Return valid text; a byte that is none becomes U+FFFD."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` in what every encoding can say: valid text, numbers of 64 bits.

    Bytes become text, Fluentd's times decimal seconds as text, which its time
    parser reads without loss; what is nested too deep is left out, and says so.
    """
    if isinstance(value, (str, bytes)):
        return as_text(value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if depth == DEEPEST:
        return f"opslog: nested deeper than {DEEPEST} levels"
    if isinstance(value, dict):
        return {_key(k): plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    return extension(value)


def extension(value: Any) -> Any:
    """Return what msgpack's extension types become elsewhere."""
    code, data = getattr(value, "code", None), getattr(value, "data", None)
    if code == 0 and data is not None and len(data) == 8:
        return "{}.{:09}".format(*struct.unpack(">II", data))
    if data is not None:
        return {"type": code, "data": as_text(data)}
    seconds, nanoseconds = getattr(value, "seconds", None), getattr(value, "nanoseconds", None)
    if seconds is not None:
        return f"{seconds}.{nanoseconds:09}"
    return str(value)


def _key(key: Any) -> str:
    return as_text(key if isinstance(key, (str, bytes)) else str(plain(key)))
