"""The results as Markdown: every number of the tables comes from a run.

    python benchmarks/report.py RESULTS.json > benchmarks/README.md

RESULTS.json is what run.py leaves in its folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import correlation
import measure
import recognition
import tracing
from candidates import CANDIDATES, SEARCHES

_INTRODUCTION = """\
# Benchmarks

Written by `{command}`; nothing here is typed by hand.  To measure another machine:

```sh
pip install -e '.[benchmark]'
python benchmarks/run.py                  # 1000 MB, prints the tables
python benchmarks/run.py --quick          # a few minutes, rough numbers
python benchmarks/run.py --write          # writes this page
python benchmarks/run.py --write --keep --only filters   # measures one part again
```

Peers that are not installed are skipped.  `corpus.py` makes the logs: text as oslo.log prints it
({line:.0f} bytes a line, {serious:.1f} % of the bytes in records of WARNING and above,
{exceptions:.2f} % of the records with a traceback of 10 to 20 lines, between whose lines other
workers write), and the same kind of records as JSON; the truth about them is counted when they are
written.

**Rate** is MB (10⁶ bytes) of log per second of CPU time (user and system, all threads) beyond
start-up, which is the same command on one line that is kept; medians of {runs} runs, the candidates
in turn; what takes longer than {long} s is run once.  **opslog is** tells how many times
opslog's rate is the candidate's.  Answers go to a
file, but JSON lines of all records to `/dev/null` (DataFusion's to a file that is removed: it can
only rename what it wrote).  **Peak** is resident memory, the pages of a log that is mapped into it
included.

