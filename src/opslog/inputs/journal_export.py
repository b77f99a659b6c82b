"""What ``journalctl -o export`` writes, as the lines that ``-o json`` would write.

An entry is its fields and an empty line behind them.  A field is NAME=value on a
line, or, where the value holds a newline or is no text: NAME, a newline, the
value's length as 64 bits (little-endian), the value, a newline.  The first field
is always __CURSOR, of which the export is told.

Memory is bounded whatever the lengths say: a value longer than LONGEST_VALUE is
null (a message is cut there), and of an entry longer than LONGEST_ENTRY the
further fields are left out.  A line that is no field passes as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from opslog.inputs.line_reader import LineReader
from opslog.inputs.reader import Reader

START = b"__CURSOR="
LONGEST_VALUE = 1 << 16
LONGEST_ENTRY = 1 << 18
_FIELD = re.compile(rb"[A-Z_][A-Z0-9_]*+(?==|\Z)")


def undecided(start: bytes) -> bool:
    """Return whether more bytes are needed to tell whether what begins so is an export."""
    return len(start) < len(START) and START.startswith(start)


def lines(read: Reader) -> Iterator[bytes]:
    """Yield the entries of an export, each a line of JSON; then raise what ``read`` raised."""
    source, entry = LineReader(read, LONGEST_VALUE), _Entry()
    while True:
        line = source.line()
        if line is None:
            break
        if line in (b"", b"\r"):
            yield from entry.end()
            continue
        name = _FIELD.match(line)
        if name is None:
            yield from entry.end()
            yield line
            while not source.whole:
                yield source.line() or b""
            yield b"\n"
        elif name.end() < len(line):
            entry.add(name[0], line[name.end() + 1 :], source.whole)
            while not source.whole:
                source.line()
        else:
            size = int.from_bytes(source.take(8), "little")
            entry.add(name[0], source.take(min(size, LONGEST_VALUE)), size <= LONGEST_VALUE)
            source.skip(size - LONGEST_VALUE)
            source.line()
    yield from entry.end()
    if source.failed is not None:
        raise source.failed


class _Entry:
    """The fields of the entry that is being read."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str | list[int] | None]] = {}
        self._size = 0

    def add(self, name: bytes, value: bytes, whole: bool) -> None:
        """Keep a value, of which ``whole`` says whether it is all there."""
        if self._size > LONGEST_ENTRY and name != b"MESSAGE":
            return
        kept = _text(value, whole) if whole or name == b"MESSAGE" else None
        self._fields.setdefault(name.decode(), []).append(kept)
        self._size += len(name) + len(value)

    def end(self) -> Iterator[bytes]:
        """Yield the entry's line, if it has a field."""
        if self._fields:
            import json  # start-up: most runs read no export

            entry = {name: v[0] if len(v) == 1 else v for name, v in self._fields.items()}
            yield json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._fields = {}
        self._size = 0


def _text(value: bytes, whole: bool) -> str | list[int]:
    """Return a value as journalctl's JSON has it: a text, or its bytes if it is none."""
    for size in range(len(value), len(value) - (1 if whole else 4), -1):
        try:
            return value[:size].decode()
        except UnicodeDecodeError:
            continue
    return list(value)
