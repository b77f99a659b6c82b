"""How much memory opslog needs for a stream of any length."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import corpus
import measure

_CORPUS_MB = 200
"""The stream is a log of this size again and again; the whole is never stored."""

_COMMANDS = {
    "all records, 1 thread": "filter --threads 1",
    "all records, 2 threads": "filter --threads 2",
    "WARNING and above, 1 thread": "filter --threads 1 --severity WARNING",
    "Parquet, 1 thread": "filter --threads 1 -o {parquet}",
}


def ask(folder: Path, megabytes: int) -> list[dict[str, Any]]:
    """Return the peak memory for a tenth of the stream and for all of it."""
    log, _ = corpus.cached("text", min(_CORPUS_MB, megabytes), folder)
    parquet = folder / "answer.parquet"
    rows = []
    for title, arguments in _COMMANDS.items():
        command = f"{sys.executable} -m opslog {arguments} > /dev/null".format(parquet=parquet)
        peaks = {}
        for size in (megabytes // 10, megabytes):
            peaks[str(size)] = measure.run(command, measure.repeat(log, size * 1_000_000)).peak
        rows.append({"title": title, "peaks": peaks})
    parquet.unlink(missing_ok=True)
    return rows
