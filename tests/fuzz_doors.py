"""Feeds random and mutated input to what reads anything but logs, and to masks.

Each target takes bytes and checks that nothing is raised but OpslogError, that nothing
is lost, that what is written is valid, and that other cuts give the same.  Seeds are in
``fuzz_seeds``: a file for each target, a Python literal of bytes a line; what was once
found stays there.  ``fuzz.py`` runs all targets; ``python tests/fuzz_doors.py TARGET
SECONDS [SEED]`` runs one.
"""

from __future__ import annotations

import ast
import json
import random
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from helpers import table
from opslog.checking.check import check
from opslog.checking.learn import learn
from opslog.checking.toml_text import to_toml
from opslog.filters.filter import Filter
from opslog.filters.query import parse
from opslog.fluentd import Shape, Streams, Wanted
from opslog.fluentd.events import ERROR, Unread
from opslog.fluentd.masking import Masking
from opslog.following.checkpoint import Checkpoint
from opslog.inputs import journal_export
from opslog.language.format_file import from_dict, load
from opslog.model.errors import OpslogError, QueryError, SourceError
from opslog.model.zones import TimeDefaults
from opslog.outputs.jsonl import to_json_lines
from opslog.scanner.catalog import Catalog
from opslog.stages import Mask, Share

SEEDS = Path(__file__).with_name("fuzz_seeds")
CASES = Path(__file__).with_name("stages") / "secrets.jsonl"
LINES = b"2024-01-01 00:00:00.000 1 INFO a.b [req-1 u p - - -] x\nat=1 b\n{}\n\xff\n"
Target = Callable[[bytes, random.Random], None]


@cache
def seeds(name: str) -> list[bytes]:
    """Return the seeds of a target."""
    text = (SEEDS / f"{name}.txt").read_text()
    found = [ast.literal_eval(line) for line in text.splitlines() if line]
    if name == "masks":
        found += [json.loads(line)["text"].encode() for line in CASES.read_text().splitlines()]
    return found


def mutated(rng: random.Random, name: str) -> bytes:
    """Return a seed of the target, or something like one."""
    known = seeds(name)
    data = bytearray(rng.choice(known))
    if rng.randrange(2) == 0:
        with suppress(ValueError, UnicodeDecodeError):
            value = json.loads(data)
            for _ in range(rng.randrange(1, 4)):
                value = _changed(rng, value)
            data = bytearray(
                json.dumps(value, ensure_ascii=rng.random() < 0.5).encode(errors="replace")
            )
    for _ in range(rng.choice((0, 1, 1, 2, 3, 9))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 9, 40))
        kind = rng.randrange(7)
        if kind == 0:
            del data[at : at + size]
        elif kind == 1:
            data[at : at + rng.randrange(2)] = rng.randbytes(1)
        elif kind == 2:
            data[at:at] = data[at : at + size] * rng.choice((1, 1, 2, 99))
        elif kind == 3:
            other = rng.choice(known)
            start = rng.randrange(len(other) + 1)
            data[at : at + rng.choice((0, size))] = other[start : start + size]
        elif kind == 4:
            data[at : at + rng.randrange(2)] = rng.choice(PIECES)
        elif kind == 5:
            words = [match.span() for match in re.finditer(rb"\w+", data)]
            if words:
                begin, end = rng.choice(words)
                other = rng.choice(re.findall(rb"\w+", rng.choice(known)) or [b""])
                data[begin:end] = rng.choice((other, rng.choice(PIECES), b""))
        else:
            lines = data.split(b"\n")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(rng.choice(known).split(b"\n")))
            data = bytearray(b"\n".join(lines))
    return bytes(data[:20_000])


