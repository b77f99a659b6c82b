"""No command destroys a file: every option that names an output, and whatever may stand there."""

from __future__ import annotations

import argparse
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forked import Commands, Result
from helpers import ROOT
from opslog import cli

EXAMPLES = ROOT / "docs" / "examples"
LOG = b"".join(path.read_bytes() for path in [
    EXAMPLES / "nova-compute.log", *sorted((EXAMPLES / "events").iterdir())
])  # fmt: skip
ID = "req-0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5"

_OBSERVED = re.compile(rb'"observedTimeUnixNano": "\d+"')
"""The time of the run in OTLP."""

READ = {"paths", "files", "lines", "source", "good", "formats", "oslo_config", "mask_key"}
"""What names files that are read."""

NO_FILE = {"LEVEL", "NAME", "NAMES", "ID", "CODE", "TIME", "PATTERN", "CONDITION", "N", "WINDOW", "RATE", "ZONE",
           "N/TIME[:COLUMN,...]", "SIZE,TIME", "KEYS", "YEAR", "SECONDS", "COLUMN", "COLUMNS", "PERCENT",
           "QUERY"}  # fmt: skip
"""What stands in the help for values that name no file."""


@dataclass(frozen=True)
class Output:
    """An option that names an output: ``{}`` in the arguments is the file."""

    arguments: str
    suffix: str = ""
    reads: str = "paths"
    grows: bool = False
    """Whether it is read while it is written: of a full disk the beginning is left."""
    needed: bool = True
    """Whether the command fails if it cannot be written."""

    @property
    def command(self) -> str:
        return self.arguments.split()[0]

    @property
    def flag(self) -> str:
        words = self.arguments.split()
        return words[words.index("{}") - 1]

    @property
    def codes(self) -> tuple[int, ...]:
        """Those of a run without trouble."""
        return (128 + signal.SIGTERM,) if " -f " in self.arguments else (0, 1)


OUTPUTS = [
    Output("filter -o {}", ".jsonl", grows=True),
    Output("filter -o {}", ".txt", grows=True),
    Output("filter -o {}", ".arrow", grows=True),
    Output("filter -o {}", ".csv", grows=True),
    Output("filter -o {}", ".parquet"),
    Output("filter -o {}", ".jsonl.gz"),
    Output("filter -c -o {}", ".jsonl"),
    Output("filter --metrics {}", ".prom"),
    Output("filter -f --checkpoint {}"),
    Output("requests -o {}", ".jsonl"),
    Output("requests -o {}", ".txt"),
    Output("requests -o {}", ".parquet"),
    Output("resources -o {}", ".jsonl"),
    Output("resources -o {}", ".txt"),
    Output("resources -o {}", ".parquet"),
    Output("events --rows summary -o {}", ".jsonl"),
    Output("events --rows pairs -o {}", ".parquet"),
    Output("stats --html {}", ".html"),
    Output("why --html {}", ".html"),
    Output(f"trace {ID} --html {{}}", ".html"),
    Output(f"trace {ID} --otlp {{}}", ".json"),
    Output("fluentd --from text --metrics {}", ".prom", reads="stdin"),
    Output("fluentd --from text --log-file {}", ".log", reads="stdin", grows=True, needed=False),
]
each = pytest.mark.parametrize(
    "output", OUTPUTS, ids=lambda one: f"{one.arguments.replace(' {}', '')}{one.suffix}"
)
RESULTS = [
    one for one in OUTPUTS if not one.grows and one.flag not in ("--metrics", "--checkpoint")
]
"""Those that are there at the end only."""


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    one = Commands(disk=True)
    yield one
    one.close()


@dataclass
class Place:
    """A folder with a log, in which the command is run."""

    folder: Path
    output: Output
    commands: Commands

    def __post_init__(self) -> None:
        # By its name the log may be an output.
        self.log = f"a{self.output.suffix}"
        (self.folder / self.log).write_bytes(LOG)

    def run(self, file: str, *paths: str, more: str = "", **how: Any) -> Result:
        """Run the command with output ``file``; read the log, unless ``paths`` say what else."""
        arguments = [file if word == "{}" else word for word in self.output.arguments.split()]
        arguments += more.split()
        if self.output.reads == "stdin":
            how = {"stdin": self.folder / self.log} | how
        else:
            arguments += paths or (self.log,)
        if " -f " in self.output.arguments:
            how = {"terminate": 1.0} | how
        return self.commands.run(*arguments, cwd=self.folder, **how)

    def files(self) -> dict[str, tuple[object, ...]]:
        """Return what is in the folder: names, kinds, modes and contents."""
        return {
            str(path.relative_to(self.folder)): (
                path.lstat().st_mode,
                path.is_symlink() and os.readlink(path),
                path.is_file() and path.read_bytes(),
            )
            for path in self.folder.rglob("*")
        }

    def own(self) -> bytes:
        """Return what the command writes, and leave nothing of it."""
        file = f"own{self.output.suffix}"
        assert self.run(file).code in self.output.codes
        content = (self.folder / file).read_bytes()
        assert content
        for path in self.folder.glob(f"{file}*"):
            path.unlink()
        return content


