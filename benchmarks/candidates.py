"""Who is compared: how to tell that a candidate is installed, and its version."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A program or a Python package that can do the job."""

    title: str
    package: str | None = None
    """The Python package it needs."""
    program: str | None = None
    """The program it needs."""
    ask: str = "--version"
    """The option that makes the program tell its version."""
    lacks: str = ""
    """What its answer about a text log lacks that opslog's has."""
    lacks_json: str = ""
    """The same about a log of JSON objects."""

    def version(self) -> str | None:
        """Return its version, None if it is not installed."""
        if self.package:
            if importlib.util.find_spec(self.package) is None:
                return None
            return importlib.metadata.version(self.package)
        path = shutil.which(self.program or "")
        if path is None:
            return None
        told = subprocess.run([path, self.ask], capture_output=True, text=True, check=False)
        found = re.search(r"\d+(?:\.\d+)+(?:[-.]\w+)?", told.stdout + told.stderr)
        return found[0] if found else "?"


_ROWS = "A line is a row: traceback and follow-on lines stand alone, no exception_*."
_ENGINE = f"{_ROWS} Of request lines those with a status only; no attributes, no offset."
_ENGINE_JSON = "No http_*, no attributes, no offset."
_AS_WRITTEN = "Values as oslo.log wrote them: no service, trace id, http_*, exception type."
_SEARCH = "Lines, no fields, any line with the word: what a search costs at least."


def _engine(title: str, package: str) -> Candidate:
    return Candidate(title, package=package, lacks=_ENGINE, lacks_json=_ENGINE_JSON)


CANDIDATES: dict[str, Candidate] = {
    "opslog": Candidate("opslog", package="opslog"),
    "loop": Candidate("Python loop (re, orjson)", package="orjson"),
    "loop-words": Candidate("Python loop, words looked for first", package="orjson"),
    "polars": _engine("Polars", "polars"),
    "duckdb": _engine("DuckDB", "duckdb"),
    "chdb": _engine("chDB", "chdb"),
    "datafusion": Candidate(
        "DataFusion", package="datafusion",
        lacks=f"{_ENGINE} Blank lines are lost.", lacks_json=_ENGINE_JSON,
    ),
    "mawk": Candidate("mawk", program="mawk", ask="-Wversion", lacks=_ENGINE),
    "miller": Candidate("Miller", program="mlr", lacks=_ENGINE, lacks_json=_AS_WRITTEN),
    "lognormalizer": Candidate(
        "lognormalizer", program="lognormalizer", ask="-V",
        lacks=f"{_ENGINE} No debug suffix, service, trace id, severity number; values are text.",
    ),
    "lnav": Candidate(
        "lnav", program="lnav", ask="-V",
        lacks="Traceback lines with an instance stand alone; the context is one text; the "
        "message is not read: no http_*, code_*, exception_*.",
    ),
    "jq": Candidate("jq", program="jq", lacks_json=_AS_WRITTEN),
    "grep": Candidate("grep", program="grep", lacks=_SEARCH),
    "rg": Candidate("ripgrep", program="rg", lacks=_SEARCH),
}  # fmt: skip

SEARCHES = ("grep", "rg")
"""Candidates that find lines and read no fields."""
