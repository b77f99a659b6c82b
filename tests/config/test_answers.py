"""What config files do in runs of the command: answers.txt, part by part."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers import ROOT

_SAID = Path(__file__).with_name("answers.txt").read_text()
_LINES = """\
2026-03-10 10:00:00.112 2412 INFO nova.service [-] started
2026-03-10 10:00:01.000 2412 WARNING oslo.messaging [-] heartbeat missed
2026-03-10 10:00:02.000 2412 ERROR nova.compute [-] no host
"""
_LOGS = ("nova.log", "glance.log", "ctl1/nova.log", "cmp1/var/log/nova.log")


class Step(NamedTuple):
    """A file that is written, or a command with its answer."""

    kind: str
    said: str
    text: str


def steps(part: str) -> list[Step]:
    """Return the steps of a part."""
    found = []
    for step in re.split(r"^(?=[=$] )", part, flags=re.M)[1:]:
        said, _, text = step[2:].partition("\n")
        found.append(Step(step[0], said, text))
    return found


PARTS = dict(part.split("\n", 1) for part in re.split(r"\n\n# ", _SAID)[1:])


@pytest.mark.parametrize("title", PARTS)
def test_a_config_file_does_what_it_says(title: str, tmp_path: Path) -> None:
    for name in _LOGS:
        log = tmp_path / "case" / name
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(_LINES)
    environment = {k: v for k, v in os.environ.items() if k not in ("XDG_CONFIG_HOME", "TZ")}
    environment["HOME"] = str(tmp_path)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment.setdefault("PYTHONPATH", str(ROOT / "src"))
    for step in steps(PARTS[title]):
        if step.kind == "=":
            (tmp_path / step.said).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step.said).write_text(step.text)
            continue
        run = subprocess.run(
            ["bash", "-c", step.said],
            cwd=tmp_path / "case", env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        said = run.stdout.replace(str(tmp_path), "HOME")
        assert f"{said}[{run.returncode}]" == step.text.rstrip("\n"), step.said
