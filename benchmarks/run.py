"""Measures opslog against what one would use today, and writes what it found.

    python benchmarks/run.py [--quick] [--write]

Logs and results (results.json) are kept in a folder under the system's
temporary one, or in --dir.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import corpus
import correlation
import counting
import envelopes
import filters
import latency
import memory
import merging
import recognition
import report
import small_files
import stages
import start_up
import threads
import throughput
import tracing
import unusual
from candidates import CANDIDATES
from questions import QUESTIONS

README = Path(__file__).resolve().with_name("README.md")
_OTHERS = (
    "recognition", "envelopes", "filters", "stages", "counting", "merging", "correlation",
    "tracing", "latency", "threads", "memory", "small_files", "unusual", "start_up",
)  # fmt: skip


def main() -> None:
    """Ask the questions and print or write the tables."""
    options = _options()
    folder: Path = options.dir
    _, truth = corpus.cached("text", options.size, folder)
    versions = {name: candidate.version() for name, candidate in CANDIDATES.items()}
    results: dict[str, Any] = {
        "command": " ".join(["python", "benchmarks/run.py", *_without_folder(sys.argv[1:])]),
        "runs": options.runs,
        "check_mb": throughput.CHECK_MB,
        "truth": asdict(truth),
        "machine": machine(),
        "versions": {n: v for n, v in versions.items() if v},
        "missing": [n for n, v in versions.items() if not v],
    }  # fmt: skip
    before = _before(folder) if options.keep else {}
    results |= {name: before.get(name, []) for name in ("questions", *_OTHERS)}
    asked = {question["name"]: question for question in before.get("questions", [])}
    for question in QUESTIONS:
        if _asked(options, question.name):
            _say(question.title)
            asked[question.name] = throughput.ask(question, folder, options.size, options.runs)
            results["questions"] = [asked[q.name] for q in QUESTIONS if q.name in asked]
            _save(results, folder)
    others: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "recognition": lambda: recognition.ask(folder, options.size, options.runs),
        "envelopes": lambda: envelopes.ask(folder, options.size, options.runs),
        "filters": lambda: filters.ask(folder, options.size, options.runs),
        "stages": lambda: stages.ask(folder, options.size, options.runs),
        "counting": lambda: counting.ask(folder, options.size, options.runs),
        "merging": lambda: merging.ask(folder, options.runs),
        "correlation": lambda: correlation.ask(
            folder, options.size, options.memory_size, options.runs
        ),
        "tracing": lambda: tracing.ask(folder, (options.size, options.memory_size), options.runs),
        "latency": lambda: latency.ask(*((5, 5) if options.quick else (20, 60))),
        "threads": lambda: threads.ask(folder, options.size, options.runs),
        "memory": lambda: memory.ask(folder, options.memory_size),
        "small_files": lambda: small_files.ask(
            folder, 1000 if options.quick else small_files.FILES, options.runs
        ),
        "unusual": lambda: unusual.ask(folder, options.size, options.runs),
        "start_up": lambda: start_up.ask(folder),
    }
    for name, ask in others.items():
        if _asked(options, name):
            _say(name)
            results[name] = ask()
            _save(results, folder)
    page = report.render(results)
    if options.write:
        README.write_text(page)
    else:
        print(page, end="")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure opslog against its peers.")
    parser.add_argument("--size", type=int, default=1000, metavar="MB", help="size of the logs")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each command")
    parser.add_argument("--quick", action="store_true", help="100 MB, 1 run, a small stream")
    parser.add_argument("--write", action="store_true", help=f"write {README.name}")
    parser.add_argument(
        "--only", action="append", choices=[*(q.name for q in QUESTIONS), *_OTHERS],
        help="ask this question only; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--keep", action="store_true", help="keep what was found before of what is not asked now"
    )
    parser.add_argument(
        "--memory-size",
        type=int,
        default=10000,
        metavar="MB",
        help="size of the stream for memory, and of the large log for tracing",
    )
    parser.add_argument(
        "--dir", type=Path, default=Path(tempfile.gettempdir()) / "opslog-benchmarks",
        metavar="DIR", help="where the logs are kept",
    )  # fmt: skip
    options = parser.parse_args()
    if options.quick:
        options.size, options.runs, options.memory_size = 100, 1, 200
    return options


def _before(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def _save(results: dict[str, Any], folder: Path) -> None:
    """Write what was found so far, so that a run that was stopped goes on with --keep --only."""
    (folder / "results.json").write_text(json.dumps(results, indent=1))


def _asked(options: argparse.Namespace, name: str) -> bool:
    return not options.only or name in options.only


def _without_folder(arguments: list[str]) -> list[str]:
    """Return the arguments without --dir, which says nothing about the results."""
    out, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith("--dir="):
            out.append(argument)
        skip = argument == "--dir"
        if skip:
            out.pop()
    return out


def machine() -> dict[str, str]:
    """Return what the numbers depend on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if x[:10] == "model name"), model)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": f"{model}, {len(os.sched_getaffinity(0))} cores used",
        "memory": f"{pages / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
