"""What was once found by random input stays mended: each seed goes through its target."""

from __future__ import annotations

import random

import pytest

import fuzz_doors


@pytest.mark.parametrize("name", sorted(fuzz_doors.TARGETS))
def test_each_seed_goes_through_its_target(name: str) -> None:
    for data in fuzz_doors.seeds(name):
        for number in range(3):
            fuzz_doors.TARGETS[name](data, random.Random(number))


def test_seeds_have_a_target() -> None:
    assert {path.stem for path in fuzz_doors.SEEDS.iterdir()} == set(fuzz_doors.TARGETS)
