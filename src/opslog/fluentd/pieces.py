"""Lines of a stream that is cut anywhere; one that is too long comes in pieces."""

from __future__ import annotations

LONGEST = 16 * 1024 * 1024
"""Bytes of an event; Fluentd's own chunks in memory have at most 8 MiB."""


class Lines:
    """Cuts bytes behind newlines, the same way however they come."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines complete with the next bytes, without their newlines."""
        first, *others = data.split(b"\n")
        self._parts.append(first)
        self._size += len(first)
        if not others:
            return self._overlong() if self._size > self._longest else []
        *lines, rest = [self._joined(), *others]
        self._parts, self._size = [rest], len(rest)
        if max(map(len, lines)) > self._longest:
            lines = [piece for line in lines for piece in self._pieces(line)]
        return lines + self._overlong() if self._size > self._longest else lines

    def close(self) -> list[bytes]:
        """Return what stands behind the last newline, if anything does."""
        rest = self._joined()
        self._parts, self._size = [], 0
        return [rest] if rest else []

    def _joined(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _pieces(self, line: bytes) -> list[bytes]:
        step = self._longest
        return [line[at : at + step] for at in range(0, max(len(line), 1), step)]

    def _overlong(self) -> list[bytes]:
        *lines, rest = self._pieces(self._joined())
        self._parts, self._size = [rest], len(rest)
        return lines
