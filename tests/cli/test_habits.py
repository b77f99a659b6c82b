"""What people type by habit, and the answers: habits.txt, line by line."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT
from opslog import schema
from opslog.cli import habits, parser
from opslog.model import column_words

_SAID = Path(__file__).with_name("habits.txt").read_text()
_ONE = re.compile(r"^\$ opslog(?P<arguments>.*)\n(?P<answer>(?:.*\n)*?)\[(?P<code>\d+)\]$", re.M)
CASES = [
    (match["arguments"], match["answer"], int(match["code"])) for match in _ONE.finditer(_SAID)
]


def test_each_line_of_the_file_is_read() -> None:
    assert len(CASES) == _SAID.count("\n$ opslog")


@pytest.mark.parametrize(("arguments", "answer", "code"), CASES)
def test_a_habit_is_understood_or_told_the_right_word(
    arguments: str, answer: str, code: int
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "opslog", *shlex.split(arguments)],
        cwd=ROOT / "docs" / "examples",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (run.stdout, run.returncode) == (answer, code)


def test_what_is_meant_exists() -> None:
    known = {
        option
        for command in parser()._subparsers._group_actions[0].choices.values()  # type: ignore
        for option in command._option_string_actions
    }
    assert set(habits._OPTIONS) <= known
    assert habits._VALUES.keys() <= habits._MEANT.keys()
    assert column_words._HABITS.keys() <= {"severity", *(column.name for column in schema.COLUMNS)}
