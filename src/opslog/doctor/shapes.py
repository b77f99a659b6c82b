"""Lines that no format reads, counted by their shapes: memory does not grow with the file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from opslog.doctor.report import Example
from opslog.rows.kept import Kept
from opslog.rows.template import templates

_LONGEST = 160
"""Characters of a line that are looked at."""

_SHOWN = 300

_MOST = 4096
"""Shapes that are counted at the same time: beyond these the rarest are forgotten."""


@dataclass(slots=True)
class Shapes:
    """How many records have each shape, and the first of them."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, Example] = field(default_factory=dict)
    left_out: int = 0
    """Records of the shapes that were forgotten."""

    def add(self, more: Shapes) -> None:
        """Add the shapes of what stands behind."""
        self.counts += more.counts
        for shape, example in more.first.items():
            self.first.setdefault(shape, example)
        if len(self.counts) > _MOST:
            before = self.counts.total()
            self.counts = Counter(dict(self.counts.most_common(_MOST // 2)))
            self.left_out += before - self.counts.total()
            self.first = {shape: self.first[shape] for shape in self.counts}


def shapes_of(kept: Kept, rows: pa.Array) -> Shapes:
    """Return the shapes of those of the records that ``rows`` (int32) numbers."""
    lines = pc.replace_substring_regex(kept.others(("body",), rows).column(0), r"(?s)\n.*", "")
    shapes = templates(pc.utf8_slice_codeunits(lines, 0, _LONGEST))
    table = pa.table({"shape": shapes, "row": rows}).filter(pc.is_valid(shapes))
    groups = table.group_by("shape", use_threads=False)
    found = groups.aggregate([("shape", "count"), ("row", "min")])
    names = found["shape"].to_pylist()
    first = examples(kept, found["row_min"].combine_chunks())
    return Shapes(
        Counter(dict(zip(names, found["shape_count"].to_pylist(), strict=True))),
        dict(zip(names, first, strict=True)),
    )


def examples(kept: Kept, rows: pa.Array) -> list[Example]:
    """Return the beginnings of those of the records that ``rows`` (int32) numbers."""
    batch = kept.others(("source_offset", "original"), rows)
    found = zip(*batch.to_pydict().values(), strict=True)
    return [Example(at, beginning(text)) for at, text in found]


def beginning(lines: bytes) -> str:
    """Return the first line, shortened if it is long."""
    text = lines.split(b"\n", 1)[0][: 4 * _SHOWN].decode("utf-8", "replace").rstrip("\r")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
