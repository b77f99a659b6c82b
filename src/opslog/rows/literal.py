"""What Python's repr prints: read by its signs, nothing is evaluated.

keystonemiddleware prints an audit event so where it has no notifier, with ``%(payload)s``
of a dict.  That is rare: the kernels call this for no other record.
"""

from __future__ import annotations

import re

_DEEPEST = 200
"""Brackets in one another at most, as in JSON that is read."""

_EVENT = re.compile(rb"Event type: ([A-Za-z0-9._-]+), Context: ")
_PAYLOAD = b", Payload: "

_ESCAPE = rb"""\\(?:['"\\nrt]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U00(?:0[\da-fA-F]|10)[\da-fA-F]{4})"""
_TOKEN = re.compile(
    rb"( *+(?:[bu]?'((?:[^'\\]|%b)*+)'"
    rb'|[bu]?"((?:[^"\\]|%b)*+)"'
    rb"|(?:(None|True|False)|(-?(?:0|[1-9]\d*+)(?:\.\d++)?+(?:e[-+]?\d++)?+)L?+)(?![0-9A-Za-z_])"
    rb"|([\[({])|([\])}])))(?: *+([:,]))?+" % (_ESCAPE, _ESCAPE),
    re.DOTALL,
)
"""A text in single or double quotes, a word, a number, a bracket; then a colon or comma, if any."""
_NOT_JSON = re.compile(_ESCAPE + rb'|["\x00-\x1f]')
_WORDS = {b"None": b"null", b"True": b"true", b"False": b"false"}
_CLOSING = {b"[": b"]", b"(": b")", b"{": b"}"}

# What may come next:
_VALUE = 0
_FIRST = 1  # a value, or the end of an empty list or tuple
_KEY = 2
_FIRST_KEY = 3  # a key, or the end of an empty dict
_END = 4


def event_as_json(text: bytes) -> bytes | None:
    """Return the event that a message of keystonemiddleware's log notifier is, as JSON.

    The message is ``Event type: T, Context: C, Payload: P``; None if ``text`` is anything
    else.  The priority is that of the call that printed it.
    """
    head = _EVENT.match(text)
    context = head and _value(text, head.end())
    if not head or not context or not text.startswith(_PAYLOAD, context[1]):
        return None
    payload = _value(text, context[1] + len(_PAYLOAD))
    if not payload or payload[1] != len(text):
        return None
    return b'{"event_type": "%b", "priority": "INFO", "context": %b, "payload": %b}' % (
        head[1],
        context[0],
        payload[0],
    )


def _value(text: bytes, at: int) -> tuple[bytes, int] | None:
    """Return the value at a place as JSON, and where it ends; None if it is none that is read.

    Read are strings, numbers, None, True, False and lists, tuples and dicts of them with
    keys of text; not an object in pointed brackets, a set, a call.
    """
    out: list[bytes] = []
    closing: list[bytes] = []
    expected = _VALUE
    while token := _TOKEN.match(text, at):
        _, single, double, word, number, opens, closes, sign = token.groups()
        at = token.end()
        if opens:
            if expected > _FIRST or sign or len(closing) == _DEEPEST:
                return None
            closing.append(_CLOSING[opens])
            out.append(b"{" if opens == b"{" else b"[")
            expected = _FIRST_KEY if opens == b"{" else _FIRST
            continue
        if closes:
            empty = _FIRST_KEY if closes == b"}" else _FIRST
            if not closing or closing.pop() != closes or expected not in (_END, empty):
                return None
            out.append(b"}" if closes == b"}" else b"]")
        elif expected == _END:
            return None
        elif word or number:
            if expected > _FIRST:
                return None
            out.append(number or _WORDS[word])
        else:
            out.append(b'"%b"' % _NOT_JSON.sub(_json_escape, single or double or b""))
            if expected > _FIRST:
                if sign != b":":
                    return None
                out.append(sign)
                expected = _VALUE
                continue
        if not closing:
            return b"".join(out), token.end(1)
        expected = _END
        if sign == b":":
            return None
        # A comma behind the last item is a tuple's of one: JSON has none.
        if sign and (closing[-1] != b")" or not text.startswith(b")", at)):
            out.append(sign)
            expected = _KEY if closing[-1] == b"}" else _VALUE
    return None


def _json_escape(match: re.Match[bytes]) -> bytes:
    """Return how JSON writes an escape of Python, or a character it wants escaped."""
    said = match[0]
    if said == b'"':
        return b'\\"'
    if len(said) == 1:
        return b"\\u%04x" % said[0]
    if said[1:] == b"'":
        return b"'"
    if len(said) == 2:
        return said
    code = int(said[2:], 16)
    if said[1:2] == b"x" or code < 0x80:
        return b"\\u%04x" % code
    return _utf8(code)


def _utf8(code: int) -> bytes:
    return ("�" if 0xD800 <= code < 0xE000 or code > 0x10FFFF else chr(code)).encode()
