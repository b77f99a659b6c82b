"""Secrets are taken out of events, too: of their fields, and of what is no event."""

from __future__ import annotations

import re
from typing import Any

from opslog.fluentd.events import DEEPEST, Event, plain
from opslog.stages import Mask, Share
from opslog.stages.secret_names import is_secret

# "name": "value" of JSON, whose end may be missing, name:value between tabs.
_PAIR = re.compile(
    r"""((?<![\w.@/-])([\w.@/-]{1,80})"?[ ]*:[ ]*)("(?:[^"\\]|\\.)*"?|[^"\t][^\t]*)"""
)


class Masking:
    """Masks events as ``mask`` does records.

    A field named like a secret is one as a whole, with the texts and numbers in it;
    of other fields the texts are searched.  What is masked becomes text, all else
    keeps its type.
    """

    def __init__(self, mask: Mask | Share) -> None:
        self.text = mask.text
        self._named = mask.value
        self._whole = mask.pseudonym

    def event(self, event: Event) -> Event:
        """Return the event, masked."""
        masked: Event = self._value(event, False, 0)
        return masked

    def unread(self, raw: str | bytes) -> str:
        """Return what is no event, masked; of bytes, which no rule knows, nothing stays."""
        if isinstance(raw, bytes):
            return self._whole(raw.decode(errors="surrogateescape"))
        masked = _PAIR.sub(self._pair, raw)
        return self.text(masked)

    def _pair(self, found: re.Match[str]) -> str:
        return found[0] if not is_secret(found[2]) else found[1] + self._whole(found[3])

    def _value(self, value: Any, secret: bool, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value, secret)
        if isinstance(value, bytes):
            text = value.decode(errors="surrogateescape")
            masked = self._text(text, secret)
            return value if masked == text else masked.encode(errors="surrogateescape")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._whole(str(value)) if secret else value
        if depth == DEEPEST:
            return plain(value, depth)
        if isinstance(value, dict):
            return self._map(value, secret, depth + 1)
        if isinstance(value, list):
            return [self._value(item, secret, depth + 1) for item in value]
        if secret:
            return self._value(plain(value), secret, depth)
        data = getattr(value, "data", None)  # of an extension type of msgpack
        return value if data is None else value._replace(data=self._value(data, secret, depth))

    def _map(self, found: dict[Any, Any], secret: bool, depth: int) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        for key, value in found.items():
            name = key.decode(errors="surrogateescape") if isinstance(key, bytes) else key
            named = isinstance(name, str) and is_secret(name)
            key = self._value(key, False, depth)
            while key in out:  # two secrets, one name
                key = f"{plain(key)}*"
            if isinstance(value, str) and isinstance(name, str) and not secret:
                out[key] = self._named(name, value)
            else:
                out[key] = self._value(value, secret or named, depth)
        return out

    def _text(self, text: str, secret: bool) -> str:
        if secret:
            return self._whole(text) if text else text
        return self.text(text)