**Answer** is checked on a log of {check} MB of the same kind, whose truth is known.
"""


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    truth = results["truth"]
    parts = [
        _INTRODUCTION.format(
            command=results["command"], runs=results["runs"], check=results["check_mb"],
            long=measure.LONG,
            line=truth["bytes"] / truth["lines"],
            serious=100 * truth["warning_bytes"] / truth["bytes"],
            exceptions=100 * truth["exceptions"] / truth["records"],
        ),
        _summary(results["questions"]),
        _machine(results),
        *map(_question, results["questions"]),
    ]  # fmt: skip
    if results["recognition"]:
        parts.append(_recognition(results["recognition"]))
    if results["envelopes"]:
        parts.append(_envelopes(results["envelopes"]))
    if results["filters"]:
        parts.append(_filters(results["filters"]))
    if results["stages"]:
        parts.append(_stages(results["stages"]))
    if results["counting"]:
        parts.append(_counting(results["counting"]))
    if results["merging"]:
        parts.append(_merging(results["merging"]))
    if results["correlation"]:
        parts.append(_correlation(results["correlation"]))
    if results["tracing"]:
        parts.append(_tracing(results["tracing"]))
    if results["latency"]:
        parts.append(_latency(results["latency"]))
    if results["threads"]:
        parts.append(_threads(results["threads"]))
    if results["memory"]:
        parts.append(_memory(results["memory"]))
    if results["small_files"]:
        parts.append(_small_files(results["small_files"]))
    if results["unusual"]:
        parts.append(_unusual(results["unusual"]))
    if results["start_up"]:
        parts.append(_start_up(results["start_up"]))
    parts.append(_commands(results["questions"]))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _summary(questions: list[dict[str, Any]]) -> str:
    """Return one line a question; programs that only search are no peers but a bound."""
    rows = []
    for question in questions:
        rates = {row["name"]: row["rate"] for row in question["rows"] if row.get("rate")}
        own = rates.pop("opslog", None)
        peers = {n: r for n, r in rates.items() if n not in (*SEARCHES, "loop", "loop-words")}
        fastest = max(peers, key=peers.__getitem__, default=None)
        rows.append([
            question["title"],
            f"{own:.0f}" if own else "too short to tell",
            _times(own, rates.get("loop")),
            f"{_times(own, peers[fastest])} ({CANDIDATES[fastest].title})" if fastest else "-",
            _times(own, rates.get("grep")),
        ])  # fmt: skip
    head = ["opslog, one thread", "MB/s", "the Python loop", "the fastest peer", "grep"]
    return f"## In short\n\n{table(head, rows)}"


def _machine(results: dict[str, Any]) -> str:
    versions = [[CANDIDATES[name].title, version] for name, version in results["versions"].items()]
    missing = [CANDIDATES[name].title for name in results["missing"]]
    facts = [[key, value] for key, value in results["machine"].items()]
    out = f"## Machine and versions\n\n{table(['', ''], facts)}\n{table(['', 'version'], versions)}"
    return out + (f"\nNot installed, so skipped: {', '.join(missing)}.\n" if missing else "")


def _question(question: dict[str, Any]) -> str:
    rows, answers = [], []
    lacks = "lacks" if question["corpus"] == "text" else "lacks_json"
    best = next((row.get("rate") for row in question["rows"] if row["name"] == "opslog"), None)
    for row in question["rows"]:
        title = CANDIDATES[row["name"]].title
        if "failed" in row:
            rows.append([title, row["failed"], *["-"] * 6])
            continue
        rows.append([
            f"**{title}**" if row["name"] == "opslog" else title,
            f"{row['rate']:.0f}" if row["rate"] else "too short to tell",
            _times(best, row["rate"]) if row["name"] != "opslog" else "",
            f"{row['cpu']:.2f}",
            f"{row['spread'][0]:.2f} to {row['spread'][1]:.2f}",
            f"{row['start_up']:.2f}",
            f"{row['wall']:.2f}",
            f"{row['peak']:.0f}",
        ])  # fmt: skip
        missing = getattr(CANDIDATES[row["name"]], lacks)
        answers.append([title, *_found(row["found"], question), missing])
    head = ["", "rate, MB/s", "opslog is", "CPU, s", "lowest to highest", "start-up, s", "wall, s",
            "peak, MB"]  # fmt: skip
    counts = ["answer", f"rows (truth: {question['expected']:,})"]
    if question["with_request"] is not None:
        counts += [f"with a request id ({question['with_request']:,})",
                   f"with an exception ({question['exceptions']:,})"]  # fmt: skip
    size = question["bytes"] / 1e6
    return (
        f"## {question['title']}\n\n{size:.0f} MB of log.\n\n{table(head, rows)}\n"
        f"{table([*counts, 'lacks'], answers)}"
    )


def _times(best: float | None, rate: float | None) -> str:
    """Return how many times ``rate`` goes into ``best``."""
    if not best or not rate:
        return "-"
    ratio = best / rate
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x" if ratio >= 1 else f"{ratio:.2f}x"


def _found(found: dict[str, Any], question: dict[str, Any]) -> list[str]:
    """Return what was counted, and by how much it differs from the truth."""
    cells = [_against(found["rows"], question["expected"])]
    if question["with_request"] is not None:
        cells.append(_against(found["with_request"], question["with_request"]))
        cells.append(_against(found["exceptions"], question["exceptions"]))
    return cells


def _against(count: int | None, truth: int) -> str:
    if count is None:
        return "none"
    return f"{count:,}" if count == truth else f"{count:,} ({100 * (count - truth) / truth:+.0f} %)"


def _recognition(rows: list[dict[str, Any]]) -> str:
    cells = []
    for r in rows:
        one, every = r["cpu"]["one"], r["cpu"]["all"]
        ratio = f"{every / one:.2f}" if one > 0 else "too short to tell"
        counts = [_against(r["records"][name], r["expected"]) for name in ("one", "all")]
        cells.append([f"`{r['format']}`", *counts, f"{one:.2f}", f"{every:.2f}", ratio])
    head = ["", "records, one format", "all formats", "CPU, s, one format", "all formats", "ratio"]
    how = (
        f"Logs of {rows[0]['bytes'] / 1e6:.0f} MB, of one format each, with that format alone and "
        "with all shipped ones: what is\nrecognised must not cost more because more is known.  "
        "Records are counted (`-c`), the cheapest thing to do with\nthem; CPU time beyond "
        f"start-up, each log read {recognition.TIMES} times.  The aim is a ratio of "
        f"{recognition.AIM} at most."
    )
    return f"## What loading all formats costs\n\n{how}\n\n{table(head, cells)}"


def _envelopes(questions: list[dict[str, Any]]) -> str:
    cells, answers = [], []
    for question in questions:
        rows = {row["name"]: row for row in question["rows"]}
        rates = {name: row.get("rate") for name, row in rows.items()}
        cells.append([
            question["title"],
            *(f"{rate:.0f}" if rate else "too short to tell" for rate in rates.values()),
            _times(rates["opslog"], rates["loop"]),
            f"{question['aim']:g}x",
        ])  # fmt: skip
        for name in rows:
            found = rows[name].get("found")
            if found is None:
                continue
            counts = _found(found, question)
            answers.append([
                question["title"], CANDIDATES[name].title,
                f"{question['expected']:,}", *counts, *["-"] * (3 - len(counts)),
            ])  # fmt: skip
    size = questions[0]["bytes"] / 1e6
    how = (
        f"Logs of {size:.0f} MB, to JSON lines, one thread.  The first holds lines of oslo.log in "
        "RFC 3164 syslog, Docker's json-file,\nCRI, the journal's JSON, and bare, another kind "
        "after some hundred lines, tracebacks line by line; the others are of one kind.\nThe loop "
        "(`peers/unwrap.py`, `peers/loop.py`) takes the envelopes off with re and orjson and fills "
        "the same columns.  Rates are\nMB/s as above; the aim is what opslog is to be at least."
    )
    head = ["", "opslog", "the Python loop", "opslog is", "aim"]
    count = ["answer", "", "truth", "rows", "with a request id", "with an exception"]
    return f"## Envelopes and JSON\n\n{how}\n\n{table(head, cells)}\n{table(count, answers)}"


def _filters(rows: list[dict[str, Any]]) -> str:
    bare = rows[0]["cpu"]
    cells = [
        [f"`{r['flags']}`" if r["flags"] else r["title"], f"{r['kept']:,}", f"{r['cpu']:.2f}",
         f"{r['cpu'] - bare:+.2f}"]
        for r in rows
    ]  # fmt: skip
    head = ["", "records kept", "CPU, s", "over reading alone"]
    size = rows[0]["bytes"] / 1e6
    how = f"{size:.0f} MB of log, one thread; what is kept is counted (`-c`), not written."
    return f"## What a filter costs opslog\n\n{how}\n\n{table(head, cells)}"


def _stages(rows: list[dict[str, Any]]) -> str:
    plain = {r["log"]: r["cpu"] for r in reversed(rows) if r["title"] == "nothing"}
    cells = [
        [r["log"], f"`{r['flags']}`" if r["flags"] else r["title"], f"{r['cpu']:.2f}",
         f"{r['cpu'] / plain[r['log']]:.2f}x", f"{r['bytes'] / 1e6 / r['cpu']:.0f}",
         f"{r['peak']:.0f}"]
        for r in rows
    ]  # fmt: skip
    how = (
        f"{rows[0]['bytes'] / 1e6:.0f} MB of log to JSON lines, or text, one thread.  The "
        "loop puts each line of the log, as it is, through oslo.utils'\nmask_password "
        "(`peers/mask.py`), which is a part of what `--mask` does."
    )
    head = ["log", "", "CPU, s", "of nothing", "MB/s", "peak, MB"]
    return f"## What a stage costs opslog\n\n{how}\n\n{table(head, cells)}"


def _counting(rows: list[dict[str, Any]]) -> str:
    lines = rows[1]["cpu"]
    cells = [
        [r["title"], f"{r['cpu']:.2f}", f"{r['bytes'] / 1e6 / r['cpu']:,.0f}",
         f"{r['cpu'] / lines:.2f}x", f"{r['peak']:.0f}"]
        for r in rows
    ]  # fmt: skip
    how = (
        f"{rows[0]['bytes'] / 1e6:.0f} MB of log, one thread.  It holds no notifications: "
        "`events` only looks for them,\nand for `pairs` reads the records of APIs, too."
    )
    head = ["", "CPU, s", "MB/s", "of JSON lines", "peak, MB"]
    return f"## What counting costs\n\n{how}\n\n{table(head, cells)}"


def _merging(rows: list[dict[str, Any]]) -> str:
    cells = []
    for one, both in zip(rows[::2], rows[1::2], strict=True):
        for r in (one, both):
            times = "" if r is one else f"{r['wall'] / one['wall']:.2f}x"
            cells.append(
                [r["title"], f"{r['wall']:.2f}", times, f"{r['cpu']:.2f}", f"{r['peak']:.0f}"]
            )
    how = f"{rows[0]['files']} files of {rows[0]['bytes'] / 1e6:.0f} MB, all of the same time."
    head = ["", "wall, s", "of one by one", "CPU, s", "peak, MB"]
    return f"## Merging many files\n\n{how}\n\n{table(head, cells)}"


def _correlation(rows: list[dict[str, Any]]) -> str:
    *logs, stream = rows
    cells = [
        [row["title"], f"{row['cpu']['plain']:.2f}", f"{row['cpu']['graph']:.2f}",
         f"{row['cpu']['graph'] / row['cpu']['plain']:.2f}x"]
        for row in logs
    ]  # fmt: skip
    commands = [
        [f"`{name}`", f"{cpu:.2f}", f"{cpu / logs[0]['cpu']['plain']:.2f}x"]
        for name, cpu in logs[0]["cpu"].items()
        if name.startswith("--")
    ]
    sizes = ", ".join(f"{peak:.0f} MB for {int(mb):,} MB" for mb, peak in stream["peaks"].items())
    how = (
        f"Logs of {logs[0]['bytes'] / 1e6:.0f} MB to JSON lines in one pass, one thread, without "
        "and with a request graph beside; CPU seconds, start-up included.  The aim is "
        f"{correlation.AIM:g}x at most."
    )
    head = ["", "JSON lines", "with the graph", "ratio"]
    return (
        f"## Who called whom\n\n{how}\n\n{table(head, cells)}\n"
        "What the command does with it reads the text twice:\n\n"
        f"{table(['', 'CPU, s', 'of JSON lines'], commands)}\n"
        f"Memory with the graph, of a stream whose ids never come again: {sizes}.\n"
    )


def _tracing(rows: list[dict[str, Any]]) -> str:
    parts = []
    for size in dict.fromkeys(row["bytes"] for row in rows):
        own = [row for row in rows if row["bytes"] == size]
        *_, once, twice = own
        cells = [
            [r["title"], f"{r['cpu']:.2f}", f"{size / 1e9 / r['cpu']:.2f}", f"{r['wall']:.2f}",
             f"{r['cpu'] / once['cpu']:.1f}x", f"{r['cpu'] / twice['cpu']:.1f}x",
             f"{r['peak']:.0f}"]
            for r in own
        ]  # fmt: skip
        head = [f"{size / 1e6:,.0f} MB", "CPU, s", "GB/s of CPU time", "wall, s", "CPU of grep",
                "CPU of grep twice", "peak, MB"]  # fmt: skip
        parts.append(table(head, cells))
    how = (
        "The story of one request in the middle of a log: it makes three calls, one of which makes "
        "another, so that opslog reads\nthree times, the last two only where its index says that "
        "the ids may stand.  What greps find are lines without an order\nover services, and not "
        "the last call.  All from start to end, start-up included; the aim is "
        f"{tracing.AIM:g} GB/s on one core."
    )
    return f"## The story of a request\n\n{how}\n\n{chr(10).join(parts)}"


def _threads(rows: list[dict[str, Any]]) -> str:
    one = rows[0]["wall"]
    cells = [
        [str(r["threads"]), f"{r['wall']:.2f}", f"{r['cpu']:.2f}", f"{one / r['wall']:.2f}x",
         f"{r['bytes'] / 1e6 / r['wall']:.0f}"]
        for r in rows
    ]  # fmt: skip
    head = ["threads", "wall, s", "CPU, s", "sooner", "MB/s of wall time"]
    return f"## opslog with more threads\n\nEvery record, as JSON lines.\n\n{table(head, cells)}"


def _memory(rows: list[dict[str, Any]]) -> str:
    sizes = list(rows[0]["peaks"])
    cells = [[r["title"], *(f"{r['peaks'][size]:.0f}" for size in sizes)] for r in rows]
    head = ["peak memory, MB", *(f"{int(size):,} MB of log" for size in sizes)]
    how = "The log comes through a pipe and is not stored."
    return f"## opslog's memory\n\n{how}\n\n{table(head, cells)}"


def _latency(rows: list[dict[str, Any]]) -> str:
    *slow, fast = rows
    cells = [
        [row["title"], str(row["workers"]), *(f"{value:.1f}" for value in row["own"]),
         *(f"{value:.1f}" for value in row["closing"][:2]), str(row["lost"])]
        for row in slow
    ]  # fmt: skip
    head = ["", "workers", "p50", "p99", "largest", "closed p50", "closed p99", "lost"]
    return (
        "## How long a record is on its way\n\n"
        f"{slow[0]['rate']} lines a second into a pipe, of workers that take turns; milliseconds "
        "from a line to its record at the other end.  *closed* counts from the line that closes "
        "the record, the next of its worker: less than nothing where it did not wait for that.\n\n"
        f"{table(head, cells)}\n"
        f"{fast['rate']:,} lines a second for {fast['seconds']} seconds, of 8 workers: "
        f"{fast['lost']} lines lost; the writer was late by at most {fast['behind']:.0f} ms; "
        f"{fast['first']:.0f} MB of memory in the first sixth of the time, {fast['last']:.0f} MB "
        "in the last.\n"
    )


def _small_files(rows: list[dict[str, Any]]) -> str:
    least = rows[0]["cpu"]
    cells = [
        [f"`{r['title']}`", f"{r['wall']:.2f}", f"{r['cpu']:.2f}", f"{r['cpu'] / least:.0f}x",
         f"{r['bytes'] / 1e6 / r['cpu']:.0f}"]
        for r in rows
    ]  # fmt: skip
    head = ["", "wall, s", "CPU, s", "of cat's", "MB/s of CPU time"]
    how = (
        "Files of 20 KB in a folder, and a file of the same bytes; opslog's times without start-up."
    )
    return f"## Many small files\n\n{how}\n\n{table(head, cells)}"


def _unusual(rows: list[dict[str, Any]]) -> str:
    plain = rows[0]["bytes"] / rows[0]["cpu"]
    cells = [
        [r["title"], f"{r['bytes'] / 1e6 / r['cpu']:.0f}", f"{r['bytes'] / r['cpu'] / plain:.2f}",
         f"{r['peak']:.0f}", _against(r["records"], r["expected"]), f"{r['expected']:,}"]
        for r in rows
    ]  # fmt: skip
    head = ["", "MB/s", "of plain text", "peak, MB", "records", "truth"]
    how = (
        f"Logs of {rows[0]['bytes'] / 1e6:.0f} MB to JSON lines, one thread; how many records they "
        "hold was counted when they were written\n(`unusual_logs.py`).  What every line costs, "
        "however short, tells where lines are a few bytes long: a line of two bytes\nbecomes one "
        "of JSON of about a hundred."
    )
    return f"## Unusual logs\n\n{how}\n\n{table(head, cells)}"


def _start_up(rows: list[dict[str, Any]]) -> str:
    cells = [[f"`{r['title']}`", f"{r['wall'] * 1000:.0f}", f"{r['cpu'] * 1000:.0f}"] for r in rows]
    return f"## Start-up\n\nA log of one line.\n\n{table(['', 'wall, ms', 'CPU, ms'], cells)}"


def _commands(questions: list[dict[str, Any]]) -> str:
    names = {"{python}": "python", "{peers}": "benchmarks/peers", "{input}": "LOG",
             "{output}": "OUT", "{request}": "REQUEST"}  # fmt: skip
    parts = ["## Commands\n"]
    for question in questions:
        lines = []
        for row in question["rows"]:
            command = row["command"]
            for hole, name in names.items():
                command = command.replace(hole, name)
            lines.append(command)
        parts.append(f"{question['title']}:\n\n```sh\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(render(json.loads(Path(sys.argv[1]).read_text())), end="")
