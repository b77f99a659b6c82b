"""The bytes of a block in which the records of its hits lie, where the lines around these tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from opslog.engine._near import around
from opslog.engine.stream import Stream
from opslog.kernel._block import Block, sizes

T = TypeVar("T")

Spans = tuple[tuple[int, int], ...]
"""Where parts of a block begin and end, in order."""

_BEFORE, _BEHIND = 8 << 10, 32 << 10
"""Bytes around hits that are looked at first."""


def spans_of(stream: Stream[T], block: Block, places: list[int], ends: bool) -> Spans | None:
    """Return the parts of a block that hold the records with these places, None if unsure.

    Each of them read by itself gives these records as the whole source does.  ``ends`` says
    that the source ends with the block.
    """
    if stream.extent or stream.job.catalog.lines.patterns is not None:
        return None
    spans: list[tuple[int, int]] = []
    for hits in _groups(places):
        span = _span(stream, block, hits, ends)
        if span is None:
            return None
        if spans and span[0] <= spans[-1][1]:
            span = (min(spans[-1][0], span[0]), max(spans.pop()[1], span[1]))
        spans.append(span)
    return tuple(spans)


def _groups(places: list[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for place in places:
        if group and place > group[-1] + _BEHIND:
            yield group
            group = []
        group.append(place)
    yield group


def _span(stream: Stream[T], block: Block, hits: list[int], ends: bool) -> tuple[int, int] | None:
    """Look a little around the hits, then as far as a record may reach."""
    far = sizes()["window"] + 2 * sizes()["longest_line"]
    for before, behind in ((_BEFORE, _BEHIND), (far, far)):
        part = block.part(hits[0] - before, hits[-1] + behind)
        begin = part.offset - block.offset
        if stream.scan(part) is not None:
            return None
        last = ends and begin + part.size == block.size
        span = around(stream.job.catalog.lines.program, part, [hit - begin for hit in hits], last)
        if span is not None:
            return begin + span[0], begin + span[1]
    return None
