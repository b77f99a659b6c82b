"""What it costs to tell the story of one request of a large log, beside grep for its id.

The request stands in the middle, its lines 1 MB apart.  It makes three calls, one of
which makes another: three searches, each for the ids the one before found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import corpus
import correlation
import measure

AIM = 1.0
"""GB of log per second of CPU time, start-up included, at least."""

_CORPUS_MB = 1000
"""The log is one of this size again and again, each time with other request ids."""

_BOOT, _PORT, _VOLUME, _IMAGE, _SHOW = (
    f"req-{number}fb2c1d8-40a3-4c5e-9b71-6d0e8f{number}a2b3c" for number in "12345"
)
_CALL = "DEBUG", "keystoneauth.session", "{} call to {} for http://10.0.0.5/{} used request id {}"
_SERVED = "INFO", "{}.wsgi", '10.0.0.6 "{} /{} HTTP/1.1" status: 200  len: 401 time: 0.1834'


def ask(folder: Path, sizes: Sequence[int], runs: int) -> list[dict[str, Any]]:
    """Return what each way took for a log of each size (MB)."""
    rows = []
    for size in sizes:
        log = _written(folder, size)
        try:
            for title, found in measure.in_turn(_commands(folder, log), runs).items():
                if isinstance(found, measure.CommandError):
                    raise found
                one = measure.median(found)
                rows.append({
                    "title": title, "bytes": log.stat().st_size,
                    "cpu": one.cpu, "wall": one.wall, "peak": one.peak,
                })  # fmt: skip
        finally:
            log.unlink()
    return rows


def _commands(folder: Path, log: Path) -> dict[str, str]:
    ids, answer = folder / "trace.ids", folder / "trace.answer"
    grep = "env LC_ALL=C grep -F"
    beside = "grep -o 'req-[0-9a-f-]*' | sort -u"
    twice = f"{grep} {_BOOT} {log} | {beside} > {ids}; {grep} -f {ids} {log} | sort > {answer}"
    opslog = f"{sys.executable} -m opslog trace {_BOOT} {log}"
    return {
        "`opslog trace`": f"{opslog} --threads 1 > {answer}",
        "`opslog trace --threads 2`": f"{opslog} --threads 2 > {answer}",
        "grep for the id": f"{grep} {_BOOT} {log} > {answer}",
        "grep, grep for the ids beside it, sort": f'sh -c "{twice}"',
    }


def _written(folder: Path, megabytes: int) -> Path:
    """Write a log of about that size, with the request in its middle."""
    log, _ = corpus.cached("text", min(_CORPUS_MB, megabytes), folder)
    path = folder / f"trace-{megabytes}mb.log"
    with path.open("wb") as file:
        half = correlation.fresh(log, megabytes * 500_000)
        half(file)
        for line in _story():
            correlation.fresh(log, 1)(file)
            file.write(line.encode())
        half(file)
    return path


def _story() -> Iterator[str]:
    """Yield the lines of the request and of those it calls."""
    calls = (
        (_BOOT, "neutron", "POST", "v2.0/ports", _PORT),
        (_BOOT, "cinder", "POST", "v3/volumes", _VOLUME),
        (_VOLUME, "glance", "GET", "v2/images/1", _IMAGE),
        (_BOOT, "nova", "GET", "v2.1/servers/1", _SHOW),
    )
    said = [(_BOOT, "INFO", "nova.compute.claims", "Claim successful on node cmp-1")]
    for caller, service, verb, path, called in calls:
        level, logger, text = _SERVED
        said.append((called, "INFO", f"{service}.api", f"{verb} {path}"))
        said.append((called, level, logger.format(service), text.format(verb, path)))
        level, logger, text = _CALL
        said.append((caller, level, logger, text.format(verb, service, path, called)))
    said.append((_BOOT, "INFO", "nova.compute.manager", "Took 7.02 seconds to build instance."))
    for second, (request, level, logger, text) in enumerate(said):
        context = f"[{request} {'8c1f5e7d' * 4} {'2a9d8c7b' * 4} - default default]"
        yield f"2026-03-02 02:00:{second:02}.104 {second + 70} {level} {logger} {context} {text}\n"
