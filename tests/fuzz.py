"""Feeds random and mutated logs through every kernel for a given time.

Meant for the checked build (OPSLOG_CHECKED=1: address and undefined-behaviour
sanitizer, Cython bounds checks), where any read or write outside a buffer ends
the process: ``python tests/fuzz.py SECONDS [SEED]``.  In any build it checks
that nothing is lost and that all cuts of the input give the same records.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import time

import pyarrow as pa

from helpers import records, table
from opslog import catalog, lines, merge, schema
from opslog.engine import Normalizer
from opslog.errors import SinkError
from opslog.format import from_dict
from opslog.lines import BLOCK_BYTES
from opslog.sinks.jsonl import to_json_lines

PATTERN = {
    "regex": r"(?:(?:at=(?P<timestamp>\S+)|lvl=(?P<severity>\w+)|pid=(?P<process_pid>\d+)|(?P<x>.)=(?P<body>.*)) ?)+",
    "timestamp": "iso",
}
OWN = from_dict({"name": "own", "title": "own", "follow_on": True, "layouts": [PATTERN]}, "own")
CATALOGS = [catalog.default(), catalog.beside_shipped([OWN])]
SEEDS = [
    line
    for form in catalog.shipped()
    for sample in form.samples
    for line in sample.text.encode().split(b"\n")
] + [
    b"2024-01-01 00:00:00.000 1 ERROR a.b Traceback (most recent call last):",
    b"2024-01-01 00:00:00.000 1 ERROR a.b ",
    b"2024-01-01 00:00:00.000 1 ERROR a.b   + Exception Group Traceback (most recent call last):",
    b"2024-01-01 00:00:00.000 1 ERROR a.b   | ExceptionGroup: x",
    b"2024-01-01 00:00:00.000 1 ERROR a.b During handling of the above exception, another exception occurred:",
    b"2024-01-01 00:00:00.000 1 INFO a.b [-] [u'Traceback (most recent call last):\\n', u'\\xe9\\u20ac\\n']",
    b"2024-01-01 00:00:00.000 1 INFO a.b [-] x#012Traceback (most recent call last):#012  F#012E: y#033[0m",
    "at=2024-01-01T00:00:00+02:00 lvl=ERROR pid=7 é=ü".encode(),
    b"Mar  1 10:00:00 c n[1]: 2024-01-01 00:00:00.000 1 INFO a.b [-] x#0122024-01-01 00:00:00.000 1 ERROR a.b E: y",
    b'<13>1 2024-01-01T00:00:00Z c n 1 - [a b="\\]"][c] {"log":"\\u001b[0mx\\ny\\n","stream":"s","time":"2024-01-01T00:00:00Z"}',
    b'{"__REALTIME_TIMESTAMP":"1772359200000000","MESSAGE":[50,48,255]}',
    b'{"__REALTIME_TIMESTAMP":"1772359200000000","MESSAGE":["a\\n","b"]}',
    b"2024-01-01T00:00:00.1Z stdout P 2024-01-01T00:00:00.1Z [n] 2024-01-01 00:00:00 n.log 2024-01-01 00:00:00.000 1 INFO a.b [-] x",
    b"Stack (most recent call last):",
    b'  File "x.py", line 1',
    b"",
]
PIECES = [b"\0", b"\xff", b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\x1b[0m", b"#012", b"\\u00e9",
          b"\\ud83d\\ude00", b'"', b"\\", b"{", b"[", b"]", b"'", b" ", b"-", b"\r", b"\n", b":", b"req-"]  # fmt: skip


def wrapped(rng: random.Random, text: bytes) -> bytes:
    """Return what an envelope, or several, make of a text."""
    said = text.decode("utf-8", "replace")
    return rng.choice(
        [
            lambda: b"2024-01-01T00:00:00.1Z stdout %c %s" % (rng.choice(b"PF"), text),
            lambda: b"Mar  1 10:00:00 c n[1]: " + text.replace(b"\n", b"#012"),
            lambda: b"<13>1 2024-01-01T00:00:00Z c n 1 - - " + text,
            lambda: b"n-1  | " + text,
            lambda: json.dumps({"log": said + rng.choice(("", "\n")), "stream": "s", "time": "2024-01-01T00:00:00Z"}).encode(),
            lambda: json.dumps({"__REALTIME_TIMESTAMP": "1772359200000000", "MESSAGE": rng.choice((said, list(text), [said, said]))}).encode(),
            lambda: wrapped(rng, wrapped(rng, text)),
        ]
    )()  # fmt: skip


def line(rng: random.Random) -> bytes:
    """Return a line that is, or nearly is, one of a known format."""
    text = bytearray(rng.choice(SEEDS))
    if rng.randrange(3) == 0:
        more = b"\n" + rng.choice(SEEDS) if rng.randrange(2) else b""
        text = bytearray(wrapped(rng, text + more))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 8))):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            text[at:at] = rng.choice(PIECES)
        elif kind == 1:
            del text[at : at + rng.randrange(1, 9)]
        elif kind == 2:
            text[at : at + 1] = rng.randbytes(1)
        else:
            text = text[:at]
    return bytes(text)


def once(rng: random.Random) -> None:
    """Normalise one random log in several ways."""
    data = b"\n".join(line(rng) for _ in range(rng.randrange(1, 25)))
    if rng.randrange(50) == 0:
        data += rng.randbytes(rng.randrange(5000))
    if rng.randrange(60) == 0:
        blocks(rng)
    merged(rng)
    formats = rng.choice(CATALOGS)
    normalizer = Normalizer(original=True, catalog=formats)
    batches = normalizer.feed(data) + normalizer.close()
    check(rng, data, batches, formats)
    records(data, catalog=formats)


def blocks(rng: random.Random) -> None:
    """Normalise a log of several blocks, at whose seams records are open."""
    filler = b"2024-01-01 00:00:00.000 2 INFO n.w [-] " + b"x" * rng.randrange(200, 2000) + b"\n"
    data = filler * ((BLOCK_BYTES - rng.randrange(40_000)) // len(filler))
    for _ in range(rng.randrange(1, 60)):
        data += line(rng) + b"\n" + filler * rng.randrange(3)
    data += filler * rng.randrange(2000)
    formats = rng.choice(CATALOGS)
    normalizer = Normalizer(original=True, catalog=formats)
    check(rng, data, normalizer.feed(data) + normalizer.close(), formats)


def merged(rng: random.Random) -> None:
    """Merge random lines, in a file that may be damaged."""
    with merge.Runs(1) as runs:
        runs._window = rng.randrange(100)
        expected = []
        for source in range(rng.randrange(9)):
            time = 0
            for _ in range(rng.randrange(4)):
                data = b""
                for _ in range(rng.randrange(9)):
                    time += rng.randrange(3)
                    text = rng.randbytes(rng.choice((0, 9, 300)))
                    data += struct.pack("=qq", time, len(text)) + text
                    expected.append((time, source, len(expected), text))
                runs.add(runs.put(str(source), list, memoryview(data)))
        damaged = bool(runs._end) and rng.randrange(2) == 0
        if damaged:
            os.pwrite(runs._fd, rng.randbytes(rng.randrange(1, 9)), rng.randrange(runs._end))
        try:
            found = b"".join(bytes(view) for _, view in runs.merged())
            assert damaged or found == b"".join(text for *_, text in sorted(expected))
        except SinkError:
            assert damaged


def check(
    rng: random.Random, data: bytes, batches: list[pa.RecordBatch], formats: catalog.Catalog
) -> None:
    """Check that the batches hold all of ``data``, and that other cuts give the same."""
    whole = pa.Table.from_batches(batches, schema.arrow_schema(original=True))
    for batch in batches:
        batch.validate(full=True)
        to_json_lines(batch)
    assert sum(len(value) for value in whole["original"].to_pylist()) == len(data)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(4)))
    assert table(data, cuts, original=True, catalog=formats).equals(whole)
    if len(data) > 50_000:
        return
    # Blocks as small as its lines allow, so that records are carried from one to the next.
    lines.BLOCK_BYTES = max(map(len, data.split(b"\n"))) + rng.randrange(2, 300)
    try:
        assert table(data, original=True, catalog=formats).to_pylist() == whole.to_pylist()
    finally:
        lines.BLOCK_BYTES = BLOCK_BYTES


def main() -> None:
    """Run until the time is up; print the seed so that a failure can be repeated."""
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    rng, end, count = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        once(rng)
        count += 1
    print(f"{count} logs, nothing found")


if __name__ == "__main__":
    main()