PIECES = [b"", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", "é€😀\u2028".encode(), b"\r", b"\n", b"\t", b"\x1b[31m", b'"', b"'", b"\\",
          b"\\u0000", b"\\ud800", b"%", b"%(x)s", b"%s", b"{", b"}", b"[", b"]", b"(", b")", b"{? ", b"-1", b"0", b"1e999", b"NaN",
          b"99999999999999999999", b"9223372036854775808", b"2024-02-30T25:61:00", b"9999-12-31 23:59:59", b"(?", b"a" * 300, b"[[" * 90,
          b"\x81", b"\xc1", b"\xd9\xff", b"\xdf\xff\xff\xff\xff", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xd6\xff\x00\x00\x00\x01"]  # fmt: skip


def _changed(rng: random.Random, value: Any) -> Any:
    """Return a value of JSON with one of those in it replaced or removed."""
    if isinstance(value, (dict, list)) and value and rng.randrange(4):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = rng.choice(keys)
        if rng.randrange(8) == 0:
            del value[key]
        else:
            value[key] = _changed(rng, value[key])
        return value
    return rng.choice(
        [None, True, 0, -1, 1.5, 1e308, 2**63, 2**64, 10**30, "", "\0", "\ud800", "x" * 300, "é",
         [], {}, [[]], {"": {}}, [value, value], {"a": value}, str(value)]
    )  # fmt: skip


def cut(rng: random.Random, data: bytes) -> list[bytes]:
    """Return the data in pieces."""
    places = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def conserved(data: bytes, catalog: Catalog | None = None) -> pa.Table:
    """Return the records of data, which hold all of it."""
    found = table(data, original=True, catalog=catalog)
    assert sum(map(len, found["original"].to_pylist())) == len(data)
    return found


def json_lines(found: pa.Table) -> bytes:
    """Return the records as JSON lines, which are valid: UTF-8, one of each key."""
    out = b"".join(bytes(to_json_lines(batch)) for batch in found.to_batches())
    for line in out.decode().split("\n")[:-1]:
        json.loads(line, object_pairs_hook=unique)
    return out


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; no key is in it twice."""
    assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
    return dict(pairs)


# -- events of Fluentd ----------------------------------------------------------------------


def events(shape: Shape) -> Target:
    """Return the target of an encoding of events."""

    def target(data: bytes, rng: random.Random) -> None:
        whole = _decoded(shape, [data])
        assert repr(_decoded(shape, cut(rng, data))) == repr(whole)
        if all(isinstance(one, Unread) for one in whole) and shape.kind == "msgpack":
            assert b"".join(one.raw for one in whole) == data
        if shape.kind in ("json", "ltsv", "tsv"):
            lines = [
                line
                for line in data.split(b"\n")
                if line.strip() or (line and shape.kind != "json")
            ]
            if shape.kind == "tsv":
                lines = data.removesuffix(b"\n").split(b"\n") if data else []
            assert len(whole) == len(lines)
        mask = rng.choice((None, Mask(), Share(b"key")))
        wanted = Wanted(
            Catalog.default(), TimeDefaults.of("UTC", None), original=rng.random() < 0.5,
            masking=mask and Masking(mask),
        )  # fmt: skip
        streams = Streams(
            wanted, lambda: datetime(2026, 3, 10, tzinfo=UTC), rng.choice((1, 3, 1000))
        )
        out: list[Any] = streams.feed(whole, 0.0) + streams.close()
        counts = streams.counts
        assert counts.events == counts.marked + counts.begun + counts.joined == len(whole)
        assert len(out) == streams.stats.kept + counts.marked
        assert sum(ERROR in event for event in out) >= counts.marked
        for to in (
            Shape("json"),
            Shape("msgpack"),
            Shape("tsv", ("message", "body", "tag")),
            Shape("ltsv"),
        ):
            written = to.encoder()(out)
            if to.kind != "msgpack":
                for line in written.decode().split("\n")[:-1]:
                    if to.kind == "json":
                        json.loads(line, object_pairs_hook=unique)
            if to.kind != "ltsv":
                again = _decoded(to, [written])
                assert len(again) == len(out)
                assert not any(isinstance(one, Unread) for one in again)

    return target


def _decoded(shape: Shape, pieces: list[bytes]) -> list[Any]:
    decoder = shape.decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


# -- other doors ----------------------------------------------------------------------------


def journal(data: bytes, rng: random.Random) -> None:
    """An export of a journal."""
    whole = _journal(iter([data]))
    assert _journal(iter(cut(rng, data))) == whole
    for line in whole.split(b"\n"):
        if line.startswith(b'{"') and line not in data:
            json.loads(line.decode(), object_pairs_hook=unique)
    json_lines(conserved(whole))


def _journal(pieces: Any) -> bytes:
    rest = bytearray()

    def read(room: memoryview) -> int:
        while not rest:
            piece = next(pieces, None)
            if piece is None:
                return 0
            rest.extend(piece)
        count = min(len(room), len(rest))
        room[:count] = rest[:count]
        del rest[:count]
        return count

    return b"".join(journal_export.lines(read))


def where(data: bytes, rng: random.Random) -> None:
    """A condition."""
    text = data.decode(errors=rng.choice(("replace", "surrogateescape")))
    try:
        parse(text)
        kept = Filter.of(text)
    except QueryError as error:
        str(error).encode(errors="surrogateescape")
        return
    except OpslogError:
        return
    found = table(LINES, where=kept)
    assert found.equals(table(LINES, [9, 60], where=kept))
    assert found.num_rows <= table(LINES).num_rows


def formats(data: bytes, rng: random.Random) -> None:
    """A format file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        path.write_bytes(data)
        try:
            one = load(path)
            check(one)
        except OpslogError as error:
            str(error)
            return
    text = "\n".join(sample.text for sample in one.samples).encode(errors="replace")
    catalog = Catalog.beside_shipped([one])
    found = conserved(text + b"\n" + LINES, catalog)
    json_lines(found)
    cuts = [rng.randrange(len(text) + 1)]
    assert table(text + b"\n" + LINES, cuts, original=True, catalog=catalog).equals(found)


def checkpoint(data: bytes, rng: random.Random) -> None:
    """A checkpoint."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        path.write_bytes(data)
        try:
            one = Checkpoint(str(path))
        except SourceError:
            kept = path.read_bytes()
            assert kept == data
            return
        known = one.contents, one.sought
        one.save(*known)
        one.close()
        two = Checkpoint(str(path))
        assert (two.contents, two.sought) == known
        two.close()


def learned(data: bytes, rng: random.Random) -> None:
    """The configuration of a service."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.conf"
        path.write_bytes(data)
        try:
            found = learn([path])
        except OpslogError as error:
            str(error)
            return
    if found is not None:
        check(from_dict(found, "learned"))
        again = Path(folder).with_suffix(".toml")
        again.write_text(to_toml(found), errors="surrogateescape")
        try:
            load(again)
        finally:
            again.unlink()


# -- masks ----------------------------------------------------------------------------------


def masks(data: bytes, rng: random.Random) -> None:
    """Records that are masked: any text, cut anywhere."""
    found = conserved(data)
    batches = found.to_batches()
    mask = Mask(rng.choice((None, b"key")))
    whole = pa.Table.from_batches(mask(iter(batches)), found.schema)
    size = rng.randrange(1, 5)
    pieces = [batch.slice(at, size) for batch in batches for at in range(0, len(batch), size)]
    assert pa.Table.from_batches(mask(iter(pieces)), found.schema).to_pylist() == whole.to_pylist()
    json_lines(whole)
    share = Share(b"key")
    shared = pa.Table.from_batches(share(iter(batches)), found.schema)
    shared.validate(full=True)
    json_lines(shared)
    for text in found["body"].to_pylist():
        if text:
            mask.text(text)
            Masking(share).unread(text)


TARGETS: dict[str, Target] = {
    "json": events(Shape("json")),
    "msgpack": events(Shape("msgpack")),
    "tsv": events(Shape("tsv", ("tag", "message"))),
    "ltsv": events(Shape("ltsv")),
    "journal": journal,
    "where": where,
    "formats": formats,
    "checkpoint": checkpoint,
    "learn": learned,
    "masks": masks,
}


def run(name: str, seconds: float, rng: random.Random) -> int:
    """Run a target until the time is up; return how many inputs it had."""
    target, end, count = TARGETS[name], time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutated(rng, name)
        try:
            target(data, rng)
        except BaseException:
            print(f"{name}: {data!r}", flush=True)
            raise
        count += 1
    return count


if __name__ == "__main__":
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    print(f"{run(sys.argv[1], float(sys.argv[2]), random.Random(seed))} inputs, nothing found")
