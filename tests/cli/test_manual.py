"""What the command says of itself: help, manual page, completion, schema."""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from helpers import ROOT, on_terminal, opslog
from opslog import cli
from opslog.model import schema
from opslog.model.names import SPELLINGS

sys.path.insert(0, str(ROOT / "docs"))
import manual

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
COMMANDS = {command.name: command for command in manual.commands()}


def arguments(example: str) -> Iterator[list[str]]:
    """Yield what each ``opslog`` of a shell command line is given."""
    words = shlex.shlex(example, posix=True, punctuation_chars="|<>")
    words.whitespace_split = True
    found: list[str] | None = None
    for word in [*words, "|"]:
        if word in ("|", ">"):
            if found is not None:
                yield found
            found = None
        elif found is not None:
            found.append(word)
        elif word == "opslog":
            found = []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_the_help_is_understood(name: str) -> None:
    assert COMMANDS[name].examples
    text = opslog(*name.split(), "--help").stdout.decode()
    for example in COMMANDS[name].examples:
        assert example in text
        calls = list(arguments(example))
        assert calls, example
        for call in calls:
            assert cli.parser().parse_args(cli._prepared(call)).run


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_the_manual_page_is_readable_without_a_warning() -> None:
    result = subprocess.run(
        ["man", "--warnings", "-l", str(ROOT / "docs" / "opslog.1")],
        capture_output=True, text=True, check=True, env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert result.stderr == ""
    for command in COMMANDS.values():
        assert f"OPSLOG {command.name.upper()}" in result.stdout
        for example in command.examples:
            assert " ".join(example.split()) in " ".join(result.stdout.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_a_script_of_its_shell(shell: str) -> None:
    script = opslog("completion", shell).stdout
    assert b"no-progress" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, check=True)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["opslog", "fil"], ["filter"]),
        (["opslog", "filter", "--no-pr"], ["--no-progress"]),
        (["opslog", "filter", "--names", ""], ["ecs", "kolla", "opslog", "otel"]),
        (["opslog", "filter", "-o", "READ"], ["README.md"]),
        (["opslog", "filter", "CHANGE"], ["CHANGELOG.md"]),
    ],
)
def test_bash_completes_commands_options_values_and_files(
    typed: list[str], offered: list[str]
) -> None:
    ask = (
        f"COMP_WORDS=({shlex.join(typed)}); COMP_CWORD={len(typed) - 1}; _shtab_opslog; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    script = opslog("completion", "bash").stdout.decode()
    result = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{ask}"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert sorted(map(str.strip, result.stdout.split())) == offered


COMPLETED = [
    ("opslog fil", "filter"),
    ("opslog filter --no-p", "--no-progress"),
    ("opslog filter --names ec", "ecs"),
    ("opslog filter -o READ", "README.md"),
    ("opslog filter README.md CHANGE", "CHANGELOG.md"),
    ("opslog filter README.md CHANGELOG.md --exit", "--exit-zero"),
    ("opslog formats check README.md CHANGE", "CHANGELOG.md"),
    ("opslog formats --formats README.md le", "learn"),
]
"""What is typed, and the last word made of it."""


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(("typed", "word"), COMPLETED)
def test_fish_completes(typed: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "opslog.fish").write_bytes(opslog("completion", "fish").stdout)
    result = subprocess.run(
        ["fish", "-c", f"source {tmp_path}/opslog.fish; complete -C {shlex.quote(typed)}"],
        capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [word]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
@pytest.mark.parametrize(("typed", "word"), COMPLETED)
def test_zsh_completes(typed: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "_opslog").write_bytes(opslog("completion", "zsh").stdout)
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT,
        start_new_session=True, env=os.environ | {"TERM": "dumb", "PS1": ""},
    )  # fmt: skip
    os.close(theirs)

    def wait_for(text: str) -> None:
        shown = ""
        while text not in shown:
            assert select.select([ours], [], [], 30)[0], shown
            shown += os.read(ours, 65536).decode(errors="replace")

    try:
        ready = f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; PS1='rea''dy '\n"
        os.write(ours, ready.encode())
        wait_for("ready ")
        os.write(ours, f"{typed}\t".encode())
        wait_for(f"{typed.rpartition(' ')[0]} {word}")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_json_lines_fit_the_json_schema(spelling: str) -> None:
    described = json.loads(opslog("schema", "--json", "--names", spelling).stdout)
    jsonschema.Draft202012Validator.check_schema(described)
    validator = jsonschema.Draft202012Validator(described)
    for output in (
        opslog("filter", "--original", "--names", spelling, LOG).stdout,
        opslog("filter", "--names", spelling, stdin=b"noise\n").stdout,
    ):
        for line in output.splitlines():
            validator.validate(json.loads(line))
    assert not validator.is_valid({"unknown": 1})


def test_the_table_of_the_schema_has_every_column() -> None:
    lines = opslog("schema").stdout.decode().splitlines()
    assert lines[0].split() == ["name", "kind", "meaning"]
    assert [line.split()[0] for line in lines[1:]] == [one.name for one in schema.COLUMNS]
    lines = opslog("schema", "--names", "ecs").stdout.decode().splitlines()
    assert lines[1].split()[:3] == ["@timestamp", "timestamp", "timestamp"]


def test_help_and_tables_fit_a_terminal() -> None:
    for arguments in (*([*name.split(), "--help"] for name in COMMANDS), ["schema"], ["formats"]):
        lines = on_terminal(80, *arguments).split("\n")
        # Examples are commands, which are not broken.
        assert [line for line in lines if len(line) > 80 and " opslog " not in line] == []


def test_no_option_is_without_a_help() -> None:
    def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for command in action.choices.values():
                    yield from actions(command)
            else:
                yield action

    assert [action for action in actions(cli.parser()) if not action.help] == []
