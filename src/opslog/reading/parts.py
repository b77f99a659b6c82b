"""Parts: sources divided so that each part can be read alone, anywhere, with the same records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from opslog.engine.job import Job
from opslog.engine.run import in_this_thread
from opslog.engine.stream import Item, Stream
from opslog.engine.tables import StoredTables
from opslog.inputs.extent import Extent
from opslog.inputs.given import Given
from opslog.inputs.lines import BlockCutter
from opslog.inputs.paths import STDIN, Sources, in_archive
from opslog.inputs.source import Source
from opslog.kernel._block import Block, sizes
from opslog.model.errors import SourceError
from opslog.model.stats import Stats
from opslog.model.zones import TimeDefaults
from opslog.rows.kept import Kept
from opslog.scanner.catalog import Catalog

_STEP = 1 << 16
"""Bytes of a file that are read at once until its margin is known."""


def divided(
    sources: Sources, size: int, times: TimeDefaults, catalog: Catalog
) -> Iterator[tuple[Extent, ...]]:
    """Yield what each part reads, in order: about ``size`` bytes as they lie in the files.

    A large file is divided if its bytes are as they are read; small ones are taken together.
    """
    together: list[Extent] = []
    streams = {STDIN, *sources.readable_once()}  # not opened: what is read of them is gone
    for name in sources.names:
        once = isinstance(name, Given) or in_archive(name)[0] in streams
        extents = [Extent(name)] if once else _extents(name, size, times, catalog)
        if len(extents) == 1 and sum(one.size for one in (*together, *extents)) <= size:
            together += extents
            continue
        if together:
            yield tuple(together)
        together = extents[-1:]
        for extent in extents[:-1]:
            yield (extent,)
    if together:
        yield tuple(together)


def _extents(name: str, size: int, times: TimeDefaults, catalog: Catalog) -> list[Extent]:
    try:
        source = Source(name, of_tables=StoredTables())
    except SourceError:
        return [Extent(name)]  # reading it says so
    try:
        known = Extent(name, source.size, source.modified, source.first, version=source.version)
        if not source.can_seek or source.is_archive or source.binary is not None:
            return [known]
        if not known.size and source.start:
            return [Extent(name)]  # as in /proc: what it holds is not told by its size
        every = sizes()["seam_every"]
        step = max(1, -(-size // every)) * every
        plain = replace(known, plain=True, margin=margin_of(source, times, catalog))
        cuts = [0, *range(step, known.size, step)]
        return [
            replace(plain, begin=begin, end=end)
            for begin, end in zip(cuts, [*cuts[1:], None], strict=True)
        ]
    except SourceError:
        return [Extent(name)]
    finally:
        source.close()


def margin_of(
    source: Source, times: TimeDefaults, catalog: Catalog, before: int | None = None
) -> int:
    """Return how many blanks stand before each line, as the first window of a file tells.

    With ``before`` only what stands before that offset tells it.
    """
    stream = Stream(assembling(catalog), source.name, times.zones.of(source.name), Stats())
    cutter, left = BlockCutter(deque()), sizes()["window"] + sizes()["longest_line"]
    left = left if before is None else min(left, before)
    while not stream.assembler.settled:
        count = source.read_into(cutter.room()[: min(left, _STEP)]) if left else 0
        left -= count
        block = cutter.filled(count) or cutter.lines() if count else cutter.rest()
        if block:
            use(stream, block)
        if not count:
            break
    return stream.assembler.quoted


def assembling(catalog: Catalog) -> Job[None]:
    """Return the job of who asks for no records, but where they are."""
    return Job(catalog, (), None, _nothing)


def use(stream: Stream[None], block: Block, held: int = -1) -> None:
    """Scan and assemble a block of a stream."""
    for _ in in_this_thread(Item(stream, block, final=False, held=held), deque()):
        pass


def _nothing(kept: Kept) -> None:
    """Nobody wants the records."""
