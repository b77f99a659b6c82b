"""The pager of a terminal: the program that PAGER names, which shows text that does not fit."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from opslog.cli.complaints import complain

_LESS = {"LESS": "FRX", "LV": "-c"}
"""What pagers are told, unless somebody told them: end where all fits, show colors."""


@contextmanager
def paged(wanted: bool) -> Iterator[None]:
    """Have what is written to the terminal shown by the pager, if there is one; wait for its end.

    ``cat`` is none; of what is not installed it says so.  Errors go there, too, where they
    would be shown on the same terminal.
    """
    command = os.environ.get("PAGER", "").strip()
    useless = command in ("", "cat") or os.environ.get("TERM") == "dumb"
    if not wanted or useless:
        yield
        return
    import shutil  # start-up: most runs have no pager
    import subprocess

    program = _program(command)
    if shutil.which(program) is None:
        complain(f"PAGER: expected a program, found {program!r}; text is shown without it")
        yield
        return
    process = subprocess.Popen(
        command, shell=True, stdin=subprocess.PIPE, env={**_LESS, **os.environ}
    )
    assert process.stdin is not None
    kept = {fd: os.dup(fd) for fd in (1, 2) if os.isatty(fd)}
    for fd in kept:
        os.dup2(process.stdin.fileno(), fd)
    process.stdin.close()
    try:
        yield
    finally:
        for fd, own in kept.items():
            os.dup2(own, fd)
            os.close(own)
        # Of an interrupt the pager is told, too; what it then does is its own affair.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.wait()
        signal.signal(signal.SIGINT, before)


def _program(command: str) -> str:
    """Return the first program that a command of the shell runs."""
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    try:
        return next((word for word in words if "=" not in word), "")
    except ValueError:  # a quotation without its end
        return command
