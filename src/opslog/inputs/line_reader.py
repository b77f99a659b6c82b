"""Lines, and counted bytes, of a source that holds something else than lines of a log."""

from __future__ import annotations

from opslog.inputs.reader import Reader

_CHUNK = 1 << 16


class LineReader:
    """A source's bytes, as lines of at most ``longest`` bytes and as counted."""

    def __init__(self, read: Reader, longest: int) -> None:
        self._read = read
        self._longest = longest
        self._room = memoryview(bytearray(_CHUNK))
        self._data = b""
        self._at = 0
        self.whole = True
        """Whether the last line was given to its end."""
        self.failed: Exception | None = None
        """What ended the bytes too early."""

    def _more(self) -> bool:
        try:
            count = 0 if self.failed else self._read(self._room)
        except Exception as error:
            self.failed, count = error, 0
        self._data = self._data[self._at :] + bytes(self._room[:count])
        self._at = 0
        return count > 0

    def line(self) -> bytes | None:
        """Return the next line, at most ``longest`` bytes of it; None at the end."""
        scanned = 0
        while True:
            end = self._data.find(b"\n", self._at + scanned)
            if end >= 0 or len(self._data) - self._at > self._longest:
                break
            scanned = len(self._data) - self._at
            if not self._more():
                self.whole = True
                return self.take(scanned) if scanned else None
        self.whole = 0 <= end <= self._at + self._longest
        line = self.take(end - self._at if self.whole else self._longest)
        self._at += self.whole
        return line

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, fewer at the end."""
        while len(self._data) - self._at < count and self._more():
            pass
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def skip(self, count: int) -> None:
        """Leave the next ``count`` bytes out."""
        while count > 0 and (taken := self.take(min(count, _CHUNK))):
            count -= len(taken)
