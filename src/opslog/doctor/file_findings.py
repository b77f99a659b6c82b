"""The findings of a file's blocks, added up in their order."""

from __future__ import annotations

import os
import re
from datetime import datetime

from opslog.doctor import clock
from opslog.doctor.advice import LayoutUse, advice
from opslog.doctor.copies import EarlierFiles
from opslog.doctor.layouts import facts
from opslog.doctor.report import (  # fmt: skip
    DAMAGED,
    EMPTY,
    READ,
    UNREADABLE,
    Example,
    FileReport,
    FileTimes,
    FormatShare,
    Gap,
    LineShare,
    Loss,
    Shape,
    Years,
    share,
)
from opslog.doctor.sample import Sample
from opslog.doctor.survey import (
    LEAST_GAP,
    LOCAL,
    MOST_GAPS,
    UNTIMED,
    BlockFindings,
    LayoutGroup,
    LayoutSums,
)
from opslog.model.instants import utc_time
from opslog.model.stats import Stats
from opslog.model.zones import Zone
from opslog.scanner.catalog import Catalog

_GAPS = 5
_UNUSUAL = 20
"""A gap is at least so many times as long as the mean distance of two records."""

_FEW = 50
"""Records below which no gaps are reported."""

_MOST_SHAPES = 10

_SYSLOG = "syslog.rfc3164"


