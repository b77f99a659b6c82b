"""Every option of every command: given twice, given nothing, given what cannot be.

The tables are held against the parser, so that no option is forgotten.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import ROOT
from opslog import cli
from opslog.cli.parser import CommandParser

LOG = str(ROOT / "docs" / "examples" / "nova-compute.log")
ARGUMENTS = {
    "opslog trace": ["req-a4c6e8f0", LOG],
    "opslog diff": [LOG, LOG],
    "opslog sql": ["SELECT 1", LOG],
    "opslog explain": ["Started"],
    "opslog formats check": [LOG],
    "opslog formats learn": [LOG],
    "opslog formats show": ["oslo.text"],
    "opslog completion": ["bash"],
    "opslog formats": [], "opslog schema": [], "opslog fluentd": [],
}  # fmt: skip
"""What a command is given beside an option; else a log."""

BESIDE = {
    "-A": ["--severity", "ERROR"], "-B": ["--severity", "ERROR"], "-C": ["--severity", "ERROR"],
    "--roll": ["--to", "jsonl", "-o", "/tmp/"], "--partition-by": ["--to", "jsonl", "-o", "/tmp/"],
    "--checkpoint": ["-f"], "--keys": ["--from", "tsv"], "--to-keys": ["--to", "tsv"],
    "--until": ["--since", "2026-03-10"],
}  # fmt: skip
"""What else there must be, so that nothing but the option's own value is wrong."""

NO_NUMBER = ["-1", "1.5", "x", "", "1e3", "nan", "9" * 30, "\u0663"]
NO_TIME_SPAN = ["-1s", "x", "", "nan", "inf", "1e3", "5 parsecs", "9" * 30, "999999999w", "1s2"]
NO_INSTANT = ["", "soon", "5", "2026-13-01", "2026-02-30", "999999999w", "25:00", "nan"]
NO_ID = ["", "ab", "req-", "req-12", "req-1234567", "tx12", "1234567", "vm1", "-"]
NO_CHOICE = ["", "x", "JSONL"]
NO_TEXT = ["", "\udcff"]
NO_PATH = [""]

