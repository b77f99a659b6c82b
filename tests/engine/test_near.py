"""What is read near a hit gives the records that the whole source gives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.compute as pc
from hypothesis import assume, event, given
from hypothesis import strategies as st

import opslog
from any_logs import LINES
from helpers import plain
from long_logs import long_logs, small, tracebacks
from opslog.engine import near
from opslog.filters.filter import Filter
from opslog.inputs.compression import compressed
from opslog.inputs.text import SAMPLE_BYTES, not_text

HIT = "req-5a872ac3-c5bc-4aa2-ac83-e7751522bbf1"
HOLDING = Filter(
    pc.match_substring(pc.field("original"), HIT),
    ("original",),
    (frozenset([HIT.encode()]),),
)


@contextmanager
def little() -> Iterator[None]:
    """Look at little around a hit."""
    before = near._BEFORE, near._BEHIND
    near._BEFORE, near._BEHIND = 256, 512
    try:
        yield
    finally:
        near._BEFORE, near._BEHIND = before


WORKERS = st.lists(st.sampled_from([b"1", b"2", b"3"]), min_size=1, max_size=20).map(
    lambda pids: b"\n".join(b"2024-01-01 00:00:00.000 %s INFO a.b [-] one" % pid for pid in pids)
)
TEXT = st.sampled_from([b"and so on", b"", b"  indented", b'{"a": 1}', b"KeyError: 'x'"])
JSON = st.just(b'{"message": "m", "name": "n", "levelname": "INFO", "created": 1.5}')
INNODB = st.sampled_from(
    [b"2024-01-01 00:00:00 0x7f2a INNODB MONITOR OUTPUT", b"END OF INNODB MONITOR OUTPUT"]
)


@st.composite
def calm_logs(draw: st.DrawFn) -> bytes:
    """Heads of a few workers, and among them a little of something else."""
    pieces = draw(st.lists(WORKERS, min_size=5, max_size=40))
    others = st.one_of(TEXT, TEXT, TEXT, JSON, tracebacks(), INNODB, LINES)
    for other in draw(st.lists(others, max_size=6)):
        pieces.insert(draw(st.integers(0, len(pieces))), other)
    return b"\n".join(pieces)


@st.composite
def logs_with_hits(draw: st.DrawFn) -> bytes:
    """A log that holds the id at any places: in heads, in text, in tracebacks, in pieces."""
    lines = draw(st.one_of(calm_logs(), calm_logs(), calm_logs(), long_logs())).split(b"\n")
    failed = [
        at for at, line in enumerate(lines) if line.endswith(b"failed")
    ]  # a traceback follows
    places = st.integers(0, len(lines) - 1)
    if failed:
        places |= st.sampled_from(failed)
    for at in draw(st.lists(places, min_size=1, max_size=3)):
        within = draw(st.integers(0, len(lines[at])) | st.just(len(lines[at])))
        lines[at] = lines[at][:within] + b" " + HIT.encode() + b" " + lines[at][within:]
    return b"\n".join(lines)


@given(
    logs_with_hits(), st.integers(1, 5), st.sampled_from([4096, 1 << 14, 1 << 16]),
    st.sampled_from([1, 2]),
)  # fmt: skip
def test_what_is_read_near_hits_is_what_the_whole_source_gives(
    data: bytes, heads: int, seams: int, threads: int
) -> None:
    assume(not compressed(data[:6]) and not not_text(data[:SAMPLE_BYTES]))
    with tempfile.NamedTemporaryFile() as file, small(heads, 1 << 22, seams), little():
        file.write(data)
        file.flush()
        logs = opslog.read(file.name, original=True, threads=threads).filter(HOLDING)
        wanted = plain(opslog.read(file.name, original=True, skip=False).filter(HOLDING).to_table())
        found = plain(logs.to_table())
        assert found.equals(wanted)
        skipped = logs.write_jsonl("/dev/null").skipped_bytes
        event("some of it is skipped" if skipped else "nothing is skipped")


def test_a_block_that_a_format_declares_takes_the_text_behind_other_heads() -> None:
    head = b"2024-01-01 00:00:00.000 1 INFO a.b [-] one\n"
    block = b"2024-01-01 00:00:00 0x7f2a INNODB MONITOR OUTPUT\n"
    with tempfile.NamedTemporaryFile() as file, small(3, 1 << 22, 1 << 16), little():
        file.write(head * 200 + block + head * 20 + HIT.encode() + b"\n" + head * 20)
        file.flush()
        [record] = opslog.read(file.name, original=True).filter(HOLDING)
    assert record.format == "mysql.innodb"
    assert record.original == block + HIT.encode() + b"\n"
