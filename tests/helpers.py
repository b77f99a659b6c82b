"""What several tests need: text in, records out, by the library's own doors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from opslog import Normalizer, schema

ROOT = Path(__file__).resolve().parents[1]


def table(data: bytes, cuts: Iterable[int] = (), **options: Any) -> pa.Table:
    """Normalise ``data``, fed in pieces cut at the given offsets."""
    normalizer = Normalizer(**options)
    batches, start = [], 0
    for end in (*sorted(cuts), len(data)):
        batches += normalizer.feed(data[start:end])
        start = end
    batches += normalizer.close()
    return pa.Table.from_batches(batches, schema.arrow_schema(options.get("original", False)))


def records(text: str | bytes, **options: Any) -> list[dict[str, Any]]:
    """Normalise text and return each record's values without the nulls."""
    data = text.encode() if isinstance(text, str) else text
    return [
        {k: dict(v) if k == "attributes" else v for k, v in row.items() if v not in (None, [])}
        for row in table(data, **options).to_pylist()
    ]


def opslog(
    *arguments: str, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "opslog", *arguments], input=stdin, capture_output=True, cwd=cwd,
        check=False,
    )  # fmt: skip
