"""What the library shows its users: the names of Logs, and Logs that go to other processes."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import pyarrow.compute as pc
import pytest

import opslog
from helpers import ROOT
from opslog import F, Logs
from opslog.stages import Dedup

LOG = ROOT / "docs" / "examples" / "nova-compute.log"
OWN = """\
name = "site.own"
title = "lines of this site"

[[layouts]]
layout = "{timestamp:iso} {severity} <{user_id:token}> {body:rest}"

[[layouts]]
regex = '(?<severity>[A-Z]+) own (?<body>.*)'

[[samples]]
line = "2026-03-10T10:00:00Z WARNING <c0ffee> deleted 3 ports"
expect.user_id = "c0ffee"

[[samples]]
line = "INFO own text"
expect.body = "text"
"""


def test_logs_have_the_verbs_of_people() -> None:
    assert [name for name in dir(Logs) if not name.startswith("_")] == [
        "batches", "filter", "graph", "limit", "pipe", "to_table", "with_requests",
        "with_resources", "write", "write_arrow", "write_jsonl", "write_parquet",
    ]  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Logs:
    """Logs with a format of their own."""
    (tmp_path / "own.toml").write_text(OWN)
    log = tmp_path / "own.log"
    log.write_text("2026-03-10T10:00:00Z INFO <cafe> started\nINFO own text\nraw\n")
    return opslog.read(log, LOG, formats=[tmp_path / "own.toml"])


def any_logs(own: Logs) -> list[Logs]:
    logs = opslog.read(LOG)
    return [
        logs,
        own,
        own.filter(F.severity >= "INFO").filter("body ~ 't'").filter(pc.field("format").is_valid()),
        opslog.read(LOG, own._pass.sources.paths[0], merge=True, root=True, original=True),
        logs.with_requests("severity >= ERROR").limit(3),
        logs.pipe(Dedup(60)),
    ]


def test_pickled_logs_give_the_same_records(own: Logs) -> None:
    for logs in any_logs(own):
        again = pickle.loads(pickle.dumps(logs))
        assert again.to_table().equals(logs.to_table())
        assert again.to_table().num_rows


def test_logs_may_be_read_in_another_process(own: Logs) -> None:
    every = any_logs(own)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for logs, found in zip(every, pool.map(Logs.to_table, every), strict=True):
            assert found.equals(logs.to_table())
