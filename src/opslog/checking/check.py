"""Checks that a format reads its own samples as its file says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opslog.engine.normalizer import Normalizer
from opslog.kernel._block import Block
from opslog.language.format import Format, FormatSample
from opslog.model.errors import FormatError, LayoutError, SampleError
from opslog.rows.literal import event_as_json
from opslog.scanner._scan import layers, scan
from opslog.scanner.catalog import Catalog, beside_shipped, without_samples
from opslog.scanner.leaf import CatalogEntry

_WRAPPER = "2024-01-01 00:00:00.000 1 INFO sample [-] "
"""What stands before a message so that a message format's sample is a line."""


def check(one: Format) -> None:
    """Check every sample, reject and layout of a format.

    Raises SampleError for the first sample that is not read as its ``expect``
    says or reject that is recognised, FormatError for a format without samples
    or with a layout that no sample reaches.  Layouts derived from oslo.log's
    options need no sample.
    """
    if not one.samples:
        raise FormatError(one.path, "samples", "expected at least one [[samples]]")
    try:
        reader = SampleReader(one)
    except LayoutError as error:
        keys = [item.key for item in one.layouts if item.layout.text == error.layout]
        raise FormatError(one.path, "".join(keys[:1]) or "oslo", str(error)) from None
    for index, sample in enumerate(one.samples):
        _check_sample(reader, f"samples[{index}]", sample)
    for index, line in enumerate(one.rejects):
        _check_reject(reader, f"rejects[{index}]", line)
    layouts = [(item.key, item.layout.text) for item in one.layouts]
    for number, (key, text) in enumerate(layouts + [(p.key, p.text) for p in one.patterns]):
        if key and number not in reader.reached:
            raise _unreached(one, key, text)
    for number, item in enumerate(one.details):
        if number not in reader.detailed:
            raise _unreached(one, item.key, item.layout.text)
    for number, item in enumerate(one.tails):
        if item.key and ~number not in reader.reached:
            raise _unreached(one, item.key, item.layout.text)


def _unreached(one: Format, key: str, text: str) -> FormatError:
    return FormatError(
        one.path, key, f"no sample reaches this layout: {text}",
        "add a [[samples]] line that it matches",
    )  # fmt: skip


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
        self.reached: set[int] = set()
        """Numbers of the layouts, then patterns, that took a line of ``takes``; ~ of a tail."""

        self.detailed: set[int] = set()
        """Numbers of the details found in lines."""

    def look_into(self, line: str) -> None:
        """Note which detail of the format a line of its records has."""
        leaf = self.compiled.program.detail(len(self.compiled.formats) - 1, line.encode())
        if leaf >= 0:
            self.detailed.add(self.compiled.leaves[leaf].entry.number)

    def takes(self, line: str) -> bool:
        """Return whether a layout or pattern takes the line, or what an envelope in it holds."""
        if self.one.envelope is None:
            return self.alone(line)
        own = [entry for name, entry in self.layers(line) if name == self.one.name]
        self.reached.update(entry.number for entry in own)
        return bool(own)

    def alone(self, line: str) -> bool:
        """Return whether a layout or pattern takes the line where no other format is."""
        said = event_as_json(line.encode()) if self.message else None
        leaf = self.compiled.program.probe(said or line.encode())[0]
        if leaf < 0 and self.compiled.patterns is not None:
            found = self.compiled.patterns.find(line.encode(), [])
            leaf = -1 if found is None else found.leaf
        if leaf >= 0:
            self.reached.add(self.compiled.leaves[leaf].entry.number)
        elif (leaf := self.compiled.program.ends(line.encode()) if self.message else -1) >= 0:
            self.reached.add(~self.compiled.leaves[leaf].entry.number)
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
        if self.one.json is not None and failed < 0:
            keys = ", ".join(
                [*self.one.json.required, self.one.json.iso or self.one.json.epoch or ""]
            )
            missing = f"expected a JSON object with the keys {keys}"
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
                name: (dict(value) or None) if name == "attributes" else _stated(value)
                for name, value in row.items()
            }
            for batch in batches
            for row in batch.to_pylist()
        ]


def _among_all(one: Format) -> Catalog:
    """Return the shipped formats and ``one``, in the place of its name or else first."""
    shipped = without_samples()
    if all(f.name != one.name for f in shipped):
        return beside_shipped([one])
    return Catalog.of([*shipped, one])


def _check_sample(reader: SampleReader, key: str, sample: FormatSample) -> None:
    path = reader.one.path
    lines = sample.text.split("\n")
    untaken = [line for line in lines if not reader.takes(line)]
    for line in lines:
        reader.look_into(line)
    if lines[0] in untaken:
        far, missing = reader.stop(lines[0])
        raise SampleError(
            path, key, lines[0], far, f"format {reader.one.name!r}", "None", missing
        )  # fmt: skip
    records = reader.records(sample.text)
    if len(records) != len(sample.expect):
        line = (untaken or lines)[0]
        far, missing = reader.stop(line) if untaken else (0, "")
        raise SampleError(
            path, key, line, far, f"{len(sample.expect)} record(s)", f"{len(records)}", missing
        )  # fmt: skip
    for record, expect in zip(records, sample.expect, strict=True):
        for column, wanted in {"format": reader.format, **expect}.items():
            if column not in record:
                raise FormatError(
                    path, f"{key}.expect.{column}", "expected the name of a column",
                    "values of other names are in expect.attributes",
                )  # fmt: skip
            found = record[column]
            if found != _stated(wanted):
                line, place = _where(lines, found)
                raise SampleError(
                    path, key, line, place, f"{column} {wanted!r}", repr(found), f"{column}"
                )  # fmt: skip


def _check_reject(reader: SampleReader, key: str, line: str) -> None:
    hollow = reader.one.envelope is not None and reader.one.envelope.hollow
    if reader.takes(line) or (not hollow and reader.alone(line)):
        raise SampleError(
            reader.one.path, key, line, len(line.encode()), "no layout to match", "one that does"
        )


def _where(lines: list[str], found: Any) -> tuple[str, int]:
    """Return the line and the byte column where a value stands, the first line's start if none."""
    for line in lines:
        if found not in (None, "") and str(found) in line:
            return line, len(line[: line.find(str(found))].encode())
    return lines[0], 0


def _stated(value: Any) -> Any:
    """Return a value as text where TOML may state it as a time; ``{}`` states null."""
    if value == {}:
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