@pytest.fixture
def place(output: Output, tmp_path: Path, commands: Commands) -> Place:
    return Place(tmp_path, output, commands)


def actions(
    parser: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from actions(command, f"{name} {word}".strip())
        else:
            yield name, action


def test_every_option_that_names_an_output_is_in_the_table() -> None:
    found = set()
    for command, action in actions(cli.parser()):
        if action.nargs == 0 or action.choices is not None or action.dest in READ:
            continue
        assert action.metavar, f"{command} {action.dest}: of what kind is its value?"
        if action.metavar not in NO_FILE:
            found.add((command, action.option_strings[0]))
    found.remove(("formats learn", "-o"))  # reads no logs
    found.remove(("diff", "--html"))  # that of why, whose command it is with other arguments
    assert found == {(one.command, one.flag) for one in OUTPUTS}


def link(place: Place) -> tuple[str, ...]:
    (place.folder / f"out{place.output.suffix}").symlink_to(place.log)
    return (f"out{place.output.suffix}",)


def hard_link(place: Place) -> tuple[str, ...]:
    os.link(place.folder / place.log, place.folder / f"out{place.output.suffix}")
    return (f"out{place.output.suffix}",)


INPUTS: dict[str, Callable[[Place], tuple[str, ...]]] = {
    "itself": lambda place: (place.log,),
    "itself by its whole path": lambda place: (str(place.folder / place.log),),
    "by a link": link,
    "by a hard link": hard_link,
    "by a glob": lambda place: (place.log, "*"),
    "given twice": lambda place: (place.log, place.log, f"./{place.log}"),
    "in a folder": lambda place: (place.log, "."),
    "in a folder that is a link": lambda place: (
        place.log, (place.folder / "there").symlink_to(".") or "there/",
    ),
}  # fmt: skip
"""How a log can be the output: (output, inputs)."""


@each
@pytest.mark.parametrize("how", INPUTS)
def test_an_input_is_never_an_output(how: str, output: Output, place: Place) -> None:
    file, *paths = INPUTS[how](place)
    if paths and output.reads == "stdin":
        pytest.skip("it reads standard input only")
    before = place.files()
    for more in ("--overwrite", "") if how == "itself" else ("--overwrite",):
        result = place.run(file, *paths, more=more)
        assert (result.code, place.files()) == (2, before)
        assert result.err == f"opslog: {file}: is also an input; write to another file\n"


@each
def test_a_file_of_others_is_replaced_only_where_one_insists(output: Output, place: Place) -> None:
    file = f"out{output.suffix}"
    (place.folder / file).write_bytes(LOG)
    before = place.files()
    result = place.run(file)
    assert (result.code, place.files()) == (2, before)
    assert result.err.startswith(f"opslog: {file}: expected ")
    assert result.err.count("\n") == 1
    if "--checkpoint" in output.arguments:
        assert "name another file; a damaged checkpoint must be removed" in result.err
        return
    assert "; write to another file, or insist with --overwrite" in result.err
    assert place.run(file, more="--overwrite").code in output.codes
    written = (place.folder / file).read_bytes()
    # A log is added to, also by who insists.
    assert written.startswith(LOG) if "--log-file" in output.arguments else LOG not in written


@each
def test_what_the_command_wrote_before_it_replaces_without_asking(
    output: Output, place: Place
) -> None:
    own = place.own()
    file = f"out{output.suffix}"
    (place.folder / file).write_bytes(own)
    result = place.run(file)
    if " -c " in output.arguments:  # whose a number is cannot be told
        assert (result.code, (place.folder / file).read_bytes()) == (2, own)
        assert "insist with --overwrite" in result.err
        return
    assert (result.code in output.codes, result.err) == (True, "")
    again = (place.folder / file).read_bytes()
    if "--log-file" in output.arguments:
        assert again.startswith(own)
    elif "--metrics" not in output.arguments and "--checkpoint" not in output.arguments:
        assert _OBSERVED.sub(b"", again) == _OBSERVED.sub(b"", own)


@each
def test_of_a_full_disk_all_is_left_as_it_was(output: Output, place: Place) -> None:
    if not place.commands.can_fill_the_disk:
        pytest.skip("needs a C compiler")
    own = b"" if output.grows or " -c " in output.arguments else place.own()
    for name in ("out", "new") if own else ("new",):
        file = f"{name}{output.suffix}"
        (place.folder / f"out{output.suffix}").write_bytes(own)
        for room in (0, 1, 50) if len(own) > 50 or output.grows else (0, 1):
            before = place.files()
            result = place.run(file, room=room)
            after = place.files()
            after.pop(f"{file}.lock", None)  # which a checkpoint leaves
            if output.grows:
                kept = after.pop(file)[-1]
                assert isinstance(kept, bytes)
                assert len(kept) <= room
            assert after == {k: v for k, v in before.items() if k != f"{file}.lock"}
            if output.needed:
                assert result.code == 2
                assert f"{file}: " in result.err
                assert "No space left on device" in result.err
            if output.grows:
                (place.folder / file).unlink()


@each
@pytest.mark.parametrize("source", ["no.log", "no*.log", "binary", "no.log --merge"])
def test_where_nothing_can_be_read_what_was_there_stays(
    source: str, output: Output, place: Place
) -> None:
    if output.reads == "stdin" or output.flag in ("--metrics", "--checkpoint"):
        pytest.skip("it reads standard input, or tells of the run, not of what was read")
    (place.folder / "binary").write_bytes(bytes(range(256)) * 20)
    file = f"out{output.suffix}"
    (place.folder / file).write_bytes(b"" if " -c " in output.arguments else place.own())
    before = place.files()
    path, *more = source.split()
    if more and output.command != "filter":
        return
    result = place.run(file, path, more=" ".join(more))
    assert (result.code, place.files()) == (2, before), result.err


@each
@pytest.mark.parametrize("closed", ["the folder", "the file"])
def test_without_the_right_to_write_all_is_left_as_it_was(
    closed: str, output: Output, place: Place
) -> None:
    folder = place.folder / "closed"
    folder.mkdir()
    file = f"closed/out{output.suffix}"
    if closed == "the file":
        (place.folder / file).write_bytes(place.own())
        (place.folder / file).chmod(0o444)
    else:
        folder.chmod(0o555)
    before = place.files()
    result = place.run(file, rights=False)
    folder.chmod(0o755)
    after = place.files()
    assert after.pop("closed")[0] == stat.S_IFDIR | 0o755
    after.pop(f"{file}.lock", None)
    before.pop("closed")
    assert (result.code, after) == (2, before)
    assert f"{file}: " in result.err
    assert "Permission denied" in result.err


@pytest.mark.parametrize("output", RESULTS, ids=lambda one: one.arguments + one.suffix)
def test_interrupted_it_leaves_what_was_there(output: Output, place: Place) -> None:
    file = f"out{output.suffix}"
    (place.folder / file).write_bytes(b"" if " -c " in output.arguments else place.own())
    pipe = place.folder / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, LOG * 2)
    before = place.files()
    result = place.run(file, "-", stdin=pipe, terminate=1.0)
    os.close(writer)
    assert place.files() == before
    # It reads files only, which do not keep it waiting.
    assert result.code == (2 if output.command == "trace" else 128 + signal.SIGTERM)


