"""A log, and a run that looks at it when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import Looks


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


@pytest.fixture
def looks(log: Path) -> Iterator[Looks]:
    looks = Looks(log)
    yield looks
    looks.close()
