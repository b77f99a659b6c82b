"""Reads lines as one format alone does, for its samples."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opslog.engine.normalizer import Normalizer
from opslog.kernel._block import Block
from opslog.language.format import Format
from opslog.rows.literal import event_as_json
from opslog.scanner._scan import layers, scan
from opslog.scanner.catalog import Catalog, without_samples
from opslog.scanner.leaf import CatalogEntry

_WRAPPER = "2024-01-01 00:00:00.000 1 INFO sample [-] "
"""What stands before a message so that a message format's sample is a line."""

YEAR = 2026
"""The year of times without one in samples."""


class SampleReader:
    """Reads lines as one format alone does; an envelope together with what it may hold."""

    def __init__(self, one: Format) -> None:
        self.one = one
        self.message = one.applies_to == "message"
        # A message needs a line around it; a line may hold a message of another format.
        others = [
            f for f in without_samples()
            if (f.name == "oslo.text" if self.message else f.applies_to == "message")
        ]  # fmt: skip
        alone = Catalog.of([*(f for f in others if f.name != one.name), one])
        self.catalog = alone if one.envelope is None else _among_all(one)
        self.compiled = alone.messages if self.message else alone.lines
        self.format = "oslo.text" if self.message else one.name
        self.reached: dict[str, set[int]] = {"layouts": set(), "details": set(), "tails": set()}
        """By kind the numbers of the layouts, then patterns, that took a line so far."""

    def _reach(self, entry: CatalogEntry) -> None:
        kind = "tails" if entry.tail else "details" if entry.detail else "layouts"
        self.reached[kind].add(entry.number)

    def look_into(self, line: str) -> None:
        """Note which detail of the format a line of its records has."""
        leaf = self.compiled.program.detail(len(self.compiled.formats) - 1, line.encode())
        if leaf >= 0:
            self._reach(self.compiled.leaves[leaf].entry)

    def takes(self, line: str) -> bool:
        """Return whether a layout or pattern takes the line, or what an envelope in it holds."""
        if self.one.envelope is None:
            return self.takes_alone(line)
        own = [entry for name, entry in self.layers(line) if name == self.one.name]
        for entry in own:
            self._reach(entry)
        return bool(own)

    def takes_alone(self, line: str) -> bool:
        """Return whether a layout or pattern takes the line where no other format is."""
        program, data = self.compiled.program, line.encode()
        said = event_as_json(data) if self.message else None
        leaf = program.probe(said or data)[0]
        if leaf < 0 and self.compiled.patterns is not None:
            found = self.compiled.patterns.find(data, [])
            leaf = -1 if found is None else found.leaf
        if leaf < 0 and self.message:
            leaf = program.ends(data)
        if leaf >= 0:
            self._reach(self.compiled.leaves[leaf].entry)
        return leaf >= 0

    def layers(self, line: str) -> list[tuple[str, CatalogEntry]]:
        """Return the formats a line is of, with their layouts, the outermost envelope first."""
        data, lines, block = line.encode(), self.catalog.lines, Block(0)
        block.reset(0)
        block.room(len(data))[: len(data)] = data
        block.filled(len(data))
        scan(lines.program, block, 2)
        entries = [lines.leaves[leaf].entry for leaf in (layers(lines.program, block) or [[]])[0]]
        return [(lines.formats[entry.format].name, entry) for entry in entries]

    def stop(self, line: str) -> tuple[int, str]:
        """Return the byte up to which a line that nothing takes is matched, and what is missing."""
        _, _, far, failed = self.compiled.program.probe(line.encode())
        missing = "matched up to here"
        if failed >= 0:
            expected = filter(None, self.compiled.expected[failed])
            missing = f"{missing}; expected {', then '.join(expected)}"
        if self.one.keyed is not None and failed < 0:
            missing = f"expected {self.one.keyed.described}"
        if self.compiled.patterns is not None:
            column, reason = self.compiled.patterns.stop(line)
            if column >= far:
                far, missing = column, reason
        return far, missing

    def records(self, text: str) -> list[dict[str, Any]]:
        """Return the records of a sample's text; values as TOML states them."""
        normalizer = Normalizer(catalog=self.catalog, year=YEAR)
        data = ((_WRAPPER if self.message else "") + text).encode() + b"\n"
        batches = normalizer.feed(data) + normalizer.close()
        return [
            {
                name: (dict(value) or None) if name == "attributes" else toml_value(value)
                for name, value in row.items()
            }
            for batch in batches
            for row in batch.to_pylist()
        ]


def _among_all(one: Format) -> Catalog:
    """Return the shipped formats and ``one``, in the place of its name or else first."""
    shipped = without_samples()
    if all(f.name != one.name for f in shipped):
        return Catalog.beside_shipped([one])
    return Catalog.of([*shipped, one])


def toml_value(value: Any) -> Any:
    """Return a value as text where TOML may state it as a time; ``{}`` states null."""
    if value == {}:
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