def test_a_file_that_a_glob_put_behind_an_option_stays(tmp_path: Path, commands: Commands) -> None:
    """``trace ID --html a*.log``: the name of the page was forgotten, and a log stands there."""
    for name in ("a1.log", "a2.log"):
        (tmp_path / name).write_bytes(LOG)
    for flag in ("--html", "--otlp"):
        for logs in (["a1.log", "a2.log"], ["a1.log"]):
            result = commands.run("trace", ID, flag, *logs, cwd=tmp_path)
            assert result.code == 2
            assert result.err.startswith("opslog: a1.log: expected ")
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {LOG}


@pytest.mark.parametrize("paths", [".", "*", "./**/*.jsonl", "?/*", "a", "a/[a-z].jsonl"])
@pytest.mark.parametrize("file", ["a/b.jsonl", "a/"])
def test_nothing_is_written_that_would_be_followed(
    paths: str, file: str, tmp_path: Path, commands: Commands
) -> None:
    (tmp_path / "a").mkdir()
    if (paths, file) == ("a/[a-z].jsonl", "a/"):
        return  # those have longer names
    result = commands.run("filter", "-f", "--to", "jsonl", "-o", file, paths, cwd=tmp_path)
    assert result.code == 2
    assert " is followed, and would be read as it is written" in result.err or (
        f"lies in what {paths} names, and would be read as it is written" in result.err
    )
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.parametrize("flag", ["--metrics", "--checkpoint"])
def test_own_files_may_lie_among_what_is_followed_and_others_stay(
    flag: str, tmp_path: Path, commands: Commands
) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    (tmp_path / "empty.log").touch()
    for file in ("a.log", "empty.log"):
        result = commands.run("filter", "-f", flag, file, "*.log", cwd=tmp_path)
        assert (result.code, result.out) == (2, "")
        assert result.err == f"opslog: {file}: is also an input; write to another file\n"
    for _ in range(2):
        result = commands.run("filter", "-f", "-c", flag, "own", "*", cwd=tmp_path, terminate=1.5)
        assert result.code == 128 + signal.SIGTERM
    assert sorted(path.name for path in tmp_path.iterdir()) in (
        ["a.log", "empty.log", "own"], ["a.log", "empty.log", "own", "own.lock"],
    )  # fmt: skip
    assert (tmp_path / "a.log").read_bytes() == LOG


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("filter --metrics x -o x.jsonl --checkpoint x -f a", "x: --metrics and --checkpoint name this file; name two"),
        (f"trace {ID} --html x --otlp ./x a", "./x: --html and --otlp name this file; name two"),
        (f"trace {ID} --html - --otlp - a", "--html and --otlp both name standard output; name a file"),
        (f"trace {ID} --json --html - a", "--json and --html both name standard output; name a file"),
        (f"trace {ID} --json --otlp - a", "--json and --otlp both name standard output; name a file"),
        ("filter --metrics - a", "--metrics -: expected the name of a file"),
        ("filter -f --checkpoint - a", "--checkpoint -: expected the name of a file"),
        ("stats --html - a", "--html -: expected the name of a file"),
        ("stats --html x/ a", "x/: Is a directory"),
        ("stats --html . a", ".: Is a directory"),
        ("stats --html no/x a", "no/x: No such file or directory"),
        ("filter --overwrite a", "--overwrite: has no effect without a file to write to: leave it out"),
        ("filter --mask-key key --metrics key --overwrite a", "key: is also an input; write to another file"),
        ("stats --oslo-config key --html key --overwrite a", "key: is also an input; write to another file"),
        ("stats --formats . --html key --overwrite a", "key: is also an input; write to another file"),
        ("filter a -o ./ --to jsonl .", "./: lies in a folder that is read, and would be read by the next run; write to another folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_before_anything_is_read(
    arguments: str, message: str, tmp_path: Path, commands: Commands
) -> None:
    (tmp_path / "key").write_text("secret")
    (tmp_path / "a").write_text("")
    result = commands.run(*arguments.split(), cwd=tmp_path)
    assert (result.code, result.out, result.err) == (2, "", f"opslog: {message}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "key"]


@pytest.mark.parametrize(
    "command",
    [
        "filter",
        "stats",
        "events",
        "doctor",
        "requests",
        "resources",
        f"trace {ID}",
        "formats learn",
    ],
)
def test_standard_output_is_no_input_either(command: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LOG)
    result = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m opslog {command} ./a >> a"],
        cwd=tmp_path, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr == (
        b"opslog: standard output: is also an input, ./a; write to another file\n"
    )
    assert (tmp_path / "a").read_bytes() == LOG


def test_a_name_of_standard_output_is_written_as_that(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LOG)
    result = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m opslog filter a --to jsonl -o /dev/stdout > out"],
        cwd=tmp_path, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, b"")
    assert (tmp_path / "out").read_bytes().startswith(b'{"timestamp"')


@pytest.mark.parametrize(
    "line",
    [
        "filter --formats a.toml a >> a.toml",
        "filter --oslo-config a.toml a >> a.toml",
        "filter --mask --mask-key a.toml a >> a.toml",
        "formats --formats a.toml >> a.toml",
        "stats < a >> a",
        "doctor < a >> a",
        "requests < a >> a",
        "events < a >> a",
        "fluentd --from text < a >> a",
        "stats --html a.toml --overwrite a >> a.toml",
        f"trace {ID} --html a.toml --overwrite a >> a.toml",
        "filter --metrics a.toml --overwrite a >> a.toml",
        "fluentd --log-file a.toml --overwrite < a >> a.toml",
    ],
)
def test_what_is_read_or_written_already_is_no_standard_output(line: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LOG)
    (tmp_path / "a.toml").write_text("precious\n")
    result = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m opslog {line}"],
        cwd=tmp_path, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert b"standard output" in result.stderr
    assert (tmp_path / "a").read_bytes() == LOG
    assert (tmp_path / "a.toml").read_text() == "precious\n"
