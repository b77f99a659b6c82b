"""Layouts to a program for the scanner: the tables of _program.pyx.

Every layout is written out as its variants, each a sequence of steps without
choices, which share the nodes of one tree (trie.py).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from opslog.language.layout import (
    RUNS,
    TYPES,
    Capture,
    Colors,
    Constant,
    Layout,
    Literal,
    Part,
    literals_behind,
)
from opslog.language.pattern import Pattern
from opslog.model import timestamps
from opslog.model.errors import LayoutError
from opslog.model.severity import longest_first, vocabulary
from opslog.scanner import _program, prefix
from opslog.scanner import json_keys as jsonkeys
from opslog.scanner._prefix import MOST_BRANCHES
from opslog.scanner.json_keys import JsonShape
from opslog.scanner.shortcut import ShortcutFinder
from opslog.scanner.trie import Node, Step, Trie

SLOT, FIRST, SECOND, CONSTANT, PRI = 0x1FF, 0x200, 0x400, 0x800, 0x1000
"""Slot numbers and marks beside them: a value that has, has not the shape of an id; a constant;
a syslog priority, of which the facility is kept."""
CHANGED = {"milliseconds": 0x2000, "microseconds": 0x4000, "percent": 0x6000}
"""Marks of types whose values are not told as written."""

_MOST = {"int": 18}
_REQUESTS = ("request", "request?", "transaction")
_UNBOUNDED = 1 << 30
_MOST_LEAVES = 32000
"""A line keeps the number of its leaf in 16 bits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A layout in its role: where it comes from and what its lines mean.

    ``level`` is the severity number of lines that state none, or the only one a
    tail (a layout of what ends a message) is looked for at; 0 for any.
    """

    layout: Layout
    format: int
    number: int
    role: str = "head"
    flags: int = 0
    level: int = 0
    tail: bool = False
    detail: bool = False
    """Whether it only says more of lines that another layout, or none, took."""
    late: bool = False
    """Whether so little marks its lines that it is tried only where no other layout fits."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A variant of a layout as the scanner reports it."""

    entry: Entry
    slots: dict[str, int]
    """Column or attribute name to slot, with FIRST, SECOND, CONSTANT or PRI marks."""
    count: int


