"""A short run of tests/soak.py, which CONTRIBUTING.md says how to run for longer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "soak.py"


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("cc") is None, reason="the faults are compiled")
def test_each_line_comes_out_once_whatever_goes_wrong() -> None:
    done = subprocess.run(
        [sys.executable, SOAK, "25", "--files", "20", "--seed", "1"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
