"""Feeds random and mutated logs through every kernel, and other input to other readers.

Meant for the checked build (OPSLOG_CHECKED=1: address and undefined-behaviour
sanitizer, Cython bounds checks), where any read or write outside a buffer ends
the process: ``python tests/fuzz.py SECONDS [SEED]``.  In any build it checks
that nothing is lost and that all cuts of the input give the same records.  Two thirds
of the time are for the kernels, the rest for the targets of ``fuzz_doors.py``.
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import sys
import time

import pyarrow as pa

import fuzz_doors
from helpers import records, table
from opslog.correlate import RequestGraph
from opslog.correlate._links import Sightings
from opslog.correlate.contexts import OwnedRecords
from opslog.correlate.links import COLUMNS, LinkCandidates, claims_in, link_candidates, links
from opslog.correlate.tellers import Calls, answering, tellings
from opslog.engine._search import Ids, Needles
from opslog.engine.job import Job
from opslog.engine.normalizer import Normalizer
from opslog.engine.stream import Stream
from opslog.inputs import lines
from opslog.inputs.lines import BLOCK_BYTES
from opslog.kernel._block import Block
from opslog.language.format_file import from_dict
from opslog.model import schema
from opslog.model.errors import SinkError
from opslog.model.stats import Stats
from opslog.model.zones import Zones
from opslog.outputs.jsonl import to_json_lines
from opslog.outputs.output import OutputStream
from opslog.outputs.text import TextSink
from opslog.reading import merge
from opslog.rows import fingerprint
from opslog.rows.kept import Kept
from opslog.rows.literal import event_as_json
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog
from opslog.stats.routes import routes

PATTERN = {
    "regex": r"(?:(?:at=(?P<timestamp>\S+)|lvl=(?P<severity>\w+)|pid=(?P<process_pid>\d+)|(?P<x>.)=(?P<body>.*)) ?)+",
    "timestamp": "iso",
}
OWN = from_dict({"name": "own", "title": "own", "follow_on": True, "layouts": [PATTERN]}, "own")
CATALOGS = [Catalog.default(), Catalog.beside_shipped([OWN])]
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
    b"2024-01-01 00:00:00.000 1 INFO a.b [%s %s u p - - -] x",
    b"2024-01-01 00:00:00.000 1 INFO a.b [None %s - - -] GET call to x for http://x used request id %s",
    b"2024-01-01 00:00:00.000 1 DEBUG a.b [%s u p] RESP: [200] X-Openstack-Request-Id: %s",
    b"2024-01-01 00:00:00.000 1 ERROR a.b [%s u p] no (HTTP 404) (Request-ID: %s)",
    b"2024-01-01 00:00:00.000 1 INFO a.b [-] {'initiator': {'request_id': '%s', 'global_request_id': '%s'}}",
    b'{"message": "[%s] x", "context": {"request_id": "%s"}, "created": 1}',
    b'2024-01-01 00:00:00.000 1 INFO nova.wsgi.server [None %s u p - - -] 1.2.3.4 "GET /a/b HTTP/1.1" status: 200 len: 9 time: 0.1',
    b"2024-01-01 00:00:00.000 1 INFO c.wsgi [None %s u p - - -] GET http://c/v3/a",
    b"2024-01-01 00:00:00.000 1 INFO c.wsgi [None %s u p - - -] http://c/v3/a returned with HTTP 404",
    b"2024-01-01 00:00:00.000 1 DEBUG eventlet.wsgi.server [None %s u p - - -] (1) accepted ('1.2.3.4', 5)",
    b'2024-01-01 00:00:00.000 1 DEBUG a.client [None %s u p - - -] REQ: curl -X GET http://x -H "X-OpenStack-Request-ID: %s"',
    b"Stack (most recent call last):",
    b'  File "x.py", line 1',
    b"",
]
IDS = [b"req-%08x-2222-4333-8444-555555555555" % number for number in range(9)]
PIECES = [*IDS, IDS[0][:-1], b"equest", b"Request-ID: ", b"request_id", b"initiator",
          b"\0", b"\xff", b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\x1b[0m", b"#012", b"\\u00e9",
          b"\\ud83d\\ude00", b'"', b"\\", b"{", b"[", b"]", b"'", b" ", b"-", b"\r", b"\n", b":", b"req-", b"req-0123abcd", b"tx89abcdef", b"\\u0072", b": [114, 101, "]  # fmt: skip


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
    while b"%s" in text:
        text[:] = text.replace(b"%s", rng.choice(IDS), 1)
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
    searched(rng, data)
    sighted(rng)
    indexed(data, rng)
    formats = rng.choice(CATALOGS)
    linked(data, formats)
    owned(rng, data, formats)
    normalizer = Normalizer(original=True, catalog=formats)
    batches = normalizer.feed(data) + normalizer.close()
    identified(data, batches, formats)
    check(rng, data, batches, formats)
    records(data, catalog=formats)
    for text in data.split(b"\n"):
        at = text.find(b"Event type: ")
        event_as_json(text[at:] if at >= 0 else b"Event type: a, Context: {}, Payload: " + text)


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


def identified(data: bytes, batches: list[pa.RecordBatch], formats: catalog.Catalog) -> None:
    """Check that fingerprints of spans are those of columns."""
    normalizer = Normalizer(catalog=formats)
    job: Job[pa.RecordBatch] = Job(formats, (fingerprint.NAME,), None, Kept.batch)
    normalizer._stream = Stream(job, "-", Zones("UTC").of("-"), Stats())
    found = [*normalizer.feed(data), *normalizer.close()]
    assert [one for batch in found for one in batch[fingerprint.NAME].to_pylist()] == [
        one for batch in batches for one in fingerprint.fingerprints(batch).to_pylist()
    ]


def linked(data: bytes, formats: catalog.Catalog) -> None:
    """Check that links are found in the bytes only where the columns tell them, too."""
    normalizer = Normalizer(catalog=formats)
    job: Job[LinkCandidates] = Job(formats, COLUMNS, None, link_candidates)
    normalizer._stream = Stream(job, "-", Zones("UTC").of("-"), Stats())  # type: ignore[assignment]
    found: list[LinkCandidates] = [*normalizer.feed(data), *normalizer.close()]  # type: ignore[list-item]
    graph = RequestGraph(4)
    told = set()
    for one in found:
        graph.add_candidates(one)
        told |= {link for batch in one.batches for link in claims_in(batch, chosen=True)}
    assert told <= {
        tuple(link) for batch in table(data, catalog=formats).to_batches() for link in links(batch)
    }
    for id_ in IDS:
        graph.root(id_.decode())
        graph.is_task(id_.decode())


def owned(rng: random.Random, data: bytes, formats: catalog.Catalog) -> None:
    """Ask whose records are, and count the calls they tell, with little room for what is known."""
    owners, calls = OwnedRecords(rng.randrange(1, 9)), Calls(rng.randrange(1, 9), 1000)
    for batch in table(data, catalog=formats).to_batches():
        for start in range(0, len(batch), 7):
            places = owners.other_calls(batch.slice(start, 7)).to_pylist()
            assert all(place is None or place >= 0 for place in places)
        told = batch.take(answering(batch))
        calls.add(tellings(told, routes(told["http_target"])))
    count = sum(map(len, calls.tables()))
    assert count <= table(data, catalog=formats).num_rows


def sighted(rng: random.Random) -> None:
    """Check what is remembered of ids, where there is room for all and where there is not."""
    large, small, known = Sightings(1 << 16), Sightings(rng.randrange(9)), {}
    for _ in range(rng.randrange(99)):
        id_, time_ = (
            rng.choice([*IDS, b"req-", b"", b"tx"]).decode(),
            rng.randrange(-9, 9) << rng.randrange(60),
        )
        named = rng.choice((None, True, False))
        for one in (large, small):
            one.see(id_, time_, named, False)
        first, last, users = known.get(id_, (time_, time_, set()))
        known[id_] = min(first, time_), max(last, time_), users | {named} - {None}
    for id_, (first, last, users) in known.items():
        assert large.get(id_) == (
            (first, last, users == {False}, False) if len(id_) == 40 else None
        )
        small.get(id_)


def searched(rng: random.Random, data: bytes) -> None:
    """Check that texts are found in a block if they are there, however they overlap."""
    start = rng.randrange(len(data) + 1)
    data = data[start : start + rng.choice((0, 3, 4, 40, 5000))]
    texts = set()
    for _ in range(rng.choice((0, 1, 2, 3, 50, 2000))):
        at, size = rng.randrange(len(data) + 1), rng.choice((0, 1, 3, 4, 5, 8, 40, 300))
        text = data[at : at + size] if rng.randrange(3) else rng.randbytes(size)
        for wrong in range(rng.randrange(2)):
            text = text[:-1] + bytes([wrong])
        texts.add(rng.choice((text, text[1:], text + text, b"a" * size, b"a" * size + text)))
    if rng.randrange(3) == 0:
        texts = {text for text in texts if text not in data}
    block = Block(len(data) + 1)
    block.reset(0)
    block.room(len(data) + 1)[: len(data)] = data
    block.filled(len(data))
    there = any(text in data for text in texts)
    may_be_there = Needles(texts).may_be_in(block)
    hidden = bool(texts) and block.may_hide(min(map(len, texts)))
    assert may_be_there == (bool(data) and (there or hidden))
    assert Needles(texts).may_be_in(block) == may_be_there  # what is hidden is known now


def indexed(data: bytes, rng: random.Random) -> None:
    """Look for ids in a block that ends where its memory does."""
    at = rng.randrange(len(data) + 1)
    data = data[at : at + rng.choice((9, 30, 300, 5000))]
    block = Block(len(data))
    block.reset(0)
    if data:
        block.room(len(data))[:] = data
    block.filled(len(data))
    ids = Ids(block)
    for found in re.findall(rb"(?:req-|tx)[0-9a-f]{8}", data):
        assert ids.may_hold([found])
    text = data[rng.randrange(len(data) + 1) :][: rng.randrange(1, 60)] or b"x"
    assert Needles([text]).may_be_in(block) >= (text in data)
    assert Needles([text, b"req-0123abcd"]).may_be_in(block) >= (text in data)


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


class Written(OutputStream):
    """An output in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: memoryview | bytes) -> None:
        self.data += data


