"""A format as a checked value: its layouts, patterns or keys, and its samples.

format_file.py reads one from a TOML file; docs/reference/format-files.md describes the keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from opslog.language.layout import Layout
from opslog.language.pattern import Pattern

MOST_COLUMNS = 64
"""How many columns and attributes a JSON object may fill: a record keeps no more attributes."""


class Rank(IntEnum):
    """When a layout is tried: one of a lower rank wins, whatever the formats."""

    HEAD = 0
    """It starts a record."""
    FALLBACK = 1
    """A head of oslo.log that keeps the whole identity of a request as one text."""
    TRACEBACK = 2
    """What oslo.log prints before each line of a traceback."""
    BARE = 3
    """A head that looks like a line of a traceback."""
    AROUND = 4
    """An envelope."""
    WEAK = 5
    """An envelope that is marked so little that a message may look like it."""
    HOLLOW = 6
    """An envelope that nothing but what it holds tells."""


class FormatLayout(NamedTuple):
    """A layout of a format, with its rank; a tail or detail has none."""

    layout: Layout
    rank: Rank = Rank.HEAD
    debug_only: bool = False
    """Of a tail: whether it ends only messages at the level DEBUG."""
    key: str = ""
    """Where it stands in the file, such as ``layouts[0]``; empty if derived from options."""
    unfinished: bool = False
    """Whether the text in its lines is continued by the next one of the stream."""
    alone: bool = False
    """Whether its lines start a record even without a timestamp, whatever record is open."""
    traceback: bool = False
    """Whether its lines begin a traceback that nobody logged."""
    second: bool = False
    """Whether a line behind the first line of a record of the format belongs to that record."""
    until: str = ""
    """What the last line begins with of the block that its lines open; empty if they open none."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a format puts around a line of another: its body is read as a line of its own."""

    stream: bool = False
    """Text in it that no layout takes continues the record before."""
    octal: bool = False
    """rsyslog wrote control characters as #ooo."""
    newlines: bool = False
    """Text in it that does not end in a newline is continued by the next one."""
    indented: bool = False
    """Further lines of a text stand below the first, behind as many blanks."""
    hollow: bool = False
    """It is recognised only by the line it holds: a text that no layout takes is in none."""
    weak: bool = False
    """So little marks it that further lines of a message may look like it: text in it that no
    layout takes starts no record while one of another format with a timestamp is open."""


@dataclass(frozen=True, slots=True)
class KeyedShape:
    r"""A JSON object on one line, or a line of pairs, recognised by the keys it has.

    A key is a path: ``a``, ``a.b`` for a key of the object that ``a`` holds, ``a\.b`` for
    one with a dot in it.
    """

    required: tuple[str, ...]
    """The keys it must have."""
    columns: dict[str, tuple[str, ...]]
    """Per column the keys that may fill it: the first that is neither null nor empty does."""
    one_of: tuple[str, ...] = ()
    """Keys of which one must have a value; empty if there are none."""
    pairs: bool = False
    """Whether the line is pairs, ``KEY=VALUE``."""
    epoch: tuple[str, ...] = ()
    """Keys of seconds since the epoch, as a number or text: the first present one counts."""
    iso: tuple[str, ...] = ()
    """Likewise keys of an ISO time."""
    epoch_us: tuple[str, ...] = ()
    """Keys of microseconds since the epoch: the first present one counts, before the others."""
    constants: dict[str, str] = field(default_factory=dict)
    """Values its lines imply, by column."""
    others: bool = True
    """Whether keys that fill no column become attributes, under their paths."""
    opened: tuple[str, ...] = ()
    """Objects whose keys become attributes as if they stood beside them."""
    stored: bool = False
    """Whether its objects are records as opslog writes them: each column as it is, no other key."""

    @property
    def times(self) -> tuple[str, ...]:
        """The keys that may hold the time, empty if it has none."""
        return (*self.epoch, *self.iso, *self.epoch_us)

    @property
    def described(self) -> str:
        """What a line must be, for people."""
        if self.stored:
            needed = " and ".join(self.required).replace("\\.", ".")
            return f"an object of opslog's own keys alone, {needed} among them"
        kind = "a line of pairs" if self.pairs else "a JSON object"
        times = () if set(self.times) & set(self.required) else dict.fromkeys(self.times)
        choices = (" or ".join(keys) for keys in (self.one_of, times) if keys)
        return f"{kind} with the keys {', '.join([*self.required, *choices])}"


@dataclass(frozen=True, slots=True)
class FormatSample:
    """Lines, and the column values that must be read of them: one ``expect`` for each record."""

    text: str
    expect: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A format as its file states it."""

    name: str
    title: str
    path: str
    applies_to: str = "line"
    severity: str = "oslo"
    zone: str = "local"
    service: str = ""
    """The service, if neither logger, program nor source gives one; empty: unknown."""
    level: int = 0
    """The severity number of lines that state none; 0: unknown."""
    follow_on: bool = False
    """Whether lines that no format recognises continue its records."""
    foremost: bool = False
    """Whether the values of a message replace those of its line."""
    catch_all: bool = False
    """Whether it takes any text behind a time."""
    layouts: tuple[FormatLayout, ...] = ()
    tails: tuple[FormatLayout, ...] = ()
    details: tuple[FormatLayout, ...] = ()
    """Layouts that are tried on each line of a record's body, to fill more columns."""
    patterns: tuple[Pattern, ...] = ()
    keyed: KeyedShape | None = None
    envelope: Envelope | None = None
    samples: tuple[FormatSample, ...] = ()
    rejects: tuple[str, ...] = field(default=())

    @property
    def dated(self) -> bool:
        """Whether its records are only dated: it tells a time, or a name, before any text."""
        weak = self.envelope is not None and (self.envelope.weak or self.envelope.hollow)
        return self.catch_all or weak
