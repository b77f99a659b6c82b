"""The table of keys that the reader of JSON, or of pairs, looks for: the shapes of all formats."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence

from opslog.language.format import KeyedShape
from opslog.model.severity import VOCABULARIES, WORDS, vocabulary
from opslog.scanner import _json


def json_table(
    shapes: Sequence[tuple[KeyedShape, str]], first_leaf: int
) -> tuple[_json.JsonTable, list[dict[str, int]]]:
    """Return the table of all shapes, and for each the slots of its columns.

    A shape comes with the name of its vocabulary, whose words count before those of any
    source.  The leaves of the shapes are numbered from ``first_leaf`` on.
    """
    paths: dict[str, int] = {}
    for shape, _ in shapes:
        for path in _paths(shape):
            paths.setdefault(path, len(paths))
    words, places = _level_words({words for _, words in shapes})
    numbers = _Numbers()
    packed: list[tuple[int, ...]] = []
    found: list[dict[str, int]] = []
    for leaf, (shape, name) in enumerate(shapes, first_leaf):
        required = numbers.add([paths[path] for path in shape.required])
        one_of = numbers.add([paths[path] for path in shape.one_of])
        otherwise = numbers.add_pairs([(paths[one], paths[other]) for one, other in _pairs(shape)])
        slots = {column: paths[first] for column, (first, *_) in shape.columns.items()}
        if shape.times:
            slots["timestamp"] = paths[shape.times[0]]
        # The keys of all shapes are many, those of one are few.
        kept = sorted(set(slots.values()))
        found.append({column: kept.index(slot) for column, slot in slots.items()})
        packed.append(
            (
                leaf,
                required,
                one_of,
                otherwise,
                numbers.add(kept),
                *(paths[keys[0]] if keys else -1 for keys in _times(shape)),
                slots.get("severity_number" if shape.stored else "severity_text", -1),
                *places[name],
                numbers.add(sorted({paths[path] for path in _paths(shape)})),
                found[-1].get("host_name", -1),
                int(shape.others and not shape.pairs),
                slots["attributes"] if shape.stored else -1,
            )
        )
    keys, texts, ordered = _keys(paths)
    numbered = {path: number for number, path in enumerate(ordered)}
    uses = b"".join(
        _uses(shape, slots, numbered) for (shape, _), slots in zip(shapes, found, strict=True)
    )
    table = _json.JsonTable(
        keys,
        texts,
        numbers.packed(),
        packed,
        len(paths),
        words,
        places[""][1],
        uses,
        any(shape.pairs for shape, _ in shapes),
    )
    return table, found


class _Numbers:
    """Lists of numbers, one behind the other."""

    def __init__(self) -> None:
        self._all: list[int] = []

    def add(self, numbers: list[int]) -> int:
        """Append how many, then the numbers; return where."""
        return self._add(len(numbers), numbers)

    def add_pairs(self, pairs: list[tuple[int, int]]) -> int:
        """Append how many pairs, then their numbers; return where."""
        return self._add(len(pairs), [number for pair in pairs for number in pair])

    def _add(self, count: int, numbers: list[int]) -> int:
        place = len(self._all)
        self._all += [count, *numbers]
        return place

    def packed(self) -> bytes:
        """Return all of them as int32."""
        return struct.pack(f"={len(self._all)}i", *self._all)


def _paths(shape: KeyedShape) -> Iterable[str]:
    """Return the paths that a shape looks for."""
    columns = (path for paths in shape.columns.values() for path in paths)
    return (*shape.required, *shape.one_of, *columns, *shape.times)


def _pairs(shape: KeyedShape) -> Iterable[tuple[str, str]]:
    """Yield the first path of a column and each one whose value counts if that has none."""
    for first, *others in filter(None, (*_times(shape), *shape.columns.values())):
        for other in others:
            yield first, other


def _times(shape: KeyedShape) -> tuple[tuple[str, ...], ...]:
    """Return the keys of the time by its kind: epoch seconds, ISO, epoch microseconds."""
    return shape.epoch, shape.iso, shape.epoch_us


def _split(path: str) -> tuple[str, str]:
    """Return the path of the object that holds a key, and the key."""
    *parents, key = _DOT.split(path)
    return ".".join(parents), key.replace("\\.", ".")


_DOT = re.compile(r"(?<!\\)\.")


def _keys(
    paths: dict[str, int],
) -> tuple[list[tuple[int, int, int, int, int]], bytes, list[str]]:
    """Return each key (where its text is, its size, its object, its slot, the object it holds).

    Objects are numbered, 0 is the line itself; behind the keys come their texts, and the
    paths of the keys.
    """
    objects = {"": 0}
    for path in paths:
        while path := _split(path)[0]:
            objects.setdefault(path, len(objects))
    keys = []
    texts = b""
    ordered = sorted({*paths, *objects} - {""})
    for path in ordered:
        parent, key = _split(path)
        raw = key.encode()
        place = (len(texts), len(raw))
        keys.append((*place, objects[parent], paths.get(path, -1), objects.get(path, -1)))
        texts += raw
    return keys, texts, ordered


def _uses(shape: KeyedShape, slots: dict[str, int], places: dict[str, int]) -> bytes:
    """Return for each key what it fills of a shape's columns, and whether keys inside it do.

    That is the struct Use of _json.pxd.
    """
    fills = dict.fromkeys(shape.columns.get("body", ()), _json.USES["read"])
    fills |= dict.fromkeys(shape.times, slots.get("timestamp", 0))
    for column, paths in shape.columns.items():
        if column != "body":
            fills |= dict.fromkeys(paths, slots[column])
    inside: set[str] = set()
    for path in fills:
        while path := _split(path)[0]:
            inside.add(path)
    inside.update(shape.opened)
    uses = [_json.USES["no_column"], 0] * len(places)
    for path, use in fills.items():
        uses[2 * places[path]] = use
    for path in inside.intersection(places):
        uses[2 * places[path] + 1] = _json.USES["opened" if path in shape.opened else "inside"]
    return struct.pack(f"={len(uses)}h", *uses)


def _level_words(vocabularies: set[str]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Return level words in lower case, and where those of each vocabulary are: first, count.

    Those of any source come first, under the name "".
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
