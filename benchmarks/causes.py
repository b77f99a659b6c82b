"""How often the cause of a fault is among the first findings: opslog why beside a peer.

``python benchmarks/causes.py PAIRS`` reads the pairs that faults.py wrote (or others with a
truth.json of the same keys).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import opslog
from opslog.compare import Finding, compare

FIRST = 3
"""Findings that an operator reads."""


def names_cause(finding: Finding, truth: dict[str, list[str]]) -> bool:
    """Whether a finding tells the cause: it quotes it, or names the operation that changed."""
    said = " ".join(filter(None, (finding.text, finding.quote)))
    if any(needle in said for needle in truth["needles"]):
        return True
    names = {finding.operation, finding.service, (finding.operation or "").split(" ")[0]}
    return finding.kind in truth["kinds"] and bool(names & {*truth["operations"]})


def line_names_cause(line: str, truth: dict[str, list[str]]) -> bool:
    """Whether a line quotes the cause, or is one of the operation that changed."""
    if any(needle in line for needle in truth["needles"]):
        return True
    for operation in truth["operations"]:
        _, method, route = [*operation.split(" "), "", ""][:3]
        pattern = re.escape(f"{method} ") + r"\S*" + re.escape(route).replace(r"\{id\}", "[^/ ]+")
        if route and re.search(pattern + r"(?:[ ?\"]|$)", line):
            return True
    return False


def main(pairs: Path) -> None:
    """Print for each pair at which place the cause stands, and the shares at the end."""
    from peers.nearest import new_lines

    hits = [0, 0, 0]
    folders = sorted(path.parent for path in pairs.glob("*/truth.json"))
    print(f"{'pair':34} {'opslog':>12} {'by distance':>12} {'by time':>12}")
    for folder in folders:
        truth = json.loads((folder / "truth.json").read_text())
        bad, good = folder / "bad", folder / "good"
        found = compare(opslog.read(bad), [opslog.read(good)]).findings
        lines = new_lines(bad, [good])
        in_time = sorted(lines, key=lambda one: re.findall(r"\d\d:\d\d:\d\d\S*", one.text)[:1])
        places = [
            _place([names_cause(one, truth) for one in found]),
            _place([line_names_cause(one.text, truth) for one in lines]),
            _place([line_names_cause(one.text, truth) for one in in_time]),
        ]
        sizes = [len(found), len(lines), len(lines)]
        for number, place in enumerate(places):
            hits[number] += place is not None and place <= FIRST
        cells = (f"{p or '-'} of {n}" for p, n in zip(places, sizes, strict=True))
        print(f"{folder.name:34} " + " ".join(f"{cell:>12}" for cell in cells), flush=True)
    told = (f"{hit}/{len(folders)}" for hit in hits)
    print(f"{f'among the first {FIRST}':34} " + " ".join(f"{one:>12}" for one in told))


def _place(hits: list[bool]) -> int | None:
    return hits.index(True) + 1 if True in hits else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
