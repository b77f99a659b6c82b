"""Example stories for the docs, of a simulated deployment: a boot, and one that failed."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import opslog
from opslog.trace import Story, trace
from opslog.trace.page import page
from opslog.trace.waterfall import waterfall

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))


def as_page(name: str) -> str:
    """Return the page of the story ``name``."""
    return page(_story(name), 1.0)


def as_text(name: str) -> str:
    """Return the story ``name`` as a terminal of 100 columns shows it."""
    return waterfall(_story(name), 1.0, 100)


@lru_cache
def _story(name: str) -> Story:
    from simulator import ERAS, Deployment

    with _workplace():
        era = next(era for era in ERAS if era.name == "pike")
        truth = Deployment(1, era).write(Path("log"))
        failed = {truth.roots[callee] for callee in truth.failed}
        roots = sorted(set(truth.roots.values()) - truth.tasks)
        chosen = (root for root in roots if (root in failed) == (name == "failed"))
        members = list(truth.roots.values())
        return trace(opslog.read("log"), max(chosen, key=members.count))


@contextmanager
def _workplace() -> Iterator[None]:
    """Go to a folder for a while, and to UTC: services print their local time."""
    before, zone = Path.cwd(), os.environ.get("TZ")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("log").mkdir()
        os.environ["TZ"] = "UTC"
        time.tzset()
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.pop("TZ")
            if zone is not None:
                os.environ["TZ"] = zone
            time.tzset()
