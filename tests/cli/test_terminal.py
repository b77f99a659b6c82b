"""What a terminal gets beside aligned text: order, zone, files, marks, a pager, and why nothing."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import on_terminal, opslog
from opslog.model.zones import Zone
from opslog.outputs.marks import BEGIN, END, Marks

EARLY = "2024-07-01 10:00:00.000 7 INFO nova.api [-] first\n2024-07-01 10:00:02.000 7 INFO nova.api [-] third\n"
LATE = "2024-07-01 10:00:01.000 7 INFO nova.api [-] second\n"


def shown(*arguments: str, stdin: bytes = b"", **variables: str) -> str:
    """Return what a terminal shows, without colors."""
    return re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(200, *arguments, stdin=stdin, **variables))


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    paths = tmp_path / "a.log", tmp_path / "b.log"
    paths[0].write_text(EARLY)
    paths[1].write_text(LATE)
    return str(paths[0]), str(paths[1])


def last_words(text: str) -> list[str]:
    return [line.split()[-1] for line in text.splitlines()]


def test_files_stand_in_the_order_of_time_unless_somebody_says_no(two: tuple[str, str]) -> None:
    assert last_words(shown("filter", *two)) == ["first", "second", "third"]
    assert last_words(shown("filter", "--no-merge", *two)) == ["first", "third", "second"]
    piped = opslog("filter", "--to", "text", *two).stdout.decode()
    assert last_words(piped) == ["first", "third", "second"]


def test_times_are_in_the_zone_of_the_reader() -> None:
    def times(zone: str, *arguments: str) -> list[str]:
        text = shown("filter", *arguments, stdin=(EARLY + "no log\n").encode(), TZ=zone)
        return [line[:32] for line in text.splitlines()]

    assert times("Europe/Berlin")[0] == "2024-07-01 12:00:00.000+02:00  I"
    assert times(":Asia/Kolkata")[0] == "2024-07-01 15:30:00.000+05:30  I"
    assert times("<+03>-3")[0] == times("UTC-3")[0] == "2024-07-01 13:00:00.000+03:00  I"
    for utc in ("UTC", "Etc/UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "berlin", "+2", "../x"):
        assert times(utc)[0] == "2024-07-01 10:00:00.000Z  INFO  "
    assert times("Asia/Tokyo", "--display-timezone=-3")[0] == "2024-07-01 07:00:00.000-03:00  I"
    piped = opslog("filter", "--to", "text", "--display-timezone", "tokyo", stdin=LATE.encode())
    assert piped.stdout.startswith(b"2024-07-01 19:00:01.000+09:00  INFO")
    said = opslog("filter", "--display-timezone", "tokyo", stdin=LATE.encode())
    assert said.returncode == 2
    assert said.stderr.startswith(
        b"opslog: --display-timezone: has no effect on jsonl: expected --to text"
    )


EXAMPLES = Path(__file__).parents[2] / "docs/examples"
BOOT = "req-0b8d7f4e-31c5-4f6a-9d5e-6a2f8c1b7e90"
OWN_ZONE = {
    "stats": ([str(EXAMPLES / "nova-compute.log")], "--json"),
    "events": ([str(EXAMPLES / "events")], "--rows=pairs"),
    "requests": (["--to", "text", str(EXAMPLES / "boot")], "--to=jsonl"),
    "resources": (["--to", "text", str(EXAMPLES / "boot")], "--to=jsonl"),
    "trace": ([BOOT, str(EXAMPLES / "boot")], "--json"),
}


@pytest.mark.parametrize("command", OWN_ZONE)
def test_reports_have_the_zone_of_the_reader_too(command: str) -> None:
    arguments, other = OWN_ZONE[command]
    marks = re.compile(r"2026-03-10 (\d\d:\d\d):\d\d(?:[.]\d+)?(Z|[+-]\d\d:\d\d)")

    def seen(text: str) -> set[tuple[str, str]]:
        return {(clock[:2], zone) for clock, zone in marks.findall(text)}

    assert seen(on_terminal(150, command, *arguments, TZ="UTC")) == {("10", "Z")}
    assert seen(on_terminal(150, command, *arguments, TZ="Europe/Berlin")) == {("11", "+01:00")}
    zone = ["--display-timezone", "tokyo"]
    own = on_terminal(150, command, *zone, *arguments, TZ="Europe/Berlin")
    assert seen(own) == {("19", "+09:00")}
    piped = subprocess.run(
        [sys.executable, "-m", "opslog", command, *arguments],
        stdout=subprocess.PIPE, env=os.environ | {"TZ": "Europe/Berlin"}, check=True,
    )  # fmt: skip
    assert seen(piped.stdout.decode()) == {("10", "Z")}
    assert seen(opslog(command, *zone, *arguments).stdout.decode()) == {("19", "+09:00")}
    without = [one for one in arguments if one not in ("--to", "text")]
    said = opslog(command, *zone, other, *without)
    assert said.returncode == 2
    assert said.stderr.startswith(b"opslog: --display-timezone: has no effect on ")


@given(st.integers(-(10**16), 10**16), st.sampled_from(["Europe/Berlin", "+05:45", "-11", "UTC"]))
def test_a_local_time_is_the_same_moment(moment: int, name: str) -> None:
    zone = Zone(name)
    local = zone.to_local(pa.array([moment, None], pa.int64()))
    assert local.null_count == 1
    back, _ = zone.to_utc(local, pa.array([False, False]))
    hour = 3_600_000_000  # one that comes twice is that before
    assert moment - back[0].as_py() in (0, hour)


def test_a_file_is_named_where_no_program_is_known(tmp_path: Path) -> None:
    paths = [tmp_path / "one" / "x.txt", tmp_path / "two" / "y\x1b.txt"]
    for path in paths:
        path.parent.mkdir()
        path.write_text("2024-07-01 10:00:00 hello\n")
    assert [line.split()[2] for line in shown("filter", *map(str, paths)).splitlines()] == [
        "x.txt",
        "y\\x1b.txt",
    ]
    assert shown("filter", str(paths[0])).split()[2] == "hello"


def test_matches_are_marked() -> None:
    trace = (
        b"2024-07-01 10:00:00.000 7 ERROR nova.api [-] no luck: ValueError: bad luck\n"
        b"2024-07-01 10:00:00.000 7 ERROR nova.api Traceback (most recent call last):\n"
        b'2024-07-01 10:00:00.000 7 ERROR nova.api   File "luck.py", line 1, in f\n'
        b"2024-07-01 10:00:00.000 7 ERROR nova.api ValueError: bad luck\n"
    )
    marked = on_terminal(200, "filter", "--grep", "(L)UCK", "-i", stdin=trace)
    on, off = "\x1b[7m", "\x1b[27m"
    assert f"no {on}luck{off}: \x1b[31mValueError: bad {on}luck{off}\x1b[0m" in marked
    whole = on_terminal(200, "filter", "--grep", "luck", "--full", stdin=trace)
    assert f'File "{on}luck{off}.py"' in whole
    assert whole.count(on) == whole.count(off) == 4
    assert on in on_terminal(200, "filter", "--grep", "luck", "--grep", "Value", stdin=trace)
    for arguments in (("--grep", "luck", "--color", "never"), ("--grep", "nothing", "-v")):
        assert on not in on_terminal(200, "filter", *arguments, stdin=trace)
    hostile = f"2024-07-01 10:00:00.000 7 INFO nova.api [-] a{BEGIN}b{END}c\n".encode()
    assert f"a\ufffd{on}b{off}\ufffdc" in on_terminal(200, "filter", "--grep", "b", stdin=hostile)
    assert "a\\ufdd0b\\ufdd1c" in on_terminal(200, "filter", stdin=hostile)


@given(st.text("abc\ufdd0\ufdd1 \n"), st.sampled_from(["a", "b*", "a|bc", "(?P<x>c)", "^", r"\ba"]))
def test_marks_change_nothing_else(text: str, pattern: str) -> None:
    texts = pa.array([text, None])
    found = Marks(("(c)", pattern)).texts(texts)
    plain = [text.replace(BEGIN, "\ufffd").replace(END, "\ufffd"), None]
    assert [t and t.replace(BEGIN, "").replace(END, "") for t in found.to_pylist()] == plain
    assert "".join(c for c in found[0].as_py() if c in BEGIN + END).count(BEGIN + END) * 2 == sum(
        found[0].as_py().count(mark) for mark in (BEGIN, END)
    )
    assert (BEGIN in found[0].as_py()) >= (pc.match_substring_regex(texts, "c")[0].as_py())


def test_patterns_that_do_not_fit_together_mark_nothing() -> None:
    assert Marks((r"\Qa", "b")).texts(pa.array(["ab"])).to_pylist() == ["ab"]


def test_text_goes_through_the_pager(tmp_path: Path) -> None:
    numbered = on_terminal(200, "filter", stdin=EARLY.encode(), PAGER="cat -n")
    assert [line.split()[0] for line in numbered.splitlines()] == ["1", "2"]
    assert on_terminal(200, "filter", stdin=EARLY.encode(), PAGER="head -n 1").count("\n") == 1
    long = tmp_path / "long.log"
    long.write_text(EARLY * 50_000)
    assert on_terminal(200, "filter", str(long), PAGER="head -n 3").count("\n") == 3
    whole = shown("filter", stdin=EARLY.encode())
    for arguments, pager in (
        ((), "no-such-pager"),
        (("--no-pager",), "head -n 1"),
        (("--to", "text", "-o", "/dev/stdout"), "head -n 1"),
    ):
        found = shown("filter", *arguments, stdin=EARLY.encode(), PAGER=pager)
        assert found == whole, arguments


def test_of_nothing_kept_a_terminal_is_told_how_far_the_records_reach(two: tuple[str, str]) -> None:
    def said(*arguments: str) -> str:
        ours, theirs = pty.openpty()
        run = subprocess.run(
            [sys.executable, "-m", "opslog", "filter", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TZ": "UTC"}, check=False,
        )  # fmt: skip
        os.close(theirs)
        assert (run.stdout, run.returncode) == (b"", 1)
        text = os.read(ours, 4096).decode()
        os.close(ours)
        return text

    assert said("--since", "2030-01-01", *two) == (
        "opslog: nothing was kept; the records begin at 2024-07-01 10:00:00 UTC and end at "
        "2024-07-01 10:00:02 UTC\r\n"
    )
    nothing = Path(two[0]).with_name("empty.log")
    nothing.write_text("")
    assert said(str(nothing)) == "opslog: nothing was kept\r\n"
    nothing.write_text("no log\n" + EARLY)
    end = "end at 2024-07-01 10:00:02 UTC; 1 has no time\r\n"
    assert said("--since", "2030-01-01", str(nothing)).endswith(end)
    nothing.write_text("no log\nat all\n")
    end = "opslog: nothing was kept; 2 have no time\r\n"
    assert said("--since", "2030-01-01", str(nothing)) == end
    piped = opslog("filter", "--since", "2030-01-01", *two)
    assert (piped.stderr, piped.returncode) == (b"", 1)
