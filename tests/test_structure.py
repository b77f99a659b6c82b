"""What keeps the code simple: imports go one way, one table of columns."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

from helpers import ROOT
from opslog import LogRecord, schema

SOURCE = ROOT / "src" / "opslog"
LAYERS = [
    ["errors", "severity", "version", "harmless", "names", "patience", "output"],
    ["journal_export"],
    ["_block", "_bytes", "_text", "_time", "_json", "_json_text", "_literal", "_merge", "_ops", "_prefix", "_program", "_route", "_scan", "_trace_text",
     "_traceback", "_workers", "_assemble",     "_column", "_columns", "_plan", "_services", "_values", "_json_rows", "_jsonl", "_survey", "_links", "_needles", "_ids"],
    ["arrays", "schema", "timestamps", "zones", "lines", "layout", "pattern", "fills", "trie", "prefix", "route", "jsonkeys", "program", "services", "table"],
    ["percent", "oslo", "swift", "format", "catalog"],
    ["normalize", "filters", "moments", "fields", "query", "correlate"],
    ["engine"],
    ["live"],
    ["check", "user_formats", "records", "sources", "metrics", "sinks", "stop", "index", "reading", "merge", "piping",
     "identity", "checkpoint", "followed", "roster", "follow", "passes", "relations"],
    ["proxy_conf", "learn", "stages", "logs", "doctor", "stats", "events", "trace", "fluentd"],
    ["cli"],
    ["__main__"],
]  # fmt: skip


def imported(path: Path) -> set[str]:
    """Return the modules of the package a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "opslog":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("opslog."):
                found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("opslog.")}
    return found


def test_imports_go_one_way() -> None:
    layer = {name: index for index, names in enumerate(LAYERS) for name in names}
    modules = [path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py"]
    for path in modules:
        # A module grown into a folder is one still.
        name = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        assert name in layer, f"{path} has no layer"
        for other in imported(path) - {name}:
            assert other in layer, f"{name} imports {other} of the package itself"
            same = layer[other] == layer[name] and LAYERS[layer[name]].index(other) < LAYERS[
                layer[name]
            ].index(name)
            assert layer[other] < layer[name] or same, f"{name} imports {other}"


def test_a_record_has_the_columns_of_the_schema() -> None:
    assert tuple(f.name for f in dataclasses.fields(LogRecord)) == schema.names(
        original=True, root=True
    )


def test_no_code_is_left_open() -> None:
    for path in [*SOURCE.glob("*.py"), *SOURCE.glob("*.pyx")]:
        assert "TODO" not in path.read_text(), path
