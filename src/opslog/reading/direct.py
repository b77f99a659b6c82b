"""Records that go past the stages: those of which a stage needs no columns are never any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from opslog.model.stats import Stats
from opslog.outputs.sink import Sink
from opslog.reading.pipeline import Stage, name_of
from opslog.rows.kept import Kept


class Writer(Protocol):
    """Turns records into what a sink takes, and hands it over."""

    def encode(self, kept: Kept) -> Any:
        """Turn records into what ``write`` takes; called from any thread."""

    def write(self, encoded: Any) -> None:
        """Write what ``encode`` returned, in order; raises SinkError."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Stages that choose records by some of their columns, and what writes those they leave."""

    chooses: tuple[tuple[str, Callable[[Kept], Kept]], ...]
    writer: Writer
    stats: Stats

    def finish(self, kept: Kept) -> tuple[list[tuple[str, int]], Any]:
        """Return how many records each stage dropped, and the others encoded; from any thread."""
        dropped = []
        for name, choose in self.chooses:
            before = kept.count
            kept = choose(kept)
            dropped.append((name, before - kept.count))
        return dropped, self.writer.encode(kept) if kept.count else None

    def write(self, result: tuple[list[tuple[str, int]], Any]) -> None:
        """Write what ``finish`` returned, in order; raises SinkError."""
        dropped, encoded = result
        for name, count in dropped:
            self.stats.kept -= count
            self.stats.dropped[name] += count
        if encoded is not None:
            self.writer.write(encoded)


def direct(stages: tuple[Stage, ...], sink: Sink, stats: Stats) -> Direct | None:
    """Return how records get from ``stages`` into ``sink`` without all columns, if they do.

    A stage may say which records it passes (``choose``, whatever came before), the last one
    how it writes those it passes (``writer``).
    """
    writer: Writer = sink
    chooses = []
    for number, stage in enumerate(stages, 1):
        if choose := getattr(stage, "choose", None):
            chooses.append((name_of(stage), choose))
        elif number == len(stages) and (own := getattr(stage, "writer", None)):
            if (found := own(sink)) is None:
                return None
            writer = found
        else:
            return None
    for stage in stages:
        stats.dropped.setdefault(name_of(stage), 0)
    return Direct(tuple(chooses), writer, stats)