IMPOSSIBLE = {
    "--severity": ["", "LOUD", "WARNIN", "0", "25", "-1", "1.5", "nan", "ERROR,", "ERROR..", "INFO,LOUD"],
    "--service": NO_TEXT, "--program": NO_TEXT, "--host": NO_TEXT, "--logger": NO_TEXT,
    "--project": NO_TEXT, "--user": NO_TEXT,
    "--request": NO_ID, "--resource": NO_ID,
    "--fingerprint": ["", "1f1b", "1f1bbb3f9226be3d0", "no-hex-id", "1f1bbb3f,", "req-a4c6e8f0"],
    "--status": ["", "6xx", "0xx", "99", "20", "600", "5x", "404-", "-404", "499-400", "1000", "x",
                 "4xx-5xx"],
    "--since": NO_INSTANT, "--good-since": NO_INSTANT, "--good-until": NO_INSTANT,
    "--good": [*NO_PATH, "/no/such"],
    "--until": [*NO_INSTANT, "2026-03-10", "2026-03-09"],
    "--grep": [*NO_TEXT, "(", "(?=x)", r"\1"],
    "--where": ["", "severity", "severty >= WARNING", "severity >= LOUD", "http_status = x",
                "http_status = 1.5", "duration > nan", "body ~ '('", "body = 'x", "timestamp > soon"],
    "-n": NO_NUMBER, "--tail": NO_NUMBER, "-A": NO_NUMBER, "-B": NO_NUMBER, "-C": NO_NUMBER,
    "-t": [*NO_NUMBER, "1000001"], "--examples": NO_NUMBER,
    "--threads": [*NO_NUMBER, "0", "257"],
    "--width": [*NO_NUMBER, "0", "59", "10001"],
    "--year": [*NO_NUMBER, "26", "0", "1969", "10000"],
    "--min-recognised": ["-1", "100.1", "x", "", "nan", "inf", "1e1", "9" * 30],
    "--timezone": ["", "Nowhere", "+25:00", "+01:60", "nova=", "=UTC", "nova=Nowhere", "../UTC"],
    "--display-timezone": ["", "Nowhere", "+25:00", "nova=UTC", "../UTC"],
    "--hold": NO_TIME_SPAN, "--gap": NO_TIME_SPAN,
    "--every": [*NO_TIME_SPAN, "0", "0s", "0.1ms"],
    "--dedup": [*NO_TIME_SPAN, "0", "0s"],
    "--rate-limit": ["", "x", "0/s", "1/0s", "1/parsec", "-1/s", "1", "1/s:", "1/s:nme", "nan/s"],
    "--sample": ["", "0", "2", "-1", "101%", "1/0", "2/1", "nan", "half"],
    "--roll": ["", "x", "5", "0MiB", "128MB", "5m,5m", "-5m", "1MiB,5m,1h"],
    "--partition-by": ["", "x", "service,", "service,service"],
    "--to": NO_CHOICE, "--from": NO_CHOICE, "--names": NO_CHOICE, "--color": NO_CHOICE,
    "--rows": NO_CHOICE, "--mask": NO_CHOICE, "SHELL": NO_CHOICE,
    "--columns": ["", "x", "body,", "body,body", "level"],
    "--sort": ["", "x", "size"],
    "--keys": ["", "a,", ","], "--to-keys": ["", "a,", ","],
    "--field": [""], "--tag-key": ["", "logger"], "--stream-key": [""], "--name": [""],
    "-o": NO_PATH, "--html": NO_PATH, "--otlp": NO_PATH, "--metrics": NO_PATH,
    "--checkpoint": NO_PATH, "--log-file": NO_PATH,
    "--mask-key": [*NO_PATH, "/no/such", "/dev/null"],
    "--formats": [*NO_PATH, "/no/such"], "--oslo-config": [*NO_PATH, "/no/such"],
    "LINE": ["", LOG], "--source": NO_PATH, "QUERY": ["", "SELEC"], "PATH": NO_PATH, "FILE": NO_PATH, "NAME": ["", "oslo.tex"], "ID": [*NO_ID, "req-*", "a b c d e"],
}  # fmt: skip
"""Values of which each is an error; a path may be anything but nothing."""

ONE = {
    "--severity": "ERROR", "--service": "nova", "--program": "nova-api", "--host": "h",
    "--logger": "nova", "--project": "p", "--user": "u", "--request": "req-a4c6e8f0",
    "--resource": "3f7b1c52", "--fingerprint": "1f1bbb3f", "--status": "5xx", "--since": "2h", "--until": "1h", "--grep": "x",
    "--where": "body = x", "--threads": "1", "--width": "80", "--year": "2026",
    "--min-recognised": "99", "--timezone": "UTC", "--display-timezone": "UTC", "--hold": "1s", "--gap": "1s", "--every": "1s",
    "--dedup": "1s", "--rate-limit": "1/s", "--sample": "1%", "--mask": "share", "--columns": "body",
}  # fmt: skip
"""A value that can be, of options that do not take any text or number."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written where the tests lie."""
    monkeypatch.chdir(tmp_path)


def commands(parser: CommandParser) -> Iterator[CommandParser]:
    """Yield the parsers of all commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from commands(command)


def flag(action: argparse.Action) -> str:
    """Return the option as people write it, or the argument's name."""
    short = [name for name in action.option_strings if not name.startswith("--")]
    return (short or action.option_strings or [str(action.metavar or action.dest).upper()])[0]


ACTIONS = [
    (command.prog, action)
    for command in commands(cli.parser())
    for action in command._actions
    if not isinstance(action, (argparse._SubParsersAction, argparse._HelpAction))
]
VALUED = [(prog, action) for prog, action in ACTIONS if action.nargs != 0]
FIRST = {flag(action): prog for prog, action in reversed(VALUED)}
"""The command that is given all wrong values of an option; the others, which share it, get two."""


