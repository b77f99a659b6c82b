"""The report on a file, field by field.  The reference page is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from opslog.model.json_values import json_values

READ, EMPTY, BINARY, UNREADABLE, DAMAGED = "read", "empty", "binary", "unreadable", "damaged"


@dataclass(frozen=True, slots=True)
class FormatShare:
    """How much of a file is of one format in the same envelopes."""

    format: Annotated[str, "its name"]
    envelopes: Annotated[tuple[str, ...], "the formats around it, the outermost first"]
    records: Annotated[int, "how many records"]
    lines: Annotated[int, "how many lines they have"]
    share: Annotated[float, "of the file's lines, 0 to 1"]


@dataclass(frozen=True, slots=True)
class Example:
    """A line of the file."""

    offset: Annotated[int, "where its record begins: bytes, decompressed"]
    text: Annotated[str, "its beginning"]


@dataclass(frozen=True, slots=True)
class LineShare:
    """Some lines of a file."""

    lines: Annotated[int, "how many"]
    share: Annotated[float, "of the file's lines, 0 to 1"]
    examples: Annotated[tuple[Example, ...], "the first of them"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that lines have which no format reads."""

    text: Annotated[str, "the text, `<*>` for each value; without a time that was read"]
    records: Annotated[int, "how many records have it"]
    offset: Annotated[int, "where the first of them begins: bytes, decompressed"]


@dataclass(frozen=True, slots=True)
class ZoneGuess:
    """Which zone times without an offset are of, as far as one can tell."""

    zone: Annotated[str, "the zone: an IANA name, an offset or UTC"]
    offset: Annotated[str, "its offset at that time"]
    certainty: Annotated[str, "`certain`, `likely` or `possible`"]
    reason: Annotated[str, "what says so"]
    option: Annotated[str | None, "the option to give; null where times are read so already"]


@dataclass(frozen=True, slots=True)
class Years:
    """Times without a year."""

    records: Annotated[int, "how many records have one"]
    first: Annotated[int, "the year taken for the first of them"]
    last: Annotated[int, "for the last"]
    source: Annotated[str, "where it was taken from: `last change` of the file, `now` or `--year`"]


@dataclass(frozen=True, slots=True)
class FileTimes:
    """The times of a file's records."""

    first: Annotated[datetime | None, "the earliest, in UTC"]
    last: Annotated[datetime | None, "the latest, in UTC"]
    missing: Annotated[int, "how many records have none"]
    local: Annotated[int, "how many have one without an offset"]
    zone: Annotated[str, "the zone in which those were read"]
    guess: Annotated[ZoneGuess | None, "which zone they seem to be of"]
    years: Annotated[Years | None, "how years were told that lack"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without records."""

    begin: Annotated[datetime, "the latest record before, in UTC"]
    end: Annotated[datetime, "the first behind, in UTC"]
    seconds: Annotated[float, "how long it is"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that say that others were dropped."""

    what: Annotated[str, "who dropped them"]
    messages: Annotated[int, "how many messages say so"]
    dropped: Annotated[int | None, "how many were dropped; null if they do not say"]


@dataclass(frozen=True, slots=True)
class Copies:
    """Records that an earlier file holds, too: the same time, text and host."""

    path: Annotated[str, "the file that holds them, too"]
    records: Annotated[int, "how many records"]
    share: Annotated[float, "of the file's records with a time, 0 to 1"]
    estimated: Annotated[bool, "whether both are estimated from a sample of the records"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What a change of the configuration would keep."""

    loses: Annotated[tuple[str, ...], "what is not in the file"]
    where: Annotated[str, "what to change"]
    settings: Annotated[tuple[str, ...], "the lines to write there"]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found out about one file."""

    path: Annotated[str, "its name as given or found; `-` is standard input"]
    status: Annotated[
        str, "`read`, `empty`, `binary`, `unreadable`, or `damaged`: read to some point"
    ]
    problem: Annotated[str | None, "what kept it from being read"]
    bytes: Annotated[int, "bytes read, decompressed"]
    lines: Annotated[int, "lines read"]
    records: Annotated[int, "records made of them"]
    recognised: Annotated[
        float | None,
        "share of lines in records that are neither dated nor unrecognised, 0 to 1; null: no lines",
    ]
    formats: Annotated[tuple[FormatShare, ...], "what was recognised or dated, most lines first"]
    unrecognised: Annotated[LineShare, "lines that no format takes"]
    dated: Annotated[LineShare, "lines of which a format reads no more than a time or a name"]
    shapes: Annotated[
        tuple[Shape, ...],
        "what unrecognised and dated records look like, the most frequent first",
    ]
    shapes_left_out: Annotated[
        int, "such records whose shape was forgotten as rare: there were more than 4,096"
    ]
    more_shapes: Annotated[int, "shapes beside these, of which there are fewer records"]
    sketch: Annotated[
        str | None,
        "a format file for the most frequent of them, to begin with; null if none can be made",
    ]
    joined: Annotated[
        LineShare,
        "lines that begin with a time, but were joined to the record before: perhaps heads of a "
        "format that is not known",
    ]
    cut: Annotated[bool, "whether the last line has no end"]
    times: Annotated[FileTimes, "times"]
    gaps: Annotated[
        tuple[Gap, ...],
        "the longest times without records: 10 minutes at least, and 20 times the usual distance "
        "of at least 50 records",
    ]
    more_gaps: Annotated[int, "such times beside these, which are shorter"]
    losses: Annotated[tuple[Loss, ...], "messages that say that others were dropped"]
    copies: Annotated[
        tuple[Copies, ...],
        "records that stand in files before it, too, most first; fewer than 10 of what is compared "
        "are not told",
    ]
    incomplete: Annotated[
        dict[str, int],
        "incomplete records, by what they lack: `head`, `torn`, `line` (longer than 1 MiB)",
    ]
    advice: Annotated[tuple[Advice, ...], "what a change of the configuration would keep"]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values of JSON; times are RFC 3339 in UTC."""
        found: dict[str, Any] = json_values(self)
        return found


def share(part: int, whole: int) -> float:
    """Return ``part`` / ``whole``, 1 if ``whole`` is 0."""
    return part / whole if whole else 1.0
