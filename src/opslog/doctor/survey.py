"""The findings of one block: columns and sums, no Python object for a record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from opslog.doctor import clock
from opslog.doctor._survey import INCOMPLETE, holds, survey
from opslog.doctor.layouts import BARE, LayoutFacts
from opslog.doctor.report import Example
from opslog.doctor.sample import Sample, sample_of
from opslog.doctor.shapes import Shapes, beginning, examples, shapes_of
from opslog.model import arrays
from opslog.rows.kept import Kept

LEAST_GAP = 600_000_000
"""Shortest gap, in microseconds."""

MOST_GAPS = 16
_SAMPLE = 16
_STAMP = re.compile(rb"(?:[-\w /:,.\[\]()<>]{0,23}?\d[-\w /:,.\[\]()<>]{0,23}?)?\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Marker:
    """A message that says that others were dropped."""

    what: str
    needle: bytes
    pattern: re.Pattern[str]
    """A group holds how many were dropped."""


MARKERS = (
    Marker("oslo.log", b"Logging rate limit: drop after",
           re.compile(r"Logging rate limit: drop after ()")),
    Marker("Open vSwitch", b" log messages in last ",
           re.compile(r"Dropped (\d+) log messages in last ")),
    Marker("systemd-journald", b"Suppressed ", re.compile(r"Suppressed (\d+) messages from ")),
    Marker("rsyslog", b"due to rate-limiting",
           re.compile(r"(?:lost (\d+) messages from pid|(\d+) messages lost|begin to drop messages)"
                      r".*due to rate-limiting")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LayoutGroup:
    """Records of one layout in the same envelopes whose times are told alike."""

    leaf: int
    chain: int
    clock: int
    """One of UNTIMED, LOCAL, UTC."""


UNTIMED, LOCAL, UTC = 0, 1, 2


@dataclass(slots=True)
class LayoutSums:
    """Sums of a group."""

    records: int = 0
    lines: int = 0
    joined: int = 0
    fractions: int = 0
    """How many times are not whole seconds."""
    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class BlockFindings:
    """What one block says of its file."""

    groups: dict[LayoutGroup, LayoutSums] = field(default_factory=dict)
    unrecognised: list[Example] = field(default_factory=list)
    dated: list[Example] = field(default_factory=list)
    shapes: Shapes = field(default_factory=Shapes)
    """Of the records that are unrecognised or dated."""
    joined: list[Example] = field(default_factory=list)
    incomplete: Counter[str] = field(default_factory=Counter)
    losses: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    """Services whose lines have no place for a request id."""
    offsets: Counter[int] = field(default_factory=Counter)
    """Minutes by which local times are ahead of their envelopes'."""
    newest: int | None = None
    """The last local time, as it stands there."""
    first: int | None = None
    latest: int | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    more_gaps: int = 0
    """How many were shorter, and are not told."""
    sample: Sample = field(default_factory=Sample)


def surveyor(
    facts: tuple[LayoutFacts, ...], to_utc: Callable[[pa.Array, pa.Array], Any], most: int
) -> Callable[[Kept, int], BlockFindings]:
    """Return the function that surveys a block; it may be called from any thread.

    It takes the limit of the sample of what stands before.
    """
    bare = pa.array([n for n, one in enumerate(facts) if one.role == BARE], pa.int32())
    dated = pa.array([n for n, one in enumerate(facts) if one.dated], pa.int32())

    def survey_block(kept: Kept, limit: int) -> BlockFindings:
        block = BlockFindings()
        columns = _columns(kept)
        local, known = kept.clock()
        moments = to_utc(local, known)[0]
        clocks = pc.if_else(pc.is_valid(local), pc.if_else(known, UTC, LOCAL), UNTIMED)
        block.groups = _groups(columns, moments, clocks)
        _tell_gaps(block, moments)
        bodies = kept.others(("body",), arrays.numbers(range(kept.count))).column(0)
        block.sample = sample_of(kept, bodies, moments, limit)
        leaves = columns["leaf"]
        block.unrecognised = _examples(kept, pc.equal(leaves, -1), most)
        if dated and any(facts[group.leaf].dated for group in block.groups if group.leaf >= 0):
            block.dated = _examples(kept, pc.is_in(leaves, dated), most)
        if unread := _unread(block, facts):
            block.shapes = shapes_of(
                kept, _first(pc.is_in(leaves, pa.array(unread, pa.int32())), kept.count)
            )
        if any(sums.joined for sums in block.groups.values()):
            block.joined = _joined(kept, facts, pc.greater(columns["joined"], 0), most)
        marks = pc.value_counts(columns["mark"])
        block.incomplete = Counter(
            {INCOMPLETE[m["values"]]: m["counts"] for m in marks.to_pylist() if m["values"]}
        )
        if any(group.clock == LOCAL for group in block.groups):
            _tell_zone(block, kept, columns["chain"], local, pc.equal(clocks, LOCAL))
        if any(facts[group.leaf].role == BARE for group in block.groups if group.leaf >= 0):
            rows = _first(pc.is_in(leaves, bare), 4 * _SAMPLE)
            named = kept.others(("service_name",), rows).column(0)
            block.services = set(named.dictionary_decode().drop_null().unique().to_pylist())
        _tell_losses(block, kept, bodies)
        return block

    return survey_block


