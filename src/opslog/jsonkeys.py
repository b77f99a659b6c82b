"""JSON formats to the table of keys that the lazy JSON reader looks for."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from opslog import _json
from opslog.severity import VOCABULARIES, WORDS


@dataclass(frozen=True, slots=True)
class JsonShape:
    r"""A one-line JSON object recognised by the keys it has.

    ``paths`` lists per column the keys (``a`` or ``a.b``, ``a\.b`` for one with a dot)
    that may hold it, the first that is neither null nor empty wins.  Without ``epoch`` and ``iso`` it has no time.
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
        packed.append(
            (first_leaf + len(leaves), required, otherwise,
             paths.get(shape.epoch or "", -1), paths.get(shape.iso or "", -1), micros, level)
        )  # fmt: skip
        leaves.append(JsonLeaf(shape.format, slots, len(paths), shape.flags, shape.constants))
    words = b"".join(
        struct.pack("<BB14s", number, len(word), word.encode())
        for word, number in (*WORDS.items(), *VOCABULARIES["syslog"].items())
    )
    numbers_ = struct.pack(f"={len(numbers)}i", *numbers)
    return _json.JsonTable(keys, texts, numbers_, packed, len(paths), words), leaves
