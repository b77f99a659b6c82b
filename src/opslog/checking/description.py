"""A format described for people: its layouts, patterns, samples and the columns it fills."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from opslog.checking.sample_reader import SampleReader
from opslog.language.format import Format
from opslog.language.layout_regex import regex_of
from opslog.model import schema
from opslog.terminal.escape import escaped


def description(one: Format, width: int) -> Iterator[str]:
    """Yield the lines that describe a format; the list of columns fits into ``width`` columns."""
    yield f"{one.name}: {escaped(one.title)}"
    yield f"file     {one.path}"
    yield f"reads    {'messages' if one.applies_to == 'message' else 'lines'}" + (
        "; lines that no format recognises continue its records" if one.follow_on else ""
    )
    reader = SampleReader(one)
    yield from textwrap.wrap(
        ", ".join(_columns(one, reader)), width,
        initial_indent="columns  ", subsequent_indent=" " * 9,
    )  # fmt: skip
    for item in (*one.layouts, *one.tails, *one.details):
        end = " (ends a message)" if item in one.tails else ""
        end = " (what else a line says)" if item in one.details else end
        text, pattern = escaped(item.layout.text), escaped(regex_of(item.layout))
        yield f"\nlayout{end}\n  {text}\nas a regex\n  {pattern}"
    for written in one.patterns:
        yield f"\nregex\n  {escaped(written.text)}"
        if written.kind is not None:
            yield f"  with a timestamp of kind {written.kind}"
    if one.keyed:
        yield f"\n{one.keyed.described}"
    for sample in one.samples:
        yield "\nsample"
        yield from (f"  {escaped(line)}" for line in sample.text.split("\n"))
        for number, record in enumerate(reader.records(sample.text)):
            yield from (
                f"    {name} = {value!r}"
                for name, value in record.items()
                if value is not None and name not in ("format", "source", "source_offset")
            )
            if number + 1 < len(sample.expect):
                yield "    and"


def _columns(one: Format, reader: SampleReader) -> list[str]:
    """Return the columns and attributes the format's lines can fill."""
    number = reader.compiled.formats.index(one)
    leaves = [leaf for leaf in reader.compiled.leaves if leaf.entry.format == number]
    filled = dict.fromkeys(name for leaf in leaves for name in leaf.slots)
    columns = [column.name for column in schema.COLUMNS if column.name in filled]
    return columns + [name for name in filled if name not in schema.BY_NAME]
