"""The layout language: a log line with holes, and what it compiles to.

A layout is the line as printed, in which

    {name:type}       captures text of that type under a column's (or attribute's) name
    {name}            captures up to the first occurrence of the literal that follows
    {name:type<8}     is filled up with blanks to 8 characters behind (with >8: before) the value
    {a|b:type}        captures as column a if the text has the shape of an id, else as b
    {:type}           matches without capturing
    {name=value}      captures nothing and sets the column to a constant
    {? ... }          is optional: tried with, then without; optional parts that
                      name the same column exclude each other
    {~}               stands for any number of terminal color codes, also none
    {{ and }}         are braces

Everything else stands for itself.  Matching is deterministic: a capture takes
the longest run its type allows and never gives back, optional parts are the
only choice, so the work is linear in the line.  From one parsed layout come
the scanner's program (program.py), a ``regex`` pattern that accepts the same
lines with the same captures, and the diagnosis "matched up to here".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from opslog.model import timestamps
from opslog.model.errors import LayoutError
from opslog.model.severity import longest_first, prolonging
from opslog.model.severity import vocabulary as vocabulary_of

if TYPE_CHECKING:
    import regex

HEX = "0-9A-Fa-f"
_UUID = f"[{HEX}]{{8}}-[{HEX}]{{4}}-[{HEX}]{{4}}-[{HEX}]{{4}}-[{HEX}]{{12}}"
_REQUEST = f"(?:req-[0-9A-Za-z-]++|{_UUID}|[{HEX}]{{32}})"

_TRANSACTION = f"(?:req-{_UUID}|tx[{HEX}]{{21}}-[{HEX}]{{10}}[0-9A-Za-z._-]*+)"

_HOST = "[0-9A-Za-z_.:%-]"
_SD_NAME = r"[!#-<>-\\^-~]++"

RUNS: dict[str, str] = {
    "int": "0-9",
    "hex": HEX,
    "word": "0-9A-Za-z_.-",
    "capitals": "A-Z",
    "addresses": f"{HEX}:.,%<>loc",
}
"""Types that are runs of characters of one class, and the class."""

_PADDED = re.compile(r"(.*)([<>])([1-9]\d?)")

TYPES: dict[str, str] = {
    "text": "anything up to the literal that follows (the default)",
    "rest": "everything to the end of the line",
    "int": "1 to 18 decimal digits",
    "int?": "the same, or - or -1 where there is none",
    "number": "decimal digits with an optional fraction",
    "milliseconds": "the same; duration is told in seconds",
    "microseconds": "the same; duration is told in seconds",
    "hex": "hexadecimal digits",
    "word": "letters, digits and _ . -",
    "capitals": "capital letters",
    "addresses": "what IP addresses, lists of them and <local> are made of",
    "url": "http:// or https:// and what follows up to a blank or quote",
    "address": "an address or host name, up to the port behind its last colon",
    "quoted": "anything up to a double quote that no backslash stands before, or nothing",
    "structure": 'elements of RFC 5424, one behind the other: [id name="value" name="value"]',
    "token": "characters but blanks, brackets, color codes and the first one of what follows",
    "token?": "the same, or nothing",
    "percent": "a token in which %XX stands for a byte, told as that byte",
    "blanks": "one or more blanks",
    "uuid": "a dashed UUID",
    "request": "req- and what belongs to it, a dashed UUID or 32 hex digits",
    "request?": "the same, or None, or -, or nothing",
    "transaction": "req- and a dashed UUID, or an id of Swift (tx, 21 and 10 hex digits), or -",
    "resource": "letters and _, but not req, with which request ids begin",
    "id": "a dashed UUID, 32 or 64 hex digits, - or None",
    "source": "a path without blanks up to what follows, ending in .py, .pyc or .pyx, or <...>",
    "go": "a path likewise, ending in .go",
    "severity": "a word of the format's severity vocabulary",
    "pri": "a syslog priority, 0 to 191: the severity is known from it, its value is the facility",
}
"""Type names and what they accept; a timestamp's type is a kind of timestamps.py."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Text of one type, kept under ``names`` (none: not kept; two: decided by shape)."""

    names: tuple[str, ...]
    type: str
    width: int = 0
    """Blanks fill it up to this width: behind the value, before it if negative."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A column value that the layout itself implies."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Colors:
    """Any number of terminal color codes."""


@dataclass(frozen=True, slots=True)
class Optional:
    """Parts that may be absent together."""

    parts: tuple[Part, ...]


Part: TypeAlias = Literal | Capture | Constant | Colors | Optional


@dataclass(frozen=True, slots=True)
class Layout:
    """A parsed layout; ``text`` is its source."""

    text: str
    parts: tuple[Part, ...]
    vocabulary: str = "oslo"

    @property
    def colored(self) -> bool:
        """Whether color codes may stand in its lines."""
        return any(isinstance(part, Colors) for part in self.parts)

    def variants(self) -> tuple[tuple[Part, ...], ...]:
        """Return the layout without choices: each optional part first present, then absent."""
        return _variants(self.parts)

    def holes(self) -> Iterator[Capture | Constant]:
        """Yield every capture and constant, those of optional parts too."""
        yield from _holes(self.parts)

    def pattern(self) -> str:
        """Return the ``regex`` pattern that matches the same lines (group names are columns)."""
        return rf"(?s:\x00*+{_pattern(self.parts, self.vocabulary)})\Z"

    def compile(self) -> regex.Pattern[bytes]:
        """Return ``pattern()`` compiled for the bytes of a line."""
        import regex  # start-up: the scanner does not need it

        return regex.compile(self.pattern().encode())


_MOST_OPTIONALS = 8
"""Each optional part doubles the number of a layout's variants."""


