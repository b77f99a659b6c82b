"""Counts the records of a log with the formats named only, or with all shipped ones.

    python recognise.py INPUT TIMES all|FORMAT...

The log is read so many times.
"""

from __future__ import annotations

import sys

from opslog.logs import read
from opslog.outputs.sinks import Target
from opslog.scanner import catalog
from opslog.scanner.catalog import Catalog


def main() -> None:
    """Print how many records there are, as often as the log is read."""
    path, times, *names = sys.argv[1:]
    formats = Catalog.default()
    if names != ["all"]:
        found = [one for one in catalog.without_samples() if one.name in names]
        formats = catalog.Catalog.of(found)
    for _ in range(int(times)):
        read(path)._changed(catalog=formats)._write(Target("-", "count"))


if __name__ == "__main__":
    main()
