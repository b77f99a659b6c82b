"""Logs in which much comes again and again, and windows that are small beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

from any_logs import LINES
from foreign import logs as foreign_logs
from helpers import ROOT
from opslog.inputs import lines as cutting
from opslog.kernel import _block

HEAD = b"2024-01-01 00:00:00.000 %d ERROR a.b [-] %s"
TRACE = b"2024-01-01 00:00:00.000 %d ERROR a.b %s"
FRAMES = [b"Traceback (most recent call last):", b'  File "x.py", line 1, in f', b"    f()"]


def samples() -> list[bytes]:
    """The lines of all samples of all formats."""
    found: list[bytes] = []
    for path in sorted((ROOT / "formats").glob("*.toml")):
        for sample in tomllib.loads(path.read_text()).get("samples", []):
            found += str(sample.get("line", sample.get("lines", ""))).encode().split(b"\n")
    return found


SAMPLES = samples()


@st.composite
def tracebacks(draw: st.DrawFn) -> bytes:
    """Tracebacks of several workers, line by line between each other; some have no heads."""
    workers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4, unique=True))
    prefixed = draw(st.booleans())
    out: list[bytes] = []
    for line in [b"failed", *draw(st.lists(st.sampled_from(FRAMES), max_size=8)), b"ValueError: x"]:
        for worker in workers:
            if line == b"failed":
                if draw(st.booleans()):
                    out.append(HEAD % (worker, line))
            else:
                out.append(TRACE % (worker, line) if prefixed else line)
    return b"\n".join(out)


@st.composite
def cri(draw: st.DrawFn) -> bytes:
    """What a container wrote, cut into pieces: the last one may never come."""
    lines = draw(st.lists(LINES, min_size=1, max_size=4))
    stream = draw(st.sampled_from([b"stdout", b"stderr"]))
    ends = st.sampled_from([b"P", b"P", b"F"])
    return b"\n".join(
        b"2024-01-01T00:00:00.%dZ %s %s %s" % (draw(st.integers(0, 9)), stream, draw(ends), line)
        for line in lines
    )


RUNS = st.builds(
    lambda pid, count: b"\n".join([HEAD % (pid, b"one after the other")] * count),
    st.integers(1, 3), st.integers(1, 12),
)  # fmt: skip
PIECES = st.one_of(
    RUNS, RUNS, LINES, st.sampled_from(SAMPLES), tracebacks(), cri(),
    st.integers(1, 7000).map(lambda n: b"y" * n),
    st.integers(1, 5000).map(lambda n: HEAD % (1, b"#012" + b"z" * n)),
    foreign_logs(6).map(lambda drawn: drawn[0]),
)  # fmt: skip


ENVELOPES = st.sampled_from(
    [b"", b"", b"", b"Jan  1 00:00:00 h p[1]: ", b"2024-01-01T00:00:00Z stdout F ", b"api  | "]
)


@st.composite
def long_logs(draw: st.DrawFn) -> bytes:
    """A log in which pieces come again and again."""
    pieces = draw(st.lists(st.tuples(PIECES, st.integers(1, 30)), min_size=1, max_size=12))
    data = b"\n".join(
        envelope + line
        for piece, count in pieces
        for envelope in (draw(ENVELOPES),)
        for line in piece.split(b"\n") * count
    )
    if draw(st.sampled_from([False, False, False, True])):
        margin = b" " * draw(st.integers(1, 5))
        data = b"\n".join(margin + line for line in data.split(b"\n"))
    return data + draw(st.sampled_from([b"", b"\n"]))


@contextmanager
def small(heads: int = 3, block: int = 1 << 13, seams: int = 4096) -> Iterator[None]:
    """Windows and lines of 2 KiB, and blocks and seams to fit them."""
    before, size = _block.sizes(), cutting.BLOCK_BYTES
    _block.set_sizes(
        {"window": 2048, "longest_line": 2048, "seam_every": seams, "seam_within": 2048,
         "seam_heads": heads}
    )  # fmt: skip
    cutting.BLOCK_BYTES = block
    try:
        yield
    finally:
        _block.set_sizes(before)
        cutting.BLOCK_BYTES = size
