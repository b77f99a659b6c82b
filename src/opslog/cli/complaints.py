"""Complaints: what goes wrong, on standard error, each once."""

from __future__ import annotations

import argparse
import os
import sys

from opslog.inputs.paths import Sources
from opslog.terminal.escape import escaped_lines

_said: set[str] = set()


def begin() -> None:
    """Forget what was said before: another run begins."""
    _said.clear()


def complain(what: BaseException | str) -> None:
    """Say what went wrong, unless it was said before."""
    told = str(what)
    if isinstance(what, OSError) and what.strerror:
        place = "" if what.filename is None else f"{os.fsdecode(what.filename)}: "
        told = f"{place}{what.strerror}"
    text = escaped_lines(told)
    if text not in _said:
        _said.add(text)
        print(f"opslog: {text}", file=sys.stderr)


def complain_of_sources(options: argparse.Namespace) -> None:
    """Say which inputs cannot be opened, before a run that may be long."""
    # A followed file may appear later: that it is missing is printed, and it is looked for again.
    # With a limit it may never be asked for.
    if not getattr(options, "follow", False) and getattr(options, "limit", None) is None:
        for error in Sources.of(tuple(getattr(options, "paths", ()))).unopenable():
            complain(error)
