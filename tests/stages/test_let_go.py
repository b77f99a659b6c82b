"""What a stage lets go, because there is more than it remembers, is said."""

from __future__ import annotations

import json
import string
from itertools import product
from pathlib import Path

import pytest

from helpers import opslog
from opslog.stages.context import MOST_SOURCES
from opslog.stages.dedup import MOST_WINDOWS
from opslog.stages.rate_limit import MOST_KEYS

WORDS = list(product(string.ascii_lowercase, repeat=4))
TIME = "2024-01-01 00:00:00.000 7 INFO"


def lines(number: int) -> str:
    """Return lines of as many requests, each with a message of its own, which comes twice."""
    return "".join(
        2 * f"{TIME} nova.api [req-{n:08x}-0000-4000-8000-000000000000 - - - -] {word}ed {word}er\n"
        for n, word in zip(range(number), map("".join, WORDS), strict=False)
    )


SAID = {
    "--rate-limit=1/h:request_id": "--rate-limit: {} services, or what was named, were forgotten",
    "--dedup=1h": "--dedup: the repeats of {} messages were told before their time",
}


@pytest.mark.parametrize("more", [0, 7])
@pytest.mark.parametrize(
    ("option", "most"), [("--rate-limit=1/h:request_id", MOST_KEYS), ("--dedup=1h", MOST_WINDOWS)]
)
def test_a_stage_says_how_much_it_forgot(option: str, most: int, more: int, tmp_path: Path) -> None:
    log = tmp_path / "nova-api.log"
    log.write_text(lines(most + more))
    result = opslog("filter", option, "--to", "jsonl", str(log))
    said = SAID[option].format(more)
    assert (said in result.stderr.decode()) == (more > 0)
    assert ("too many" in result.stderr.decode()) == (more > 0)


@pytest.mark.parametrize("more", [0, 7])
def test_context_says_how_many_sources_it_forgot(more: int, tmp_path: Path) -> None:
    events = (
        json.dumps({"tag": f"t{n}", "message": f"{TIME} nova.api [-] said"}) + "\n"
        for n in range(MOST_SOURCES + more)
    )
    log = tmp_path / "opslog.log"
    options = ("-B", "1", "--severity", "ERROR", "--log-file", str(log))
    opslog("fluentd", *options, stdin="".join(events).encode())
    said = f"-A, -B, -C: {more} sources were forgotten, as there were too many"
    assert (said in log.read_text()) == (more > 0)