def parse(text: str, vocabulary: str = "oslo") -> Layout:
    """Parse a layout; raises LayoutError pointing at the column that is wrong."""
    if text.count("{?") > _MOST_OPTIONALS:
        raise LayoutError(text, 0, f"more than {_MOST_OPTIONALS} optional parts")
    parts, end = _Parser(text, vocabulary).parts(0, nested=False)
    if end != len(text):
        raise LayoutError(text, end, "expected the end of the layout, found '}'")
    layout = Layout(text, tuple(parts), vocabulary)
    _check(layout)
    return layout


class _Parser:
    def __init__(self, text: str, vocabulary: str) -> None:
        self.text = text
        self.vocabulary = vocabulary

    def parts(self, position: int, nested: bool) -> tuple[list[Part], int]:
        parts: list[Part] = []
        text, literal = self.text, ""
        while position < len(text):
            char = text[position]
            if text.startswith(("{{", "}}"), position):
                literal += char
                position += 2
                continue
            if char == "}":
                break
            if char != "{":
                literal += char
                position += 1
                continue
            if literal:
                parts.append(Literal(literal))
                literal = ""
            part, position = self.hole(position)
            parts.append(part)
        else:
            if nested:
                raise LayoutError(text, len(text), "expected '}' to end the optional part")
        if literal:
            parts.append(Literal(literal))
        return parts, position

    def hole(self, start: int) -> tuple[Part, int]:
        text = self.text
        if text.startswith("{?", start):
            inner, end = self.parts(start + 2, nested=True)
            if not inner:
                raise LayoutError(text, start, "an optional part must not be empty")
            return Optional(tuple(inner)), end + 1
        end = text.find("}", start)
        if end < 0 or "{" in text[start + 1 : end]:
            raise LayoutError(text, start, "expected '}' to close the hole opened here")
        inside = text[start + 1 : end]
        if inside == "~":
            return Colors(), end + 1
        if "=" in inside and ":" not in inside.split("=")[0]:
            name, value = inside.split("=", 1)
            self.names(name, start + 1)
            return Constant(name, value), end + 1
        name, _, type_name = inside.partition(":")
        names = self.names(name, start + 1) if name else ()
        type_name = type_name or ("severity" if name == "severity" else "text")
        width = 0
        if padded := _PADDED.fullmatch(type_name):
            type_name, width = padded[1], int(padded[3]) * (1 if padded[2] == "<" else -1)
            if type_name not in ("token", "severity") and type_name not in RUNS:
                raise LayoutError(text, start, f"a {type_name} cannot be filled up with blanks")
        self.type(names, type_name, start)
        return Capture(names, type_name, width), end + 1

    def names(self, name: str, column: int) -> tuple[str, ...]:
        names = tuple(name.split("|"))
        if len(names) > 2 or not all(n.isidentifier() for n in names):
            raise LayoutError(self.text, column, f"expected a name, found {name!r}")
        return names

    def type(self, names: tuple[str, ...], type_name: str, column: int) -> None:
        if names == ("timestamp",) or (not names and type_name not in TYPES):
            try:
                timestamps.kind(type_name)
            except ValueError as error:
                raise LayoutError(self.text, column, str(error)) from None
        elif type_name not in TYPES:
            known = ", ".join(TYPES)
            raise LayoutError(
                self.text, column, f"unknown type {type_name!r}: expected one of {known}"
            )


