"""Behaviour, as readable cases in tests/assembly/cases, run through the command."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from helpers import opslog, table

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['fact']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
    for case in tomllib.loads(path.read_text())["case"]
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    text = case["input"].removeprefix("\n").encode()
    result = opslog("filter", *case.get("arguments", []), stdin=text)
    assert result.stderr == b""
    assert result.returncode == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    # An empty value in a case says that the column is null.
    shown = [
        {key: record.get(key, "") for key in wanted}
        for record, wanted in zip(found, case["records"], strict=False)
    ]
    assert shown == case["records"]
    assert len(found) == len(case["records"])


@pytest.mark.parametrize("case", CASES)
def test_one_byte_at_a_time_gives_the_same(case: dict[str, Any]) -> None:
    data = case["input"].removeprefix("\n").encode()
    assert table(data, range(len(data)), original=True).equals(table(data, original=True))
