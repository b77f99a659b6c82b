"""Writes a log of any size as oslo.log prints it, and the truth about it beside it.

    python benchmarks/corpus.py text|json|docker|journal|mixed SIZE_MB PATH

The same size gives the same bytes.  docker, journal and mixed are the text in
envelopes (wrapped.py).  The text holds every form of context since
Mitaka, resources, debug suffixes, request lines, messages of several lines and
tracebacks between whose lines other workers write.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cache import once, truth_path, written
from events import Event, Request, events
from wrapped import WRAPPERS

VERSION = 1
"""Part of a cached file's name: to be raised when the bytes change."""

KINDS = ("text", "json", *WRAPPERS)

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


@dataclass
class Truth:
    """What a log holds, counted when it was written."""

    bytes: int = 0
    lines: int = 0
    records: int = 0
    with_request: int = 0
    """Records that carry a request id."""
    exceptions: int = 0
    """Records with a traceback."""
    warnings: int = 0
    """Records of WARNING and above."""
    warning_bytes: int = 0
    """Bytes of these, their tracebacks included."""
    request: str = ""
    """One request of a user, begun in the middle of the file."""
    request_records: int = 0
    """Records whose request id or global request id it is."""

    def add(self, event: Event, size: int, lines: int) -> None:
        self.bytes += size
        self.lines += lines
        self.records += 1
        self.exceptions += bool(event.traceback)
        self.with_request += event.request is not None
        if _LEVELS[event.source.level] >= 30:
            self.warnings += 1
            self.warning_bytes += size
        if event.request and self.request in (event.request.id, event.request.global_id):
            self.request_records += 1


def write(kind: str, size: int, path: Path) -> Truth:
    """Write at least ``size`` bytes of ``kind`` (one of KINDS) and PATH.truth.json."""
    truth = Truth()
    stream = events()
    records = _json(stream) if kind == "json" else _text(stream)
    wrap = WRAPPERS[kind]() if kind in WRAPPERS else None
    newest = 0
    with path.open("wb") as file:
        for pieces in records:
            if wrap is not None:
                pieces = [(event, wrap.piece(event, piece)) for event, piece in pieces]
                wrap.turn()
            for event, length, lines in _owners(pieces):
                if event.request and event.request.user:
                    fresh = event.request.number > newest
                    newest = max(newest, event.request.number)
                    if fresh and not truth.request and 2 * truth.bytes >= size:
                        truth.request = event.request.id
                truth.add(event, length, lines)
            file.write(b"".join([piece for _, piece in pieces]))
            if truth.bytes >= size:
                break
    truth_path(path).write_text(json.dumps(asdict(truth), indent=1) + "\n")
    return truth


def cached(kind: str, megabytes: int, folder: Path) -> tuple[Path, Truth]:
    """Return a corpus and its truth, written on first use."""
    path = once(__file__, kind, megabytes, folder / f"oslo-{kind}-{megabytes}mb-v{VERSION}.log")
    return path, Truth(**json.loads(truth_path(path).read_text()))


_Pieces = list[tuple[Event, bytes]]
"""What events that belong together wrote, in the order of the file."""


def _owners(pieces: _Pieces) -> list[tuple[Event, int, int]]:
    """Return the events with the bytes and lines of each."""
    if len(pieces) == 1:
        [(event, piece)] = pieces
        return [(event, len(piece), piece.count(b"\n"))]
    owners: dict[int, tuple[Event, int, int]] = {}
    for event, piece in pieces:
        _, size, lines = owners.get(event.pid, (event, 0, 0))
        owners[event.pid] = event, size + len(piece), lines + piece.count(b"\n")
    return list(owners.values())


# -- text --------------------------------------------------------------------------


def _text(stream: Iterator[Event]) -> Iterator[_Pieces]:
    """Yield events as text; between the lines of half the tracebacks others write."""
    rng = random.Random(2)
    for event in stream:
        pieces = _pieces(event)
        if len(pieces) == 1:
            yield [(event, pieces[0])]
            continue
        together = [(event, pieces)]
        for _ in range(rng.choice([0, 0, 1, 2, 3])):
            other = next(stream)
            pid = other.pid
            while any(pid == known.pid for known, _ in together):
                pid += 1
            other = other._replace(pid=pid)
            together.append((other, _pieces(other)))
        yield list(_shuffled(rng, [[(e, x) for x in reversed(p)] for e, p in together]))