@pytest.mark.parametrize("command", [*commands(cli.parser())], ids=lambda command: command.prog)
def test_a_value_may_follow_its_letter_at_once(command: CommandParser) -> None:
    for action in command._actions:
        for option in action.option_strings:
            if len(option) == 2 and action.nargs is None:
                assert [one[0] for one in command._get_option_tuples(f"{option}9")] == [action]


def named(pairs: list[tuple[str, argparse.Action]]) -> list[str]:
    return [f"{prog.removeprefix('opslog ')} {flag(action)}" for prog, action in pairs]


def beside(prog: str) -> list[str]:
    return ARGUMENTS.get(prog, [LOG])


def refusal(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """Return what the command says of arguments that it does not take."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = cli.main(arguments)
    except SystemExit as error:
        code = int(str(error.code))
    finally:
        signal.signal(signal.SIGTERM, before)
    out, said = capfd.readouterr()
    assert (code, out) == (2, ""), arguments
    return said


@pytest.mark.parametrize(("prog", "action"), VALUED, ids=named(VALUED))
def test_a_value_that_cannot_be_is_an_error_that_says_so(
    prog: str, action: argparse.Action, capfd: pytest.CaptureFixture[str]
) -> None:
    name, rest = flag(action), beside(prog)
    for value in IMPOSSIBLE[name] if FIRST[name] == prog else IMPOSSIBLE[name][:2]:
        if action.option_strings:
            given = [*rest, *BESIDE.get(name, []), f"{action.option_strings[-1]}={value}"]
        else:
            given = [*rest[:1], value] if name == "PATH" and len(rest) > 1 else [value, *rest[1:]]
        said = refusal([*prog.split()[1:], *given], capfd)
        assert said.startswith("opslog: "), said
        first = said.splitlines()[0]
        if name == "--where":  # shows the place below
            assert len(said.splitlines()) <= 3
        else:
            assert said.count("\n") == 1, said
        assert any(
            one in first for one in (*action.option_strings, name, name.lower(), "/no/such")
        ), said
        assert "found" in first or "/no/such" in first or "/dev/null" in first, said


def test_the_table_knows_every_option() -> None:
    assert {flag(action) for _, action in VALUED} == set(IMPOSSIBLE)


OPTIONS = [(prog, action) for prog, action in ACTIONS if action.option_strings]


@pytest.mark.parametrize(("prog", "action"), OPTIONS, ids=named(OPTIONS))
def test_an_option_counts_each_time_or_is_given_once(
    prog: str, action: argparse.Action, capfd: pytest.CaptureFixture[str]
) -> None:
    name = flag(action)
    words = [*prog.split()[1:], *beside(prog)]
    if action.nargs == 0:
        # A switch says the same again.
        once, twice = (vars(cli.parser().parse_args([*words, *[name] * n])) for n in (1, 2))
        assert [once[action.dest], once.get("given")] == [twice[action.dest], twice.get("given")]
        return
    value = ONE.get(name) or (next(iter(action.choices)) if action.choices else "1")
    given = [f"{action.option_strings[-1]}={value}"] * 2
    if isinstance(action, argparse._AppendAction):
        assert "again" in str(action.help)
        assert len(getattr(cli.parser().parse_args([*words, *given]), action.dest)) == 2
        return
    assert "again" not in str(action.help)
    said = refusal([*words, *given], capfd)
    spelled = "/".join(action.option_strings)
    assert said.startswith(f"opslog: {spelled}: expected once, found twice: leave one of them out")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "before", [["-c"], ["-c", "--threads", "1"], ["--threads=1", "-c", "other.log"]]
)
def test_behind_two_dashes_nothing_is_an_option(
    before: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "-e.log").write_text("one\ntwo\n")
    (tmp_path / "other.log").touch()
    assert cli.main(["filter", *before, "--", "-e.log"]) == 0
    assert capfd.readouterr().out == "2\n"