def _check(layout: Layout) -> None:
    mandatory = tuple(part for part in layout.parts if not isinstance(part, Optional))
    if twice := _twice(mandatory):
        raise LayoutError(layout.text, 0, f"{twice!r} is captured twice")
    for variant in layout.variants():
        if not any(isinstance(part, (Literal, Capture)) for part in variant):
            raise LayoutError(layout.text, 0, "a layout must not match an empty line")
        for index, part in enumerate(variant):
            if isinstance(part, Capture) and part.type in ("rest", "text"):
                _check_capture(layout, part, variant[index + 1 :])


def _check_capture(layout: Layout, part: Capture, following: tuple[Part, ...]) -> None:
    followed = next((p for p in following if not isinstance(p, Constant)), None)
    if part.type == "rest" and followed is not None:
        raise LayoutError(layout.text, 0, f"{part.names} takes the rest, but more follows")
    if part.type == "text" and not isinstance(followed, Literal):
        raise LayoutError(
            layout.text,
            0,
            f"{'|'.join(part.names)!r} has no type, so a literal must follow it; "
            "give it a type such as token, or rest at the end",
        )


def names_of(part: Part) -> tuple[str, ...]:
    """Return the columns and attributes that a part fills."""
    if isinstance(part, Capture):
        return part.names
    return (part.name,) if isinstance(part, Constant) else ()


def _twice(variant: tuple[Part, ...]) -> str | None:
    """Return a name that a variant captures more than once, if there is one."""
    known: set[str] = set()
    for part in variant:
        for name in names_of(part):
            if name in known:
                return name
            known.add(name)
    return None


def _holes(parts: tuple[Part, ...]) -> Iterator[Capture | Constant]:
    for part in parts:
        if isinstance(part, Optional):
            yield from _holes(part.parts)
        elif isinstance(part, (Capture, Constant)):
            yield part


@lru_cache(maxsize=8)
def _variants(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], ...]:
    return tuple(variant for variant in _expand(parts) if _twice(variant) is None)


