"""What a run counted, as a table for standard error."""

from __future__ import annotations

import sys

from opslog.cli import stages
from opslog.model.stats import Stats
from opslog.terminal.escape import escaped
from opslog.terminal.table import table as aligned

_LEFT_OUT = {
    "neighbours": "{:,} ports and volumes of the instance were too many to be looked for",
    "exceptions": "{:,} exceptions were too many to be looked for in other records",
    "answers": "{:,} records that may explain an error were too many: the latest count",
    "writers": "{:,} writers with open calls were too many to remember: the callers of what they "
    "called may not be told",
    "causes": "{:,} requests caused so many others that it is not told which of those called which",
    "crowds": "{:,} requests began while very many were at work: no callers are taken for likely",
    "contexts": "{:,} ids of requests were too many to remember: records that came later under one "
    "of them may count for that request",
}


def tell_forgotten(stats: Stats, effect: str) -> None:
    """Say on standard error that calls were forgotten, if any were, and what that means.

    And what else of the story, or of requests, was left out because there was too much.
    """
    if stats.forgotten:
        print(
            f"opslog: {stats.forgotten:,} calls between requests were too many to remember: "
            f"{effect}",
            file=sys.stderr,
        )
    for what, text in _LEFT_OUT.items():
        if count := stats.let_go.get(what):
            print(f"opslog: {text.format(count)}", file=sys.stderr)


def table(stats: Stats) -> str:
    """Return what was counted as an aligned table."""
    rows: list[tuple[str, ...]] = [("format", "records", "lines", "bytes")]
    dated = stats.catch_alls
    for name in sorted(stats.formats, key=lambda name: (name is None, name in dated, name)):
        counts = stats.formats[name]
        shown = "(unrecognised)" if name is None else escaped(name)
        if name in dated:
            shown += " (dated)"
        rows.append((shown, *(f"{count:,}" for count in counts)))
    if stats.skipped_bytes:
        rows.append(("(skipped)", "", "", f"{stats.skipped_bytes:,}"))
    rows.append(("total", f"{stats.records:,}", f"{stats.lines:,}", f"{stats.bytes:,}"))
    rows += [(f"dropped by {flag}", f"{count:,}", "", "") for flag, count in stages.dropped(stats)]
    rows.append(("kept", f"{stats.kept:,}", "", ""))
    if stats.binary:
        rows.append(("files without text", f"{stats.binary:,}", "", ""))
    if stats.truncated:
        rows.append(("files truncated", f"{stats.truncated:,}", "", ""))
    return "\n".join(aligned(rows, right=(1, 2, 3)))
