"""Layouts to a program for the scanner.

Every layout is written out as its variants, each a sequence of nodes without
choices; variants that begin alike share nodes.  A node knows the number of the
first layout that goes through it, so that the scanner finds the first layout,
in the order they were added, that takes a line.
"""

from __future__ import annotations

import re
import struct
import sys
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import NamedTuple

from opslog import _json, _scan, timestamps
from opslog.errors import LayoutError
from opslog.layout import (
    RUNS,
    TYPES,
    Capture,
    Colours,
    Constant,
    Layout,
    Literal,
    Part,
    next_literal,
)
from opslog.severity import VOCABULARIES, WORDS

SLOT, FIRST, SECOND, CONSTANT = 0x1FF, 0x200, 0x400, 0x800
"""Slot numbers and marks beside them: a value that has, has not the shape of an id; a constant."""

_MOST = {"int": 18}
_UNBOUNDED = 1 << 30
_TOKENS = ("token", "token?")


class Step(NamedTuple):
    """One node before it has a place: operation, two arguments, the capture's slot and width."""

    op: str
    a: int = 0
    b: int = 0
    slot: int = -1
    width: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A layout in its role: where it comes from and what its lines mean.

    ``level`` is the severity number a head implies, or the only one a tail (a
    layout of what ends a message) is looked for at; 0 for any.
    """

    layout: Layout
    format: int
    number: int
    role: str = "head"
    flags: int = 0
    level: int = 0
    tail: bool = False


@dataclass(slots=True)
class _Node:
    step: Step
    order: int
    meaning: str
    children: list[_Node] = field(default_factory=list)
    leaf: int = -1


@dataclass(frozen=True, slots=True)
class Leaf:
    """A variant of a layout as the scanner reports it."""

    entry: Entry
    slots: dict[str, int]
    """Column or attribute name to slot, with FIRST, SECOND or CONSTANT marks."""
    count: int


@dataclass(frozen=True, slots=True)
class JsonShape:
    """A one-line JSON object recognised by the keys it has.

    ``paths`` lists per column the keys (``a`` or ``a.b``) that may hold it, the
    first that is neither null nor empty wins.
    """

    format: int
    required: tuple[str, ...]
    paths: dict[str, tuple[str, ...]]
    epoch: str | None = None
    iso: str | None = None


class Compiler:
    """Collects entries and makes one Program of them; columns get their numbers from ``names``."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = list(names)
        self.leaves: list[Leaf] = []
        self.constants: list[str] = []
        self.expected: list[tuple[str, str]] = []
        """What each node expects, and what behind it; filled by ``program``."""
        self._heads: list[_Node] = []
        self._tails: list[tuple[int, _Node, Entry]] = []
        self._literals = b""
        self._classes: list[bytes] = []
        self._words: list[int] = []
        self._vocabularies: dict[str, int] = {}
        self._times: list[int] = []
        self._time_offsets: dict[str, int] = {}
        self._json: list[JsonShape] = []

    def add(self, entry: Entry) -> None:
        """Add a layout behind those already there; raises LayoutError if it cannot be scanned."""
        for variant in entry.layout.variants():
            steps, meanings, slots = self._steps(entry, variant)
            roots = self._heads
            if entry.tail:
                blanks = sum(p.text.count(" ") for p in variant if isinstance(p, Literal))
                if not 0 < blanks <= _scan.WIDEST_TAIL:
                    raise LayoutError(
                        entry.layout.text, 0, "the part behind a message must begin with a blank"
                    )
                roots = []
            self._insert(roots, entry, steps, meanings, slots)
            if entry.tail:
                self._tails.append((blanks, roots[0], entry))

    def add_json(self, shape: JsonShape) -> None:
        """Add a JSON shape behind those already there."""
        self._json.append(shape)

    def _insert(
        self,
        siblings: list[_Node],
        entry: Entry,
        steps: list[Step],
        meanings: list[str],
        slots: dict[str, int],
    ) -> None:
        if len(steps) > _scan.DEEPEST:
            raise LayoutError(entry.layout.text, 0, f"more than {_scan.DEEPEST} parts")
        order = len(self.leaves)
        node: _Node | None = None
        waiting = list(zip(steps, meanings, strict=True))
        while waiting:
            step, meaning = waiting.pop(0)
            if step.op == "literal":
                node = self._shared_literal(siblings, step)
                if node is not None:
                    rest = self._text(step)[len(self._text(node.step)) :]
                    if rest:
                        waiting.insert(0, (self._literal_step(rest), repr(rest)))
                    siblings = node.children
                    continue
            node = next((n for n in siblings if n.step == step), None) if waiting else None
            if node is None:
                node = _Node(step, order, meaning)
                siblings.append(node)
            siblings = node.children
        assert node is not None
        node.leaf = order
        count = sum(1 for step in steps if step.slot >= 0)
        self.leaves.append(Leaf(entry, slots, count))

    def _shared_literal(self, siblings: list[_Node], step: Step) -> _Node | None:
        """Return a sibling that is a literal ``step`` begins with, splitting one if need be."""
        text = self._text(step)
        for node in siblings:
            if node.step.op != "literal":
                continue
            own = self._text(node.step)
            size = sum(
                1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, text, strict=False))
            )
            if not size:
                continue
            common = own[:size]
            if len(common) < len(own):
                rest = own[len(common) :]
                lower = _Node(self._literal_step(rest), node.order, repr(rest), node.children)
                node.step, node.meaning = self._literal_step(common), repr(common)
                node.children = [lower]
            return node
        return None

    def _text(self, step: Step) -> str:
        return self._literals[step.a : step.a + step.b].decode()

    def _word(self, step: Step) -> int:
        """Return the first 8 bytes of a literal as the scanner loads them."""
        if step.op != "literal":
            return 0
        return int.from_bytes(self._literals[step.a : step.a + min(step.b, 8)], sys.byteorder)

    def _literal_step(self, text: str) -> Step:
        return Step("literal", self._literal(text), len(text.encode()))

    def _steps(
        self, entry: Entry, variant: tuple[Part, ...]
    ) -> tuple[list[Step], list[str], dict[str, int]]:
        steps: list[Step] = []
        meanings: list[str] = []
        slots: dict[str, int] = {}
        count = 0
        for index, part in enumerate(variant):
            after = next_literal(variant[index + 1 :])
            if isinstance(part, Literal):
                steps.append(self._literal_step(part.text))
                meanings.append(repr(part.text))
            elif isinstance(part, Colours):
                steps.append(Step("colours"))
                meanings.append("colour codes")
            elif isinstance(part, Constant):
                slots[part.name] = CONSTANT | self._constant(part.value)
            elif isinstance(part, Capture):
                steps.append(self._capture(entry.layout, part, after, count if part.names else -1))
                meanings.append(_meaning(part, after))
                for name, mark in zip(part.names, (FIRST, SECOND), strict=False):
                    name = "severity_text" if name == "severity" else name
                    slots[name] = count | (mark if len(part.names) > 1 else 0)
                count += bool(part.names)
        if steps[-1].op != "rest":
            steps.append(Step("end"))
            meanings.append("the end of the line")
        for name in slots:
            if name not in self.names:
                self.names.append(name)
        return steps, meanings, slots

    def _capture(self, layout: Layout, part: Capture, after: str, slot: int) -> Step:
        kind = part.type
        if part.width:
            return self._capture(layout, replace(part, width=0), after, slot)._replace(
                width=part.width
            )
        if kind == "blanks":
            return Step("run", self._class(b" "), _UNBOUNDED, slot)
        if kind in RUNS and kind != "severity":
            members = bytes(c for c in range(128) if re.match(f"[{RUNS[kind]}]", chr(c)))
            return Step("run", self._class(members), _MOST.get(kind, _UNBOUNDED), slot)
        if kind in ("token", "token?"):
            # What ends a token anyway makes no difference between captures.
            stop = after.encode()[:1].strip(b" \t[]\x1b") or b" "
            return Step(kind, stop[0], 1, slot)
        if kind == "text":
            return Step("text", self._literal(after), len(after.encode()), slot)
        if kind == "severity":
            return Step("severity", self._vocabulary(layout.vocabulary), 0, slot)
        if kind == "source":
            return Step(kind, after.encode()[0] if after else ord(" "), 0, slot)
        if kind in TYPES:
            return Step(kind.rstrip("?"), int(kind.endswith("?")), 0, slot)
        time = timestamps.kind(kind)
        if time.program is None:
            return Step("iso", int(kind == "iso-msecs"), int(not part.names), slot)
        if kind not in self._time_offsets:
            self._time_offsets[kind] = len(self._times)
            self._times += [len(time.program), *time.program]
        return Step("time", self._time_offsets[kind], int(not part.names), slot)

    def _literal(self, text: str) -> int:
        raw = text.encode()
        place = self._literals.find(raw)
        if place < 0:
            place = len(self._literals)
            self._literals += raw
        return place

    def _class(self, members: bytes) -> int:
        table = bytes(c in members for c in range(256))
        if table not in self._classes:
            self._classes.append(table)
        return self._classes.index(table)

    def _constant(self, value: str) -> int:
        if value not in self.constants:
            self.constants.append(value)
        return self.constants.index(value)

    def _vocabulary(self, name: str) -> int:
        if name not in self._vocabularies:
            self._vocabularies[name] = len(self._words)
            words = VOCABULARIES[name]
            self._words.append(len(words))
            for word, number in words.items():
                self._words += struct.unpack(
                    "<6i", struct.pack("<2i16s", len(word), number, word.encode())
                )
        return self._vocabularies[name]

    def program(self) -> _scan.Program:
        """Return everything added as one Program; leaf numbers are indices of ``leaves``."""
        nodes: list[tuple[int, ...]] = []
        self.expected = []
        roots = [self._place([node], nodes) for node in self._heads]
        json = self._json_table() if self._json else None
        tails = self._tail_table(nodes)
        return _scan.Program(
            nodes=b"".join(struct.pack("<12i2Q", *node) for node in nodes),
            roots=self._dispatch(roots),
            literals=self._literals or b"\0",
            classes=b"".join(self._classes) or b"\0",
            words=_ints(self._words or [0]),
            times=_ints(self._times or [0]),
            tails=tails,
            leaves=b"".join(self._leaf(leaf) for leaf in self.leaves) or b"\0",
            slots=self._slot_table(),
            in_tails=bytes(
                any(leaf.entry.tail and name in leaf.slots for leaf in self.leaves)
                for name in self.names
            ),
            columns=len(self.names),
            most_slots=max((leaf.count for leaf in self.leaves), default=0),
            json=json,
        )

    def _tail_table(self, nodes: list[tuple[int, ...]]) -> bytes:
        """Per format the offset of its tails: more blanks first, each list ended by -1."""
        formats = max((leaf.entry.format for leaf in self.leaves), default=0) + 1
        offsets: list[int] = []
        lists = [-1]
        for number in range(formats):
            own = [tail for tail in self._tails if tail[2].format == number]
            offsets.append(formats + (len(lists) if own else 0))
            for blanks, node, entry in sorted(own, key=lambda tail: -tail[0]):
                lists += [blanks, self._place([node], nodes), entry.level]
            if own:
                lists.append(-1)
        return _ints(offsets + lists)

    def _place(self, siblings: list[_Node], nodes: list[tuple[int, ...]]) -> int:
        """Append nodes that are tried in turn, and all below them; return the first's index."""
        following = -1
        for node in reversed(siblings):
            # A literal that must follow costs no node of its own.
            then, below = Step("literal"), node.children
            if len(below) == 1 and below[0].step.op == "literal" and node.step.op != "literal":
                then, meaning, below = below[0].step, below[0].meaning, below[0].children
            else:
                meaning = ""
            step = node.step
            if step.op in _TOKENS and not step.width and then.op == "literal" and then.b:
                step, then, meaning, below = self._tokens(step, then, meaning, below)
            child = self._place(below, nodes)
            nodes.append(
                (_scan.OPS[step.op], step.a, step.b, step.slot, child, following, node.leaf,
                 node.order, then.a, then.b, step.b - 1 if step.op in _TOKENS else 0, step.width,
                 self._word(step), self._word(then))
            )  # fmt: skip
            self.expected.append((node.meaning, meaning))
            following = len(nodes) - 1
        return following

    def _tokens(
        self, step: Step, then: Step, meaning: str, below: list[_Node]
    ) -> tuple[Step, Step, str, list[_Node]]:
        """Join captures that follow each other with a blank between into one node."""
        count = 1
        while (
            self._text(then) == " "
            and len(below) == 1
            and below[0].step.op == step.op
            and below[0].step.slot == step.slot + count
            and not below[0].step.width
            and step.slot >= 0
            and len(below[0].children) == 1
            and below[0].children[0].step.op == "literal"
        ):
            literal = below[0].children[0]
            then, meaning, stop = literal.step, literal.meaning, below[0].step.a
            below, count = literal.children, count + 1
            step = step._replace(a=stop)
        return step._replace(b=count), then, meaning, below

    def _dispatch(self, roots: list[int]) -> bytes:
        """First byte of a line to the roots worth trying, in order, ended by -1."""
        table, lists = [0] * 256, list[int]()
        known: dict[tuple[int, ...], int] = {}
        firsts = [self._first(node) for node in self._heads]
        for byte in range(256):
            tried = tuple(r for r, first in zip(roots, firsts, strict=True) if byte in first)
            if tried not in known:
                known[tried] = 256 + len(lists)
                lists += [*tried, -1]
            table[byte] = known[tried]
        return _ints(table + lists)

    def _first(self, node: _Node) -> frozenset[int] | set[int]:
        """The bytes a line that matches ``node`` may begin with."""
        step = node.step
        everything = frozenset(range(256))
        if step.width < 0:
            return everything
        if step.op == "literal":
            return {self._literals[step.a]}
        if step.op == "run":
            return {c for c in range(256) if self._classes[step.a][c]}
        if step.op == "url":
            return set(b"h")
        if step.op in ("iso", "number"):
            return set(b"0123456789")
        if step.op == "severity":
            count, first = self._words[step.a], set()
            for index in range(count):
                first.add(self._words[step.a + 3 + 6 * index] & 0xFF)
            return first
        if step.op == "colours":
            return set(b"\x1b#^").union(*(self._first(child) for child in node.children))
        return everything

    def _leaf(self, leaf: Leaf) -> bytes:
        slots, flags = leaf.slots, leaf.entry.flags
        if "timestamp" in slots:
            flags |= _scan.FLAGS["stamped"]
        if leaf.entry.layout.coloured:
            flags |= _scan.FLAGS["coloured"]
        workers = [slots[n] for n in ("host_name", "stream", "process_pid") if n in slots]
        workers += [-1] * (_scan.WORKER_SLOTS - len(workers))
        plain = {name: slot for name, slot in slots.items() if slot < CONSTANT}
        return struct.pack(
            "<13i",
            leaf.entry.format,
            leaf.entry.number,
            _scan.ROLES[leaf.entry.role],
            flags,
            leaf.count,
            plain.get("timestamp", -1),
            plain.get("logger", -1),
            plain.get("resource_id", -1),
            plain.get("body", -1),
            leaf.entry.level,
            *workers,
        )

    def _slot_table(self) -> bytes:
        rows = [leaf.slots.get(name, -1) for name in self.names for leaf in self.leaves]
        return struct.pack(f"<{len(rows)}h", *rows) or b"\0"

    def _json_table(self) -> _json.JsonTable:
        """Add a leaf per JSON shape and return the table of keys they look for."""
        paths: dict[str, int] = {}
        for shape in self._json:
            for path in (*shape.required, *(p for ps in shape.paths.values() for p in ps)):
                paths.setdefault(path, len(paths))
            for time in (shape.epoch, shape.iso):
                if time:
                    paths.setdefault(time, len(paths))
        tables = {"": 0}
        for path in paths:
            if "." in path:
                tables.setdefault(path.rpartition(".")[0], len(tables))
        texts = b""
        keys: list[tuple[int, int, int, int, int]] = []
        numbers: list[int] = []
        shapes: list[tuple[int, int, int, int, int, int]] = []
        for path in sorted(set(paths) | set(tables) - {""}):
            parent, _, key = path.rpartition(".")
            keys.append(
                (len(texts), len(key.encode()), tables[parent],
                 paths.get(path, -1), tables.get(path, -1))
            )  # fmt: skip
            texts += key.encode()
        for shape in self._json:
            required = len(numbers)
            numbers += [len(shape.required), *(paths[p] for p in shape.required)]
            pairs = [
                (paths[first], paths[other])
                for first, *others in shape.paths.values()
                for other in others
            ]
            otherwise = len(numbers)
            numbers += [len(pairs), *(slot for pair in pairs for slot in pair)]
            slots = {name: paths[found[0]] for name, found in shape.paths.items()}
            slots["timestamp"] = paths[shape.epoch or shape.iso or ""]
            for name in slots:
                if name not in self.names:
                    self.names.append(name)
            entry = Entry(_NO_LAYOUT, shape.format, 0, flags=_scan.FLAGS["json"])
            level = slots.get("severity_text", -1)
            shapes.append(
                (len(self.leaves), required, otherwise,
                 paths.get(shape.epoch or "", -1), paths.get(shape.iso or "", -1), level)
            )  # fmt: skip
            self.leaves.append(Leaf(entry, slots, len(paths)))
        words = b"".join(
            struct.pack("<BB14s", number, len(word), word.encode())
            for word, number in WORDS.items()
        )
        return _json.JsonTable(keys, texts, _ints(numbers), shapes, len(paths), words)


_NO_LAYOUT = Layout("", ())


def _ints(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def _meaning(part: Capture, after: str) -> str:
    """Say for a diagnosis what a capture expects."""
    kind = TYPES.get(part.type, f"a timestamp of kind {part.type}")
    if part.type == "text":
        kind = f"anything up to {after!r}"
    return f"{'|'.join(part.names)} ({kind})" if part.names else kind