def _shuffled(rng: random.Random, writers: list[_Pieces]) -> Iterator[tuple[Event, bytes]]:
    """Yield all pieces, those of one writer in their order; the first writer begins."""
    yield writers[0].pop()
    while writers := [writer for writer in writers if writer]:
        yield rng.choice(writers).pop()


def _pieces(event: Event) -> list[bytes]:
    """Return what oslo.log writes, cut where another process may write between."""
    source = event.source
    time = _second(event.milliseconds // 1000)
    prefix = f"{time}.{event.milliseconds % 1000:03d} {event.pid} "
    instance = f"[instance: {event.instance}] " if event.instance else ""
    bracket = _bracket(event.request)
    head = f"{prefix}{source.level} {source.logger} {bracket} {instance}{event.message}"
    if event.summary and _LEVELS[source.level] >= 30:
        head = f"{head}: {event.summary}"
    if source.level == "DEBUG":
        head = f"{head} {source.function} {source.path}:{source.line}"
    if not event.traceback:
        return [f"{head}\n".encode()]
    before = f"{prefix}ERROR {source.logger} {instance}"
    return [f"{head}\n".encode(), *(f"{before}{t}\n".encode() for t in (*event.traceback, ""))]


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=256)
def _bracket(request: Request | None) -> str:
    if request is None:
        return "[-]"
    user, project = request.user or "-", request.project or "-"
    domain = request.domain if request.user else "-"
    if request.six_tokens:
        return f"[{request.id} {user} {project} - {domain} {domain}]"
    return f"[{request.global_id} {request.id} {user} {project} - - {domain} {domain}]"


# -- JSON --------------------------------------------------------------------------


def _json(stream: Iterator[Event]) -> Iterator[_Pieces]:
    """Yield events as lines of oslo.log's JSONFormatter."""
    encode: Callable[[Any], str] = json.JSONEncoder().encode
    fractions = random.Random(3)
    for event in stream:
        yield [(event, f"{encode(_object(event, fractions.random()))}\n".encode())]


def _object(event: Event, fraction: float) -> dict[str, Any]:
    """Return the object of a record, its keys in the order of oslo.log."""
    source = event.source
    created = (event.milliseconds + round(fraction, 4)) / 1000
    filename = source.path.rpartition("/")[2]
    extra = {"instance_uuid": event.instance} if event.instance else {}
    serious = _LEVELS[source.level] >= 30
    out = {
        "message": event.message, "asctime": _second(event.milliseconds // 1000),
        "name": source.logger, "msg": source.message, "args": event.arguments,
        "levelname": source.level, "levelno": _LEVELS[source.level], "pathname": source.path,
        "filename": filename, "module": filename.removesuffix(".py"), "lineno": source.line,
        "funcname": source.function, "created": created, "msecs": event.milliseconds % 1000 + 0.0,
        "relative_created": event.milliseconds % 10**9 + 0.125, "thread": 139787694955392,
        "thread_name": "MainThread", "process_name": "MainProcess", "process": event.pid,
        "traceback": "\n".join(event.traceback) or None, "hostname": "ctl-1",
        "error_summary": event.summary if serious else "",
    }  # fmt: skip
    return {**out, "context": _context(event.request), "extra": {**extra, "version": "unknown"}}


def _context(request: Request | None) -> dict[str, Any]:
    """Return what a request context's to_dict gives; no request, no keys."""
    if request is None:
        return {}
    domain = request.domain if request.user else None
    identity = " ".join(v or "-" for v in (request.user, request.project, None, domain, domain))
    return {
        "user_name": None, "project_name": None, "domain_name": None, "user_domain_name": None,
        "project_domain_name": None, "user": request.user, "project_id": request.project,
        "system_scope": None, "project": request.project, "domain": None, "user_domain": domain,
        "project_domain": domain, "is_admin": False, "read_only": False, "show_deleted": False,
        "auth_token": None, "request_id": request.id, "global_request_id": request.global_id,
        "resource_uuid": None, "roles": ["member"] if request.user else [],
        "user_identity": identity, "is_admin_project": True,
    }  # fmt: skip


def main() -> None:
    """Write the corpus asked for and print the truth about it."""
    truth = written("Write a log as oslo.log prints it.", KINDS, write)
    print(json.dumps(asdict(truth), indent=1))


if __name__ == "__main__":
    main()
