"""What it costs to find out who called whom, and how much memory that takes.

    python benchmarks/correlation.py plain|graph LOG

writes LOG as JSON lines to /dev/null in one pass, with or without a request
graph beside it, and says how many calls were found and forgotten.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import corpus
import measure

KINDS = ("text", "json", "docker", "journal", "mixed")
AIM = 1.25
"""CPU time of JSON lines with the graph, of that without, at most."""

_ID = re.compile(rb"req-[0-9a-f]{4}")


def ask(folder: Path, megabytes: int, memory_megabytes: int, runs: int) -> list[dict[str, Any]]:
    """Return CPU seconds of each kind of log without and with the graph, and peaks of a stream."""
    rows = []
    for kind in KINDS:
        log, _ = corpus.cached(kind, megabytes, folder)
        commands = {mode: _command(mode, log) for mode in ("plain", "graph")}
        if kind == "text":
            opslog = f"{sys.executable} -m opslog filter --threads 1"
            commands["--root"] = f"{opslog} --root {log} > /dev/null"
            condition = "--severity ERROR --with-requests"
            commands[condition] = f"{opslog} {condition} {log} > /dev/null"
        row: dict[str, Any] = {"title": kind, "bytes": log.stat().st_size, "cpu": {}}
        for name, found in measure.in_turn(commands, runs).items():
            if isinstance(found, measure.CommandError):
                raise found
            row["cpu"][name] = statistics.median(one.cpu for one in found)
        rows.append(row)
    log, _ = corpus.cached("text", min(200, megabytes), folder)
    peaks = {
        str(size): measure.run(_command("graph", Path("-")), fresh(log, size * 1_000_000)).peak
        for size in (memory_megabytes // 10, memory_megabytes)
    }
    return [*rows, {"title": "stream", "peaks": peaks}]


def _command(mode: str, log: Path) -> str:
    return f"{sys.executable} {__file__} {mode} {log} > /dev/null"


def fresh(path: Path, size: int) -> Callable[[IO[bytes]], None]:
    """Return what writes a log again and again, each time with other request ids."""

    def feed(pipe: IO[bytes]) -> None:
        written = turn = 0
        while written < size:
            key = turn

            def other(found: re.Match[bytes], key: int = key) -> bytes:
                return b"req-%04x" % (int(found[0][4:], 16) ^ key)

            with path.open("rb") as file:
                while written < size and (chunk := b"".join(file.readlines(1 << 20))):
                    chunk = _ID.sub(other, chunk) if turn else chunk
                    pipe.write(chunk)
                    written += len(chunk)
            turn += 1

    return feed


def main() -> None:
    """Read a log once."""
    from opslog.correlate.graph import RequestGraph
    from opslog.correlate.links import LinkCandidates
    from opslog.correlate.related import FirstReading
    from opslog.logs import read
    from opslog.model.schema import names
    from opslog.model.stats import Stats
    from opslog.rows._jsonl import JsonLines
    from opslog.rows.kept import Kept

    mode, log = sys.argv[1:]
    related, writer = FirstReading(RequestGraph(), None), JsonLines()

    def finish(kept: Kept) -> LinkCandidates | None:
        found = related.find(kept)[0] if mode == "graph" else None
        kept.json_lines(writer)
        with memoryview(writer) as lines:
            output.write(lines)
        return found

    stats = Stats()
    with open("/dev/null", "wb", buffering=0) as output:
        for found in read(log)._begun(stats).results(finish, names()):
            if found is not None:
                related.add(found, None)
    related.settle()
    graph = related.graph
    said = f"records {stats.records:,} called {len(graph):,} forgotten {graph.evicted:,}"
    print(said, flush=True)


if __name__ == "__main__":
    main()
