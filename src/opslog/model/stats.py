"""Stats: what went in and came out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LetGo:
    """How much a stage let go, in all its runs, because there was more than it remembers."""

    count: int = 0


@dataclass(slots=True)
class Stats:
    """What went in and came out; the counts add up.

    ``bytes`` = bytes of all records + ``skipped_bytes``; ``records`` =
    ``kept`` + filtered ones + those ``dropped`` by each stage.  ``formats`` counts
    (records, lines, bytes) by format name, None for records no format recognised.
    ``catch_alls`` are the names of those that only date a record: they take any text behind
    a time or a name.  ``timeouts`` counts, by format name, the lines on which its pattern
    ran out of time.
    ``sources`` are open now, and ``last_time`` is that of the last record of the latest
    block that ends with one that has a time (microseconds since the epoch, UTC).
    ``forgotten`` counts the calls between requests that were too many to remember,
    ``binary`` the files below folders, or found by globs, that were left out because
    they hold no text, ``truncated`` how often a followed file was truncated of which no
    copy was found, ``let_go`` what each stage let go (LetGo), and what else was left out by
    what it is.
    """

    bytes: int = 0
    lines: int = 0
    records: int = 0
    kept: int = 0
    skipped_bytes: int = 0
    formats: dict[str | None, tuple[int, int, int]] = field(default_factory=dict)
    catch_alls: set[str] = field(default_factory=set)
    timeouts: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    let_go: dict[str, int] = field(default_factory=dict)
    sources: int = 0
    last_time: int | None = field(default=None, compare=False)
    forgotten: int = 0
    binary: int = 0
    truncated: int = 0

    def leave_out(self, what: str, count: int) -> None:
        """Set how many of ``what`` were too many to be remembered, unless all were."""
        if count:
            self.let_go[what] = count

    @property
    def unrecognised(self) -> int:
        """Number of records no format recognised, nor dated."""
        return self.formats.get(None, (0, 0, 0))[0]

    @property
    def dated(self) -> int:
        """Number of records of which a format only told a time or a name."""
        return sum(self.formats[name][0] for name in self.catch_alls)

    @property
    def recognised(self) -> int:
        """Number of records of formats that know more of them than a time."""
        return self.records - self.unrecognised - self.dated

    def count(self, name: str | None, counts: tuple[int, int, int]) -> None:
        """Count (records, lines, bytes) of the format ``name``."""
        records, lines, size = self.formats.get(name, (0, 0, 0))
        self.formats[name] = records + counts[0], lines + counts[1], size + counts[2]
        self.records += counts[0]
        self.lines += counts[1]
