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


PROGRAMS = ("nova-api", "nova-scheduler", "nova-conductor", "cinder-api", "neutron-server")


def run_of(folder: Path, more: str = "", name: str = "nova-api") -> str:
    """Write a run of five minutes in which each program writes all the time, and some more lines."""
    folder.mkdir()
    for program in PROGRAMS:
        service = program.split("-")[0]
        lines = "".join(
            f"2026-03-10 10:0{second // 60}:{second % 60:02}.500 7 INFO {service}.work [-] Task done\n"
            for second in range(0, 300, 5)
        )
        (folder / f"{program}.log").write_text(lines + (more if program == name else ""))
    return str(folder)


def test_what_a_single_program_goes_on_to_say_makes_no_other_silent(tmp_path: Path) -> None:
    late = "".join(
        f"2026-03-10 10:{second // 60:02}:{second % 60:02}.000 7 WARNING nova.api [-] Old option\n"
        for second in range(300, 900)
    )
    good, bad = run_of(tmp_path / "good"), run_of(tmp_path / "bad", late)
    assert [one["kind"] for one in found("why", bad, "--good", good)] == ["new"]


def test_a_program_is_silent_while_the_others_write(tmp_path: Path) -> None:
    good, bad = run_of(tmp_path / "good"), run_of(tmp_path / "bad")
    path = tmp_path / "bad" / "nova-scheduler.log"
    path.write_text("".join(path.read_text().splitlines(True)[:20]))
    [only] = found("why", bad, "--good", good)
    assert (only["kind"], "nova-scheduler" in only["text"]) == ("silent", True)


def test_answers_of_an_outage_come_of_what_the_service_says_of_it(tmp_path: Path) -> None:
    def request(second: int, route: str, status: int) -> str:
        return (
            f"2026-03-10 10:03:{second:02}.000 7 INFO nova.api.openstack.requestlog "
            f"[None req-00000000-0000-4000-8000-0000000000{second:02} u p - - - -] 10.0.0.{second} "
            f'"GET /v2.1/{route}" status: {status} len: 12 microversion: 2.1 time: 0.1\n'
        )

    routes = ("servers", "flavors", "os-services", "images")
    fine = "".join(request(20 + 4 * n, route, 200) for n, route in enumerate(routes * 5))
    failed = "".join(request(20 + 4 * n, route, 500) for n, route in enumerate(routes * 5))
    lost = "2026-03-10 10:03:19.000 7 ERROR oslo_db.engines [-] The database went away\n"
    good, bad = run_of(tmp_path / "good", fine), run_of(tmp_path / "bad", lost + failed)
    [only] = found("why", bad, "--good", good)
    assert only["quote"] == "The database went away"
    assert {one["kind"] for one in only["consequences"]} == {"failing"}


def test_programs_that_end_together_are_silent_while_another_goes_on(tmp_path: Path) -> None:
    good, bad = run_of(tmp_path / "good"), run_of(tmp_path / "bad")
    for name in PROGRAMS[1:]:
        path = tmp_path / "bad" / f"{name}.log"
        path.write_text("".join(path.read_text().splitlines(True)[:20]))
    found_here = found("why", bad, "--good", good)
    assert {one["kind"] for one in found_here} == {"silent"}
    said = " ".join(one["text"] + str(one["consequences"]) for one in found_here)
    assert all(name in said for name in PROGRAMS[1:])


def test_an_error_that_names_no_outage_takes_no_failing_requests(tmp_path: Path) -> None:
    stale = "2026-03-10 10:03:0{}.000 7 ERROR nova.pci [-] PCI device table is stale\n"
    quota = "".join(
        f"2026-03-10 10:03:{second}.000 7 ERROR nova.quota "
        f"[None req-00000000-0000-4000-8000-0000000000{second} u p - - - -] Quota service: no\n"
        for second in range(20, 50)
    )
    good = run_of(tmp_path / "good")
    bad = run_of(tmp_path / "bad", stale.format(1) + stale.format(4) + quota)
    quotes = {one["quote"] for one in found("why", bad, "--good", good)}
    assert quotes >= {"PCI device table is stale", "Quota service: no"}
