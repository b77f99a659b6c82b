"""Config files against independent readings of them: lines, the schema, what is not read."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

import opslog as library
from helpers import on_terminal, opslog
from opslog.config.keys import json_schema
from opslog.config.lines import line_of
from opslog.config.settings import Settings
from opslog.model.errors import ConfigError

WORDS = st.sampled_from(["a", "b c", "x.y", "#", "two\nlines", '"""', "[t]", "timezone"])
VALUES = st.one_of(WORDS, st.integers(), st.lists(WORDS, max_size=3))
TABLES = st.dictionaries(WORDS, st.one_of(VALUES, st.dictionaries(WORDS, VALUES, max_size=3)))


@given(TABLES, st.booleans())
def test_the_line_of_a_key_is_that_without_which_it_is_not_said(
    table: dict[str, object], multiline: bool
) -> None:
    text = "# first\n\n" + tomli_w.dumps(table, multiline_strings=multiline)
    lines = text.split("\n")
    for name, value in table.items():
        inner = list(value) if isinstance(value, dict) else []
        for keys in [(name,), *((name, one) for one in inner)]:
            line = line_of(text, keys)
            before = tomllib.loads("\n".join(lines[: line - 1]))
            for key in keys[:-1]:
                before = before.get(key, {})
            assert keys[-1] not in before
            said = lines[line - 1]
            assert said.strip()
            assert not said.startswith("#")


@pytest.mark.parametrize(
    "text",
    [
        "", "timezone = 'UTC'", "timezone = ''", "timezone = 1", "timezone.a = 'UTC'",
        "timezone.a = ''", "timezone.a = 2", "timezone = []", "filters = {}", "filters.a = 'b ~ c'",
        "filters = 'a'", "filters.a.b = 'c'", "formats = []", "formats = 'a'", "formats = [1]",
        "formats = ['']", "trusted = ['/srv']", "trusted = 1", "display-timezone = 'UTC'",
        "display-timezone = ['UTC']", "other = 1", "display_timezone = 'UTC'", "pager = 'sh'",
    ],
)  # fmt: skip
def test_the_schema_refuses_what_the_command_refuses(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    if jsonschema.Draft202012Validator(json_schema()).is_valid(tomllib.loads(text)):
        Settings.load(str(file))
        return
    with pytest.raises(ConfigError) as refused:
        Settings.load(str(file))
    assert (refused.value.path, refused.value.line) == (str(file), 1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a config file and a log; the current folder is in it."""
    file = tmp_path / "opslog" / "config.toml"
    file.parent.mkdir()
    file.write_text("timezone = '+2'\ndisplay-timezone = '+5'\n[filters]\nall = 'body ~ a'\n")
    log = tmp_path / "nova.log"
    log.write_text("2026-03-10 10:00:00.112 2412 INFO nova.service [-] started\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_library_reads_no_config_file(home: Path) -> None:
    [record] = library.read("nova.log")
    assert str(record.timestamp) == "2026-03-10 10:00:00.112000+00:00"
    with pytest.raises(library.FilterError, match="no filters with a name are known, found '@all'"):
        library.read("nova.log").filter("@all")


def test_a_terminal_is_told_what_counted_and_has_its_zone(home: Path) -> None:
    (home / ".opslog.toml").write_text("timezone = '+3'")
    shown = on_terminal(100, "filter", "--where", "@all", "--color", "never", "nova.log")
    assert "13:00:00.112+05:00" in shown
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "opslog", "filter", "--where", "@all", "-c", "nova.log"]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs).returncode == 0
    os.close(theirs)
    told = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert told == (
        "opslog: .opslog.toml: not read, as its folder is not trusted: see `opslog config`\n"
        f"opslog: times without an offset are of +2: {home}/opslog/config.toml:1\n"
        f"opslog: @all is body ~ a: {home}/opslog/config.toml:4\n"
    )
    assert opslog("filter", "--where", "@all", "-c", "nova.log").stderr == b""


@pytest.mark.parametrize("there", [True, False])
def test_what_reads_config_files_is_imported_where_there_is_one(home: Path, there: bool) -> None:
    if not there:
        (home / "opslog" / "config.toml").unlink()
    code = (
        "import sys\nfrom opslog.cli import main\n"
        "main(['filter', '-c', 'nova.log'])\nprint(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(run.stdout.split())
    assert ("opslog.config.settings" in modules) == there
    assert "pyarrow" not in modules
