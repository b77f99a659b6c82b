"""What a line begins with says what need not be tried, and nothing else."""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opslog.kernel._block import Block
from opslog.language.format_file import from_dict
from opslog.scanner import catalog, compiler, prefix
from opslog.scanner._prefix import MOST_BRANCHES
from opslog.scanner._program import Program
from opslog.scanner._scan import layers, scan
from opslog.scanner._shortcut import STREAK
from opslog.scanner.catalog import Catalog
from opslog.scanner.shortcut import ShortcutFinder
from opslog.scanner.trie import Node


class Anything:
    """A forest that never rules anything out."""

    def __init__(self, roots: list[Node], *_: object) -> None:
        self.roots = roots
        self.lock = Lock()
        self.branches = [(1 << MOST_BRANCHES) - 1]
        self.told = [0]
        self.settled = [True]

    def step(self, state: int, byte: int) -> tuple[int, int]:
        return state, (1 << 128) - 1

    def may_begin(self, node: Node, first: int) -> bool:
        return True

    def competitors(self, way: list[Node], first: int) -> Iterator[tuple[list[int], int]]:
        for depth in range(len(way)):
            yield [0] * (depth + 1), self.branches[0]


@cache
def told() -> Program:
    return Catalog.default().lines.program


@cache
def untold() -> Program:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "Forest", Anything)
        return Catalog.of(catalog.without_samples()).lines.program


@cache
def samples() -> list[bytes]:
    formats = [one for one in catalog.shipped() if one.applies_to == "line"]
    texts = [text for one in formats for text in (*(s.text for s in one.samples), *one.rejects)]
    return [line.encode() for text in texts for line in text.split("\n") if line]


def found(program: Program, lines: list[bytes]) -> list[list[int]]:
    data = b"".join(line + b"\n" for line in lines)
    block = Block(len(data))
    block.reset(0)
    block.room(len(data))[:] = data
    block.filled(len(data))
    assert scan(program, block, len(data)) == len(data)
    return layers(program, block)


def test_samples_are_taken_by_the_layouts_that_trying_all_finds() -> None:
    assert found(told(), samples()) == found(untold(), samples())


def test_the_lines_before_make_no_difference() -> None:
    rng = random.Random(3)
    lines = [line for line in samples() for _ in range(3)]
    rng.shuffle(lines)
    alone = {line: found(told(), [line]) for line in samples()}
    assert found(told(), lines) == [own for line in lines for own in alone[line]]


def damaged(rng: random.Random, line: bytes) -> bytes:
    found = bytearray(line)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(min(len(found), 70) + 1)
        byte = rng.choice(b"0123456789 aZz-:.[]|(),=/\x1b\xc3" + line[:30])
        how = rng.randrange(3)
        found[at : at + (how != 0)] = bytes([byte] * (how != 2))
    return bytes(found).replace(b"\n", b" ") or b" "


@cache
def rebuilt() -> Program:
    """Return a program that has read the samples, as it is read back from the build."""
    program = Catalog.of(catalog.without_samples()).lines.program
    found(program, samples())
    copy: Program = pickle.loads(pickle.dumps(program))
    return copy


@given(st.randoms(use_true_random=False), st.data())
def test_what_the_build_knows_takes_lines_as_trying_all_does(
    rng: random.Random, data: st.DataObject
) -> None:
    lines = data.draw(st.lists(st.sampled_from(samples()), min_size=1, max_size=40))
    lines = [damaged(rng, line) for line in lines]
    assert found(rebuilt(), lines) == found(untold(), lines)
    fresh = pickle.loads(pickle.dumps(rebuilt()))
    # So often that the trees are unpacked, and states found again by what led to them.
    assert found(fresh, lines * 40) == found(untold(), lines) * 40


