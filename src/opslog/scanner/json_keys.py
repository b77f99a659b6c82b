"""JSON formats to the table of keys that the lazy JSON reader looks for."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from opslog.model.severity import VOCABULARIES, WORDS, vocabulary
from opslog.scanner import _json


@dataclass(frozen=True, slots=True)
class JsonShape:
    r"""A one-line JSON object recognised by the keys it has.

    ``paths`` lists per column the keys (``a`` or ``a.b``, ``a\.b`` for one with a dot)
    that may hold it, the first that is neither null nor empty wins.  Without ``epoch`` and
    ``iso`` it has no time.
    """

    format: int
    required: tuple[str, ...]
    paths: dict[str, tuple[str, ...]]
    epoch: str | None = None
    iso: str | None = None
    epoch_us: tuple[str, ...] = ()
    """Keys of microseconds since the epoch, the first present one counts."""
    flags: int = 0
    constants: dict[str, str] = field(default_factory=dict)
    severity: str = "oslo"
    """The vocabulary whose words count before those of any source."""


@dataclass(frozen=True, slots=True)
class JsonLeaf:
    """A shape as the scanner reports it: columns to slots, and how many slots there are."""

    format: int
    slots: dict[str, int]
    count: int
    flags: int
    constants: dict[str, str]


def _cut(path: str) -> tuple[str, str]:
    """Return the path of the object that holds a key, and the key."""
    *parents, key = _DOT.split(path)
    return ".".join(parents), key.replace("\\.", ".")


_DOT = re.compile(r"(?<!\\)\.")


def _levels(vocabularies: set[str]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Return level words in lower case and where those of each vocabulary are: first one, count.

    Those of any source come first.
    """
    words = [*WORDS.items(), *VOCABULARIES["syslog"].items()]
    places = {"": (0, len(words))}
    for name in sorted(vocabularies):
        own = vocabulary(name)
        places[name] = len(words), len(own)
        words += own.items()
    size = _json.WORD - 2
    packed = (
        struct.pack(f"<BB{size}s", number, len(word), word.lower().encode())
        for word, number in words
    )
    return b"".join(packed), places


def table(shapes: list[JsonShape], first_leaf: int) -> tuple[_json.JsonTable, list[JsonLeaf]]:
    """Return the table of keys all shapes look for, and a leaf for each, numbered from there."""
    paths: dict[str, int] = {}
    for shape in shapes:
        for path in (*shape.required, *(p for ps in shape.paths.values() for p in ps)):
            paths.setdefault(path, len(paths))
        for time in (shape.epoch, shape.iso, *shape.epoch_us):
            if time:
                paths.setdefault(time, len(paths))
    tables = {"": 0}
    for path in paths:
        while path := _cut(path)[0]:
            tables.setdefault(path, len(tables))
    words, places = _levels({shape.severity for shape in shapes})
    texts = b""
    keys: list[tuple[int, int, int, int, int]] = []
    numbers: list[int] = []
    packed: list[tuple[int, ...]] = []
    leaves: list[JsonLeaf] = []
    for path in sorted(set(paths) | set(tables) - {""}):
        parent, key = _cut(path)
        keys.append(
            (len(texts), len(key.encode()), tables[parent],
             paths.get(path, -1), tables.get(path, -1))
        )  # fmt: skip
        texts += key.encode()
    for shape in shapes:
        required = len(numbers)
        numbers += [len(shape.required), *(paths[p] for p in shape.required)]
        pairs = [
            *((paths[shape.epoch_us[0]], paths[other]) for other in shape.epoch_us[1:]),
        ] + [
            (paths[first], paths[other])
            for first, *others in shape.paths.values()
            for other in others
        ]
        otherwise = len(numbers)
        numbers += [len(pairs), *(slot for pair in pairs for slot in pair)]
        slots = {name: paths[found[0]] for name, found in shape.paths.items()}
        times = [*filter(None, (shape.epoch, shape.iso)), *shape.epoch_us]
        if times:
            slots["timestamp"] = paths[times[0]]
        micros = paths[shape.epoch_us[0]] if shape.epoch_us else -1
        level = slots.get("severity_text", -1)
        # The keys of all shapes are many, those of one are few.
        kept = sorted(set(slots.values()))
        slots = {name: kept.index(slot) for name, slot in slots.items()}
        packed.append(
            (first_leaf + len(leaves), required, otherwise, len(numbers),
             paths.get(shape.epoch or "", -1), paths.get(shape.iso or "", -1), micros, level,
             *places[shape.severity])
        )  # fmt: skip
        numbers += [len(kept), *kept]
        leaves.append(JsonLeaf(shape.format, slots, len(kept), shape.flags, shape.constants))
    numbers_ = struct.pack(f"={len(numbers)}i", *numbers)
    return _json.JsonTable(keys, texts, numbers_, packed, len(paths), words, places[""][1]), leaves
