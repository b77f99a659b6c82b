"""What `opslog why` finds in a run that failed, beside one that passed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers import ROOT, opslog

FAILED, PASSED = (str(ROOT / "docs" / "examples" / "why" / name) for name in ("failed", "passed"))


def found(*arguments: str) -> list[dict[str, Any]]:
    """Return the findings of a command."""
    done = opslog(*arguments, "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_first_error_is_the_cause_and_the_others_come_of_it() -> None:
    first, second = found("why", FAILED, "--good", PASSED)
    assert (first["kind"], first["operation"]) == ("error", "neutron POST /v2.0/ports")
    assert (first["bad"], first["good"]) == (5, 0)
    assert "Instance failed to spawn" in first["consequences"][0]["text"]
    assert (second["kind"], second["severity"]) == ("new", "warning")


def test_without_a_good_run_the_first_failure_is_told() -> None:
    [only] = found("why", FAILED)
    assert only["quote"].startswith("Failed to bind port")


def test_a_run_is_no_different_from_itself() -> None:
    for path in (FAILED, PASSED):
        assert opslog("why", path, "--good", path).returncode == 1
        assert opslog("diff", path, path).returncode == 1


def test_findings_cite_the_line_that_they_quote() -> None:
    cited = [*found("why", FAILED, "--good", PASSED), *found("diff", FAILED, PASSED)]
    assert len(cited) > 3
    for one in cited:
        line = Path(one["source"]).read_bytes()[one["source_offset"] :].split(b"\n")[0]
        assert one["quote"].encode() in line


def test_the_order_of_inputs_does_not_matter() -> None:
    files = sorted(map(str, Path(FAILED).iterdir()))
    both = [found("why", *some, "--good", PASSED) for some in (files, files[::-1])]
    for one in (one for side in both for one in side):
        del one["next"]
    assert both[0] == both[1]


def test_diff_tells_what_has_gone_as_what_is_new() -> None:
    gone = [one for one in found("diff", FAILED, PASSED) if one["kind"] == "gone"]
    assert gone[0]["quote"].startswith("Failed to bind port")


def test_a_call_that_is_made_no_more_is_missing(tmp_path: Path) -> None:
    for path in Path(PASSED).iterdir():
        text = path.read_text()
        if path.name == "nova-compute.log":
            text = "".join(line for line in text.splitlines(True) if "Claim" in line)
        if path.name != "neutron-server.log":
            (tmp_path / path.name).write_text(text)
    kinds = [one["kind"] for one in found("why", str(tmp_path), "--good", PASSED)]
    assert {"missing", "unfinished"} & {*kinds[:3]}
