"""What keeps the code simple: imports go one way, one table of columns."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from helpers import ROOT
from opslog import LogRecord, schema

SOURCE = ROOT / "src" / "opslog"
LEVELS = {
    room: int(level)
    for level, room in re.findall(
        r"^ *(\d+)  (\w+)(?:/|\.py) ", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE
    )
}
DOOR = "__main__"
"""Whoever starts the package: it may import the command, and nobody imports it."""

_CYTHON = re.compile(
    r"^\s*from opslog(?:\.([\w.]+))? c?import (\([^)]*\)|.*)|^\s*c?import opslog\.([\w.]+)",
    re.MULTILINE,
)


def named(path: Path) -> str:
    """Return the dotted name of a module within the package."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = [
    path
    for path in sorted(SOURCE.rglob("*"))
    if path.suffix in (".py", ".pyx", ".pxd") and path != SOURCE / "__init__.py"
]
MODULES = {named(path) for path in FILES}


def asked_for(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of what a file imports or cimports of the package, wherever it does."""
    text = path.read_text()
    if path.suffix != ".py":
        for base, names, whole in _CYTHON.findall(text):
            if whole:
                yield whole, ""
            for name in re.findall(r"(\w+)(?: as \w+)?", names):
                yield base, name
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "opslog":
            for alias in node.names:
                yield (node.module or "").partition(".")[2], alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("opslog."):
                    yield alias.name.partition(".")[2], ""


def imported(path: Path) -> set[str]:
    """Return the modules of the package that a file imports or cimports."""
    found = set()
    for base, name in asked_for(path):
        inner = f"{base}.{name}" if base else name
        found.add(inner if inner in MODULES else base)
    return found - {named(path)}


def test_imports_go_one_way() -> None:
    for path in FILES:
        name = named(path)
        room = name.split(".")[0]
        assert room in LEVELS or room == DOOR, f"{path} is in no room of ARCHITECTURE.md"
        for other in imported(path):
            assert other, f"{name} imports from the package's face"
            theirs = other.split(".")[0]
            assert theirs in LEVELS, f"{name} imports {other}"
            below = room == DOOR or theirs == room or LEVELS[theirs] < LEVELS[room]
            assert below, f"{name} imports {other}"


def test_every_room_is_there() -> None:
    rooms = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.suffix != ".typed"}
    assert rooms - {"__init__", DOOR, "__pycache__"} == set(LEVELS)


def test_every_file_that_the_map_names_is_there() -> None:
    named_there = re.findall(r"`(\w+/\w+\.\w+)`", (ROOT / "ARCHITECTURE.md").read_text())
    assert named_there
    for path in named_there:
        assert (SOURCE / path).exists() or (ROOT / path).exists(), path


def test_modules_import_each_other_in_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in FILES:
        graph.setdefault(named(path), set()).update(imported(path))
    assert TopologicalSorter(graph).prepare() is None


def test_a_record_has_the_columns_of_the_schema() -> None:
    assert [f.name for f in dataclasses.fields(LogRecord)] == [c.name for c in schema.COLUMNS]


def test_no_code_is_left_open() -> None:
    for path in FILES:
        assert "TODO" not in path.read_text(), path
