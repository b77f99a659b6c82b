"""Reading sources block by block, and what went wrong with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from opslog._block import Block
from opslog.engine import Item, Job, Stats, Stream
from opslog.errors import SourceError
from opslog.lines import Cutter
from opslog.sources import Source
from opslog.timestamps import Zone

T = TypeVar("T")


class Reading(Generic[T]):
    """One pass over sources: their blocks for the engine, and their errors for the end."""

    def __init__(self, job: Job[T], zone: Zone) -> None:
        self.job = job
        self.zone = zone
        self.spare: deque[Block] = deque()
        self._errors: list[SourceError] = []
        self._interrupt: KeyboardInterrupt | None = None

    def items(self, name: str, stats: Stats) -> Iterator[Item[T]]:
        """Yield the blocks of a source."""
        if self._interrupt:
            return
        try:
            source = Source(name)
        except SourceError as error:
            self._errors.append(error)
            return
        stream = Stream(self.job, name, self.zone, stats)
        cutter = Cutter(self.spare)
        try:
            while not self._interrupt and (count := source.read_into(cutter.room())):
                block = cutter.filled(count)
                if block is not None:
                    yield Item(stream, block, final=False)
        except SourceError as error:
            self._errors.append(error)
        except KeyboardInterrupt as interrupt:
            # What has been read is finished before the interrupt takes its way.
            self._interrupt = interrupt
        finally:
            source.close()
        yield Item(stream, cutter.rest(whole=self._interrupt is not None), final=True)

    def close(self) -> None:
        """Raise what kept sources from being read to their end, if anything did."""
        if self._interrupt:
            raise self._interrupt
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise ExceptionGroup("some sources could not be read", self._errors)
