"""What rows learn serves those of other files, and changes no record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opslog

LOGGERS = ["nova.compute.manager", "neutron.agent", "own.thing", "oslo_messaging.rpc", "a.b"]
NAMES = ["nova-api.log", "keystone.log", "x.log", "l3-agent.log"]
MESSAGES = [
    '10.0.0.1 "GET /v2.1/servers HTTP/1.1" status: 200 len: 10 time: 0.5',
    "Running periodic task",
    "[instance: 5f0f7c1e-2d3b-4a55-9c1e-0b7a4f2d8e61] Took 1.5 seconds",
]

lines = st.builds(
    "2026-03-10 10:00:00.112 2412 INFO {} [-] {}\n".format,
    st.sampled_from(LOGGERS),
    st.sampled_from(MESSAGES),
)
files = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(lines, min_size=1, max_size=60)),
    min_size=1,
    max_size=6,
)


def rows(*paths: Path) -> list[dict[str, Any]]:
    return [row for batch in opslog.read(*paths).batches() for row in batch.to_pylist()]


def test_the_service_of_a_file_is_not_that_of_the_next(tmp_path: Path) -> None:
    line = "2026-03-10 10:00:00.112 2412 INFO own.thing [-] Started\n"
    paths = [tmp_path / name for name in ("nova-api.log", "keystone.log", "x.log")]
    for path in paths:
        path.write_text(line)
    assert [row["service_name"] for row in rows(*paths)] == ["nova", "keystone", None]


@given(files)
def test_files_read_together_are_as_each_alone(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, list[str]]]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    paths = []
    for number, (name, text) in enumerate(written):
        paths.append(folder / str(number) / name)
        paths[-1].parent.mkdir()
        paths[-1].write_text("".join(text))
    assert rows(*paths) == [row for path in paths for row in rows(path)]
