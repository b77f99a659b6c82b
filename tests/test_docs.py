"""Every example in README and docs is run; what can be generated is."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from helpers import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import generate

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example logs and the command on the path, as the examples expect."""
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def runs(text: str) -> list[tuple[str, str]]:
    """Return (command, expected output) of a console block."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:], ""))
            continue
        command, output = found[-1]
        if line.startswith(">") and not output:
            found[-1] = command + line[1:].removeprefix(" "), output
        else:
            found[-1] = command, output + line
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_prints_what_the_page_says(path: Path, workplace: Path) -> None:
    fsspec.filesystem("memory").store.clear()  # one for the whole process
    names: dict[str, object] = {}
    for language, text in BLOCK.findall(path.read_text()):
        if language == "console":
            for command, expected in runs(text):
                if re.search(r"\bjq\b", command) and shutil.which("jq") is None:
                    continue
                result = subprocess.run(
                    ["bash", "-c", f"exec 2>&1\n{command}"], capture_output=True, check=False
                )
                assert result.stdout.decode() == expected, command
        elif language == "python":
            test = doctest.DocTestParser().get_doctest(text, names, path.name, str(path), 0)
            assert test.examples, "a Python block without examples"
            failures: list[str] = []
            doctest.DocTestRunner(verbose=False).run(test, out=failures.append, clear_globs=False)
            names = test.globs
            assert not failures, "".join(failures)


@pytest.mark.parametrize("path", sorted(generate.PAGES), ids=str)
def test_generated_pages_are_up_to_date(path: str) -> None:
    page = ROOT / "docs" / path
    assert page.read_text() == generate.PAGES[path](), "run: python docs/generate.py"


def test_links_between_pages_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:?]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_change_log_knows_the_version() -> None:
    import opslog

    assert f"## [{opslog.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