def test_one_thread_at_a_time_asks_a_forest() -> None:
    disturbed: list[bool] = []

    class Slow(prefix.Forest):
        """A forest that gives way to other threads while it makes a state."""

        def _is_settled(self, places: list[prefix.Position], trees: int) -> bool:
            before = len(self.branches), len(self.settled)
            time.sleep(0.0005)
            disturbed.append((len(self.branches), len(self.settled)) != before)
            return super()._is_settled(places, trees)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "Forest", Slow)
        program = Catalog.of(catalog.without_samples()).lines.program
    lines = samples()
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda n: found(program, lines[n::4]), range(4)))
    assert [sorted(map(tuple, part)) for part in parts] == [
        sorted(map(tuple, found(told(), lines[n::4]))) for n in range(4)
    ]
    assert disturbed
    assert not any(disturbed)


@given(st.randoms(use_true_random=False), st.data())
def test_damaged_lines_are_taken_by_the_layouts_that_trying_all_finds(
    rng: random.Random, data: st.DataObject
) -> None:
    lines = []
    for line in data.draw(st.lists(st.sampled_from(samples()), min_size=1, max_size=40)):
        lines += [damaged(rng, line)] * rng.randrange(1, 3)
    assert found(told(), lines) == found(untold(), lines)


@given(st.data())
def test_lines_that_end_early_are_taken_by_the_layouts_that_trying_all_finds(
    data: st.DataObject,
) -> None:
    lines = data.draw(st.lists(st.sampled_from(samples()), min_size=1, max_size=40))
    lines = [line[: data.draw(st.integers(1, 90))] for line in lines]
    assert found(told(), lines) == found(untold(), lines)
    assert found(rebuilt(), lines) == found(untold(), lines)


@given(st.randoms(use_true_random=False), st.sampled_from(samples()), st.data())
def test_behind_many_lines_of_a_layout_others_are_still_taken_by_theirs(
    rng: random.Random, first: bytes, data: st.DataObject
) -> None:
    others = data.draw(st.lists(st.sampled_from(samples()), max_size=8))
    lines = [damaged(rng, line) for line in [first] * 40 + others * 2]
    rng.shuffle(lines)
    behind, alone = found(told(), [first] * STREAK + lines), found(untold(), lines)
    assert behind[len(behind) - len(alone) :] == alone  # a line may hold several


def test_more_layouts_than_there_is_room_for_take_their_lines() -> None:
    forests: list[prefix.Forest] = []

    class Noted(prefix.Forest):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            forests.append(self)

    rng = random.Random(1)
    stems = ["".join(rng.choices("abcdefghijklmnop", k=44)) for _ in range(400)]
    ends = [" one {program:word}: {body:rest}", " two {body:rest}"]
    layouts = [{"layout": stem + end} for stem in stems for end in ends]
    own = from_dict({"name": "x", "title": "x", "layouts": layouts}, "x.toml")
    lines = [
        line.encode()
        for stem in stems
        for line in (f"{stem} one p: a", f"{stem} one a b", f"{stem} two a", stem, f"{stem[:30]}x")
    ]
    rng.shuffle(lines)
    lines += samples()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "Forest", Noted)
        program = Catalog.beside_shipped([own]).lines.program
        patch.setattr(compiler, "Forest", Anything)
        trying_all = Catalog.beside_shipped([own]).lines.program
    wanted = found(trying_all, lines)
    assert found(program, lines) == wanted
    asked = [len(forest.branches) for forest in forests]
    made: Any = program.__reduce__()
    states = made[1][0]["known"][0][0]
    assert max(asked) > states  # the table is full
    assert found(program, lines[::-1] * 2) == found(trying_all, lines[::-1] * 2)
    assert [len(forest.branches) for forest in forests] == asked


@pytest.mark.parametrize("name", ["ovs.vlog", "rabbitmq.log", "ceph.daemon", "syslog.rfc3164"])
def test_a_beginning_that_tells_the_layout_is_a_shortcut(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortcuts = []
    find = ShortcutFinder.find

    def noted(finder: ShortcutFinder, leaf: int, kind: int) -> object:
        shortcuts.append(find(finder, leaf, kind))
        return shortcuts[-1]

    monkeypatch.setattr(ShortcutFinder, "find", noted)
    program = Catalog.of(catalog.without_samples()).lines.program
    line = next(one for one in catalog.shipped() if one.name == name).samples[0].text
    found(program, [line.split("\n")[0].encode()] * STREAK)
    [shortcut] = shortcuts
    assert shortcut is not None
