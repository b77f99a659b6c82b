"""Time zones: those that are taken are those Arrow has, and whose a pattern is."""

from __future__ import annotations

import zoneinfo
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from opslog.model.errors import OpslogError
from opslog.model.zones import Zone, Zones

ODD = ["posix/Europe/Berlin", "right/Europe/Berlin", "Factory", "posixrules", "localtime", "Mars"]


def test_the_zones_that_are_taken_are_those_that_arrow_has() -> None:
    for name in [*zoneinfo.available_timezones(), *ODD]:
        taken = known = False
        with suppress(OpslogError):
            taken = Zone(name).name == name
        with suppress(pa.ArrowInvalid):
            pc.assume_timezone(pa.nulls(1, pa.timestamp("us")), name)
            known = True
        assert taken == known, name


@pytest.mark.parametrize(
    ("pattern", "source", "is_for"),
    [
        ("nova.log", "logs/nova.log", True), ("logs/*", "logs/nova.log", True),
        ("case/*", "logs/nova.log", True), ("ase/*", "logs/nova.log", False),
        ("/case/*", "logs/nova.log", False), ("*", "-", True), ("*/-", "-", False),
        ("logs/../*", "logs/../nova.log", True), ("host:ctl1", "ctl1/var/log/x.log", True),
        ("host:ctl*", "ctl1/var/log/x.log", True), ("host:*", "x.log", False),
        ("host:ctl1", "host:ctl1", False), ("b/*", "s3://b/x.log", False),
        ("s3://b/*", "s3://b/x.log", True),
    ],
)  # fmt: skip
def test_a_pattern_is_for_names_paths_and_hosts(
    pattern: str, source: str, is_for: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "case").mkdir()
    monkeypatch.chdir(tmp_path / "case")
    assert Zones({"*": "+1", pattern: "+2"}).of(source).name == ("+2" if is_for else "+1")
    whole = f"{tmp_path}/case/logs/*"
    assert Zones({whole: "+2"}).of(source).name == ("+2" if source == "logs/nova.log" else "UTC")
