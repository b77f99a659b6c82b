"""Months as journalctl prints them in other languages than English."""

from __future__ import annotations

from pathlib import Path

import pytest

import opslog
from opslog.language.timestamps import FOREIGN_MONTHS

MONTHS = [
    (name, number) for number, names in enumerate(FOREIGN_MONTHS, 1) for name in names.split()
]


@pytest.mark.parametrize(("name", "number"), MONTHS)
def test_a_month_of_another_language_is_that_month(name: str, number: int, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f"{name} 05 10:11:12 ctl1 sshd[7]: x\n{name}x 05 10:11:12 ctl1 sshd[7]: y\n")
    (row,) = opslog.read(path, year=2026).to_table().to_pylist()
    assert (row["timestamp"].month, row["program"], row["body"].count("\n")) == (number, "sshd", 1)


def test_no_name_is_that_of_two_months() -> None:
    assert len({name for name, _ in MONTHS}) == len(MONTHS) == len(" ".join(FOREIGN_MONTHS).split())