def check(
    rng: random.Random, data: bytes, batches: list[pa.RecordBatch], formats: catalog.Catalog
) -> None:
    """Check that the batches hold all of ``data``, and that other cuts give the same."""
    whole = pa.Table.from_batches(batches, schema.arrow_schema(original=True))
    for batch in batches:
        batch.validate(full=True)
        to_json_lines(batch)
    shown(rng, batches)
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


def shown(rng: random.Random, batches: list[pa.RecordBatch]) -> None:
    """Check that text for people is the same however the records come in batches."""
    colored, full, width, hosts = (rng.randrange(2) for _ in range(4))
    whole, cut = (
        TextSink(Written(), bool(colored), bool(full), 60 * width, bool(hosts)) for _ in range(2)
    )
    for batch in batches:
        whole.write(whole.of_batch(batch))
        start = rng.randrange(len(batch) + 1)
        for part in (batch.slice(0, start), batch.slice(start)):
            cut.write(cut.of_batch(part))
    assert whole.output.data == cut.output.data
    for byte in b"\r\t\x08\x7f":
        assert byte not in whole.output.data


def main() -> None:
    """Run until the time is up; print the seed so that a failure can be repeated."""
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    rng, end, count = random.Random(seed), time.monotonic() + seconds * 2 / 3, 0
    while time.monotonic() < end:
        once(rng)
        count += 1
    print(f"{count} logs, nothing found")
    for name in fuzz_doors.TARGETS:
        count = fuzz_doors.run(name, seconds / 3 / len(fuzz_doors.TARGETS), rng)
        print(f"{count} inputs for {name}, nothing found")


if __name__ == "__main__":
    main()
