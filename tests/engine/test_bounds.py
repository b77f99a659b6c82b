"""Records below the least severity wanted, and outside the times wanted, are dropped early.

What is kept, and what is counted, is as if each record had been read to its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any_logs import LINES, REQUEST
from helpers import plain
from opslog import F, Normalizer
from opslog.filters.bounds import Bounds
from opslog.filters.filter import Filter
from opslog.kernel._block import Block
from opslog.model import schema
from opslog.model.stats import Stats
from opslog.scanner._scan import layers, scan
from opslog.scanner.catalog import Catalog

CONTEXT = f"[None {REQUEST} u p - - - -]"
ORDINARY = [
    f"2024-01-01 00:00:{second:02}.000 {second % 4} {level} nova.{name} {context} {text}".encode()
    for second, level, name, context, text in (
        (1, "INFO", "compute", CONTEXT, "[instance: 9b1d] begins"),
        (2, "DEBUG", "api", "[-]", "waits inner /a/b.py:7"),
        (3, "INFO", "api", CONTEXT, "GET /v2.1/servers"),
        (4, "WARNING", "compute", "[-]", "is late"),
        (5, "ERROR", "compute", CONTEXT, "[instance: 9b1d] fails"),
        (6, "TRACE", "api", "[-]", "steps"),
        (7, "INFO", "api", "[-]", ""),
    )
]
FOLLOWING = [
    b"2024-01-01 00:00:01.000 1 ERROR nova.compute [instance: 9b1d] Traceback (most recent call last):",
    b"2024-01-01 00:00:03.000 3 ERROR nova.api Traceback (most recent call last):",
    b"2024-01-01 00:00:03.000 3 ERROR nova.api   File \"x.py\", line 1, in f",
    b"2024-01-01 00:00:03.000 3 TRACE nova.api ValueError: x",
    b"2024-01-01 00:00:02 2 INFO nova.api bare",
    b"Traceback (most recent call last):", b"  File \"x.py\", line 1, in f", b"ValueError: x",
    b"2024-01-01 00:00:01.000 1 INFO 7 12 : cluster [ERR] of another layout",
    b"2024-01-01 00:00:01.000 1 INFO nova.api: with a colon",
]  # fmt: skip
LOGS = st.tuples(
    # Lines of a kind are known by their beginning once there were some of them.
    st.permutations(ORDINARY).map(lambda lines: lines * 40),
    st.lists(st.one_of(st.sampled_from(ORDINARY), st.sampled_from(FOLLOWING), LINES), max_size=40),
).map(lambda parts: b"\n".join([*parts[0], *parts[1]]) + b"\n")


def read(data: bytes, cuts: Iterable[int] = (), **options: Any) -> tuple[pa.Table, Stats]:
    """Normalise ``data``, fed in pieces cut at the given offsets."""
    normalizer = Normalizer(**options)
    batches, start = [], 0
    for end in (*sorted(cuts), len(data)):
        batches += normalizer.feed(data[start:end])
        batches += normalizer.flush() if end < len(data) else []
        start = end
    batches += normalizer.close()
    return plain(pa.Table.from_batches(batches, schema.arrow_schema())), normalizer.stats


@given(log=LOGS, least=st.integers(1, 24), cuts=st.lists(st.integers(0, 20_000), max_size=3))
def test_severities_below_the_least_change_nothing_of_the_others(
    log: bytes, least: int, cuts: list[int]
) -> None:
    cuts = [cut for cut in cuts if cut < len(log)]
    rows, whole = read(log, cuts)
    kept, counted = read(log, cuts, where=F.severity >= least)
    wanted = pc.fill_null(pc.greater_equal(rows["severity_number"], least), False)
    assert kept.equals(rows.filter(wanted).combine_chunks())
    assert counted.formats == whole.formats


def test_most_lines_below_it_are_not_read_to_their_end() -> None:
    data = b"\n".join(ORDINARY * 100) + b"\n"
    program = Catalog.default().lines.program
    found = []
    for floor in (0, 13):
        block = Block(len(data))
        block.reset(0)
        block.room(len(data))[:] = data
        block.filled(len(data))
        scan(program, block, 10_000, None, floor)
        found.append(layers(program, block))
    whole, skimmed = found
    unlike = [a != b for a, b in zip(whole, skimmed, strict=True)]
    below = [b" INFO " in line or b" DEBUG " in line for line in ORDINARY * 100]
    assert not any(differs and not low for differs, low in zip(unlike, below, strict=True))
    assert sum(unlike) > 0.7 * sum(below)


@given(
    log=LOGS,
    since=st.none() | st.integers(0, 9),
    until=st.none() | st.integers(0, 9),
    zone=st.sampled_from([("UTC", 0), ("+02:00", 2), ("Europe/Berlin", 1)]),
)
def test_times_outside_change_nothing_of_the_others(
    log: bytes, since: int | None, until: int | None, zone: tuple[str, int]
) -> None:
    name, hours = zone
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() - 3600 * hours)
    bounds = Bounds(
        since=None if since is None else (start + since) * 1_000_000,
        until=None if until is None else (start + until) * 1_000_000,
    )
    rows, _ = read(log, timezone=name)
    kept, _ = read(log, timezone=name, where=Filter.within(bounds))
    times = rows["timestamp"].cast(pa.int64()).to_pylist()
    inside = [
        not bounds
        or (
            time is not None
            and (bounds.since is None or time >= bounds.since)
            and (bounds.until is None or time < bounds.until)
        )
        for time in times
    ]
    assert kept.equals(rows.filter(pa.array(inside, pa.bool_())).combine_chunks())
    assert kept.equals(read(log, timezone=name, where=bounds.expression())[0])


NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MICROS = 1_773_144_000_000_000


@pytest.mark.parametrize(
    ("condition", "bounds"),
    [
        (F.severity >= "WARNING", Bounds(least=13)),
        (F.severity > "WARNING", Bounds(least=14)),
        (F.severity == "ERROR", Bounds(least=17)),
        (F.severity < "ERROR", Bounds()),
        (pc.scalar(13) <= pc.field("severity_number"), Bounds(least=13)),
        (pc.field("severity_number") > 255, Bounds(least=24)),
        (F.timestamp >= NOON, Bounds(since=MICROS)),
        (F.timestamp < NOON, Bounds(until=MICROS)),
        (F.timestamp > NOON, Bounds(since=MICROS + 1)),
        (F.timestamp <= NOON, Bounds(until=MICROS + 1)),
        (F.timestamp == NOON, Bounds(since=MICROS, until=MICROS + 1)),
        ((F.severity >= 9) & (F.severity >= 13) & F.body.contains("x"), Bounds(least=13)),
        ((F.severity >= 9) | (F.service_name == "nova"), Bounds()),
        (~(F.severity >= 9), Bounds()),
        ("severity >= ERROR and timestamp < 2026-03-10T12:00:00Z", Bounds(17, None, MICROS)),
    ],
)
def test_the_bounds_of_a_condition(condition: pc.Expression | str, bounds: Bounds) -> None:
    assert Filter.of(condition).bounds == bounds