def _unread(block: BlockFindings, facts: tuple[LayoutFacts, ...]) -> list[int]:
    """Return the leaves of the block's records that are unrecognised or dated."""
    leaves = {group.leaf for group in block.groups}
    return sorted(leaf for leaf in leaves if leaf < 0 or facts[leaf].dated)


def _columns(kept: Kept) -> dict[str, pa.Array]:
    count = kept.count
    kinds = {"leaf": pa.int32(), "lines": pa.int32(), "joined": pa.int32(), "mark": pa.uint8(),
             "chain": pa.int64()}  # fmt: skip
    rooms = [bytearray(count * kind.bit_width // 8) for kind in kinds.values()]
    leaf, lines, joined, mark, chain = (memoryview(room) for room in rooms)
    survey(kept.records, kept.program, leaf.cast("i"), lines.cast("i"), joined.cast("i"), mark,
           chain.cast("q"))  # fmt: skip
    return {
        name: pa.Array.from_buffers(kind, count, [None, pa.py_buffer(room)], 0)
        for (name, kind), room in zip(kinds.items(), rooms, strict=True)
    }


def _groups(
    columns: dict[str, pa.Array], moments: pa.Array, clocks: pa.Array
) -> dict[LayoutGroup, LayoutSums]:
    whole = pc.equal(moments, pc.multiply(pc.divide(moments, 1_000_000), 1_000_000))
    table = pa.table({
        **{name: columns[name] for name in ("leaf", "chain", "lines", "joined")},
        "clock": clocks,
        "fraction": pc.invert(whole),
        "time": moments,
    })  # fmt: skip
    sums = [("lines", "count"), ("lines", "sum"), ("joined", "sum"), ("fraction", "sum"),
            ("time", "min"), ("time", "max")]  # fmt: skip
    found = table.group_by(["leaf", "chain", "clock"], use_threads=False).aggregate(sums)
    keys = ("leaf", "chain", "clock")
    rows = zip(*(found[key].to_pylist() for key in keys), strict=True)
    names = (f"{name}_{what}" for name, what in sums)
    values = zip(*(found[name].to_pylist() for name in names), strict=True)
    return {
        LayoutGroup(*row): LayoutSums(*(number or 0 for number in value[:4]), *value[4:])
        for row, value in zip(rows, values, strict=True)
    }


def _tell_gaps(block: BlockFindings, moments: pa.Array) -> None:
    times = moments.drop_null()
    if not len(times):
        return
    highest = pc.cumulative_max(times)
    block.first, block.latest = times[0].as_py(), highest[-1].as_py()
    before, behind = highest[:-1], times[1:]
    distances = pc.subtract(behind, before)
    longest = pc.max(distances).as_py()
    if longest is None or longest < LEAST_GAP:
        return
    table = pa.table({"begin": before, "end": behind, "length": distances})
    table = table.filter(pc.greater_equal(distances, LEAST_GAP))
    block.more_gaps = max(0, len(table) - MOST_GAPS)
    table = table.take(pc.sort_indices(table["length"], sort_keys=[("", "descending")])[:MOST_GAPS])
    table = table.sort_by("end")
    block.gaps = list(zip(table["begin"].to_pylist(), table["end"].to_pylist(), strict=True))


def _first(mask: pa.Array, count: int) -> pa.Array:
    """Return the numbers (int32) of the first rows the mask names."""
    return pc.indices_nonzero(mask)[:count].cast(pa.int32())


def _examples(kept: Kept, mask: pa.Array, count: int) -> list[Example]:
    rows = _first(mask, count)
    return examples(kept, rows) if len(rows) else []


def _joined(
    kept: Kept, facts: tuple[LayoutFacts, ...], mask: pa.Array, count: int
) -> list[Example]:
    def unknown(line: bytes) -> bool:
        leaf = kept.program.probe(line)[0]
        return _STAMP.match(line) is not None and (leaf < 0 or facts[leaf].dated)

    batch = kept.others(("source_offset", "original"), _first(mask, count))
    texts = zip(*batch.to_pydict().values(), strict=True)
    found = ((at, line) for at, text in texts for line in text.split(b"\n")[1:] if unknown(line))
    return [Example(at, beginning(line)) for at, line in islice(found, count)]


def _tell_zone(
    block: BlockFindings, kept: Kept, chains: pa.Array, local: pa.Array, is_local: pa.Array
) -> None:
    block.newest = local[pc.indices_nonzero(is_local)[-1].as_py()].as_py()
    rows = _first(pc.and_(is_local, pc.not_equal(chains, 0)), _SAMPLE)
    if len(rows):
        outer = kept.others(("attributes",), rows).column(0).to_pylist()
        inner = local.take(rows).to_pylist()
        block.offsets = clock.zone_offsets(zip(inner, outer, strict=True))


def _tell_losses(block: BlockFindings, kept: Kept, bodies: pa.StringArray) -> None:
    markers = [one for one in MARKERS if holds(kept.records, one.needle)]
    if not markers:
        return
    for one in markers:
        said = bodies.filter(pc.match_substring(bodies, one.needle.decode()))
        matches = [match for text in said.to_pylist() if (match := one.pattern.search(text))]
        if matches:
            numbers = [int(n) for match in matches for n in match.groups() if n]
            block.losses[one.what] = len(matches), sum(numbers) if numbers else None