def _expand(parts: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    for index, part in enumerate(parts):
        if isinstance(part, Optional):
            head, tail = parts[:index], parts[index + 1 :]
            for inner in _expand(part.parts):
                for rest in _expand(tail):
                    yield head + inner + rest
            for rest in _expand(tail):
                yield head + rest
            return
    yield parts


def literals_behind(variant: tuple[Part, ...]) -> list[str]:
    """Return for each part of a variant the literal that directly follows it."""
    out: list[str] = []
    following = ""
    for part in reversed(variant):
        out.append(following)
        if not isinstance(part, Constant):
            following = part.text if isinstance(part, Literal) else ""
    return out[::-1]


def _pattern(parts: tuple[Part, ...], vocabulary: str) -> str:
    """Translate variant by variant, so that `token` and `text` see what follows them."""
    alternatives = []
    for variant in _variants(parts):
        out = []
        for part, after in zip(variant, literals_behind(variant), strict=True):
            if isinstance(part, Literal):
                out.append(_escape(part.text))
            elif isinstance(part, Colors):
                out.append(r"(?:(?:\x1b|#033|\^\[)\[[0-9;]*+m)*+")
            elif isinstance(part, Capture):
                group = f"?P<{'_or_'.join(part.names)}>" if part.names else "?:"
                if part.type == "severity":
                    out.append(_severity(group, part.width, vocabulary))
                    continue
                value = f"({group}{type_pattern(part, after)})"
                out.append(_padded(value, part, after) if part.width else value)
        alternatives.append("".join(out))
    return alternatives[0] if len(alternatives) == 1 else f"(?:{'|'.join(alternatives)})"


def _severity(group: str, width: int, vocabulary: str) -> str:
    """Return a pattern for a word of a vocabulary, filled up with blanks to a width."""
    options = []
    for word in longest_first(vocabulary_of(vocabulary)):
        value = f"({group}{re.escape(word)})(?!{prolonging(word)})"
        blanks = f" {{{max(0, abs(width) - len(word))}}}"
        options.append(f"{blanks}{value}" if width < 0 else f"{value}{blanks}")
    return f"(?>{'|'.join(options)})"


def _padded(value: str, part: Capture, after: str) -> str:
    """Return a pattern for a value filled up with blanks to a width."""
    width, member = abs(part.width), _class(part.type, after)
    options = [
        (f"{value} {{{width - size}}}" if part.width > 0 else f" {{{width - size}}}{value}", size)
        for size in range(1, width)
    ]
    exact = []
    for text, size in options:
        before = "" if part.width > 0 else f" {{{width - size}}}"
        exact.append(f"(?={before}{member}{{{size}}}(?!{member})){text}")
    return f"(?>{'|'.join([*exact, f'(?={member}{{{width}}}){value}'])})"


def _class(type_name: str, after: str) -> str:
    """Return the pattern of one character of a type that is a run of them."""
    if type_name == "token":
        stop = rf"\x{after.encode()[0]:02x}" if after else ""
        return rf"(?:(?!#033\[|\^\[)[^ \t\[\]\x1b{stop}])"
    return f"[{RUNS[type_name]}]"


def _escape(text: str) -> str:
    """Return a pattern for the UTF-8 bytes of ``text``."""
    return "".join(
        re.escape(chr(byte)) if byte < 128 else rf"\x{byte:02x}" for byte in text.encode()
    )


def type_pattern(capture: Capture, after: str) -> str:
    """Return the possessive ``regex`` pattern of a capture; ``after`` is the literal behind it."""
    name = capture.type
    if name == "text":
        return f"(?:(?!{_escape(after)}).)*+"
    if name in ("token", "token?", "percent"):
        return f"{_class('token', after)}{'*' if name == 'token?' else '+'}+"
    if name == "int":
        return "[0-9]{1,18}+"
    stop = rf"\x{after.encode()[0]:02x}" if after else ""
    if name in RUNS:
        return f"[{RUNS[name]}]++"
    number = r"[0-9]{1,18}+(?:\.[0-9]++)?+"
    fixed = {
        "rest": ".*+",
        "int?": "(?>[0-9]{1,18}|-1?)",
        "number": number,
        "milliseconds": number,
        "microseconds": number,
        "address": rf"(?:(?!:[0-9]++(?!{_HOST})){_HOST})++",
        "quoted": r"(?:[^\"\\]|\\.)*+",
        "structure": rf'(?:\[{_SD_NAME}(?: {_SD_NAME}="(?:[^"\\]|\\.)*+")*+\])++',
        "url": r"https?+://[^ \"]++",
        "blanks": " ++",
        "uuid": _UUID,
        "request": f"(?>{_REQUEST})",
        "request?": f"(?>(?:{_REQUEST}|None|-|))",
        "transaction": f"(?>(?:{_TRANSACTION}|-))",
        "id": f"(?>(?:{_UUID}|[{HEX}]{{64}}|[{HEX}]{{32}}|None|-))",
        "pri": "(?:1[0-8][0-9]|19[01]|[1-9]?[0-9])(?![0-9])",
        "resource": "(?!req(?![A-Za-z_]))[A-Za-z_]++",
        "source": rf"[^ {stop}]++(?<=\.py|\.pyc|\.pyx|>)",
        "go": rf"[^ {stop}]++(?<=.\.go)",
    }
    return fixed[name] if name in fixed else f"(?>{timestamps.kind(name).regex})"
