"""What a terminal shows below a table, typed as it stands, gives the records that a row counts."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers import ROOT, on_terminal, opslog
from opslog.cli.doctor import of_format
from opslog.cli.events import of_event
from opslog.cli.lists import of_request
from opslog.cli.records_of import TITLE, Way, column
from opslog.cli.stats import of_error, of_logger, of_service, of_severity

EXAMPLES = ROOT / "docs" / "examples"
BOOT, LOG, EVENTS = (str(EXAMPLES / name) for name in ("boot", "nova-compute.log", "events"))


def typed(line: str) -> int:
    """Return how many records a command line gives, as a shell reads it."""
    said = b""
    for words in " ".join(map(shlex.quote, shlex.split(line))).split(" '|' "):
        program, *arguments = shlex.split(words)
        assert program == "opslog"
        said = opslog(*arguments, stdin=said).stdout
    return len(said.splitlines())


def shown(*arguments: str) -> list[str]:
    """Return the commands that a terminal shows."""
    _, title, below = on_terminal(80, *arguments).partition(f"\n{TITLE}\n")
    assert title
    return [line.strip() for line in below.splitlines() if line.strip()]


def told(*arguments: str) -> Any:
    return json.loads(opslog(*arguments).stdout)


@pytest.mark.parametrize(
    "options",
    [
        [], ["-v", "--logger", "*manager"], ["-n", "9", "--mask"],
        ["--service", "nova", "--severity", "INFO", "--grep", "it's|spawn|a", "-i",
         "--since", "2026-03-10T08:00:05Z", "--until", "12:00", "--timezone", "Europe/Berlin",
         "--where", "severity >= INFO", "--where", 'body ~ "a"'],
        ["--fingerprint", "9efc1043"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_stats_shows_gives_the_records_of_its_first_rows(
    options: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "it's a $log.log"
    shutil.copy(LOG, log)
    found = told("stats", "--json", *options, str(log))
    rows = [*found["errors"][:1], *found["services"][:1], *found["loggers"][:1]]
    counts = [row["records"] for row in rows] + [*found["severities"].values()][-1:]
    commands = shown("stats", *options, str(log))
    assert [typed(command) for command in commands] == counts


def in_a_shell(line: str, folder: Path) -> int:
    """Return how many records a command line gives, typed into a shell in a folder."""
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], stdout=subprocess.PIPE, check=True
    )
    program, *arguments = words.stdout.decode().split("\0")[:-1]
    assert program == "opslog"
    return len(opslog(*arguments, cwd=folder).stdout.splitlines())


@pytest.mark.parametrize(
    "path", ["a ... b.log", "-e.log", "it's.log", "n\nl\x1b.log", "\u202eb.log"]
)
@pytest.mark.parametrize("grep", [None, "wait ... for", "-x"])
def test_odd_names_are_typed_as_they_are(path: str, grep: str | None, tmp_path: Path) -> None:
    said = "wait ... for -x"
    line = json.dumps({"message": said, "levelname": "ERROR", "created": 1773136800.5,
                       "name": "-odd.name", "args": [], "process": 7})  # fmt: skip
    (tmp_path / path).write_text(f"{line}\n")
    options = [] if grep is None else [f"--grep={grep}"]
    with contextlib.chdir(tmp_path):
        commands = shown("stats", *options, "--", path)
    assert len(commands) > 2
    assert [in_a_shell(command, tmp_path) for command in commands] == [1] * len(commands)


def test_other_tables_show_it_too() -> None:
    first = json.loads(opslog("requests", "--to", "jsonl", BOOT).stdout.splitlines()[0])
    assert [typed(one) for one in shown("requests", BOOT)] == [first["records"]]
    first = json.loads(opslog("resources", "--to", "jsonl", BOOT).stdout.splitlines()[0])
    assert [typed(one) for one in shown("resources", "-n", "1", BOOT)] == [first["records"]]
    first = json.loads(opslog("events", "--rows", "summary", EVENTS).stdout.splitlines()[0])
    records, story = shown("events", EVENTS)
    assert typed(records) == first["notifications"]
    assert story.startswith("opslog trace req-")
    assert typed(story) > 1
    first = told("doctor", "--json", LOG)["formats"][0]
    assert [typed(one) for one in shown("doctor", LOG)] == [first["records"]]


def test_a_pipe_shows_none() -> None:
    for command in ("stats", "requests", "resources", "events", "doctor"):
        assert TITLE.encode() not in opslog(command, BOOT).stdout


def test_a_page_shows_them_as_text(tmp_path: Path) -> None:
    opslog("stats", "--html", str(tmp_path / "a.html"), LOG)
    page = (tmp_path / "a.html").read_text()
    assert f"<code>opslog filter --fingerprint 9efc10438b61df0a {LOG}</code>" in page


def ways() -> Iterator[tuple[str, Way, int]]:
    """Yield what chooses the records of each row of each table, and how many these are."""
    every: list[tuple[str, Callable[[Any], Way]]] = [
        ("errors", of_error), ("loggers", of_logger),
        ("services", lambda one: of_service(one.service)),
    ]  # fmt: skip
    for log in (BOOT, LOG, EVENTS, str(EXAMPLES / "why" / "failed")):
        found = told("stats", "--json", "-t", "7", log)
        for table, way in every:
            for row in found[table]:
                yield log, way(SimpleNamespace(**row)), row["records"]
        for name, records in found["severities"].items():
            yield log, of_severity(name), records
    for line in opslog("requests", "--to", "jsonl", BOOT).stdout.splitlines():
        row = json.loads(line)
        yield BOOT, of_request(row["request_id"]), row["records"]
    for line in opslog("resources", "--to", "jsonl", BOOT).stdout.splitlines():
        row = json.loads(line)
        yield BOOT, ("--resource", row["resource_id"]), row["records"]
    for line in opslog("events", "--rows", "summary", EVENTS).stdout.splitlines():
        row = json.loads(line)
        yield EVENTS, of_event(row["event"]), row["notifications"]
    for row in told("doctor", "--json", LOG)["formats"]:
        yield LOG, of_format(row["format"]), row["records"]


def test_every_row_can_be_followed() -> None:
    rows = [*ways()]
    assert len(rows) > 50
    for log, way, records in rows:
        assert int(opslog("filter", "-c", *way, log).stdout) == records, (log, way)


@pytest.mark.parametrize("value", [None, "", "a*", 'a"b?', "a?"])
def test_a_name_that_is_none_or_looks_like_a_pattern_is_meant_as_it_is(value: str | None) -> None:
    flag, condition = column("--service", "service_name", value)
    assert flag == "--where"
    rows = [{"service_name": one} for one in (None, "a*", 'a"b?', "a?", "ab", 'a"bc')]
    lines = "".join(
        json.dumps({**row, "source": "x", "source_offset": 1, "body": "b"}) + "\n" for row in rows
    )
    said = opslog("filter", "--columns", "service_name", "--to", "jsonl", flag, condition,
                  stdin=lines.encode())  # fmt: skip
    found = [json.loads(line).get("service_name") for line in said.stdout.splitlines()]
    assert found == [row["service_name"] for row in rows if row["service_name"] == value]