class Compiler:
    """Collects entries and makes one Program of them; columns get their numbers from ``names``."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.leaves: list[Leaf] = []
        self.constants: list[str] = []
        self.trie = Trie(self._first_bytes)
        self._heads: list[Node] = []
        self._late: list[Node] = []
        self._tails: list[tuple[int, Node, Entry, int]] = []
        self._details: dict[int, list[Node]] = {}
        self._literals: dict[str, tuple[Step, str]] = {}
        self._captures: dict[tuple[Capture, str, int, str], tuple[Step, str]] = {}
        self._classes: list[bytes] = []
        self._class_numbers: dict[bytes, int] = {}
        self._class_masks: list[int] = []
        self._spellings: dict[int, list[prefix.Atoms]] = {}
        self._words: list[int] = []
        self._vocabularies: dict[str, int] = {}
        self._times: list[int] = []
        self._time_offsets: dict[str, int] = {}
        self._json: list[JsonShape] = []

    def add(self, entry: Entry) -> None:
        """Add a layout behind those already there; raises LayoutError if it cannot be scanned."""
        for variant in entry.layout.variants():
            steps, slots = self._steps(entry, variant)
            if len(steps) > _program.DEEPEST:
                raise LayoutError(entry.layout.text, 0, f"more than {_program.DEEPEST} parts")
            roots = self._late if entry.late else self._heads
            if entry.detail:
                roots = self._details.setdefault(entry.format, [])
            if entry.tail:
                blanks = sum(p.text.count(" ") for p in variant if isinstance(p, Literal))
                if not 0 < blanks <= _program.WIDEST_TAIL:
                    raise LayoutError(
                        entry.layout.text, 0, "the part behind a message must begin with a blank"
                    )
                roots = []
            if len(self.leaves) >= _MOST_LEAVES:
                raise LayoutError(entry.layout.text, 0, "more layouts than a catalog can hold")
            self.trie.insert(roots, steps, len(self.leaves))
            count = sum(1 for step, _ in steps if step.slot >= 0)
            self.leaves.append(Leaf(entry, slots, count))
            if entry.tail:
                last = variant[-1]
                end = last.text.encode()[-1] if isinstance(last, Literal) else -1
                self._tails.append((blanks, roots[0], entry, end))

    def add_pattern(self, entry: Entry, pattern: Pattern) -> tuple[int, int, int]:
        """Add a pattern, which stands beside the tree.

        Returns its leaf and the nodes that read its timestamp and its
        severity, -1 where it has none.
        """
        leaf = len(self.leaves)
        names = pattern.names
        slots = {"severity_text" if n == "severity" else n: i for i, n in enumerate(names)}
        self.leaves.append(Leaf(entry, slots, len(slots)))
        time = severity = -1
        if pattern.kind is not None:
            time = self._alone(entry.layout, Capture(("timestamp",), pattern.kind), leaf)
        if "severity" in names:
            severity = self._alone(entry.layout, Capture(("severity",), "severity"), leaf)
        return leaf, time, severity

    def _alone(self, layout: Layout, part: Capture, leaf: int) -> int:
        """Place a node that takes a text alone, capturing nothing, and return its index."""
        step, end = self._capture(layout, part, "", -1), Step("end")
        nodes: list[Node] = []
        self.trie.insert(nodes, [(step, _meaning(part, "")), (end, "the end of the text")], leaf)
        return self.trie.place(nodes)

    def add_json(self, shape: JsonShape) -> None:
        """Add a JSON shape behind those already there."""
        self._json.append(shape)

    def _steps(
        self, entry: Entry, variant: tuple[Part, ...]
    ) -> tuple[list[tuple[Step, str]], dict[str, int]]:
        """Return a variant's steps with what each means, and its columns' slots."""
        steps: list[tuple[Step, str]] = []
        slots: dict[str, int] = {}
        count = 0
        for part, after in zip(variant, literals_behind(variant), strict=True):
            if isinstance(part, Literal):
                steps.append(self._literal(part.text))
            elif isinstance(part, Colors):
                steps.append((Step("colors"), "color codes"))
            elif isinstance(part, Constant):
                slots[part.name] = CONSTANT | self._constant(part.value)
            elif isinstance(part, Capture):
                slot = count if part.names else -1
                known = (part, after, slot, entry.layout.vocabulary)
                if known not in self._captures:
                    step = self._capture(entry.layout, part, after, slot)
                    self._captures[known] = step, _meaning(part, after)
                steps.append(self._captures[known])
                for name, mark in zip(part.names, (FIRST, SECOND), strict=False):
                    name = "severity_text" if name == "severity" else name
                    slots[name] = count | (mark if len(part.names) > 1 else 0)
                    slots[name] |= PRI if part.type == "pri" else 0
                    slots[name] |= CHANGED.get(part.type, 0)
                count += bool(part.names)
        if steps[-1][0].op != "rest":
            steps.append((Step("end"), "the end of the line"))
        return steps, slots

    def _literal(self, text: str) -> tuple[Step, str]:
        if text not in self._literals:
            self._literals[text] = self.trie.literal_step(text), repr(text)
        return self._literals[text]

    def _capture(self, layout: Layout, part: Capture, after: str, slot: int) -> Step:
        kind = part.type
        if part.width:
            return self._capture(layout, replace(part, width=0), after, slot)._replace(
                width=part.width
            )
        if kind == "blanks":
            return Step("run", self._class(b" "), _UNBOUNDED, slot)
        if kind in RUNS:
            return Step("run", self._class(_members(kind)), _MOST.get(kind, _UNBOUNDED), slot)
        if kind in ("token", "token?", "percent"):
            kind = kind.replace("percent", "token")
            # What ends a token anyway makes no difference between captures.
            stop = after.encode()[:1].strip(b" \t[]\x1b") or b" "
            return Step(kind, stop[0], 1, slot)
        if kind == "text":
            return Step("text", self.trie.literal(after), len(after.encode()), slot)
        if kind == "severity":
            return Step("severity", self._vocabulary(layout.vocabulary), 0, slot)
        if kind in ("source", "go"):
            return Step("source", after.encode()[0] if after else ord(" "), int(kind == "go"), slot)
        if kind in ("milliseconds", "microseconds"):
            return Step("number", slot=slot)
        if kind in _REQUESTS:
            return Step("request", _REQUESTS.index(kind), 0, slot)
        if kind in TYPES:
            return Step(kind, slot=slot)
        time = timestamps.kind(kind)
        if time.program is None:
            return Step("iso", int(kind == "iso-msecs"), int(not part.names), slot)
        if kind not in self._time_offsets:
            self._time_offsets[kind] = len(self._times)
            self._times += [len(time.program), *time.program]
        return Step("time", self._time_offsets[kind], int(not part.names), slot)

    def _class(self, members: bytes) -> int:
        if members not in self._class_numbers:
            self._class_numbers[members] = len(self._classes)
            self._class_masks.append(prefix.mask(members))
            self._classes.append(bytes(c in members for c in range(256)))
        return self._class_numbers[members]

    def _constant(self, value: str) -> int:
        if value not in self.constants:
            self.constants.append(value)
        return self.constants.index(value)

    def _vocabulary(self, name: str) -> int:
        if name not in self._vocabularies:
            self._vocabularies[name] = len(self._words)
            words = vocabulary(name)
            self._spellings[len(self._words)] = [_spelled(word.encode()) for word in words]
            self._words.append(len(words))
            for word in longest_first(words):
                number = words[word]
                self._words += struct.unpack(
                    "=6i", struct.pack("=2i16s", len(word), number, word.encode())
                )
        return self._vocabularies[name]

    def program(self) -> _program.Program:
        """Return everything added as one Program; leaf numbers are indices of ``leaves``.

        Raises LayoutError if the layouts share so many beginnings that the tree is too deep.
        """
        trees = [*self._heads, *self._late, *chain(*self._details.values())]
        if self.trie.depth(trees) > _program.DEEPEST:
            text = max((leaf.entry.layout.text for leaf in self.leaves), key=len)
            raise LayoutError(text, 0, f"more than {_program.DEEPEST} beginnings shared by layouts")
        for heads in (self._heads, self._late):
            heads.sort(key=lambda node: node.order)
        trees = [*self._heads, *self._late]
        self.trie.number(trees, MOST_BRANCHES)
        roots = [self.trie.place([node]) for node in trees]
        tails = self._tail_table()
        count = max((leaf.entry.format for leaf in self.leaves), default=0) + 1
        details = _ints([self.trie.place(self._details.get(n, [])) for n in range(count)])
        json = None
        if self._json:
            json, leaves = jsonkeys.table(self._json, len(self.leaves))
            for leaf in leaves:
                for name, value in leaf.constants.items():
                    leaf.slots[name] = CONSTANT | self._constant(value)
                flags = leaf.flags | _program.FLAGS["json"]
                entry = Entry(_NO_LAYOUT, leaf.format, -1, flags=flags)
                self.leaves.append(Leaf(entry, leaf.slots, leaf.count))
        forest = prefix.Forest(trees, len(self._heads), self._texts)
        return _program.Program(
            nodes=self.trie.packed(),
            firsts=self.trie.packed_firsts(),
            roots=_ints(roots),
            forest=forest,
            shortcuts=ShortcutFinder(trees, forest, self.trie.placed),
            literals=self.trie.literals or b"\0",
            classes=b"".join(self._classes) or b"\0",
            words=_ints(self._words or [0]),
            times=_ints(self._times or [0]),
            tails=tails,
            details=details,
            leaves=b"".join(self._leaf(leaf) for leaf in self.leaves) or b"\0",
            slots=self._slot_table(),
            most_slots=max((leaf.count for leaf in self.leaves), default=0),
            json=json,
        )

    def _tail_table(self) -> bytes:
        """Per format the offset of its tails: more blanks first, each list ended by -1."""
        formats = max((leaf.entry.format for leaf in self.leaves), default=0) + 1
        offsets: list[int] = []
        lists = [-1]
        for number in range(formats):
            own = [tail for tail in self._tails if tail[2].format == number]
            offsets.append(formats + (len(lists) if own else 0))
            for blanks, node, entry, end in sorted(own, key=lambda tail: -tail[0]):
                lists += [blanks, self.trie.place([node]), entry.level, end]
            if own:
                lists.append(-1)
        return _ints(offsets + lists)

    def _texts(self, step: Step) -> list[prefix.Atoms]:
        """Return the texts one of which a step takes."""
        if step.op == "severity":
            return self._spellings[step.a]
        if step.op == "literal":
            return [_spelled(self.trie.literals[step.a : step.a + step.b])]
        if step.op == "run":
            return [[prefix.Atom(self._class_masks[step.a], repeats=True)]]
        if step.op == "time":
            program = self._times[step.a + 1 : step.a + 1 + self._times[step.a]]
            return [prefix.time_atoms(program, timestamps.DIRECTIVE)]
        return [prefix.fixed_atoms(step)]

    def _first_bytes(self, step: Step) -> int:
        """Return the bytes a step may begin with: of one that is padded any."""
        return prefix.ANY if step.width else prefix.first_bytes(self._texts(step))

    def _leaf(self, leaf: Leaf) -> bytes:
        slots, flags = leaf.slots, leaf.entry.flags
        if "timestamp" in slots:
            flags |= _program.FLAGS["stamped"]
        graded = "severity_text" in slots or any(slot & PRI for slot in slots.values())
        if graded or flags & _program.FLAGS["json"]:
            flags |= _program.FLAGS["graded"]
        if leaf.entry.layout.colored:
            flags |= _program.FLAGS["colored"]
        plain = _plain(slots)
        workers = [plain[n] for n in _WRITERS if n in plain][: _program.WORKER_SLOTS]
        workers += [-1] * (_program.WORKER_SLOTS - len(workers))
        return struct.pack(
            f"={10 + _program.WORKER_SLOTS}i",
            leaf.entry.format,
            leaf.entry.number,
            _program.ROLES[leaf.entry.role],
            flags,
            leaf.count,
            plain.get("timestamp", -1),
            plain.get("logger", -1),
            plain.get("resource_id", -1),
            plain.get("body", -1),
            0 if "severity_text" in slots else leaf.entry.level,
            *workers,
        )

    def _slot_table(self) -> bytes:
        plain = [_plain(leaf.slots) for leaf in self.leaves]
        rows = [slots.get(name, -1) for name in self.names for slots in plain]
        return struct.pack(f"={len(rows)}h", *rows) or b"\0"


def _plain(slots: dict[str, int]) -> dict[str, int]:
    """Return those that are the number of a slot and nothing else."""
    return {name: slot for name, slot in slots.items() if slot <= SLOT}


_WRITERS = ("process_pid", "program", "container_name", "tag", "host_name", "stream")
"""What tells the writers of one source apart."""

_NO_LAYOUT = Layout("", ())


@cache
def _members(kind: str) -> bytes:
    """Return the characters that a type of RUNS is made of."""
    return bytes(c for c in range(128) if re.match(f"[{RUNS[kind]}]", chr(c)))


def _spelled(text: bytes) -> prefix.Atoms:
    return [prefix.Atom(1 << byte) for byte in text]


def _ints(values: list[int]) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


def _meaning(part: Capture, after: str) -> str:
    """Say for a diagnosis what a capture expects."""
    kind = TYPES.get(part.type, f"a timestamp of kind {part.type}")
    kind = kind.replace("the same", TYPES.get(part.type.rstrip("?"), ""))
    if part.type == "text":
        kind = f"anything up to {after!r}"
    return f"{'|'.join(part.names)} ({kind})" if part.names else kind
