"""A file that grows, read from cut to cut, gives the records of the whole file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from hypothesis import assume, example, given
from hypothesis import strategies as st

import opslog
from helpers import plain
from opslog.inputs.compression import compressed
from opslog.inputs.extent import Extent
from opslog.inputs.source import Source
from opslog.inputs.text import SAMPLE_BYTES, not_text
from opslog.inputs.utf16 import encoding
from opslog.kernel import _block
from opslog.reading.growth import Cut, last_cut
from opslog.reading.parts import margin_of
from reading.test_parts import long_logs, small


def read_as_it_grows(
    name: str, data: bytes, looks: Sequence[tuple[int, int]]
) -> tuple[list[Cut], pa.Table]:
    """Return the cuts at looks, (size, held) of each, and the records that are read between them."""
    logs = opslog.read(name, original=True)
    cuts, tables = [Cut()], []
    for size, held in looks:
        last = cuts[-1]
        source = Source(name)
        margin = margin_of(Source(name), logs._pass.times, logs._pass.catalog, last.offset)
        known = Extent(
            name, size, begin=last.offset, margin=margin, plain=True,
            dated=last.dated if last.offset else None,
        )  # fmt: skip
        found = last_cut(source, known, held, logs._pass.times, logs._pass.catalog)
        source.close()
        assert last.offset <= found.offset <= size
        if found.offset > last.offset:
            part = logs._changed(
                sources=logs._pass.sources.part((replace(known, size=found.offset),))
            )
            tables.append(part.to_table())
            cuts.append(found)
    return cuts, pa.concat_tables(tables)


def lines_before(data: bytes, size: int) -> int:
    return data.rfind(b"\n", 0, size) + 1


SHARES = st.lists(st.floats(0, 1), max_size=8).map(sorted)


def is_plain(data: bytes) -> bool:
    return bool(data) and not compressed(data[:6]) and not encoding(data) and not not_text(data)


DATED = b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n"
NAMED = b'api  | {"MESSAGE": "2026/03/10 10:00:00 the job failed"}\n'


@given(long_logs(), SHARES)
@example(DATED + NAMED * 40 + b"api  | \n" + NAMED * 40, [0.5])
@example(b"a#012Traceback (most recent call last):#012  b#012C: d\n" + DATED, [0.8])
@example(
    b" 2024-01-01T00:00:00Z stdout F a#012Traceback (most recent call last):#012  b\n" * 2, [0.9]
)
def test_cuts_change_no_record(data: bytes, shares: list[float]) -> None:
    assume(is_plain(data[:SAMPLE_BYTES]))
    with tempfile.NamedTemporaryFile() as file, small():
        _block.set_sizes({**_block.sizes(), "seam_every": 1 << 40})
        file.write(data)
        file.flush()
        looks = [(lines_before(data, int(share * len(data))), -1) for share in shares]
        cuts, found = read_as_it_grows(file.name, data, [*looks, (len(data), len(data))])
        wanted = opslog.read(file.name, original=True).to_table()
        assert cuts[-1].offset == len(data)
        assert plain(found).equals(plain(wanted))


@given(long_logs(), SHARES, st.data())
def test_records_that_are_ended_early_lose_no_byte(
    data: bytes, shares: list[float], draw: st.DataObject
) -> None:
    assume(is_plain(data[:SAMPLE_BYTES]))
    with tempfile.NamedTemporaryFile() as file, small():
        file.write(data)
        file.flush()
        sizes = [int(share * len(data)) for share in shares]
        looks = [(size, draw.draw(st.integers(-1, size))) for size in sizes]
        cuts, found = read_as_it_grows(file.name, data, [*looks, (len(data), len(data))])
        assert cuts[-1].offset == len(data)
        assert sum(map(len, found["original"].to_pylist())) == len(data)
