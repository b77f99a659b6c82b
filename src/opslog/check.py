"""Checks that a format reads its own samples as its file says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opslog.catalog import Catalog, shipped
from opslog.engine import Normalizer
from opslog.errors import FormatError, SampleError
from opslog.format import Format, Sample

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
    checker = _Checker(one)
    for index, sample in enumerate(one.samples):
        checker.sample(f"samples[{index}]", sample)
    for index, line in enumerate(one.rejects):
        checker.reject(f"rejects[{index}]", line)
    for number, item in enumerate(one.layouts):
        if not item.derived and number not in checker.reached:
            raise FormatError(
                one.path,
                f"layouts[{number}]",
                f"no sample reaches this layout: {item.layout.text}",
                "add a [[samples]] line that it matches",
            )


class _Checker:
    def __init__(self, one: Format) -> None:
        self.one = one
        self.message = one.applies_to == "message"
        # A message needs a line around it; a line may hold a message of another format.
        others = [
            f for f in shipped()
            if (f.name == "oslo.text" if self.message else f.applies_to == "message")
        ]  # fmt: skip
        self.catalog = Catalog.of([*others, one])
        self.compiled = self.catalog.messages if self.message else self.catalog.lines
        self.reached: set[int] = set()

    def sample(self, key: str, sample: Sample) -> None:
        text = (_WRAPPER if self.message else "") + sample.text
        records = self._records(text)
        far = self._probe(sample.text)
        if len(records) != len(sample.expect):
            raise SampleError(
                self.one.path, key, sample.text, far,
                f"{len(sample.expect)} record(s)", f"{len(records)}",
            )  # fmt: skip
        for record, expect in zip(records, sample.expect, strict=True):
            for column, wanted in {"format": self._format(), **expect}.items():
                found = record.get(column)
                if _comparable(found) != _comparable(wanted):
                    raise SampleError(
                        self.one.path, key, sample.text, far,
                        f"{column} {wanted!r}", f"{_comparable(found)!r}",
                    )  # fmt: skip

    def reject(self, key: str, line: str) -> None:
        leaf, _, _, _ = self.compiled.program.probe(line.encode())
        if leaf >= 0:
            raise SampleError(
                self.one.path, key, line, len(line), "no layout to match", "one that does"
            )

    def _format(self) -> str:
        return "oslo.text" if self.message else self.one.name

    def _probe(self, text: str) -> int:
        """Note which layouts the lines reach; return where the first unmatched one stops."""
        furthest = 0
        for line in text.split("\n"):
            leaf, _, far, _ = self.compiled.program.probe(line.encode())
            if leaf >= 0:
                self.reached.add(self.compiled.leaves[leaf].entry.number)
            else:
                furthest = furthest or far
        return furthest

    def _records(self, text: str) -> list[dict[str, Any]]:
        normalizer = Normalizer(catalog=self.catalog)
        batches = normalizer.feed(text.encode() + b"\n") + normalizer.close()
        return [row for batch in batches for row in batch.to_pylist()]


def _comparable(value: Any) -> Any:
    """Return a value as TOML states it: times as text, maps as tables."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return dict(value) or None
    return value
