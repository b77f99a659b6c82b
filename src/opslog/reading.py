"""Reading sources block by block, and what becomes known on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

from opslog._block import Block
from opslog.engine import Item, Job, Stats, Stream
from opslog.errors import SourceError
from opslog.lines import Cutter
from opslog.sources import Source
from opslog.zones import Times

T = TypeVar("T")

Watch: TypeAlias = Callable[[int], None]
"""Is told after each block how many bytes were read so far, as they lie in the files."""


def unwatched(position: int) -> None:
    """Nobody wants to know."""


class Reading(Generic[T]):
    """One pass over sources: their blocks for the engine, and their errors for the end."""

    def __init__(self, job: Job[T], times: Times, stats: Stats, watch: Watch = unwatched) -> None:
        self.job = job
        self.times = times
        self.stats = stats
        self.watch = watch
        self.spare: deque[Block] = deque()
        self._errors: list[SourceError] = []
        self._errors_before: dict[str, int] = {}
        self._interrupt: KeyboardInterrupt | None = None

    def items(self, names: list[str]) -> Generator[Item[T], None, None]:
        """Yield the blocks of the sources, one after the other."""
        done = 0
        for name in names:
            try:
                source = Source(name)
            except SourceError as error:
                self._errors.append(error)
                continue
            zone = self.times.zones.of(name)
            reference = self.times.reference
            if reference is None:
                reference = zone.reference(source.modified)
            stream = Stream(self.job, name, zone, self.stats, reference)
            self._errors_before[stream.builder.source] = len(self._errors)
            cutter = Cutter(self.spare)
            try:
                while count := source.read_into(cutter.room()):
                    block = cutter.filled(count)
                    if block is not None:
                        yield Item(stream, block, final=False)
                        self.watch(done + source.position)
            except SourceError as error:
                self._errors.append(error)
            except KeyboardInterrupt as interrupt:
                # What has been read is finished before the interrupt takes its way.
                self._interrupt = interrupt
            finally:
                done += source.position
                source.close()
            yield Item(stream, cutter.rest(whole=self._interrupt is not None), final=True)
            self.watch(done)
            if self._interrupt:
                return

    def forget_behind(self, source: str) -> None:
        """Drop errors found since ``source`` was opened: how far was read ahead must not show."""
        del self._errors[self._errors_before[source] :]

    def close(self) -> None:
        """Raise what kept sources from being read to their end, if anything did."""
        if self._interrupt:
            raise self._interrupt
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise ExceptionGroup("some sources could not be read", self._errors)
