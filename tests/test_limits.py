"""Every limit of what is remembered is on the page of limits."""

from __future__ import annotations

import sys

from helpers import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import limits

TOLD = [constant for limit in limits.LIMITS for constant in limit.constants]


def test_every_limit_is_told_or_is_none_of_memory() -> None:
    found = set(limits.constants())
    assert len(found) > 50
    assert len({*TOLD, *limits.OTHERS}) == len(TOLD) + len(limits.OTHERS)
    assert found <= {*TOLD, *limits.OTHERS}


def test_every_number_is_told() -> None:
    page = limits.page()
    for number in map(limits.value, TOLD):
        assert f" {number:,} " in page or f" {number >> 20} MiB " in page or f"({number:,} " in page
