"""A run of the command that is killed at a chosen moment, for tests of what is left then.

What a run leaves behind changes only in a few calls of the system: a run is killed
before or behind the n-th of these.  A log may be rotated there, too.  Runs are
forked from one process, so that each starts at once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from opslog.scanner.catalog import Catalog

DEADLINE = 60.0
_CALLS = ("write", "replace", "rename", "fsync", "truncate", "ftruncate")

_PRELOADED = [
    "opslog.cli",
    "opslog.logs",
    "opslog.following.follow",
    "pytest",
    "live_run",
    "killed_run",
]
Catalog.default()  # once, in the process that runs are forked from

Moments = Callable[[int], None]
"""Is told before and behind each call, by number from 1 on."""


def _hasten() -> None:
    """Have the run wait less for what may be still to come."""
    from opslog.following import contents, follow, watchlist
    from opslog.outputs import rolling

    follow._SECOND, follow._SLOW = 0.03, 0.02  # type: ignore[misc]
    watchlist.ROTATE_WAIT = follow.ROTATE_WAIT = 0.4  # type: ignore[misc, attr-defined]
    watchlist._SETTLED = 0.1  # type: ignore[misc]
    contents._SEARCH = 20.0  # type: ignore[misc]
    rolling._UNITS["s"] = 0.1  # type: ignore[assignment]


def _watched(told: Moments) -> None:
    moment = 0

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **options: Any) -> Any:
            nonlocal moment
            moment += 1
            told(moment)
            result = call(*arguments, **options)
            moment += 1
            told(moment)
            return result

        return instead

    for name in _CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


def _run(arguments: list[str], out: str, kill_at: int, do_at: int, do: Callable[[], None]) -> None:
    for number, path in ((1, out), (2, f"{out}.err")):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(fd, number)
        os.close(fd)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    _hasten()

    def told(moment: int) -> None:
        if moment == do_at:
            do()
        if moment == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    _watched(told)
    from opslog.cli import main

    os._exit(main(arguments))


_one_thread = threading.Lock()
"""Held by who asks for an exit code: multiprocessing asks for those of all processes at a start."""


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with pytest.MonkeyPatch.context() as patch:
        # It does not get our sys.path otherwise, and imports nothing of the tests.
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
    return context


def start(
    arguments: list[str],
    out: Any,
    kill_at: int = 0,
    do_at: int = 0,
    do: Callable[[], None] = print,
) -> BaseProcess:
    """Start the command; its output is added to ``out``.

    At moment ``do_at`` it calls ``do``, at moment ``kill_at`` it is killed.
    """
    with _one_thread:
        process = _forks().Process(target=_run, args=(arguments, str(out), kill_at, do_at, do))
        process.start()
    return process


def _code(process: BaseProcess) -> int | None:
    with _one_thread:
        return process.exitcode


def until(process: BaseProcess, enough: Callable[[], bool]) -> bool:
    """Wait until there is enough, and end the process; return whether it was not killed before."""
    end = time.monotonic() + DEADLINE
    while _code(process) is None and not enough():
        if time.monotonic() > end:
            os.kill(process.pid or 0, signal.SIGKILL)
            raise AssertionError("in vain")
        time.sleep(0.01)
    with suppress(ProcessLookupError):  # it may be killed, and gone, at this very moment
        if _code(process) is None:
            os.kill(process.pid or 0, signal.SIGTERM)
    while _code(process) is None:
        assert time.monotonic() < end + DEADLINE
        time.sleep(0.01)
    assert _code(process) in (-signal.SIGKILL, 128 + signal.SIGTERM), _code(process)
    return _code(process) != -signal.SIGKILL


def rows(path: Any) -> list[dict[str, Any]]:
    """Return the records of an output; a last line that was torn by a kill is none."""
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
