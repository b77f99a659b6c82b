"""Why lines are read as they are: the formats that took them, hole by hole, and what came close."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from opslog.checking.near_misses import Miss, NearMisses
from opslog.checking.oslo_releases import releases_of
from opslog.engine.normalizer import Normalizer
from opslog.kernel._block import Block
from opslog.language.layout import Capture, names_of
from opslog.model import schema
from opslog.model.json_values import json_values
from opslog.model.zones import Timezone
from opslog.rows.literal import event_as_json
from opslog.scanner._scan import layers, scan
from opslog.scanner.catalog import Catalog
from opslog.scanner.compiled import CompiledFormats
from opslog.scanner.leaf import column_of
from opslog.scanner.slots import CONSTANT, FIRST, SECOND, SLOT

_MOST_MISSES = 3


@dataclass(frozen=True, slots=True)
class Hole:
    """A place of a line from which a column is filled."""

    columns: Annotated[tuple[str, ...], "the column or attribute; of two its shape decides"]
    type: Annotated[str | None, "what it takes, as layouts name it; null for a value of JSON"]
    begin: Annotated[int, "where it begins in the text of the layer, in bytes"]
    end: Annotated[int, "where it ends"]
    text: Annotated[str, "what stands there"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A format that took a line, or what an envelope around it left."""

    format: Annotated[str, "the format"]
    title: Annotated[str, "what it is"]
    kind: Annotated[str, "`envelope`, `line`, `message` or `end of a message`"]
    text: Annotated[str, "the text it took"]
    rule: Annotated[str, "the layout, the regular expression, or the keys that JSON must have"]
    printed_by: Annotated[
        tuple[str, ...], "the configurations of oslo.log that print such lines, by release"
    ]
    holes: Annotated[tuple[Hole, ...], "what it took from where, in order"]
    constants: Annotated[dict[str, str], "columns that the format itself implies"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and why it is read so."""

    text: Annotated[str, "the line"]
    record: Annotated[int | None, "the number of the record it belongs to, from 1"]
    head: Annotated[bool, "whether that begins with it"]
    layers: Annotated[tuple[Layer, ...], "what took it, the outermost envelope first"]
    near: Annotated[tuple[Miss, ...], "of a line that no format takes: which came closest"]


@dataclass(frozen=True, slots=True)
class Value:
    """What a column of a record got."""

    value: Any
    rule: Annotated[str, "where it is from"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Lines and the records that they are."""

    lines: tuple[Line, ...]
    records: tuple[dict[str, Value], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as values of JSON; times are RFC 3339 in UTC."""
        return {
            "lines": json_values(self.lines),
            "records": [
                {name: json_values(value) for name, value in record.items()}
                for record in self.records
            ],
        }


class Explainer:
    """Explains lines as a catalog reads them."""

    def __init__(
        self,
        catalog: Catalog | None = None,
        source: str = "-",
        timezone: Timezone = "UTC",
        year: int | None = None,
    ) -> None:
        self._catalog = catalog or Catalog.default()
        self._options: dict[str, Any] = {"source": source, "timezone": timezone, "year": year}
        self._misses = NearMisses(self._catalog)

    def explain(self, data: bytes, near: bool = False) -> Explanation:
        """Return why lines are read as they are; with ``near`` what came close to each."""
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        normalizer = Normalizer(catalog=self._catalog, original=True, **self._options)
        batches = normalizer.feed(data) + normalizer.close()
        rows = [row for batch in batches for row in batch.to_pylist()]
        owners = _owners(lines, rows)
        told = []
        for line, (record, head) in zip(lines, owners, strict=True):
            found = tuple(self._layers(line))
            inner = _inner(found, line)
            little = not found or self._dated(found[-1])
            asked = near or (little and line.strip() and (record is None or head))
            misses = self._misses.of(inner, _MOST_MISSES) if asked else ()
            told.append(Line(_text(line), record, head, found, misses))
        records = [
            self._values(
                row, next((one for one in told if one.record == number and one.head), None)
            )
            for number, row in enumerate(rows, 1)
        ]
        return Explanation(tuple(told), tuple(records))

    def _dated(self, layer: Layer) -> bool:
        """Return whether a format tells no more of a line than when it was written."""
        names = self._catalog.lines.names
        return any(one.name == layer.format and one.dated for one in names)

    def _layers(self, line: bytes) -> Iterator[Layer]:
        """Yield what takes a line, from the outermost to what its message says."""
        compiled, text = self._catalog.lines, line
        chain = _chain(compiled, line)
        for number, leaf in enumerate(chain):
            found, spans, _, _ = compiled.program.probe(text)
            known = spans if found == leaf else None
            kind = "envelope" if number + 1 < len(chain) else "line"
            yield self._layer(compiled, leaf, kind, text, known)
            body = _body(compiled, leaf, text, spans) if known is not None else None
            if body is None:
                return
            text = body
        if not chain:
            if compiled.patterns is not None:
                match = compiled.patterns.find(line, [])
                if match is not None:
                    yield self._layer(compiled, match.leaf, "line", line, match.spans)
            return
        yield from self._message(text)

    def _message(self, text: bytes) -> Iterator[Layer]:
        """Yield what takes a message, or its end."""
        messages = self._catalog.messages
        said = event_as_json(text) or text
        leaf, spans, _, _ = messages.program.probe(said)
        if leaf >= 0:
            yield self._layer(messages, leaf, "message", said, spans)
            return
        for compiled in (messages, self._catalog.lines):
            leaf = compiled.program.ends(text)
            if leaf >= 0:
                yield self._layer(compiled, leaf, "end of a message", text, None)
                return

    def _layer(
        self,
        compiled: CompiledFormats,
        number: int,
        kind: str,
        text: bytes,
        spans: list[tuple[int, int]] | None,
    ) -> Layer:
        leaf = compiled.leaves[number]
        form = compiled.formats[leaf.entry.format]
        types = {
            column_of(name): part.type
            for part in leaf.entry.layout.holes() if isinstance(part, Capture)
            for name in names_of(part)
        }  # fmt: skip
        by_slot: dict[int, list[str]] = {}
        constants = {}
        for name, slot in leaf.slots.items():
            if slot & CONSTANT:
                constants[name] = compiled.constants[slot & SLOT]
            else:
                by_slot.setdefault(slot & SLOT, []).append(name)
        holes = []
        for slot, names in by_slot.items():
            begin, end = spans[slot] if spans is not None and slot < len(spans) else (-1, -1)
            if begin < 0:
                continue
            kind_of = types.get(names[0])
            holes.append(Hole(tuple(names), kind_of, begin, end, _text(text[begin:end])))
        if leaf.entry.layout.text:
            rule = leaf.entry.layout.text
        elif form.keyed is not None and leaf.entry.number < 0:
            rule = form.keyed.described
        else:
            rule = form.patterns[leaf.entry.number - len(form.layouts)].text
        return Layer(
            form.name,
            form.title,
            kind,
            _text(text),
            rule,
            releases_of(form, rule),
            tuple(sorted(holes, key=lambda one: (one.begin, one.end))),
            constants,
        )

    def _values(self, row: dict[str, Any], head: Line | None) -> dict[str, Value]:
        """Return what the columns of a record got, each with where it is from."""
        rules: dict[str, str] = {}
        for layer in head.layers if head else ():
            for name, value in layer.constants.items():
                rules[name] = f"{layer.format} implies {value!r}"
            for hole in layer.holes:
                took = f"{{{'|'.join(hole.columns)}:{hole.type}}}" if hole.type else "a value"
                for name in hole.columns:
                    rules[name] = f"{took} of {layer.format}, byte {hole.begin} of the {layer.kind}"
        values: dict[str, Value] = {}
        for name, value in row.items():
            if name == "original" or value is None:
                continue
            if name == "attributes":
                for key, text in value:
                    values[key] = Value(
                        text, rules.get(key, "what the format names beside columns")
                    )
            else:
                values[name] = Value(
                    value, rules.get(name) or f"computed: {schema.BY_NAME[name].meaning}"
                )
        return values


def _chain(compiled: CompiledFormats, line: bytes) -> list[int]:
    """Return the leaves that take a line in a scan, those of envelopes first."""
    block = Block(0)
    block.reset(0)
    block.room(len(line))[: len(line)] = line
    block.filled(len(line))
    scan(compiled.program, block, 2)
    return (layers(compiled.program, block) or [[]])[0]


def _body(
    compiled: CompiledFormats, number: int, text: bytes, spans: list[tuple[int, int]]
) -> bytes | None:
    """Return the text that a layer leaves to the next, None if it has none."""
    leaf = compiled.leaves[number]
    slot = leaf.slots.get("body")
    if slot is None or slot & CONSTANT:
        return None
    begin, end = spans[slot & SLOT & ~(FIRST | SECOND)]
    if begin < 0:
        return None
    if compiled.formats[leaf.entry.format].keyed is None:
        return text[begin:end]
    try:
        return str(json.loads(b'"' + text[begin:end] + b'"')).rstrip("\n").encode()
    except ValueError:
        return text[begin:end]


def _inner(found: tuple[Layer, ...], line: bytes) -> bytes:
    """Return what stands behind all envelopes."""
    return found[-1].text.encode() if found else line


def _owners(lines: list[bytes], rows: list[dict[str, Any]]) -> list[tuple[int | None, bool]]:
    """Return for each line the number of its record, and whether that begins with it."""
    left = [deque(row["original"].rstrip(b"\n").split(b"\n")) for row in rows]
    heads = [True] * len(rows)
    owners: list[tuple[int | None, bool]] = []
    for line in lines:
        number = next((n for n, some in enumerate(left) if some and some[0] == line), None)
        if number is None:
            owners.append((None, False))
            continue
        left[number].popleft()
        owners.append((number + 1, heads[number]))
        heads[number] = False
    return owners


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
