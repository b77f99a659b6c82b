"""Counts what an answer holds, to be compared with the truth.

    python benchmarks/check.py ANSWER

It prints JSON: rows, rows with a request id, rows with an exception; null where
the answer has no such column.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict


class Found(TypedDict):
    """What an answer holds."""

    rows: int
    with_request: int | None
    exceptions: int | None


def found(path: Path) -> Found:
    """Count in another process, so that this one stays small."""
    told = subprocess.run(
        [sys.executable, __file__, str(path)], capture_output=True, text=True, check=True
    )
    counts: Found = json.loads(told.stdout)
    return counts


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the columns that count, of each row; none of lines that are no JSON."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(path)
        columns = {"request_id", "exception_type"} & set(file.schema_arrow.names)
        for batch in file.iter_batches(columns=list(columns)):
            yield from batch.to_pylist()
        return
    import orjson

    with path.open("rb") as lines:
        for line in lines:
            yield orjson.loads(line) if line.startswith(b"{") else {}


def _context(row: dict[str, Any]) -> Any:
    """Return the request id, also where oslo.log's own objects were passed on."""
    return row.get("request_id") or (row.get("context") or {}).get("request_id")


def main() -> None:
    """Count what the answer named on the command line holds."""
    rows = with_request = exceptions = 0
    for row in _rows(Path(sys.argv[1])):
        rows += 1
        with_request += bool(_context(row))
        exceptions += bool(row.get("exception_type"))
    answer = Found(rows=rows, with_request=with_request or None, exceptions=exceptions or None)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
