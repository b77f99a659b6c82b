"""A format as a checked value: its layouts, patterns or JSON shape, and its samples.

format_file.py reads one from a TOML file; docs/reference/format-files.md describes the keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opslog.language.layout import Layout
from opslog.language.pattern import Pattern

HEAD, FALLBACK, TRACEBACK, BARE, AROUND, WEAK, HOLLOW = range(7)
"""Ranks: a layout of a lower rank wins over one of a higher, whatever their formats."""


@dataclass(frozen=True, slots=True)
class FormatLayout:
    """A layout of a format and its rank; a tail has only its condition."""

    layout: Layout
    rank: int = HEAD
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
    """How a format that is one JSON object per line names its columns."""

    required: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    epoch: str | None
    iso: str | None
    epoch_us: tuple[str, ...]
    constants: dict[str, str] = field(default_factory=dict)
    """Values its lines imply, by column."""


@dataclass(frozen=True, slots=True)
class Sample:
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
    samples: tuple[Sample, ...] = ()
    rejects: tuple[str, ...] = field(default=())
