"""A format as a checked value: its layouts, patterns or JSON shape, and its samples.

format_file.py reads one from a TOML file; docs/reference/format-files.md describes the keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from opslog.language.layout import Layout
from opslog.language.pattern import Pattern


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


@dataclass(frozen=True, slots=True)
class FormatLayout:
    """A layout of a format and its rank; a tail has only its condition."""

    layout: Layout
    rank: Rank = Rank.HEAD
    debug_only: bool = False
    key: str = ""
    """Where in the file it stands; empty if it is made from oslo.log options."""
    unfinished: bool = False
    """Whether the text its lines hold is continued by the next one."""
    alone: bool = False
    """Whether its lines start a record whatever is open, even without a timestamp."""
    traceback: bool = False
    """Whether its lines begin a traceback that nobody logged."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a format hands on its body, which is read as a line of its own."""

    stream: bool = False
    """Text in it that no layout takes continues the record before."""
    octal: bool = False
    """rsyslog wrote control characters as #ooo."""
    newlines: bool = False
    """Text in it without a newline is continued by the next."""
    indented: bool = False
    """Further lines of a text stand below the first, behind as many blanks."""
    hollow: bool = False
    """Only what it holds tells that it is one: a line whose text no layout takes is none."""
    weak: bool = False
    """So little marks it that a message's further lines may look like it: text in it that no
    layout takes starts no record while one of another format with a timestamp is open."""


@dataclass(frozen=True, slots=True)
class JsonShape:
    r"""A JSON object on one line, recognised by the keys it has.

    A key is a path: ``a``, ``a.b`` for a key of the object that ``a`` holds, ``a\.b`` for
    one with a dot in it.
    """

    required: tuple[str, ...]
    """The keys it must have."""
    columns: dict[str, tuple[str, ...]]
    """Per column the keys that may fill it: the first that is neither null nor empty does."""
    epoch: str | None = None
    """The key of seconds since the epoch, as a number or text."""
    iso: str | None = None
    """The key of an ISO time."""
    epoch_us: tuple[str, ...] = ()
    """Keys of microseconds since the epoch: the first present one counts, before the others."""
    constants: dict[str, str] = field(default_factory=dict)
    """Values its lines imply, by column."""

    @property
    def times(self) -> tuple[str, ...]:
        """The keys that may hold the time, empty if it has none."""
        return tuple(filter(None, (self.epoch, self.iso, *self.epoch_us)))


@dataclass(frozen=True, slots=True)
class FormatSample:
    """Lines and the column values they must give: one record per ``expect``."""

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
    """The service of lines of which neither logger, program nor source says one."""
    level: int = 0
    """The severity number of lines that state none; 0: unknown."""
    follow_on: bool = False
    foremost: bool = False
    """Whether what a message says of its request counts before what its line says."""
    layouts: tuple[FormatLayout, ...] = ()
    tails: tuple[FormatLayout, ...] = ()
    details: tuple[FormatLayout, ...] = ()
    """Layouts tried on each line of a record's body, to say more of it."""
    patterns: tuple[Pattern, ...] = ()
    json: JsonShape | None = None
    envelope: Envelope | None = None
    samples: tuple[FormatSample, ...] = ()
    rejects: tuple[str, ...] = field(default=())
