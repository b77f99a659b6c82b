"""The patterns of a catalog, which are tried on lines that no layout takes, under a time limit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opslog.language.hole_types import NO_NAME
from opslog.language.pattern import Pattern
from opslog.model import schema
from opslog.scanner._program import Program

LIMIT_MS = 50
"""Milliseconds that all patterns of a catalog together may take for one line."""

_NUMBERS = {
    "int64": re.compile(rb"(?:[0-9]{1,18})?"),
    "float64": re.compile(rb"(?:[0-9]{1,18}(?:\.[0-9]*)?)?"),
}
"""Kinds of columns that hold numbers, and the texts these can keep; an empty text is null."""

_NO_NAME = re.compile(NO_NAME.encode())


@dataclass(frozen=True, slots=True)
class PlacedPattern:
    """A pattern in a catalog."""

    pattern: Pattern
    format: str
    """The name of its format."""
    leaf: int
    time: int
    """The node that reads its timestamp, -1 if it has none."""
    severity: int
    """The node that reads its level word, -1 if it has none."""


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """A line that a pattern took; leaf and nodes are those of the placed pattern."""

    leaf: int
    time: int
    severity: int
    severity_slot: int
    """The number of the group of the level word, -1 if there is none."""
    spans: list[tuple[int, int]]
    """The bytes of each group, (-1, -1) of one that took no part."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of a catalog, in the order in which they are tried."""

    program: Program
    placed: tuple[PlacedPattern, ...]

    def find(self, line: bytes, late: list[str]) -> PatternMatch | None:
        """Return the match of the first pattern that takes the line, None if none does.

        If a pattern runs out of time, the name of its format is added to ``late``.
        """
        text = line.decode("utf-8", "surrogateescape")
        # Each has the same part of the time, so that none depends on how long the others took.
        limit = LIMIT_MS / 1000 / len(self.placed)
        for one in self.placed:
            try:
                match = one.pattern.compiled.fullmatch(text, timeout=limit)
            except TimeoutError:
                late.append(one.format)
                continue
            if match is None:
                continue
            names = one.pattern.names
            spans = [match.span(name) for name in names]
            if len(text) != len(line):
                spans = [_bytes(text, *span) for span in spans]
            if self._unread(one, spans, line) is None:
                level = names.index("severity") if "severity" in names else -1
                return PatternMatch(one.leaf, one.time, one.severity, level, spans)
        return None

    def _unread(self, one: PlacedPattern, spans: list[tuple[int, int]], line: bytes) -> str | None:
        """Return the first group whose text cannot be read as a time, a level, a name or a number.

        Only the timestamp must take part.  None if all can be read.
        """
        for name, (start, end) in zip(one.pattern.names, spans, strict=True):
            if name in ("timestamp", "severity"):
                node = one.time if name == "timestamp" else one.severity
                absent = start < 0 and name == "severity"
                if not absent and (start < 0 or not self.program.accepts(node, line[start:end])):
                    return name
            elif name in schema.NAMING and _NO_NAME.fullmatch(line, max(start, 0), max(end, 0)):
                return name
            elif start >= 0 and name in schema.BY_NAME:
                number = _NUMBERS.get(schema.BY_NAME[name].kind)
                if number is not None and not number.fullmatch(line, start, end):
                    return name
        return None

    def stop(self, line: str) -> tuple[int, str]:
        """Return how many bytes of a line the best pattern matches, and what it expected there."""
        furthest, note = -1, ""
        for one in self.placed:
            try:
                column, reason = self._stop(one, line)
            except TimeoutError:
                column, reason = 0, f"{one.pattern.key} ran out of time ({LIMIT_MS} ms)"
            if column > furthest:
                furthest, note = column, reason
        return len(line[:furthest].encode()), note

    def _stop(self, one: PlacedPattern, line: str) -> tuple[int, str]:
        match = one.pattern.compiled.fullmatch(line, timeout=LIMIT_MS / 1000)
        key, kind = one.pattern.key, one.pattern.kind
        if match is None:
            return _partial_length(one.pattern, line), f"matched up to here by {key}"
        spans = [_bytes(line, *match.span(name)) for name in one.pattern.names]
        name = self._unread(one, spans, line.encode()) or ""
        special = {
            "timestamp": f"a timestamp of kind {kind}",
            "severity": "a word of its vocabulary",
            **dict.fromkeys(schema.NAMING, "a name, no level word"),
        }
        wanted = special.get(name, "a number")
        return max(match.start(name), 0), f"matched by {key}; expected {name} ({wanted})"


def _bytes(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span of characters as one of bytes."""
    if start < 0:
        return start, end
    before = len(text[:start].encode("utf-8", "surrogateescape"))
    return before, before + len(text[start:end].encode("utf-8", "surrogateescape"))


def _partial_length(pattern: Pattern, line: str) -> int:
    """Return how many characters of a line may be the beginning of a text the pattern matches."""
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        part = line[:middle]
        found = pattern.compiled.fullmatch(part, partial=True, timeout=LIMIT_MS / 1000)
        if found is None:
            high = middle - 1
        else:
            low = middle
    return low
