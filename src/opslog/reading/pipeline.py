"""Stages: what is done with batches between the filter and the output."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any, Protocol, TypeAlias

from opslog.model.arrow import pa
from opslog.model.errors import SourceError
from opslog.model.stats import LetGo, Stats

Stage: TypeAlias = "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]"
"""Batches in, batches out; called anew for each run.

A stage may say what it must know of records before they are batches (``see``, of Kept, in any
thread).  If it is the first one, what that returns may come in place of batches.
"""


class Seen(Protocol):
    """Records of one source, before they are a batch."""

    @property
    def source(self) -> str:
        """Their source."""

    def __len__(self) -> int:
        """How many they are."""


def staged(
    batches: Iterator[pa.RecordBatch], stages: tuple[Stage, ...]
) -> Iterator[pa.RecordBatch]:
    """Return what ``stages`` make of ``batches``, one behind the other."""
    for stage in stages:
        batches = stage(batches)
    return batches


def through_stages(
    batches: Generator[pa.RecordBatch, str | None, None] | Generator[Seen, str | None, None],
    stages: tuple[Stage, ...],
    most: int | None,
    stats: Stats,
) -> Iterator[pa.RecordBatch]:
    """Yield what ``stages`` make of ``batches``, at most so many records.

    What comes too late to be read is raised when the stages have given what they
    held back.  ``batches`` are sent the source of the last one when there are
    enough.
    """
    failed: BaseException | None = None
    last: pa.RecordBatch | Seen | None = None
    counts = [0] * (len(stages) + 1)
    dropped = dict(stats.dropped)
    let_go = [(name_of(stage), known) for stage in stages if (known := let_go_of(stage))]
    before_it = [known.count for _, known in let_go]
    let_go_before = dict(stats.let_go)
    kept = 0

    def read() -> Iterator[Any]:
        nonlocal failed, last
        try:
            for batch in batches:
                last = batch
                yield batch
                tell()  # the next one may be long in coming
        except (SourceError, KeyboardInterrupt) as error:
            failed = error

    def counted(place: int, rows: Iterator[Any]) -> Iterator[Any]:
        for batch in rows:
            counts[place] += len(batch)
            yield batch

    def tell() -> None:
        stats.kept = kept
        stats.dropped = dict(dropped)
        for stage, (before, behind) in zip(stages, pairwise(counts), strict=True):
            name = name_of(stage)
            stats.dropped[name] = stats.dropped.get(name, 0) + before - behind
        own = {name for name, _ in let_go}
        others = {what: count for what, count in stats.let_go.items() if what not in own}
        stats.let_go = {**let_go_before, **others}
        for (name, known), start in zip(let_go, before_it, strict=True):
            if known.count > start:
                stats.let_go[name] = stats.let_go.get(name, 0) + known.count - start

    rows = counted(0, read())
    for place, stage in enumerate(stages, 1):
        rows = counted(place, stage(rows))
    try:
        for batch in rows:
            taken = batch if most is None else batch.slice(0, most - kept)
            kept += len(taken)
            tell()
            if len(taken):
                yield taken
            if kept == most:
                if last is not None and failed is None:
                    with suppress(StopIteration):
                        batches.send(_source_of(last))
                break
    finally:
        tell()
    if failed is not None:
        raise failed


def _source_of(last: pa.RecordBatch | Seen) -> str:
    """Return the source of the last record."""
    source: str = last["source"][-1].as_py() if isinstance(last, pa.RecordBatch) else last.source
    return source


def name_of(stage: Stage) -> str:
    """Return the name under which Stats counts what ``stage`` drops."""
    return getattr(stage, "__name__", type(stage).__name__)


def let_go_of(stage: Stage) -> LetGo | None:
    """Return where ``stage`` counts what it lets go, if it does."""
    found = getattr(stage, "let_go", None)
    return found if isinstance(found, LetGo) else None
