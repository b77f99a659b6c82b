"""Growth: how much of a file that is still written can be read for good.

A file may be read up to a *cut*: every record before it has ended, and none has lines on both
sides.  What begins at a cut gives the records that the whole file gives, if it is known where
the last record before it with a time began (Extent.dated).
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import NamedTuple

from opslog.engine.stream import Stream
from opslog.inputs.extent import Extent
from opslog.inputs.lines import BlockCutter
from opslog.inputs.source import Source
from opslog.kernel._block import sizes
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.reading.parts import assembling, use
from opslog.scanner.catalog import Catalog


class Cut(NamedTuple):
    """An offset of a file, and where the last record before it with a time begins, -1 if none."""

    offset: int = 0
    dated: int = -1


def last_cut(
    source: Source, extent: Extent, held: int, times: TimeDefaults, catalog: Catalog
) -> Cut:
    """Return the last cut in what an extent reads of a plain file; records are not built.

    Records whose last line ends at the offset ``held`` or before have ended, too.  What is
    before the last seam is not read.  Raises SourceError.
    """
    size = sizes()
    behind = size["seam_within"] + size["window"] + 2 * size["longest_line"]
    seam = (extent.size - behind) // size["seam_every"] * size["seam_every"]
    stream = Stream(assembling(catalog), extent.name, times.zones.of(extent.name), Stats())
    if seam > extent.begin:
        stream.bound(replace(extent, begin=seam, dated=None))
        _read(source, stream, source.seek_line(seam), False, extent.size, held)
        if not stream.assembler.sought:
            found = max(stream.assembler.begin, stream.assembler.cut)
            return Cut(found, stream.assembler.dated if found == stream.assembler.cut else -1)
        # It is in an endless line.
        stream = Stream(assembling(catalog), extent.name, times.zones.of(extent.name), Stats())
    stream.bound(extent)
    inside = source.seek_behind(extent.begin)
    _read(source, stream, extent.begin, inside, extent.size, held)
    if stream.assembler.cut > extent.begin:
        return Cut(stream.assembler.cut, stream.assembler.dated)
    return Cut(extent.begin, -1 if extent.dated is None else extent.dated)


def _read(
    source: Source, stream: Stream[None], begin: int, inside: bool, size: int, held: int
) -> None:
    """Assemble what is between two offsets of a source."""
    cutter = BlockCutter(deque(), begin, inside)
    while left := size - source.offset:
        count = source.read_into(cutter.room()[:left])
        if not count:
            break
        if block := cutter.filled(count):
            use(stream, block)
    use(stream, cutter.rest(), held)
