"""How long a record is on its way through a pipe, and whether a fast stream is kept up with."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_RATE = 100
_FAST = 50_000
_EVERY = 0.002
"""Seconds between the writes of the fast stream."""
_PEERS = Path(__file__).resolve().with_name("peers")
_OPSLOG = f"exec {sys.executable} -m opslog filter --to jsonl"
_NUMBER = re.compile(rb"message (\d+) of")


def ask(seconds: int, fast_seconds: int) -> list[dict[str, Any]]:
    """Return the rows of the slow streams, then that of the fast one."""
    loop = f"exec {sys.executable} {_PEERS / 'unbuffered.py'}"
    rows = [
        _slow("a loop that wraps lines in JSON", loop, 1, seconds),
        _slow("jq --unbuffered", "exec jq --unbuffered -cR '{body: .}'", 1, seconds),
    ]
    for hold in ("0", "0.2"):
        for workers in (1, 8):
            title = f"opslog filter --hold {hold}"
            rows.append(_slow(title, f"{_OPSLOG} --hold {hold}", workers, seconds))
    return [*filter(None, rows), _fast(fast_seconds)]


def line(number: int, workers: int) -> bytes:
    """Return a line of one of the workers, who take turns."""
    minutes, milliseconds = divmod(number, 60000)
    return (
        f"2026-03-10 10:{minutes % 60:02}:{milliseconds / 1000:06.3f} {2400 + number % workers} "
        "INFO nova.compute.manager "
        "[None req-7822cfee-24bf-4614-a8a6-e6a34f88e4ce admin demo - - - -] "
        f"message {number} of many, as long as lines of logs are on the average: about 230 bytes\n"
    ).encode()


def _slow(title: str, command: str, workers: int, seconds: int) -> dict[str, Any] | None:
    """Write line by line and take the time until the record of each is there."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, shell=True, stdin=pipe, stdout=pipe, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    sent: dict[int, float] = {}
    came: dict[int, float] = {}
    output = process.stdout

    def receive() -> None:
        rest = b""
        while data := output.read(65536):
            now = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            came.update((int(found[1]), now) for x in lines if (found := _NUMBER.search(x)))

    receiver = threading.Thread(target=receive)
    receiver.start()
    time.sleep(1)  # starting is not asked for
    begin = time.monotonic()
    count = seconds * _RATE
    try:
        for number in range(count):
            time.sleep(max(0.0, begin + number / _RATE - time.monotonic()))
            sent[number] = time.monotonic()
            process.stdin.write(line(number, workers))
    except BrokenPipeError:
        process.wait()
        return None
    time.sleep(0.5)
    process.stdin.close()
    receiver.join()
    process.wait()
    # A record closes with the next line of its worker, and leaves when those before it have.
    closing = [came[n] - sent[n + workers] for n in range(count - workers)]
    return {
        "title": title, "workers": workers, "rate": _RATE, "lost": count - len(came),
        "own": _spread([came[n] - sent[n] for n in came]), "closing": _spread(closing),
    }  # fmt: skip


def _spread(values: list[float]) -> list[float]:
    """Return the median, the 99th percentile and the largest, in milliseconds."""
    ordered = sorted(values)
    return [1000 * ordered[int(part * (len(ordered) - 1))] for part in (0.5, 0.99, 1)]


def _fast(seconds: int) -> dict[str, Any]:
    """Write 50,000 lines a second and count what comes out; watch the memory."""
    command = f"{_OPSLOG} --hold 0.2"
    process = subprocess.Popen(
        f"{command} | wc -l", shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    begin = time.monotonic()
    written, behind = 0, 0.0
    peaks: list[float] = []
    for chunk in _chunks(seconds):
        due = begin + written / _FAST
        now = time.monotonic()
        time.sleep(max(0.0, due - now))
        behind = max(behind, now - due)
        process.stdin.write(chunk)
        process.stdin.flush()
        written += chunk.count(b"\n")
        if written % (_FAST * max(1, seconds // 6)) < chunk.count(b"\n"):
            peaks.append(_memory(process.pid))
    process.stdin.close()
    out = int(process.stdout.read())
    process.wait()
    return {
        "title": "opslog filter", "rate": _FAST, "seconds": seconds, "lost": written - out,
        "behind": 1000 * behind, "first": peaks[0], "last": peaks[-1],
    }  # fmt: skip


def _chunks(seconds: int) -> Iterator[bytes]:
    """Yield the lines of the fast stream, those of 2 ms at once."""
    step = int(_FAST * _EVERY)
    one = [b"".join(line(n, 8) for n in range(k * step, (k + 1) * step)) for k in range(100)]
    for number in range(seconds * _FAST // step):
        yield one[number % len(one)]


def _memory(shell: int) -> float:
    """Return the resident memory of the opslog below a shell in MB (10^6 bytes)."""
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    for pid in children:
        if b"opslog" in Path(f"/proc/{pid}/cmdline").read_bytes():
            status = Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            return int(found[1]) * 1024 / 1e6 if found else 0.0
    return 0.0
