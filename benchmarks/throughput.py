"""How much log a candidate takes per second of CPU time, and whether its answer is right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import check
import corpus
import measure
from candidates import CANDIDATES
from questions import Question, filled

PEERS = Path(__file__).resolve().parent / "peers"
_STARTS = 11
"""Runs of which start-up is the median: it is short, and noise in it counts twice."""

_SHORTEST = 0.02
"""Seconds of CPU time beyond start-up below which no rate is told."""

CHECK_MB = 10
"""Size of the log on which answers are checked; they are written to a file there."""


def ask(question: Question, folder: Path, megabytes: int, runs: int) -> dict[str, Any]:
    """Run every candidate, and return a row of numbers for each.

    The rate is the log's size over the CPU time beyond start-up, which is that
    of the same command on one line.
    """
    log, truth = corpus.cached(question.corpus, megabytes, folder)
    one_line = folder / "one-line.log"
    one_line.write_bytes(_kept_line(log, question, truth.request))
    installed = {n: c for n, c in question.commands.items() if CANDIDATES[n].version()}
    # grep stops at the first line where its output is /dev/null.
    keeps_all = question.expects == "records" and question.suffix == "jsonl"
    output = Path("/dev/null") if keeps_all else folder / f"answer.{question.suffix}"

    def commands(path: Path) -> dict[str, str]:
        return {n: _filled(c, path, output, truth.request) for n, c in installed.items()}

    starts = measure.in_turn(commands(one_line), max(runs, _STARTS))
    times = measure.in_turn(commands(log), runs)
    rows = []
    for name, command in question.commands.items():
        row: dict[str, Any] = {"name": name, "command": command}
        rows.append(row)
        if name not in installed:
            row["failed"] = "not installed"
            continue
        start, time = starts[name], times[name]
        if isinstance(start, measure.CommandError) or isinstance(time, measure.CommandError):
            row["failed"] = str(time if isinstance(time, measure.CommandError) else start)
            continue
        used, start_up = measure.median(time), measure.median(start)
        row["cpu"], row["wall"], row["peak"] = used.cpu, used.wall, used.peak
        row["start_up"] = start_up.cpu
        beyond = used.cpu - start_up.cpu
        row["rate"] = truth.bytes / 1e6 / beyond if beyond >= _SHORTEST else None
        row["spread"] = [min(t.cpu for t in time), max(t.cpu for t in time)]
    for row in rows:
        if "failed" not in row:
            row["found"] = _checked(question, row["command"], folder)
    if not keeps_all:
        output.unlink(missing_ok=True)
    small = corpus.cached(question.corpus, CHECK_MB, folder)[1]
    return {
        "name": question.name, "title": question.title, "corpus": question.corpus,
        "rows": rows, "bytes": truth.bytes,
        "expected": getattr(small, question.expects),
        "with_request": small.with_request if question.expects == "records" else None,
        "exceptions": small.exceptions if question.expects == "records" else None,
    }  # fmt: skip


def _kept_line(log: Path, question: Question, request: str) -> bytes:
    """Return the first line that is kept, so that start-up has all that a kept line needs.

    The whole log is read, and so in the page cache afterwards.
    """
    needle = {"warnings": b" WARNING ", "request_records": request.encode()}.get(question.expects)
    if question.corpus == "json" and needle:
        needle = b'"WARNING"'
    found = b""
    with log.open("rb") as file:
        for line in file:
            if not found and (needle is None or needle in line):
                found = line
    return found


def _checked(question: Question, command: str, folder: Path) -> check.Found:
    """Return what the command's answer holds for a small log."""
    log, truth = corpus.cached(question.corpus, CHECK_MB, folder)
    answer = folder / f"answer.{question.suffix}"
    measure.run(_filled(command, log, answer, truth.request))
    counts = check.found(answer)
    answer.unlink()
    return counts


def _filled(command: str, log: Path, output: Path, request: str) -> str:
    return filled(
        command, python=sys.executable, peers=PEERS, input=log, output=output, request=request
    )
