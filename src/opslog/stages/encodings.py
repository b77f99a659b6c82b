"""Texts in texts: what escapes, URLs, entities and shells' quotes stand for, and where."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

_ESCAPE = re.compile(r"\\(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})|\+")
_QUOTED = re.compile(r"%[0-9a-fA-F]{2}")
_ENTITY = re.compile(r"&(?:(quot|apos|lt|gt|amp)|#(\d{1,3})|#[xX]([0-9a-fA-F]{1,2}));")
_SHELL = re.compile(r"'\"'\"'|'\\''|\"'\"'\"")
_COLOUR = re.compile(r"(?:\x1b|\#033|\^\[)\[[\d;?]*[A-Za-z]")
_OCTAL = re.compile(r"\#(0[0-3][0-7])")
"""How rsyslog writes control characters."""
_PROCTITLE = re.compile(r"\bproctitle=((?:[0-9A-F]{2}){4,})\b")
_BYTES = re.compile(r"\[[ ]?(?:\d{1,3},[ ]?){7,}\d{1,3}[ ]?\]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BASE64_LINES = re.compile(
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}+(?:\s{1,40}[A-Za-z0-9+/]{40,}+)*+"
    r"(?:\s{1,40}[A-Za-z0-9+/]{4,}+)?={0,2}"
)

WORDS = (
    "proctitle=", 'message":[', 'message": [', 'message" : [', 'cmdline":[', 'cmdline": [',
    'cmdline" : [', 'message\\":[', 'message\\": [',
)  # fmt: skip
"""One of these is in every text with numbers that are a text's bytes, in capitals or not."""

_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_NAMED = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}


class Layer:
    """A text decoded once; ``source`` says where a part of it stood."""

    __slots__ = ("_ends", "_from", "_to", "text")

    def __init__(self, text: str, pattern: re.Pattern[str], plain: Callable[..., str]) -> None:
        # Pieces of the decoded text: a literal stands as it is, one decoded character for several.
        pieces: list[str] = []
        ends: list[int] = []
        begins: list[int] = []
        stops: list[int] = []
        at = size = 0
        for match in pattern.finditer(text):
            decoded = plain(match)
            if match.start() > at:
                size += match.start() - at
                pieces.append(text[at : match.start()])
                ends.append(size)
                begins.append(at)
                stops.append(-1)
            size += len(decoded)
            pieces.append(decoded)
            ends.append(size)
            begins.append(match.start())
            stops.append(match.end())
            at = match.end()
        pieces.append(text[at:])
        ends.append(size + len(text) - at)
        begins.append(at)
        stops.append(-1)
        self.text = "".join(pieces)
        self._ends, self._from, self._to = ends, begins, stops

    def source(self, begin: int, end: int) -> tuple[int, int]:
        """Return where the characters from ``begin`` up to ``end`` stood."""
        return self._place(begin)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        piece = min(bisect_right(self._ends, at), len(self._ends) - 1)
        begin, stop = self._from[piece], self._to[piece]
        if stop >= 0:
            return begin, stop
        first = self._ends[piece - 1] if piece else 0
        return begin + at - first, begin + at - first + 1


def layers(text: str) -> Iterator[Layer]:
    """Yield what each kind of encoding in ``text`` makes of it."""
    if "\\" in text:
        yield Layer(text, _ESCAPE, _unescaped)
    if "+-" in text or ("%" in text and _QUOTED.search(text)):
        yield Layer(text, _PERCENT, _unquoted)
    if "&" in text and _ENTITY.search(text):
        yield Layer(text, _ENTITY, _entity)
    if "'" in text and _SHELL.search(text):
        yield Layer(text, _SHELL, lambda match: match[0][0])
    if "\x1b[" in text or "#033[" in text or "^[[" in text:
        yield Layer(text, _COLOUR, lambda match: "")
    if "#0" in text and _OCTAL.search(text):
        yield Layer(text, _OCTAL, lambda match: chr(int(match[1], 8)))


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _LETTERS.get(match[3], match[3])


def _unquoted(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else " "


def _entity(match: re.Match[str]) -> str:
    if match[1]:
        return _NAMED[match[1]]
    return chr(int(match[2]) if match[2] else int(match[3], 16))


def of_audit(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where the kernel's audit has command lines in hexadecimal digits, and these."""
    for match in _PROCTITLE.finditer(text):
        decoded = bytes.fromhex(match[1]).replace(b"\0", b" ").decode(errors="replace")
        yield *match.span(1), decoded


def of_bytes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where texts stand as lists of their bytes, as in the journal's JSON, and the texts."""
    for match in _BYTES.finditer(text):
        numbers = [int(number) for number in match[0].strip("[] ").split(",")]
        if max(numbers) < 256:
            yield *match.span(), bytes(numbers).decode(errors="replace")


def of_base64(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where base64 of texts stands, and the texts; what is no text is none."""
    joined: list[tuple[int, int]] = []
    for match in _BASE64_LINES.finditer(text):
        ends = [line.end() for line in _BASE64_LINE.finditer(text, *match.span())]
        for end in ends[:0:-1][:2]:  # the last one may be a word
            decoded = decoded_base64("".join(text[match.start() : end].split()))
            if decoded is not None:
                joined.append((match.start(), end))
                yield match.start(), end, decoded
                break
    for match in _BASE64.finditer(text):
        begin, run = match.start(), match[0]
        if any(first <= begin and match.end() <= last for first, last in joined):
            continue
        for _ in range(32):
            decoded = decoded_base64(run)
            if decoded is not None:
                yield begin, match.end(), decoded
                break
            slash = run.find("/")  # it may be of a path
            if slash < 0 or len(run) - slash < 17:
                break
            begin, run = begin + slash + 1, run[slash + 1 :]


def decoded_base64(run: str) -> str | None:
    """Return the text of which ``run`` is the base64, with either alphabet; None for none."""
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        head = base64.b64decode(plain[: min(16, len(plain) & ~3)])
        if any((byte < 32 and byte not in b"\t\n\r") or byte == 127 for byte in head):
            return None
        text = base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return text if all(char >= " " or char in "\t\r\n" for char in text) else None
