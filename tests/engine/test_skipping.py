"""Blocks that cannot hold a kept record are not scanned, and that changes no output."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog
from opslog import F
from opslog.engine._search import Needles
from opslog.filters.filter import Filter
from opslog.inputs.lines import BLOCK_BYTES
from opslog.kernel._block import Block
from opslog.language.format_file import load
from opslog.scanner.catalog import Catalog

REQUEST = "req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce"
FILLER = b"2024-01-01 00:00:00.000 1 INFO nova.compute [-] " + b"x" * 200 + b"\n"
HEAD = (
    b"2024-01-01 00:00:00.000 2 ERROR nova.compute [None %s u p - - - -] failed\n"
    % REQUEST.encode()
)
TRACE = b"2024-01-01 00:00:00.000 2 ERROR nova.compute KeyError: 'x'\n"


def log(path: Path, size: int, pieces: dict[int, bytes]) -> Path:
    """Write a log of about ``size`` bytes in which the pieces stand at (about) these offsets."""
    data = bytearray()
    for at, piece in sorted(pieces.items()):
        data += FILLER * ((at - len(data)) // len(FILLER)) + piece
    data += FILLER * ((size - len(data)) // len(FILLER))
    path.write_bytes(data)
    return path


def of_request(request: str) -> Filter:
    either = (F.request_id == request) | (F.global_request_id == request)
    return Filter.holding(either, request)


def outputs(logs: opslog.Logs, tmp_path: Path) -> tuple[bytes, opslog.Stats]:
    stats = logs.write_jsonl(tmp_path / "out.jsonl")
    return (tmp_path / "out.jsonl").read_bytes(), stats


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_skipped_would_not_have_been_kept(seed: int, threads: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    # Some at the seams of blocks, where a traceback stands in another block than its head.
    places = [rng.randrange(1, 9) * BLOCK_BYTES + rng.randrange(-600, 600) for _ in range(2)]
    places += [rng.randrange(10 * BLOCK_BYTES)]
    pieces = {}
    for at in places:
        pieces[at] = HEAD
        pieces[at + rng.randrange(500, 900_000)] = TRACE
    paths = [log(tmp_path / "a.log", 15 * BLOCK_BYTES, pieces), log(tmp_path / "b.log", BLOCK_BYTES, {9000: HEAD})]  # fmt: skip
    wanted, whole = outputs(opslog.read(*paths, skip=False).filter(of_request(REQUEST)), tmp_path)
    found, stats = outputs(
        opslog.read(*paths, threads=threads).filter(of_request(REQUEST)), tmp_path
    )
    assert found == wanted
    assert wanted.count(b'"body":"failed"') == 4
    assert stats.skipped_bytes > 0 == whole.skipped_bytes
    assert stats.bytes == whole.bytes
    counted = sum(counts[2] for counts in stats.formats.values())
    assert counted + stats.skipped_bytes == stats.bytes


def test_needles_may_stand_in_different_blocks_of_one_record(tmp_path: Path) -> None:
    rest = b"".join(b"%06d %s\n" % (n, b"y" * 200) for n in range(4000)) + b"the end\n"
    path = log(tmp_path / "a.log", 10 * BLOCK_BYTES, {5 * BLOCK_BYTES - 300_000: HEAD + rest})
    body = pc.match_substring(pc.field("body"), "the end")
    both = of_request(REQUEST) & Filter(body, ("body",), (frozenset([b"the end"]),))
    [record] = opslog.read(path).filter(both)
    assert record.body is not None
    assert len(record.body) > 800_000


@pytest.mark.parametrize(
    "line",
    [
        b'{"message": "m", "name": "n", "levelname": "INFO", "created": 1.5, "context": {"request_id": "req\\u002d7822cfee-24bf-4614-a8a6-e6a34f88e4ce"}}',
        b'{"message": "m", "name": "n", "levelname": "INFO", "created": 1.5, "context": {"request_id": "req-\\/\\"x"}}',
    ],
)
def test_an_escaped_id_is_found(line: bytes, tmp_path: Path) -> None:
    path = log(tmp_path / "a.log", 8 * BLOCK_BYTES, {7 * BLOCK_BYTES: line + b"\n"})
    wanted = 'req-/"x' if b"x" in line[-6:] else REQUEST
    [record] = opslog.read(path).filter(of_request(wanted))
    assert record.request_id == wanted


@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")])
def test_an_id_in_a_message_given_as_bytes_is_found(
    separators: tuple[str, str], tmp_path: Path
) -> None:
    entry = {"__REALTIME_TIMESTAMP": "1704067200000000", "MESSAGE": list(HEAD[:-1])}
    line = json.dumps(entry, separators=separators).encode() + b"\n"
    path = log(tmp_path / "a.log", 8 * BLOCK_BYTES, {7 * BLOCK_BYTES: line})
    [record] = opslog.read(path).filter(of_request(REQUEST))
    assert (record.request_id, record.body) == (REQUEST, "failed")


def test_escapes_of_what_no_id_has_keep_no_block(tmp_path: Path) -> None:
    line = b'{"message": "\\u003cm\\u00e9\\u001b", "name": "n", "levelname": "INFO", "created": 1.5, "args": [1, 2]}\n'
    wanted = json.dumps(
        {
            "message": "m",
            "name": "n",
            "levelname": "INFO",
            "created": 1.5,
            "context": {"request_id": REQUEST},
        }
    )
    lines = line * (9 * BLOCK_BYTES // len(line))
    (tmp_path / "a.log").write_bytes(lines + wanted.encode() + b"\n")
    found, stats = outputs(opslog.read(tmp_path / "a.log").filter(of_request(REQUEST)), tmp_path)
    assert found.count(b"\n") == 1
    assert stats.skipped_bytes > 6 * BLOCK_BYTES


def test_what_a_layout_states_itself_is_not_searched_for(tmp_path: Path) -> None:
    (tmp_path / "stated.toml").write_text(
        'name = "stated"\ntitle = "t"\nseverity = "oslo"\n'
        "[[layouts]]\nlayout = 'S {timestamp:iso} {resource_id=fixed}{body:rest}'\n"
    )
    catalog = Catalog.of([load(tmp_path / "stated.toml")])
    (tmp_path / "a.log").write_bytes(b"S 2024-01-01 00:00:00 text\n")
    logs = opslog.read(tmp_path / "a.log")._changed(catalog=catalog)
    [record] = logs.filter(Filter.holding(F.resource_id == "fixed", "fixed"))
    assert record.body == "text"


def test_what_a_layout_decodes_is_not_searched_for(tmp_path: Path) -> None:
    (tmp_path / "decoded.toml").write_text(
        'name = "decoded"\ntitle = "t"\nseverity = "oslo"\n'
        "[[layouts]]\nlayout = 'S {timestamp:iso} <{user_id:percent}> {body:rest}'\n"
    )
    (tmp_path / "a.log").write_bytes(b"S 2024-01-01 00:00:00 <a%2Db> text\n")
    logs = opslog.read(tmp_path / "a.log")._changed(
        catalog=Catalog.of([load(tmp_path / "decoded.toml")])
    )
    [record] = logs.filter(F.user_id == "a-b")
    assert record.body == "text"


def block_of(data: bytes) -> Block:
    block = Block(len(data))
    block.reset(0)
    block.room(len(data) + 1)[: len(data)] = data
    block.filled(len(data))
    return block


PARTS = st.lists(
    st.sampled_from(["a", "b", "-", "ab-ab", "x" * 30, ": [1, 2, 3]", "[x", "\\u0061", "\\u00e9", "\\n"])
).map(lambda parts: "".join(parts).encode())  # fmt: skip


@given(st.lists(st.text("ab-", min_size=1, max_size=9).map(str.encode), max_size=9), PARTS)
def test_needles_are_found_where_they_are_and_nowhere_else(texts: list[bytes], data: bytes) -> None:
    there = [at for at in range(len(data)) if data.startswith(tuple(texts), at)]
    block = block_of(data)
    places = Needles(texts).places(block)
    hidden = bool(texts) and block_of(data).may_hide(min(map(len, texts)))
    assert places == (None if hidden or len(there) > 64 else there)
    assert Needles(texts).places(block) == places  # what is hidden is known now
    assert Needles(texts).may_be_in(block) == bool(hidden or there)


def test_of_a_block_with_hits_only_the_lines_near_them_are_read(tmp_path: Path) -> None:
    behind = HEAD.replace(b"78", b"00")  # of the same worker: the record before ends here
    pieces = {at * BLOCK_BYTES // 8: HEAD + FILLER * 9 + behind for at in (3, 9, 12, 29)}
    path = log(tmp_path / "a.log", 5 * BLOCK_BYTES, pieces)
    wanted, _ = outputs(opslog.read(path, skip=False).filter(of_request(REQUEST)), tmp_path)
    found, stats = outputs(opslog.read(path).filter(of_request(REQUEST)), tmp_path)
    assert found == wanted
    assert stats.bytes - stats.skipped_bytes == 4 * len(HEAD + FILLER * 9)
