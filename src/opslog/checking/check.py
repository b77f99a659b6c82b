"""Checks that a format reads its own samples as its file says."""

from __future__ import annotations

from typing import Any

from opslog.checking.sample_reader import SampleReader, toml_value
from opslog.language.format import Format, FormatSample
from opslog.model.errors import FormatError, LayoutError, SampleError


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
        key = keys[0] or "oslo" if keys else "layouts"
        raise FormatError(one.path, key, str(error)) from None
    for index, sample in enumerate(one.samples):
        _check_sample(reader, f"samples[{index}]", sample)
    for index, line in enumerate(one.rejects):
        _check_reject(reader, f"rejects[{index}]", line)
    for kind, layouts in _layouts(one).items():
        for number, (key, text) in enumerate(layouts):
            if key and number not in reader.reached[kind]:
                raise FormatError(
                    one.path, key, f"no sample reaches this layout: {text}",
                    "add a [[samples]] line that it matches",
                )  # fmt: skip


def _layouts(one: Format) -> dict[str, list[tuple[str, str]]]:
    """Return the key and the text of the format's layouts by kind, with its patterns."""
    kinds = {"layouts": one.layouts, "details": one.details, "tails": one.tails}
    texts = {
        kind: [(item.key, item.layout.text) for item in items] for kind, items in kinds.items()
    }
    texts["layouts"] += [(pattern.key, pattern.text) for pattern in one.patterns]
    return texts


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
            if found != toml_value(wanted):
                line, place = _where(lines, found)
                raise SampleError(
                    path, key, line, place, f"{column} {wanted!r}", repr(found), f"{column}"
                )  # fmt: skip


def _check_reject(reader: SampleReader, key: str, line: str) -> None:
    hollow = reader.one.envelope is not None and reader.one.envelope.hollow
    if reader.takes(line) or (not hollow and reader.takes_alone(line)):
        raise SampleError(
            reader.one.path, key, line, len(line.encode()), "no layout to match", "one that does"
        )


def _where(lines: list[str], found: Any) -> tuple[str, int]:
    """Return the line and the byte column where a value stands, the first line's start if none."""
    for line in lines:
        if found not in (None, "") and str(found) in line:
            return line, len(line[: line.find(str(found))].encode())
    return lines[0], 0
