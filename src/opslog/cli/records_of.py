"""What to type to see the records that a row of numbers counts."""

from __future__ import annotations

import argparse
import os
import shlex
import string
from collections.abc import Iterable
from typing import TYPE_CHECKING

from opslog.cli import conditions, flags
from opslog.inputs.paths import STDIN
from opslog.terminal.escape import escaped

if TYPE_CHECKING:
    from opslog.stages import Mask, Share

MOST_PATHS = 8
"""Paths of a command to type next; more are not worth to be read."""

_MORE = "".join(["..", "."])
"""Stands for more paths; a word of its own, not of the user."""

_PLAIN = frozenset(string.ascii_letters + string.digits + " /._-+=:,@%")

Way = tuple[str, ...]
"""The options that choose the records of a row."""

TITLE = "the records of a row:"


def column(flag: str, name: str, value: str | None) -> Way:
    """Return what chooses records by a column, whose own option is ``flag``."""
    if value is None:
        return "--where", f"{name} is null"
    if not value or set("*?") & set(value):
        return "--where", f"{name} = {quoted(value)}"
    return (f"{flag}={value}",) if value.startswith("-") else (flag, value)


def quoted(value: str) -> str:
    """Return a text as a condition has it: in the quotes that a shell's do not hold."""
    return '"' + value.replace('"', '""') + '"'


class RecordsOf:
    """Makes the commands: of the paths, conditions and ways to read of the command that counted.

    Of one that names no records again, such as standard input, the command is what its
    output can be piped into.  ``limits`` says whether its ``--limit`` is one of records.
    """

    def __init__(self, options: argparse.Namespace, limits: bool = True) -> None:
        self._options = options
        self._limits = limits

    def filter(self, *way: str) -> str:
        """Return the command that shows the records which ``way`` chooses among those counted."""
        options = self._options
        most = getattr(options, "limit", None) if self._limits else None
        if options.invert_match or most is not None or _mask(options):
            limit = [] if most is None else [f"--limit={most}"]
            given = [*_mask(options), *conditions.given(options), *limit]
            return f"{_joined('filter', *given, *self._read())} | {_joined('filter', *way)}"
        chosen = [word.partition("=")[0] for word in way if word.startswith("--")]
        return _joined("filter", *conditions.given(options, chosen), *way, *self._read())

    def any(self, *way: str) -> str:
        """Return the command that shows the records which ``way`` chooses, counted or not."""
        return _joined("filter", *_mask(self._options), *way, *self._read())

    def trace(self, number: str) -> str:
        """Return the command that tells the story of an id."""
        return _joined("trace", *_mask(self._options), number, *self._read())

    def _read(self) -> list[str]:
        return [*flags.given(self._options), *self._paths()]

    def _paths(self) -> list[str]:
        paths: list[str] = self._options.paths
        if paths == [STDIN]:
            return []
        if len(paths) > MOST_PATHS:
            return [_operand(paths[0]), _MORE]
        return [_operand(path) for path in paths]


def show(commands: Iterable[str], mask: Mask | Share | None = None) -> str:
    """Return the text that stands below a table on a terminal, masked; none for no commands."""
    masked = commands if mask is None else map(mask.text, commands)
    found = [f"  {escaped(one)}\n" for one in dict.fromkeys(masked)]
    return "".join(["\n", TITLE, "\n", *found]) if found and os.isatty(1) else ""


def _mask(options: argparse.Namespace) -> list[str]:
    mask = getattr(options, "mask", None)
    if not mask:
        return []
    key = getattr(options, "mask_key", None)
    return [f"--mask={mask}", *([] if key is None else [f"--mask-key={key}"])]


def _operand(path: str) -> str:
    """Return a path so that it is no option."""
    return f"./{path}" if path.startswith("-") and path != STDIN else path


def _joined(*words: str) -> str:
    return " ".join(["opslog", *(word if word is _MORE else _in_shell(word) for word in words)])


def _in_shell(word: str) -> str:
    """Return a word as a shell takes it: what a terminal cannot show as it is, as $'\\n'."""
    if escaped(word) == word:
        return shlex.quote(word)
    data = word.encode("utf-8", "surrogateescape")
    return (
        "$'"
        + "".join(chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in data)
        + "'"
    )
