"""How sources are read: the options of every command that reads logs."""

from __future__ import annotations

import argparse
import os
import re

from opslog.engine.live import HOLD


def add(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options; return their group."""
    command.add_argument(
        "paths", nargs="*", metavar="PATH", default=["-"],
        help="files, folders or globs; - is standard input (default); "
        "gzip, bzip2, xz and zstd are recognised by content",
    )  # fmt: skip
    reading = command.add_argument_group("reading")
    add_times(reading)
    reading.add_argument(
        "--threads", type=int, metavar="N",
        help="threads to use (default: the processors there are, at most 4)",
    )  # fmt: skip
    return reading


def add_times(reading: argparse._ArgumentGroup) -> None:
    """Add the options that say how times are read."""
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


def add_hold(group: argparse._ArgumentGroup) -> None:
    """Add the option that says how long a record waits."""
    group.add_argument(
        "--hold", type=seconds, metavar="SECONDS", default=HOLD,
        help="wait so long for more lines of a record from a pipe, or with -f; 0: not at all "
        "(default: %(default)s)",
    )  # fmt: skip


def seconds(text: str) -> float:
    """Return a span in seconds; 0.2, 200ms and 5s are some."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)(ms|s)?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected seconds (0.2, 200ms), found {text!r}")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def threads(options: argparse.Namespace) -> int:
    """Return how many threads the options say."""
    given: int | None = options.threads
    return min(4, len(os.sched_getaffinity(0))) if given is None else given
