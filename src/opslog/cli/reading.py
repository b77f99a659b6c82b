"""How sources are read: the options of every command that reads logs."""

from __future__ import annotations

import argparse
import os


def add(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options; return their group."""
    command.add_argument(
        "paths", nargs="*", metavar="PATH", default=["-"],
        help="files, folders or globs; - is standard input (default); "
        "gzip, bzip2, xz and zstd are recognised by content",
    )  # fmt: skip
    reading = command.add_argument_group("reading")
    reading.add_argument(
        "--timezone", action="append", metavar="ZONE", default=[],
        help="zone of times without an offset: an IANA name or +HH:MM (default: UTC); "
        "PATTERN=ZONE says it of the files whose path or name is like PATTERN, "
        "and may be given again: the last one that fits counts",
    )  # fmt: skip
    reading.add_argument(
        "--year", type=int, metavar="YEAR",
        help="year of times without one (default: the last in which they are not after the "
        "file's last change)",
    )  # fmt: skip
    reading.add_argument(
        "--threads", type=int, metavar="N",
        help="threads to use (default: the processors there are, at most 4)",
    )  # fmt: skip
    return reading


def threads(options: argparse.Namespace) -> int:
    """Return how many threads the options say."""
    given: int | None = options.threads
    return min(4, len(os.sched_getaffinity(0))) if given is None else given