class FileFindings:
    """Adds up what the blocks of one file say; memory does not grow with the file."""

    def __init__(self, path: str, catalog: Catalog, zone: Zone, examples: int) -> None:
        self.path = path
        self.zone = zone
        self.stats = Stats()
        self.status = READ
        self.problem: str | None = None
        self.changed: datetime | None = None
        self.year_source = ""
        self.cut = False
        self.sample = Sample()
        self._catalog = catalog
        self._facts = facts(catalog)
        self._most = examples
        self._groups: dict[LayoutGroup, LayoutSums] = {}
        self._whole = BlockFindings()

    def fail(self, reason: str, read: int = 0) -> None:
        """Say what kept the file from being read, or from being read on behind ``read`` bytes."""
        self.problem = reason
        self.status = DAMAGED if read else UNREADABLE

    def add(self, block: BlockFindings) -> None:
        """Add the findings of the next block."""
        whole = self._whole
        self.sample.add(block.sample)
        for group, sums in block.groups.items():
            _add(self._groups.setdefault(group, LayoutSums()), sums)
        for name in ("unrecognised", "dated", "joined"):
            kept = getattr(whole, name)
            kept += getattr(block, name)[: self._most - len(kept)]
        whole.incomplete += block.incomplete
        whole.shapes.add(block.shapes)
        whole.offsets += block.offsets
        whole.services |= block.services
        whole.newest = whole.newest if block.newest is None else block.newest
        for what, (messages, dropped) in block.losses.items():
            before, lost = whole.losses.get(what, (0, None))
            known = None if lost is None and dropped is None else (lost or 0) + (dropped or 0)
            whole.losses[what] = before + messages, known
        self._add_gaps(block)

    def _add_gaps(self, block: BlockFindings) -> None:
        if block.first is None or block.latest is None:
            return
        latest = self._whole.latest
        found = [*self._whole.gaps]
        if latest is None:
            found += block.gaps
        else:
            found += [(latest, block.first)]
            found += [(max(begin, latest), end) for begin, end in block.gaps]
        found = [(begin, end) for begin, end in found if end - begin >= LEAST_GAP]
        self._whole.more_gaps += block.more_gaps + max(0, len(found) - MOST_GAPS)
        self._whole.gaps = sorted(found, key=lambda gap: gap[0] - gap[1])[:MOST_GAPS]
        self._whole.latest = block.latest if latest is None else max(latest, block.latest)

    # -- the report -----------------------------------------------------------------

    def report(self, host: str | None, earlier: EarlierFiles) -> FileReport:
        """Return the report of a file that has been read; ``earlier`` files get to know it."""
        stats, whole = self.stats, self._whole
        status = EMPTY if self.status == READ and not stats.bytes else self.status
        lost = stats.formats.get(None, (0, 0, 0))[1]
        known = {group: sums for group, sums in self._groups.items() if group.leaf >= 0}
        dated = sum(sums.lines for group, sums in known.items() if self._facts[group.leaf].dated)
        shapes = self._shapes()
        joined = sum(sums.joined for sums in known.values())
        timed = sum(s.records for group, s in self._groups.items() if group.clock != UNTIMED)
        gaps = self._gaps()
        return FileReport(
            self.path,
            status,
            self.problem,
            stats.bytes,
            stats.lines,
            stats.records,
            share(stats.lines - lost - dated, stats.lines) if stats.lines else None,
            self._formats(known),
            self._lines(lost, whole.unrecognised),
            self._lines(dated, whole.dated),
            shapes,
            whole.shapes.left_out,
            max(0, len(whole.shapes.counts) - _MOST_SHAPES),
            self._sketch(shapes),
            self._lines(joined, whole.joined),
            self.cut and status == READ,
            self._times(host),
            gaps[:_GAPS],
            max(0, len(gaps) - _GAPS) + (whole.more_gaps if len(gaps) == MOST_GAPS else 0),
            tuple(Loss(what, *counts) for what, counts in sorted(whole.losses.items())),
            earlier.copies(self.path, self.sample, timed),
            dict(sorted(whole.incomplete.items())),
            advice([self._seen(*item) for item in known.items()], whole.services),
        )

    def _lines(self, count: int, examples: list[Example]) -> LineShare:
        return LineShare(count, count / self.stats.lines if count else 0.0, tuple(examples))

    def _shapes(self) -> tuple[Shape, ...]:
        shapes = self._whole.shapes
        found = [(-count, shapes.first[text].offset, text) for text, count in shapes.counts.items()]
        return tuple(
            Shape(text, -count, offset) for count, offset, text in sorted(found)[:_MOST_SHAPES]
        )

    def _sketch(self, shapes: tuple[Shape, ...]) -> str | None:
        """Return a format file for the first of the shapes that one can be made for."""
        if not shapes:
            return None
        # Start-up: most files are read.
        from opslog.checking.toml_text import to_toml
        from opslog.doctor.sketch import sketch

        name = re.sub(r"\W+", "-", os.path.basename(self.path).split(".")[0]).strip("-") or "log"
        for one in shapes:
            line = self._whole.shapes.first[one.text].text
            leaf = self._catalog.lines.program.probe(line.encode())[0]
            unread = leaf < 0 or self._facts[leaf].dated  # an envelope's text is no line
            if unread and (data := sketch(f"site.{name}", line)) is not None:
                return to_toml(data)
        return None

    def _formats(self, known: dict[LayoutGroup, LayoutSums]) -> tuple[FormatShare, ...]:
        found: dict[tuple[str, tuple[str, ...]], tuple[int, int]] = {}
        for group, sums in known.items():
            key = self._facts[group.leaf].format, self._envelopes(group.chain)
            records, lines = found.get(key, (0, 0))
            found[key] = records + sums.records, lines + sums.lines
        shares = [
            FormatShare(*key, records, lines, lines / self.stats.lines)
            for key, (records, lines) in found.items()
        ]
        return tuple(sorted(shares, key=lambda one: (-one.lines, one.format, one.envelopes)))

    def _envelopes(self, chain: int) -> tuple[str, ...]:
        names = []
        while chain:
            names.append(self._catalog.lines.formats[chain % 256 - 1].name)
            chain //= 256
        return tuple(reversed(names))

    def _seen(self, group: LayoutGroup, sums: LayoutSums) -> LayoutUse:
        own = self._facts[group.leaf]
        around = self._envelopes(group.chain)
        outer = [one for one in self._facts if one.format in around]
        named = own.format == _SYSLOG or (not own.timed and _SYSLOG in around)
        return LayoutUse(
            own,
            sums.records,
            sums.fractions,
            own.process_id or any(one.process_id for one in outer),
            named and group.clock != UNTIMED,
        )

    def _times(self, host: str | None) -> FileTimes:
        groups = self._groups.items()
        firsts = [sums.first for _, sums in groups if sums.first is not None]
        lasts = [sums.last for _, sums in groups if sums.last is not None]
        return FileTimes(
            utc_time(min(firsts)) if firsts else None,
            utc_time(max(lasts)) if lasts else None,
            sum(sums.records for group, sums in groups if group.clock == UNTIMED),
            sum(sums.records for group, sums in groups if group.clock == LOCAL),
            self.zone.name,
            clock.guess_zone(
                self.path, self._whole.offsets, self._whole.newest, self.changed, self.zone, host
            ),
            self._years(),
        )

    def _years(self) -> Years | None:
        found = [
            sums
            for group, sums in self._groups.items()
            if group.leaf >= 0 and group.clock != UNTIMED and self._yearless(group)
        ]
        times = [time for sums in found for time in (sums.first, sums.last) if time is not None]
        if not times:
            return None
        years = [self.zone.local(utc_time(time)).year for time in (min(times), max(times))]
        return Years(sum(sums.records for sums in found), years[0], years[1], self.year_source)

    def _yearless(self, group: LayoutGroup) -> bool:
        own = self._facts[group.leaf]
        if own.timed:
            return own.yearless
        names = self._envelopes(group.chain)
        return any(one.yearless for one in self._facts if one.format in names)

    def _gaps(self) -> tuple[Gap, ...]:
        timed = sum(s.records for group, s in self._groups.items() if group.clock != UNTIMED)
        if timed < _FEW:
            return ()
        first = min((s.first for s in self._groups.values() if s.first is not None), default=0)
        gaps = self._whole.gaps
        spent = (self._whole.latest or 0) - first - sum(end - begin for begin, end in gaps)
        usual = max(spent, 0) / max(timed - len(gaps), 1)
        longest = [gap for gap in gaps if gap[1] - gap[0] >= _UNUSUAL * usual]
        return tuple(
            Gap(utc_time(begin), utc_time(end), (end - begin) / 1e6) for begin, end in longest
        )


def _add(sums: LayoutSums, more: LayoutSums) -> None:
    sums.records += more.records
    sums.lines += more.lines
    sums.joined += more.joined
    sums.fractions += more.fractions
    for name, choose in (("first", min), ("last", max)):
        both = [time for time in (getattr(sums, name), getattr(more, name)) if time is not None]
        setattr(sums, name, choose(both) if both else None)
